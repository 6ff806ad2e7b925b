// JSON that anybody may have written becomes a Message, or a list of all that
// is wrong with it (pony-message(5)).
//
// Promises: nothing is cleaned up silently; what is not understood is refused;
// no problem hides another. Doesn't know: files. An attachment is bytes in the
// JSON, and there is no key that could name a path.
//
// Order of the file: what collects problems, readers for single values, the
// reader of a whole message with its table of keys.
#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "core/list_unsubscribe.h"
#include "core/lower_case.h"
#include "core/message.h"

namespace pony {
namespace {

constexpr std::size_t k_max_recipients = 10'000;
constexpr std::size_t k_max_headers = 100;
constexpr std::size_t k_max_tags = 50;
constexpr std::size_t k_max_unsubscribe = 4;
constexpr std::size_t k_max_attachments = 100;
constexpr std::size_t k_max_metadata = 100;
constexpr std::size_t k_max_problems = 100;

// In bytes.
constexpr std::size_t k_max_name = 1'024;
constexpr std::size_t k_max_header = 16'384;
constexpr std::size_t k_max_tag = 200;
constexpr std::size_t k_max_metadata_value = 4'096;
constexpr std::size_t k_max_word = 255;  // file names, keys, pools, cids
constexpr std::size_t k_max_raw = std::size_t{50} << 20;
constexpr std::size_t k_max_envelope_id = 100;  // RFC 3461, 4.4

// Everything that is wrong, up to a number that a person still reads.
class Problems {
 public:
  void add(std::string place, std::string what, std::string hint = {}) {
    ++count_;
    if (list_.size() == k_max_problems) return;
    list_.push_back({std::move(place), std::move(what), std::move(hint)});
  }
  void add(std::string place, const Error& error) {
    add(std::move(place), error.what, error.hint);
  }
  void add(const std::vector<Problem>& problems) {
    for (const Problem& p : problems) add(p.place, p.what, p.hint);
  }

  bool none() const { return count_ == 0; }
  // Is there a problem in one of these members of the message?
  bool touch(std::initializer_list<std::string_view> keys) const {
    return std::any_of(list_.begin(), list_.end(), [&](const Problem& p) {
      const std::string_view place = p.place;
      const auto key = place.substr(0, place.find_first_of(".["));
      return std::find(keys.begin(), keys.end(), key) != keys.end();
    });
  }
  bool full() const { return list_.size() == k_max_problems; }

  // "not a valid message: to[1]: … (and 2 more)"; the hint is the first's.
  tl::unexpected<Error> as_error() && {
    const Problem& first = list_.front();
    std::string what = "not a valid message: ";
    if (!first.place.empty()) what += first.place + ": ";
    what += first.what;
    if (count_ > 1) what += " (and " + std::to_string(count_ - 1) + " more)";
    return tl::unexpected<Error>(
        Error{Error::Kind::bad_data, what, first.hint, std::move(list_)});
  }

 private:
  std::vector<Problem> list_;
  std::size_t count_ = 0;
};

// Places: "to[1]" and "headers.X-A". Keys are hostile too.
std::string item_place(std::string_view list, std::size_t index) {
  return std::string(list) + '[' + std::to_string(index) + ']';
}

std::string member_place(std::string_view object, std::string_view key) {
  return std::string(object) + '.' + printable(key, 60);
}

void add_unknown_key(Problems& problems, std::string place,
                     std::string_view key,
                     const std::vector<std::string_view>& known,
                     std::string hint = {}) {
  // Looking for the nearest key takes longest: not for a million of them.
  if (hint.empty() && !problems.full()) hint = did_you_mean(key, known);
  problems.add(std::move(place), "unknown key '" + printable(key, 60) + "'",
               std::move(hint));
}

// What JSON calls the kind of `value`.
std::string_view kind_name(const Json& value) {
  switch (value.kind) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::boolean:
      return "a boolean";
    case Json::Kind::number:
      return "a number";
    case Json::Kind::string:
      return "a string";
    case Json::Kind::array:
      return "an array";
    case Json::Kind::object:
      return "an object";
  }
  return "nothing";
}

bool check_kind(Problems& problems, const std::string& place, const Json& value,
                Json::Kind kind, std::string_view wanted) {
  if (value.is(kind)) return true;
  problems.add(place, "is " + std::string(kind_name(value)) + ", must be " +
                          std::string(wanted));
  return false;
}

bool check_count(Problems& problems, const std::string& place,
                 std::size_t count, std::size_t limit) {
  if (count <= limit) return true;
  problems.add(place, "has " + std::to_string(count) +
                          " entries, the limit is " + std::to_string(limit));
  return false;
}

// Text that becomes a line of something: a header, a log, a file's name.
bool check_line(Problems& problems, const std::string& place,
                std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    problems.add(place, "has " + std::to_string(text.size()) +
                            " bytes, the limit is " + std::to_string(limit));
  } else if (!is_utf8(text)) {
    problems.add(place, "is not UTF-8");
  } else if (has_control(text)) {
    problems.add(place, "'" + printable(text, 60) +
                            "' holds a line break or control character");
  } else {
    return true;
  }
  return false;
}

