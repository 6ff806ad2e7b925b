// JSON: nlohmann's parser drives our own tree, and one function writes every
// string.
//
// Doesn't know: messages, events, files. What nlohmann/json would let pass and
// we refuse: duplicate keys, deep nesting, a byte order mark, and a NUL byte
// outside of strings, which it takes for the end of the input.
#include "core/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/lower_case.h"

namespace pony {
namespace {

constexpr std::size_t k_max_depth = 64;
// From this many members on, duplicates are looked up by hash: with a scan an
// object of a million keys would take hours.
constexpr std::size_t k_scan_members = 16;
// Longer strings are taken over from the parser, shorter ones copied: its
// buffer then keeps its room and does not grow anew for each token.
constexpr std::size_t k_move_from = 4'096;

// One code point at the front of `text`. size 0: not UTF-8.
struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;
};

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// How long the sequence is that `lead` starts (RFC 3629, 4); 0: none.
std::size_t sequence_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

CodePoint first_code_point(std::string_view text) {
  constexpr std::array<char32_t, 5> k_least = {0, 0, 0x80, 0x800, 0x10000};
  constexpr std::array<unsigned, 5> k_lead_bits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  const std::size_t size = sequence_size(byte_at(text, 0));
  if (size == 0 || size > text.size()) return {};
  char32_t value = byte_at(text, 0) & k_lead_bits[size];
  for (std::size_t i = 1; i < size; ++i) {
    const unsigned char c = byte_at(text, i);
    if ((c & 0xC0) != 0x80) return {};
    value = (value << 6) | (c & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < k_least[size] || value > 0x10FFFF || surrogate) return {};
  return {value, size};
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029;
}

// Turns the direction of what follows on a terminal: a file name or an
// address could be shown as another.
bool is_bidi_control(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

// How many bytes at the front of `text` are ASCII; eight at a time.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (i < text.size() && byte_at(text, i) < 0x80) ++i;
  return i;
}

std::string hex(char32_t value, std::size_t width) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                 static_cast<std::uint32_t>(value), 16)
                       .ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  std::string out(size < width ? width - size : 0, '0');
  out.append(digits.data(), size);
  return out;
}

// An iterator over the text that tells the handler how far the parser has
// read: nlohmann's SAX interface says it for its own errors only.
class TrackingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackingIterator(const char* at, const char** seen) : at_(at), seen_(seen) {}
  reference operator*() const { return *at_; }
  TrackingIterator& operator++() {
    *seen_ = ++at_;
    return *this;
  }
  TrackingIterator operator++(int) {
    TrackingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const TrackingIterator& other) const {
    return at_ == other.at_;
  }

 private:
  const char* at_;
  const char** seen_;
};

// Where and why the text is no JSON for us. `at` is an offset in bytes.
struct Refusal {
  std::size_t at = 0;
  std::string what;
};

// nlohmann says "[json.exception…] parse error at line 1, column 3: syntax
// error while parsing value - unexpected '}'; last read: '…'". Line and column
// are ours to say, and what was last read may be the whole document.
std::string plain_words(std::string_view what) {
  for (const std::string_view prefix : {"] ", ": ", "syntax error "}) {
    const std::size_t at = what.find(prefix);
    if (at != std::string_view::npos) what.remove_prefix(at + prefix.size());
  }
  return printable(what.substr(0, what.find("; last read: ")), 200);
}