// A string without control characters; empty when it was refused.
std::string read_line(Problems& problems, const std::string& place,
                      const Json& value, std::size_t limit = k_max_word) {
  if (!check_kind(problems, place, value, Json::Kind::string, "a string") ||
      !check_line(problems, place, value.text, limit)) {
    return {};
  }
  return value.text;
}

// A string of any characters: a body.
std::string read_body(Problems& problems, const std::string& place,
                      const Json& value) {
  if (!check_kind(problems, place, value, Json::Kind::string, "a string")) {
    return {};
  }
  if (!is_utf8(value.text)) {
    problems.add(place, "is not UTF-8");
    return {};
  }
  return value.text;
}

std::optional<Time> read_time(Problems& problems, const std::string& place,
                              const Json& value) {
  if (!check_kind(problems, place, value, Json::Kind::string, "a time")) {
    return std::nullopt;
  }
  const auto time = parse_time(value.text);
  if (time) return *time;
  problems.add(place, time.error());
  return std::nullopt;
}

// One of a few words; `from` finds it.
template <class T>
std::optional<T> read_choice(Problems& problems, const std::string& place,
                             const Json& value,
                             std::optional<T> (*from)(std::string_view),
                             const std::vector<std::string_view>& choices) {
  if (!check_kind(problems, place, value, Json::Kind::string, "a string")) {
    return std::nullopt;
  }
  if (const auto choice = from(value.text)) return choice;
  std::string hint = did_you_mean(value.text, choices);
  if (hint.empty()) {
    hint = "one of";
    for (const std::string_view choice : choices) {
      hint += " '" + std::string(choice) + "'";
    }
  }
  problems.add(place, "'" + printable(value.text, 60) + "' is not known",
               std::move(hint));
  return std::nullopt;
}

std::string read_email(Problems& problems, const std::string& place,
                       const Json& value) {
  if (!check_kind(problems, place, value, Json::Kind::string, "a string")) {
    return {};
  }
  if (const auto checked = check_email(value.text); !checked) {
    problems.add(place, checked.error());
    return {};
  }
  return value.text;
}

// {"name": …, "email": …}
std::optional<Address> read_address_object(Problems& problems,
                                           const std::string& place,
                                           const Json& value) {
  static const std::vector<std::string_view> k_known = {"name", "email"};
  Address address;
  for (const auto& [key, member] : value.members) {
    const std::string member_at = member_place(place, key);
    if (key == "name") {
      if (member.is(Json::Kind::null)) continue;
      address.name = read_line(problems, member_at, member, k_max_name);
    } else if (key == "email") {
      address.email = read_email(problems, member_at, member);
    } else {
      add_unknown_key(problems, member_at, key, k_known);
    }
  }
  if (value.find("email") == nullptr) {
    problems.add(place, "has no 'email'");
  }
  if (address.email.empty()) return std::nullopt;
  return address;
}

std::optional<Address> read_address(Problems& problems,
                                    const std::string& place,
                                    const Json& value) {
  if (value.is_object()) return read_address_object(problems, place, value);
  if (!value.is_string()) {
    problems.add(place,
                 "is " + std::string(kind_name(value)) + ", must be an address",
                 "\"a@b\", \"Name <a@b>\" or {\"name\": …, \"email\": …}");
    return std::nullopt;
  }
  auto address = parse_address(value.text);
  if (!address) {
    problems.add(place, address.error());
    return std::nullopt;
  }
  if (!check_line(problems, place, address->name, k_max_name)) {
    return std::nullopt;
  }
  return std::move(*address);
}

// "a@b, c@d": bare addresses only. With names or quotes it takes a guess to
// say where one ends, and a guess can send mail to a stranger.
void read_comma_list(Problems& problems, const std::string& place,
                     std::string_view text, std::vector<Address>& out) {
  if (text.find_first_of("<>\"();:") != std::string_view::npos) {
    problems.add(place, "'" + printable(text, 100) + "' is no single address",
                 "give several addresses as an array, and a name that holds a "
                 "comma in double quotes");
    return;
  }
  const auto commas =
      static_cast<std::size_t>(std::count(text.begin(), text.end(), ','));
  if (!check_count(problems, place, commas + 1, k_max_recipients)) return;
  while (true) {
    const std::size_t comma = text.find(',');
    auto address = parse_address(text.substr(0, comma));
    if (address) {
      out.push_back(std::move(*address));
    } else {
      problems.add(place, address.error());
    }
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

void read_addresses(Problems& problems, const std::string& place,
                    const Json& value, std::vector<Address>& out) {
  if (value.is_array()) {
    if (!check_count(problems, place, value.items.size(), k_max_recipients)) {
      return;
    }
    out.reserve(out.size() + value.items.size());
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      auto address =
          read_address(problems, item_place(place, i), value.items[i]);
      if (address) out.push_back(std::move(*address));
    }
    return;
  }
  const bool may_be_list = value.is_string() &&
                           value.text.find(',') != std::string::npos &&
                           !parse_address(value.text);
  if (may_be_list) return read_comma_list(problems, place, value.text, out);
  auto address = read_address(problems, place, value);
  if (address) out.push_back(std::move(*address));
}

// The place of `c` in the base64 alphabet (RFC 4648, 4); -1: not in it.
constexpr std::array<signed char, 256> base64_values() {
  constexpr std::string_view k_alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<signed char, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < k_alphabet.size(); ++i) {
    values[static_cast<unsigned char>(k_alphabet[i])] =
        static_cast<signed char>(i);
  }
  return values;
}

// `text` without its white space. Strict otherwise: what two decoders read
// differently (no padding, stray bits, other alphabets) is refused.
Result<std::string> clean_base64(std::string_view text) {
  static constexpr auto k_values = base64_values();
  const auto value_of = [](char c) {
    return k_values[static_cast<unsigned char>(c)];
  };
  std::string clean;
  clean.reserve(text.size());
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (value_of(c) >= 0 || c == '=') continue;
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
      return fail(Error::Kind::bad_data,
                  "is not base64 at byte " + std::to_string(i + 1));
    }
    clean.append(text.substr(copied, i - copied));
    copied = i + 1;
  }
  clean.append(text.substr(copied));

  const std::size_t digits = std::min(clean.find('='), clean.size());
  const std::size_t padding = clean.size() - digits;
  if (clean.size() % 4 != 0 || padding > 2 ||
      clean.find_first_not_of('=', digits) != std::string::npos) {
    return fail(Error::Kind::bad_data,
                "is not whole base64: its length or padding is wrong");
  }
  // The last digit's low bits belong to no byte.
  const int stray = padding == 0 ? 0 : (padding == 1 ? 0x3 : 0xF);
  if (stray != 0 && (value_of(clean[digits - 1]) & stray) != 0) {
    return fail(Error::Kind::bad_data, "is not base64: stray bits at its end");
  }
  return clean;
}

bool is_token(std::string_view text) {
  constexpr std::string_view k_specials = "()<>@,;:\\\"/[]?=";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return c > ' ' && c < '\x7F' &&
           k_specials.find(c) == std::string_view::npos;
  });
}

// type/subtype, then "; name=value" with tokens (RFC 2045, 5.1).
bool is_content_type(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  const std::string_view type = text.substr(0, semicolon);
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos || !is_token(type.substr(0, slash)) ||
      !is_token(type.substr(slash + 1))) {
    return false;
  }
  if (semicolon == std::string_view::npos) return true;

  std::string_view rest = text.substr(semicolon);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the semicolon
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view parameter = rest.substr(0, rest.find(';'));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos ||
        !is_token(parameter.substr(0, equals)) ||
        !is_token(parameter.substr(equals + 1))) {
      return false;
    }
    rest.remove_prefix(parameter.size());
  }
  return true;
}

// What stands in Content-ID: <…> and after "cid:" in the HTML.
bool is_content_id(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7F' &&
           std::string_view("<>()\"\\").find(c) == std::string_view::npos;
  });
}