// Builds the tree from the parser's events.
class TreeBuilder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  // `seen` is where the parser's TrackingIterator leaves its place.
  TreeBuilder(std::string_view text, const char* const& seen)
      : text_(text), seen_(seen) {}

  bool null() {
    place();
    return true;
  }
  bool boolean(bool value) {
    Json& json = place();
    json.kind = Json::Kind::boolean;
    json.text = value ? "true" : "false";
    return true;
  }
  bool number_integer(number_integer_t value) {
    return number(std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) {
    return number(std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& spelling) {
    return number(spelling);
  }
  bool string(string_t& value) {
    Json& json = place();
    json.kind = Json::Kind::string;
    json.text = take(value);
    return true;
  }
  // Only BSON and its kin have these.
  static bool binary(binary_t&) { return false; }

  bool start_object(std::size_t) { return open(Json::Kind::object); }
  bool start_array(std::size_t) { return open(Json::Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& value) {
    Level& level = levels_.back();
    if (!is_new(level, value)) {
      return refuse(key_start(),
                    "the key '" + printable(value, 100) + "' is there already");
    }
    std::vector<JsonMember>& members = level.json->members;
    if (members.empty()) members.reserve(4);
    members.emplace_back();
    members.back().key = take(value);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception& error) {
    constexpr int k_number_overflow = 406;
    if (error.id == k_number_overflow) {
      return refuse(text_.rfind(token, seen_offset()),
                    "the number '" + printable(token, 40) + "' is too large");
    }
    // `position` counts the bytes read, the wrong one among them.
    return refuse(position == 0 ? 0 : position - 1, plain_words(error.what()));
  }

  Json& root() { return root_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  // An open array or object. Its address holds: nothing is added to what is
  // around it before it is closed.
  struct Level {
    Json* json = nullptr;
    std::unordered_set<std::string> keys;  // once there are many
  };

  static std::string take(std::string& value) {
    return value.size() < k_move_from ? value : std::move(value);
  }

  static bool is_new(Level& level, const std::string& key) {
    const std::vector<JsonMember>& members = level.json->members;
    if (members.size() < k_scan_members) {
      return std::none_of(members.begin(), members.end(),
                          [&](const JsonMember& m) { return m.key == key; });
    }
    if (level.keys.empty()) {
      for (const JsonMember& member : members) level.keys.insert(member.key);
    }
    return level.keys.insert(key).second;
  }

  // The value that comes next, in its place in the tree.
  Json& place() {
    if (levels_.empty()) return root_;
    Json& parent = *levels_.back().json;
    if (parent.is_object()) return parent.members.back().value;
    return parent.items.emplace_back();
  }

  bool number(std::string spelling) {
    Json& json = place();
    json.kind = Json::Kind::number;
    json.text = std::move(spelling);
    return true;
  }

  bool open(Json::Kind kind) {
    if (levels_.size() == k_max_depth) {
      return refuse(seen_offset() - 1, "more than 64 levels deep");
    }
    Json& json = place();
    json.kind = kind;
    levels_.push_back({&json, {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  bool refuse(std::size_t at, std::string what) {
    refusal_ = {at, std::move(what)};
    return false;
  }

  std::size_t seen_offset() const {
    return static_cast<std::size_t>(seen_ - text_.data());
  }

  // The opening quote of the key that was just read: the next quote to the
  // left that no backslash stands before, or an even number of them.
  std::size_t key_start() const {
    std::size_t at = seen_offset() - 1;
    while (at > 0) {
      at = text_.rfind('"', at - 1);
      const std::size_t before = text_.find_last_not_of('\\', at - 1);
      if ((at - before) % 2 == 1) break;
    }
    return at;
  }

  std::string_view text_;
  const char* const& seen_;
  Json root_;
  std::vector<Level> levels_;
  Refusal refusal_;
};

// "line 3, column 7: …"; columns count characters, not bytes.
tl::unexpected<Error> fail_at(std::string_view text, std::size_t first_line,
                              const Refusal& refusal) {
  const std::string_view before =
      text.substr(0, std::min(refusal.at, text.size()));
  const auto line = first_line + static_cast<std::size_t>(std::count(
                                     before.begin(), before.end(), '\n'));
  const std::size_t break_at = before.rfind('\n');
  const std::string_view row =
      break_at == std::string_view::npos ? before : before.substr(break_at + 1);
  const auto column = 1 + std::count_if(row.begin(), row.end(), [](char c) {
                        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
                      });
  return fail(Error::Kind::bad_data, "line " + std::to_string(line) +
                                         ", column " + std::to_string(column) +
                                         ": " + refusal.what);
}

// What is wrong with `text` before it is parsed at all.
std::optional<Refusal> refuse_early(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    return Refusal{0, "a byte order mark, which JSON must not have"};
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Refusal{text.size(), "there is nothing here"};
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Refusal{nul, "a NUL byte"};
  }
  return std::nullopt;
}

void append_indented(std::string& out, const Json& value, std::size_t level);

void append_break(std::string& out, std::size_t level) {
  out += '\n';
  out.append(level * 2, ' ');
}

void append_indented_items(std::string& out, const Json& value,
                           std::size_t level) {
  out += '[';
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) out += ',';
    append_break(out, level + 1);
    append_indented(out, value.items[i], level + 1);
  }
  append_break(out, level);
  out += ']';
}

void append_indented_members(std::string& out, const Json& value,
                             std::size_t level) {
  out += '{';
  for (std::size_t i = 0; i < value.members.size(); ++i) {
    if (i > 0) out += ',';
    append_break(out, level + 1);
    append_json_string(out, value.members[i].key);
    out += ": ";
    append_indented(out, value.members[i].value, level + 1);
  }
  append_break(out, level);
  out += '}';
}

void append_indented(std::string& out, const Json& value, std::size_t level) {
  if (value.is_array() && !value.items.empty()) {
    append_indented_items(out, value, level);
  } else if (value.is_object() && !value.members.empty()) {
    append_indented_members(out, value, level);
  } else {
    append_json(out, value);
  }
}

// Bytes that append_json_string copies without looking twice.
constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}

void append_escape(std::string& out, char32_t c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u" + hex(c, 4);
  }
}

// Edits (insert, delete, replace, swap two neighbours) from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped =
          i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

const Json* Json::find(std::string_view key) const {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view Json::text_of(std::string_view key,
                               std::string_view other) const {
  const Json* value = find(key);
  if (value == nullptr) return other;
  const bool has_text = value->is(Kind::string) || value->is(Kind::number) ||
                        value->is(Kind::boolean);
  return has_text ? std::string_view(value->text) : other;
}

std::int64_t Json::number_of(std::string_view key, std::int64_t other) const {
  const Json* value = find(key);
  if (value == nullptr || !value->is(Kind::number)) return other;
  const char* end = value->text.data() + value->text.size();
  std::int64_t number = 0;
  const auto read = std::from_chars(value->text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? number : other;
}

Json Json::string(std::string value) {
  Json json;
  json.kind = Kind::string;
  json.text = std::move(value);
  return json;
}

Json Json::number(std::int64_t value) {
  Json json;
  json.kind = Kind::number;
  json.text = std::to_string(value);
  return json;
}

Json Json::boolean(bool value) {
  Json json;
  json.kind = Kind::boolean;
  json.text = value ? "true" : "false";
  return json;
}

Json Json::array() {
  Json json;
  json.kind = Kind::array;
  return json;
}

Json Json::object() {
  Json json;
  json.kind = Kind::object;
  return json;
}

Json& Json::set(std::string key, Json value) {
  members.push_back({std::move(key), std::move(value)});
  return members.back().value;
}

Result<Json> parse_json(std::string_view text, std::size_t first_line) {
  if (const auto refusal = refuse_early(text)) {
    return fail_at(text, first_line, *refusal);
  }
  const char* seen = text.data();
  TreeBuilder builder(text, seen);
  const bool parsed = nlohmann::json::sax_parse(
      TrackingIterator(text.data(), &seen),
      TrackingIterator(text.data() + text.size(), &seen), &builder);
  if (!parsed) return fail_at(text, first_line, builder.refusal());
  return std::move(builder.root());
}

std::string to_text(const Json& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string to_pretty_text(const Json& value) {
  std::string out;
  append_indented(out, value, 0);
  return out;
}

void append_json(std::string& out, const Json& value) {
  switch (value.kind) {
    case Json::Kind::null:
      out += "null";
      return;
    case Json::Kind::boolean:
    case Json::Kind::number:
      out += value.text;
      return;
    case Json::Kind::string:
      append_json_string(out, value.text);
      return;
    case Json::Kind::array:
      out += '[';
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ',';
        append_json(out, value.items[i]);
      }
      out += ']';
      return;
    case Json::Kind::object:
      out += '{';
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(out, value.members[i].key);
        out += ':';
        append_json(out, value.members[i].value);
      }
      out += '}';
      return;
  }
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::array<bool, 256> k_plain = plain_bytes();
  out += '"';
  std::size_t copied = 0;  // what is before it is in `out`
  std::size_t i = 0;
  while (i < text.size()) {
    if (k_plain[byte_at(text, i)]) {
      ++i;
      continue;
    }
    const CodePoint point = first_code_point(text.substr(i));
    const bool clean = point.size > 1 && !is_control(point.value);
    if (clean) {
      i += point.size;
      continue;
    }
    out.append(text.substr(copied, i - copied));
    if (point.size == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD
    } else {
      append_escape(out, point.value);
    }
    i += std::max<std::size_t>(point.size, 1);
    copied = i;
  }
  out.append(text.substr(copied));
  out += '"';
}

JsonWriter::JsonWriter(std::string& out) : out_(out) {
  out_ += '{';
}

void JsonWriter::key(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  append_json_string(out_, name);
  out_ += ':';
}

JsonWriter& JsonWriter::field(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::field(std::string_view name, const char* value) {
  return field(name, std::string_view(value));
}

JsonWriter& JsonWriter::field(std::string_view name, std::int64_t value) {
  key(name);
  std::array<char, 20> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  return *this;
}

JsonWriter& JsonWriter::field(std::string_view name,
                              const std::vector<std::string>& values) {
  key(name);
  out_ += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out_ += ',';
    append_json_string(out_, values[i]);
  }
  out_ += ']';
  return *this;
}

JsonWriter& JsonWriter::null(std::string_view name) {
  return raw(name, "null");
}

JsonWriter& JsonWriter::boolean(std::string_view name, bool value) {
  return raw(name, value ? "true" : "false");
}

JsonWriter& JsonWriter::raw(std::string_view name, std::string_view json) {
  key(name);
  out_ += json;
  return *this;
}

void JsonWriter::end() {
  out_ += '}';
}

std::string_view nearest(std::string_view word,
                         const std::vector<std::string_view>& known) {
  // No key is longer, and a word of a megabyte would take minutes.
  constexpr std::size_t k_longest_word = 64;
  if (word.empty() || word.size() > k_longest_word) return {};
  const std::string meant = in_lower_case(word);
  std::string_view best;
  std::size_t best_distance = k_longest_word;
  for (const std::string_view candidate : known) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    const std::size_t distance = edit_distance(meant, in_lower_case(candidate));
    const bool near = distance <= (longer + 2) / 3 && distance < longer;
    if (!near || distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view word,
                         const std::vector<std::string_view>& known) {
  const std::string_view best = nearest(word, known);
  return best.empty() ? std::string()
                      : "did you mean '" + std::string(best) + "'?";
}

bool is_utf8(std::string_view text) {
  while (true) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return true;
    const CodePoint point = first_code_point(text);
    if (point.size == 0) return false;
    text.remove_prefix(point.size);
  }
}

bool is_ascii(std::string_view text) {
  return ascii_prefix(text) == text.size();
}

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = byte_at(text, i);
    if (c < 0x20 || c == 0x7F) return true;
    if (c < 0x80) continue;
    const CodePoint point = first_code_point(text.substr(i));
    if (point.size > 0 && is_control(point.value)) return true;
  }
  return false;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    const CodePoint point = first_code_point(text.substr(i));
    std::string piece;
    if (point.size == 0 || (point.size == 1 && is_control(point.value))) {
      piece = "\\x" + hex(byte_at(text, i), 2);
    } else if (is_control(point.value) || is_bidi_control(point.value)) {
      piece = "\\u{" + hex(point.value, 1) + "}";
    } else {
      piece = text.substr(i, point.size);
    }
    if (out.size() + piece.size() > limit) return out + "…";
    out += piece;
    i += std::max<std::size_t>(point.size, 1);
  }
  return out;
}

}  // namespace pony