void check_filename(Problems& problems, const std::string& place,
                    const std::string& filename) {
  if (filename.find_first_of("/\\\"") != std::string::npos || filename == "." ||
      filename == "..") {
    problems.add(place, "'" + printable(filename, 60) +
                            "' is no file name: it may hold no slash, "
                            "backslash or double quote");
  }
}

class AttachmentReader {
 public:
  AttachmentReader(Problems& problems, std::string place)
      : problems_(problems), place_(std::move(place)) {}

  Attachment read(const Json& value) {
    if (!check_kind(problems_, place_, value, Json::Kind::object,
                    "an object")) {
      return {};
    }
    attachment_.content_type = "application/octet-stream";
    for (const auto& [key, member] : value.members) read_member(key, member);
    require(value, "filename");
    require(value, "content");
    return std::move(attachment_);
  }

 private:
  void read_member(const std::string& key, const Json& value) {
    static const std::vector<std::string_view> k_known = {
        "filename", "content_type", "content", "cid"};
    const bool is_known =
        std::find(k_known.begin(), k_known.end(), key) != k_known.end();
    const std::string place = member_place(place_, key);
    if (!is_known) {
      const bool is_path =
          key == "path" || key == "file" || key == "url" || key == "href";
      return add_unknown_key(
          problems_, place, key, k_known,
          is_path ? "give the bytes, as base64, in 'content'" : "");
    }
    if (value.is(Json::Kind::null)) return;
    if (key == "filename") {
      read_filename(place, value);
    } else if (key == "content_type") {
      read_content_type(place, value);
    } else if (key == "content") {
      read_content(place, value);
    } else {
      read_cid(place, value);
    }
  }

  void read_filename(const std::string& place, const Json& value) {
    if (value.is_string() && value.text.empty()) {
      return problems_.add(place, "is empty");
    }
    attachment_.filename = read_line(problems_, place, value);
    check_filename(problems_, place, attachment_.filename);
  }

  void read_content_type(const std::string& place, const Json& value) {
    const std::string type = read_line(problems_, place, value);
    if (is_content_type(type)) {
      attachment_.content_type = type;
    } else if (!type.empty() || (value.is_string() && value.text.empty())) {
      problems_.add(place, "'" + printable(type, 60) + "' is no content type",
                    "write it like application/pdf or text/csv; "
                    "charset=utf-8");
    }
  }

  void read_content(const std::string& place, const Json& value) {
    if (!check_kind(problems_, place, value, Json::Kind::string, "base64")) {
      return;
    }
    auto content = clean_base64(value.text);
    if (content) {
      attachment_.content = std::move(*content);
    } else {
      problems_.add(place, content.error());
    }
  }

  void read_cid(const std::string& place, const Json& value) {
    const std::string cid = read_line(problems_, place, value);
    if (is_content_id(cid)) {
      attachment_.cid = cid;
    } else if (!cid.empty() || (value.is_string() && value.text.empty())) {
      problems_.add(place, "'" + printable(cid, 60) + "' is no content id",
                    "ASCII without spaces, brackets and quotes, like "
                    "'logo@widgets.example'");
    }
  }

  void require(const Json& value, std::string_view key) {
    const Json* member = value.find(key);
    if (member == nullptr || member->is(Json::Kind::null)) {
      problems_.add(place_, "has no '" + std::string(key) + "'");
    }
  }

  Problems& problems_;
  std::string place_;
  Attachment attachment_;
};

// Characters that stand for themselves in xtext (RFC 3461, 4).
bool is_plain_xtext(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7F' && c != '+' && c != '=';
  });
}

class DsnReader {
 public:
  DsnReader(Problems& problems, std::string place)
      : problems_(problems), place_(std::move(place)) {}

  std::optional<Dsn> read(const Json& value) {
    if (!check_kind(problems_, place_, value, Json::Kind::object,
                    "an object")) {
      return std::nullopt;
    }
    for (const auto& [key, member] : value.members) read_member(key, member);
    if (dsn_ == Dsn{}) return std::nullopt;
    return std::move(dsn_);
  }

 private:
  void read_member(const std::string& key, const Json& value) {
    static const std::vector<std::string_view> k_known = {"notify", "return",
                                                          "envelope_id"};
    const std::string place = member_place(place_, key);
    const bool is_known =
        std::find(k_known.begin(), k_known.end(), key) != k_known.end();
    if (!is_known) return add_unknown_key(problems_, place, key, k_known);
    if (value.is(Json::Kind::null)) return;
    if (key == "notify") {
      read_notify(place, value);
    } else if (key == "return") {
      dsn_.return_part = read_word(place, value, {"full", "headers"});
    } else {
      read_envelope_id(place, value);
    }
  }

  // One of `words`; empty when it was refused.
  std::string read_word(const std::string& place, const Json& value,
                        const std::vector<std::string_view>& words) {
    std::string word = read_line(problems_, place, value);
    const bool is_known =
        std::find(words.begin(), words.end(), word) != words.end();
    if (is_known || !value.is_string()) return word;
    std::string hint = "one of";
    for (const std::string_view one : words) {
      hint += " '" + std::string(one) + "'";
    }
    problems_.add(place, "'" + printable(word, 60) + "' is not known",
                  std::move(hint));
    return {};
  }

  void read_notify(const std::string& place, const Json& value) {
    static const std::vector<std::string_view> k_occasions = {
        "success", "failure", "delay"};
    if (value.is_string()) {
      if (!read_word(place, value, {"never"}).empty()) dsn_.notify = {"never"};
      return;
    }
    if (!check_kind(problems_, place, value, Json::Kind::array,
                    "\"never\" or an array of strings") ||
        !check_count(problems_, place, value.items.size(),
                     k_occasions.size())) {
      return;
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      std::string word =
          read_word(item_place(place, i), value.items[i], k_occasions);
      auto& list = dsn_.notify;
      if (word.empty() ||
          std::find(list.begin(), list.end(), word) != list.end()) {
        continue;
      }
      list.push_back(std::move(word));
    }
  }

  void read_envelope_id(const std::string& place, const Json& value) {
    std::string id = read_line(problems_, place, value, k_max_envelope_id);
    if (is_plain_xtext(id)) {
      dsn_.envelope_id = std::move(id);
    } else {
      problems_.add(place, "'" + printable(id, 60) + "' is no envelope id",
                    "ASCII without spaces, '+' and '='");
    }
  }

  Problems& problems_;
  std::string place_;
  Dsn dsn_;
};

// Values may be anything, but no name with a control character can be asked
// for by a template, and text must be text.
void check_replacements(Problems& problems, const std::string& place,
                        const Json& value) {
  if (value.is_string() && !is_utf8(value.text)) {
    problems.add(place, "is not UTF-8");
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    check_replacements(problems, item_place(place, i), value.items[i]);
  }
  for (const auto& [key, member] : value.members) {
    const std::string at = member_place(place, key);
    if (check_line(problems, at, key, k_max_word)) {
      check_replacements(problems, at, member);
    }
  }
}

class MessageReader {
 public:
  explicit MessageReader(const Json& json) : json_(json) {}

  Result<Message> read(bool whole) {
    for (const auto& [key, value] : json_.members) read_member(key, value);
    take_sender_pair();
    take_recipient_pair();
    take_id();
    const std::size_t recipients =
        message_.to.size() + message_.cc.size() + message_.bcc.size();
    check_count(problems_, "to, cc and bcc", recipients, k_max_recipients);
    check_times();
    if (whole) check_missing();

    if (!problems_.none()) return std::move(problems_).as_error();
    return std::move(message_);
  }

 private:
  using Read = void (MessageReader::*)(const std::string& key,
                                       const Json& value);
  struct Key {
    std::string_view name;
    Read read;
  };

  // The contract's keys, then those of the replaced services.
  static const std::array<Key, 35>& keys() {
    using R = MessageReader;
    static constexpr std::array<Key, 35> k_keys = {{
        {"from", &R::read_from},
        {"to", &R::read_to},
        {"cc", &R::read_cc},
        {"bcc", &R::read_bcc},
        {"reply_to", &R::read_reply_to},
        {"template", &R::read_template},
        {"lang", &R::read_lang},
        {"replacements", &R::read_replacements},
        {"subject", &R::read_subject},
        {"text", &R::read_text},
        {"html", &R::read_html},
        {"headers", &R::read_headers},
        {"list_unsubscribe", &R::read_list_unsubscribe},
        {"attachments", &R::read_attachments},
        {"raw", &R::read_raw},
        {"dsn", &R::read_dsn},
        {"tags", &R::read_tags},
        {"metadata", &R::read_metadata},
        {"priority", &R::read_priority},
        {"send_at", &R::read_send_at},
        {"expires_at", &R::read_expires_at},
        {"pool", &R::read_pool},
        {"idempotency_key", &R::read_idempotency_key},
        {"on_unknown", &R::read_on_unknown},
        {"sender_name", &R::read_sender_name},
        {"sender_address", &R::read_sender_address},
        {"recipient_name", &R::read_recipient_name},
        {"recipient_address", &R::read_recipient_address},
        {"from_email", &R::read_from},
        {"sender", &R::read_from},
        {"recipient", &R::read_to},
        {"content", &R::read_text},
        {"id", &R::read_id},
        {"doc_type", &R::ignore},
        {"status", &R::ignore},
    }};
    return k_keys;
  }

  static std::vector<std::string_view> key_names() {
    std::vector<std::string_view> names;
    for (const Key& key : keys()) names.push_back(key.name);
    return names;
  }

  void read_member(const std::string& key, const Json& value) {
    const auto* known =
        std::find_if(keys().begin(), keys().end(),
                     [&](const Key& k) { return k.name == key; });
    if (known == keys().end()) {
      static const std::vector<std::string_view> k_names = key_names();
      return add_unknown_key(problems_, printable(key, 60), key, k_names);
    }
    if (!value.is(Json::Kind::null)) (this->*known->read)(key, value);
  }

  bool is_given(std::string_view key) const {
    const Json* value = json_.find(key);
    return value != nullptr && !value->is(Json::Kind::null);
  }

  // What was given and refused is not missing as well: something stands in
  // for it, in a message that nobody will see.
  void check_missing() {
    if (problems_.touch({"to", "cc", "bcc", "recipient", "recipient_name",
                         "recipient_address"})) {
      message_.to.emplace_back();
    }
    if (problems_.touch({"template"}) ||
        (id_is_template_ && problems_.touch({"id"}))) {
      message_.template_id = "refused";
    }
    if (problems_.touch({"raw"})) message_.raw = "refused";
    if (problems_.touch({"subject"})) message_.subject = "refused";
    if (problems_.touch({"text", "html", "content"})) {
      message_.text = "refused";
    }
    problems_.add(missing_parts(message_));
  }

  // The spellings of one thing exclude each other: which would be meant?
  bool is_first(std::string& taken_by, const std::string& key) {
    if (!taken_by.empty()) {
      problems_.add(key, "'" + taken_by + "' says the same already",
                    "leave out one of them");
      return false;
    }
    taken_by = key;
    return true;
  }

  void read_from(const std::string& key, const Json& value) {
    if (!is_first(from_key_, key)) return;
    message_.from = read_address(problems_, key, value);
  }
  void read_to(const std::string& key, const Json& value) {
    if (!is_first(to_key_, key)) return;
    read_addresses(problems_, key, value, message_.to);
  }
  void read_cc(const std::string& key, const Json& value) {
    read_addresses(problems_, key, value, message_.cc);
  }
  void read_bcc(const std::string& key, const Json& value) {
    read_addresses(problems_, key, value, message_.bcc);
  }
  void read_reply_to(const std::string& key, const Json& value) {
    message_.reply_to = read_address(problems_, key, value);
  }
  void read_sender_name(const std::string& key, const Json& value) {
    sender_.name = read_line(problems_, key, value, k_max_name);
  }
  void read_sender_address(const std::string& key, const Json& value) {
    if (!is_first(from_key_, key)) return;
    sender_.email = read_email(problems_, key, value);
  }
  void read_recipient_name(const std::string& key, const Json& value) {
    recipient_.name = read_line(problems_, key, value, k_max_name);
  }
  void read_recipient_address(const std::string& key, const Json& value) {
    if (!is_first(to_key_, key)) return;
    recipient_.email = read_email(problems_, key, value);
  }

  void take_sender_pair() {
    if (!sender_.name.empty() && !is_given("sender_address")) {
      problems_.add("sender_name", "is there without 'sender_address'");
    }
    if (!sender_.email.empty()) message_.from = std::move(sender_);
  }
  void take_recipient_pair() {
    if (!recipient_.name.empty() && !is_given("recipient_address")) {
      problems_.add("recipient_name", "is there without 'recipient_address'");
    }
    if (!recipient_.email.empty()) message_.to = {std::move(recipient_)};
  }

  void read_template(const std::string& key, const Json& value) {
    message_.template_id = read_line(problems_, key, value);
    if (message_.template_id.empty() || is_template_id(value.text)) return;
    problems_.add(key,
                  "'" + printable(value.text, 60) + "' cannot name a template",
                  "letters, digits, '_', '-' and '.', not first; at most 100 "
                  "bytes");
  }

  void read_id(const std::string&, const Json& value) { id_ = &value; }

  // PonyExpress calls the template `id`; in all other messages `id` would be
  // somebody's wish to choose the message's own.
  void take_id() {
    if (id_ == nullptr) return;
    for (const char* key : {"template", "subject", "text", "html", "content"}) {
      const Json* value = json_.find(key);
      const bool is_empty =
          !is_given(key) || (value->is_string() && value->text.empty());
      if (is_empty) continue;
      problems_.add("id", "unknown key 'id'",
                    "it names the template only where there is no '" +
                        std::string(key) + "'");
      return;
    }
    id_is_template_ = true;
    read_template("id", *id_);
  }

  void read_lang(const std::string& key, const Json& value) {
    message_.lang = read_line(problems_, key, value);
    if (message_.lang.empty() || is_language(message_.lang)) return;
    std::string better = message_.lang;
    std::replace(better.begin(), better.end(), '_', '-');
    problems_.add(key, "'" + printable(message_.lang, 60) + "' is no language",
                  is_language(better)
                      ? "did you mean '" + better + "'?"
                      : "a language tag (BCP 47), like 'es' or 'es-MX'");
  }

  void read_replacements(const std::string& key, const Json& value) {
    if (!check_kind(problems_, key, value, Json::Kind::object, "an object")) {
      return;
    }
    check_replacements(problems_, key, value);
    message_.replacements = value;
  }

  void read_subject(const std::string& key, const Json& value) {
    message_.subject = read_line(problems_, key, value, k_max_header);
  }
  void read_text(const std::string& key, const Json& value) {
    if (!is_first(text_key_, key)) return;
    message_.text = read_body(problems_, key, value);
  }
  void read_html(const std::string& key, const Json& value) {
    message_.html = read_body(problems_, key, value);
  }

  void read_headers(const std::string& key, const Json& value) {
    if (!check_kind(problems_, key, value, Json::Kind::object, "an object") ||
        !check_count(problems_, key, value.members.size(), k_max_headers)) {
      return;
    }
    std::unordered_set<std::string> names;
    for (const auto& [name, member] : value.members) {
      if (member.is(Json::Kind::null)) continue;
      const std::string place = member_place(key, name);
      if (!check_header_name(place, name)) continue;
      if (!names.insert(in_lower_case(name)).second) {
        problems_.add(place, "is there twice",
                      "give the values of a repeated header as an array");
      }
      read_header_values(place, name, member);
    }
    check_count(problems_, key, message_.headers.size(), k_max_headers);
  }

  bool check_header_name(const std::string& place, const std::string& name) {
    if (is_free_header_name(name)) return true;
    std::string key = in_lower_case(name);
    std::replace(key.begin(), key.end(), '-', '_');
    const auto& known = message_keys();
    const bool is_key =
        std::find(known.begin(), known.end(), key) != known.end();
    problems_.add(
        place, "'" + printable(name, 60) + "' cannot be a header of your own",
        is_key ? "use the key '" + key + "'" : "");
    return false;
  }

  void read_header_values(const std::string& place, const std::string& name,
                          const Json& value) {
    if (!value.is_array()) return read_header_value(place, name, value);
    if (!check_count(problems_, place, value.items.size(), k_max_headers)) {
      return;
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      read_header_value(item_place(place, i), name, value.items[i]);
    }
  }

  void read_header_value(const std::string& place, const std::string& name,
                         const Json& value) {
    if (check_kind(problems_, place, value, Json::Kind::string,
                   "a string or an array of strings") &&
        check_line(problems_, place, value.text, k_max_header)) {
      message_.headers.push_back({name, value.text});
    }
  }

  void read_list_unsubscribe(const std::string& key, const Json& value) {
    if (!value.is_array()) return read_unsubscribe_uri(key, value);
    if (!check_count(problems_, key, value.items.size(), k_max_unsubscribe)) {
      return;
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      read_unsubscribe_uri(item_place(key, i), value.items[i]);
    }
  }

  void read_unsubscribe_uri(const std::string& place, const Json& value) {
    if (!check_kind(problems_, place, value, Json::Kind::string, "a string")) {
      return;
    }
    if (auto fit = check_unsubscribe_uri(value.text); !fit) {
      return problems_.add(place, fit.error());
    }
    message_.list_unsubscribe.push_back(value.text);
  }

  void read_attachments(const std::string& key, const Json& value) {
    if (!check_kind(problems_, key, value, Json::Kind::array, "an array") ||
        !check_count(problems_, key, value.items.size(), k_max_attachments)) {
      return;
    }
    std::unordered_set<std::string> cids;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const std::string place = item_place(key, i);
      Attachment attachment =
          AttachmentReader(problems_, place).read(value.items[i]);
      const std::string& cid = attachment.cid;
      if (!cid.empty() && !cids.insert(cid).second) {
        problems_.add(place + ".cid", "'" + cid + "' is there twice");
      }
      message_.attachments.push_back(std::move(attachment));
    }
  }

  void read_raw(const std::string& key, const Json& value) {
    if (!check_kind(problems_, key, value, Json::Kind::string, "base64")) {
      return;
    }
    if (value.text.size() > k_max_raw) {
      return problems_.add(key, "is larger than 50 MiB");
    }
    auto raw = clean_base64(value.text);
    if (!raw) return problems_.add(key, raw.error());
    if (raw->empty()) problems_.add(key, "is empty");
    message_.raw = std::move(*raw);
  }
  void read_dsn(const std::string& key, const Json& value) {
    message_.dsn = DsnReader(problems_, key).read(value);
  }

  void read_tags(const std::string& key, const Json& value) {
    if (value.is_string()) return read_tag(key, value);
    if (!value.is_array()) {
      return problems_.add(key, "is " + std::string(kind_name(value)) +
                                    ", must be a string or an array of "
                                    "strings");
    }
    if (!check_count(problems_, key, value.items.size(), k_max_tags)) return;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      read_tag(item_place(key, i), value.items[i]);
    }
  }

  void read_tag(const std::string& place, const Json& value) {
    std::string tag = read_line(problems_, place, value, k_max_tag);
    if (value.is_string() && value.text.empty()) {
      problems_.add(place, "is empty");
    }
    if (!tag.empty()) message_.tags.push_back(std::move(tag));
  }

  void read_metadata(const std::string& key, const Json& value) {
    if (!check_kind(problems_, key, value, Json::Kind::object, "an object") ||
        !check_count(problems_, key, value.members.size(), k_max_metadata)) {
      return;
    }
    for (const auto& [name, member] : value.members) {
      if (member.is(Json::Kind::null)) continue;
      const std::string place = member_place(key, name);
      if (name.empty()) problems_.add(place, "has an empty name");
      if (member.is_array() || member.is_object()) {
        problems_.add(place, "is " + std::string(kind_name(member)) +
                                 ", must be a string, number or boolean");
        continue;
      }
      if (check_line(problems_, place, name, k_max_word) &&
          check_line(problems_, place, member.text, k_max_metadata_value)) {
        message_.metadata.push_back({name, member.text});
      }
    }
  }

  void read_priority(const std::string& key, const Json& value) {
    const auto priority = read_choice(problems_, key, value, &priority_from,
                                      {"high", "normal", "bulk"});
    if (priority) message_.priority = *priority;
  }
  void read_on_unknown(const std::string& key, const Json& value) {
    message_.on_unknown = read_choice(problems_, key, value, &on_unknown_from,
                                      {"retry", "hold", "fail"});
  }

  void read_send_at(const std::string& key, const Json& value) {
    message_.send_at = read_time(problems_, key, value);
  }
  void read_expires_at(const std::string& key, const Json& value) {
    message_.expires_at = read_time(problems_, key, value);
  }
  void check_times() {
    if (!message_.send_at || !message_.expires_at) return;
    if (*message_.expires_at <= *message_.send_at) {
      problems_.add("expires_at", "is not after 'send_at'");
    }
  }

  void read_pool(const std::string& key, const Json& value) {
    message_.pool = read_line(problems_, key, value);
  }
  void read_idempotency_key(const std::string& key, const Json& value) {
    message_.idempotency_key = read_line(problems_, key, value);
  }

  void ignore(const std::string&, const Json&) {}

  const Json& json_;
  Message message_;
  Problems problems_;
  // Which spelling came first.
  std::string from_key_;
  std::string to_key_;
  std::string text_key_;
  Address sender_;
  Address recipient_;
  const Json* id_ = nullptr;
  bool id_is_template_ = false;
};

}  // namespace

Result<Message> message_from(const Json& json, bool whole) {
  if (!json.is_object()) {
    return fail(Error::Kind::bad_data, "not a valid message: it is " +
                                           std::string(kind_name(json)) +
                                           ", must be an object");
  }
  return MessageReader(json).read(whole);
}

}  // namespace pony
