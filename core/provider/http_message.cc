#include "core/provider/http_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "core/provider/attempt.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_error = 1000;
constexpr std::size_t k_longest_before_advice = 200;
// More than this is a moment, not a number of seconds to wait.
constexpr std::int64_t k_first_unix_time = 1'000'000'000;

bool has_utf8_local_part(const Address& address) {
  return !is_ascii(local_part(address.email));
}

std::optional<std::int64_t> seconds_from(std::string_view text) {
  if (text.empty() || text.size() > 12) return {};
  std::int64_t value = 0;
  for (const char c : text.substr(0, text.find('.'))) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

// "Sun, 06 Nov 1994 08:49:37 GMT": the one form that RFC 9110, 5.6.7 lets
// senders use.
std::optional<Time> http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end =
      ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return {};
  return Time(std::chrono::seconds(::timegm(&parts)));
}

bool is_text(const HttpReply& reply) {
  const auto type = reply.header("content-type");
  return type.find("html") == type.npos && reply.body.find('<') != 0;
}

std::string first_words(const HttpReply& reply) {
  if (reply.body.empty() || !is_text(reply)) return {};
  return reply.body.substr(0, 200);
}

bool needs_quotes(std::string_view name) {
  return name.find_first_of(k_specials) != name.npos;
}

// About how large the mail is: bodies, attachments as base64, headers.
std::size_t carried_bytes(const RenderedMessage& message) {
  std::size_t bytes =
      message.subject.size() + message.text.size() + message.html.size() + 1000;
  for (const Header& header : message.headers)
    bytes += header.name.size() + header.value.size() + 4;
  for (const Attachment& attachment : message.attachments)
    // base64 with its line breaks, and a part header.
    bytes +=
        attachment.content.size() / 76 * 78 + attachment.filename.size() + 300;
  return bytes;
}

}  // namespace

Address wire_address(const Address& address) {
  auto wire = wire_email(address.email);
  return {address.name, wire ? *wire : address.email};
}

Addressees addressees_of(const Attempt& attempt) {
  Addressees out;
  const RenderedMessage& message = *attempt.message;
  // recipients() names each address once; here each keeps its first role.
  std::vector<std::string_view> left(attempt.recipients.begin(),
                                     attempt.recipients.end());
  const auto take = [&](const std::vector<Address>& from,
                        std::vector<Address>& into) {
    for (const Address& address : from) {
      const auto it = std::find(left.begin(), left.end(), address.email);
      if (it == left.end()) continue;
      left.erase(it);
      into.push_back(wire_address(address));
    }
  };
  take(message.to, out.to);
  take(message.cc, out.cc);
  take(message.bcc, out.bcc);
  if (!out.to.empty()) return out;
  if (!out.cc.empty()) {
    out.to.swap(out.cc);
  } else if (out.bcc.size() == 1) {
    out.to.swap(out.bcc);
  }
  return out;
}

std::string mailbox(const Address& address) {
  if (address.name.empty()) return address.email;
  if (!needs_quotes(address.name))
    return fmt::format("{} <{}>", address.name, address.email);
  std::string quoted;
  for (const char c : address.name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("\"{}\" <{}>", quoted, address.email);
}

std::optional<std::string> beyond(const ApiLimits& limits,
                                  const Attempt& attempt) {
  const RenderedMessage& message = *attempt.message;
  const auto no_utf8 = [&](const Address& address) {
    return fmt::format("{} takes no address such as '{}'", limits.name,
                       printable(address.email, 100));
  };
  if (has_utf8_local_part(message.from)) return no_utf8(message.from);
  if (message.reply_to && has_utf8_local_part(*message.reply_to))
    return no_utf8(*message.reply_to);
  const Addressees addressees = addressees_of(attempt);
  for (const auto* list : {&addressees.to, &addressees.cc, &addressees.bcc})
    for (const Address& address : *list)
      if (has_utf8_local_part(address)) return no_utf8(address);

  if (attempt.recipients.size() > limits.recipients)
    return fmt::format("{} takes {} recipients, these are {}", limits.name,
                       limits.recipients, attempt.recipients.size());
  if (addressees.to.empty() && !limits.bcc_alone)
    return fmt::format("{} takes no message with nobody in 'to'", limits.name);
  if (const std::size_t bytes = carried_bytes(message); bytes > limits.bytes)
    return fmt::format("{} takes {} bytes, the message has about {}",
                       limits.name, limits.bytes, bytes);
  if (!limits.inline_images)
    for (const Attachment& attachment : message.attachments)
      if (!attachment.cid.empty())
        return fmt::format("{} takes no inline images ('{}')", limits.name,
                           printable(attachment.cid, 100));
  return std::nullopt;
}

std::optional<Json> json_of(const HttpReply& reply) {
  if (reply.body.empty()) return {};
  auto json = parse_json(reply.body);
  if (!json) return {};
  return std::move(*json);
}

std::optional<std::chrono::seconds> asked_rest(const HttpReply& reply, Time now,
                                               std::string_view reset) {
  const std::string_view after = reply.header("retry-after");
  if (const auto seconds = seconds_from(after))
    return clamped_rest(std::chrono::seconds(*seconds));
  if (const auto date = http_date(after))
    return clamped_rest(std::chrono::ceil<std::chrono::seconds>(*date - now));
  if (reset.empty()) return {};
  const auto value = seconds_from(reply.header(reset));
  if (!value) return {};
  if (*value < k_first_unix_time)
    return clamped_rest(std::chrono::seconds(*value));
  return clamped_rest(std::chrono::ceil<std::chrono::seconds>(
      Time(std::chrono::seconds(*value)) - now));
}

Verdict api_verdict(Outcome outcome, const HttpReply& reply, Time now,
                    std::string_view words) {
  Verdict verdict;
  verdict.outcome = outcome;
  verdict.status = reply.status;
  if (outcome != Outcome::accepted)
    verdict.error =
        printable(words.empty() ? std::to_string(reply.status)
                                : fmt::format("{}: {}", reply.status, words),
                  k_longest_error);
  verdict.rest = asked_rest(reply, now);
  return verdict;
}

Verdict verdict_of_status(const HttpReply& reply, Time now) {
  const std::string words = first_words(reply);
  const int status = reply.status;
  if (status >= 200 && status < 300)
    return api_verdict(Outcome::accepted, reply, now, {});
  if (status == 429)
    return api_verdict(Outcome::throttled, reply, now,
                       words.empty() ? "too many requests" : words);
  // A gateway gave up waiting: the origin may have worked.
  if (status == 504)
    return api_verdict(Outcome::unknown, reply, now,
                       words.empty() ? "gateway timeout" : words);
  // Never followed: a POST with credentials goes where the configuration
  // says and nowhere else.
  if (status >= 300 && status < 400)
    return api_verdict(Outcome::unavailable, reply, now,
                       "a redirect, which is not followed");
  Verdict verdict = api_verdict(Outcome::unavailable, reply, now, words);
  verdict.counts_against_provider = status != 413;
  return verdict;
}

// For the APIs that are asked in JSON ---------------------------------------

namespace {

constexpr std::chrono::seconds k_rest_when_used_up{3600};
constexpr std::size_t k_longest_id = 250;

// The types that mail programs tell by extension, the usual one first.
struct TypedExtension {
  std::string_view type;
  std::string_view extensions;
};
constexpr TypedExtension k_typed_extensions[] = {
    {"application/gzip", "gz tgz"},
    {"application/json", "json"},
    {"application/msword", "doc dot"},
    {"application/pdf", "pdf"},
    {"application/rtf", "rtf"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.ms-powerpoint", "ppt"},
    {"application/vnd.oasis.opendocument.spreadsheet", "ods"},
    {"application/vnd.oasis.opendocument.text", "odt"},
    {"application/vnd.openxmlformats-officedocument.presentationml."
     "presentation",
     "pptx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "xlsx"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml."
     "document",
     "docx"},
    {"application/xml", "xml"},
    {"application/zip", "zip"},
    {"audio/mpeg", "mp3"},
    {"audio/wav", "wav"},
    {"image/bmp", "bmp"},
    {"image/gif", "gif"},
    {"image/jpeg", "jpg jpeg jpe"},
    {"image/png", "png"},
    {"image/svg+xml", "svg"},
    {"image/tiff", "tif tiff"},
    {"image/webp", "webp"},
    {"message/rfc822", "eml"},
    {"text/calendar", "ics"},
    {"text/css", "css"},
    {"text/csv", "csv"},
    {"text/html", "html htm"},
    {"text/plain", "txt text log md"},
    {"text/rtf", "rtf"},
    {"text/xml", "xml"},
    {"video/mp4", "mp4 m4v"},
};

bool is_known_extension(std::string_view extension) {
  return std::any_of(
      std::begin(k_typed_extensions), std::end(k_typed_extensions),
      [&](const auto& row) { return is_one_of(extension, row.extensions); });
}

void check_line(std::string_view what, std::string_view text,
                Result<>& so_far) {
  if (so_far && has_control(text))
    so_far = fail(Error::Kind::bad_data,
                  fmt::format("{} '{}' holds a control character", what,
                              printable(text, 60)));
}

}  // namespace

std::optional<std::string> lacks_text(std::string_view name,
                                      const RenderedMessage& message) {
  if (!message.text.empty() || !message.html.empty()) return {};
  return fmt::format("{} takes no message without a text", name);
}

std::optional<std::string> lacks(std::string_view name,
                                 const RenderedMessage& message) {
  if (message.subject.empty())
    return fmt::format("{} takes no message without a subject", name);
  if (auto why = lacks_text(name, message)) return why;
  for (const Attachment& attachment : message.attachments)
    if (attachment.content.empty())
      return fmt::format("{} takes no empty file ('{}')", name,
                         printable(attachment.filename, 100));
  return std::nullopt;
}

Result<> check_lines(const RenderedMessage& message,
                     const HttpRequest& request) {
  Result<> checked;
  check_line("the subject", message.subject, checked);
  check_line("the sender", message.from.name, checked);
  check_line("the sender", message.from.email, checked);
  if (message.reply_to) {
    check_line("the reply address", message.reply_to->name, checked);
    check_line("the reply address", message.reply_to->email, checked);
  }
  for (const auto* list : {&message.to, &message.cc, &message.bcc}) {
    for (const Address& address : *list) {
      check_line("the recipient", address.name, checked);
      check_line("the recipient", address.email, checked);
    }
  }
  for (const Header& header : message.headers) {
    check_line("the header", header.name, checked);
    check_line("the header", header.value, checked);
  }
  for (const Attachment& attachment : message.attachments) {
    check_line("the file name", attachment.filename, checked);
    check_line("the content type", attachment.content_type, checked);
    check_line("the content id", attachment.cid, checked);
  }
  if (!checked) return checked;
  for (const HttpHeader& header : request.headers)
    // Without the value: it may be a secret.
    if (has_control(header.name) || has_control(header.value))
      return fail(Error::Kind::bad_data,
                  fmt::format("the HTTP header '{}' would hold a control "
                              "character",
                              printable(header.name, 60)));
  return checked;
}

std::string json_string(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

Json json_text(std::string_view text) {
  return Json::string(std::string(text));
}

std::string json_object(const std::vector<Header>& members) {
  std::string json;
  JsonWriter writer(json);
  for (const Header& member : members) writer.field(member.name, member.value);
  writer.end();
  return json;
}

std::string json_address(const Address& address) {
  std::string json;
  JsonWriter writer(json);
  writer.field("email", address.email);
  if (!address.name.empty()) writer.field("name", address.name);
  writer.end();
  return json;
}

std::string json_addresses(const std::vector<Address>& addresses) {
  return json_array(addresses, json_address);
}

std::vector<std::string> wire_recipients(const Attempt& attempt) {
  std::vector<std::string> out;
  for (const std::string& email : attempt.recipients)
    out.push_back(wire_address({"", email}).email);
  return out;
}

std::vector<Header> headers_once(const RenderedMessage& message,
                                 const std::vector<std::string_view>& taken,
                                 std::vector<std::string>& reduced) {
  std::vector<Header> out;
  std::vector<std::string> seen;
  for (const Header& header : message.headers) {
    std::string name = in_lower_case(header.name);
    if (std::find(taken.begin(), taken.end(), name) != taken.end()) {
      reduced.push_back(left_out("header", header.name, k_name_is_taken));
    } else if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      reduced.push_back(left_out("header", header.name, "there twice"));
    } else {
      seen.push_back(std::move(name));
      out.push_back(header);
    }
  }
  return out;
}

std::string left_out(std::string_view what, std::string_view name,
                     std::string_view why) {
  return fmt::format("{} '{}' ({})", what, printable(name, 60), why);
}

std::string over(std::size_t limit, std::string_view of) {
  return fmt::format("over {} {}", limit, of);
}

std::string over_in_all(std::size_t limit, std::string_view of) {
  return over(limit, of) + " in all";
}

std::string carried_as(std::string_view what, std::string_view given,
                       std::string_view used) {
  return fmt::format("{} '{}' as '{}'", what, printable(given, 100),
                     printable(used));
}

std::string some_tags(std::size_t carried, std::size_t all) {
  return fmt::format("{} of {} tags", carried, all);
}

void say_called_by_cid(const Attachment& attachment,
                       std::vector<std::string>& reduced) {
  if (attachment.filename.empty() || attachment.filename == attachment.cid)
    return;
  reduced.push_back(
      carried_as("file name", attachment.filename, attachment.cid));
}

bool is_tag_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string tag_form(std::string_view text) {
  std::string plain = ascii_form(text);
  for (char& c : plain)
    if (!is_tag_character(c)) c = '_';
  return plain;
}

std::string extension_of(std::string_view filename) {
  const std::size_t dot = filename.rfind('.');
  if (dot == std::string_view::npos) return {};
  return in_lower_case(filename.substr(dot + 1));
}

bool is_one_of(std::string_view extension, std::string_view list) {
  while (!extension.empty() && !list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == extension) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

const Attachment* with_extension(const RenderedMessage& message,
                                 std::string_view refused) {
  for (const Attachment& attachment : message.attachments)
    if (is_one_of(extension_of(attachment.filename), refused))
      return &attachment;
  return nullptr;
}

std::string typed_filename(const Attachment& attachment) {
  std::string type = in_lower_case(
      attachment.content_type.substr(0, attachment.content_type.find(';')));
  type.erase(type.find_last_not_of(' ') + 1);
  const std::string extension = extension_of(attachment.filename);
  for (const TypedExtension& row : k_typed_extensions) {
    if (row.type != type) continue;
    if (is_one_of(extension, row.extensions)) return attachment.filename;
    // Plain text has many names: main.c, server.conf.
    if (type == "text/plain" && !extension.empty() &&
        !is_known_extension(extension))
      return attachment.filename;
    return fmt::format("{}.{}", attachment.filename,
                       row.extensions.substr(0, row.extensions.find(' ')));
  }
  return attachment.filename;
}

std::string ascii_form(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
      out += c;
    else if ((byte & 0xC0) != 0x80)  // the first of a character's bytes
      out += '_';
  }
  return out;
}

std::string_view first_characters(std::string_view text, std::size_t limit) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (count++ == limit) return text.substr(0, i);
  }
  return text;
}

void say_renamed(const Attachment& attachment, std::string_view used,
                 std::vector<std::string>& reduced) {
  if (used == attachment.filename) return;
  reduced.push_back(carried_as("file name", attachment.filename, used));
}

bool is_success(const HttpReply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

HttpReply without_secret(const HttpReply& reply, const Secret& secret) {
  HttpReply clean = reply;
  mask_secret(clean.body, secret.reveal());
  return clean;
}

std::string provider_id_from(std::string_view text) {
  return printable(text, k_longest_id);
}

Verdict verdict_of_status(const HttpReply& reply, Time now,
                          std::string_view words) {
  Verdict verdict = verdict_of_status(reply, now);
  if (words.empty() || verdict.outcome == Outcome::accepted) return verdict;
  verdict.error = api_verdict(verdict.outcome, reply, now, words).error;
  return verdict;
}

Verdict used_up(const HttpReply& reply, Time now, std::string_view words) {
  Verdict verdict = api_verdict(Outcome::unavailable, reply, now, words);
  if (!verdict.rest) verdict.rest = k_rest_when_used_up;
  return verdict;
}

Verdict may_be_taken(const HttpReply& reply, Time now, std::string_view words) {
  Verdict verdict = api_verdict(Outcome::unknown, reply, now, words);
  verdict.counts_against_provider = false;
  return verdict;
}

std::vector<Verdict> refused_among(const Attempt& attempt,
                                   const Verdict& refused,
                                   const std::vector<bool>& is_refused) {
  Verdict other = refused;
  other.outcome = Outcome::unavailable;
  other.counts_against_provider = false;
  other.error =
      printable("not sent, as other recipients were refused: " + refused.error,
                k_longest_error);
  std::vector<Verdict> verdicts = for_all(attempt, other);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    if (is_refused[i]) verdicts[i] = refused;
  return verdicts;
}

std::string with_advice(std::string_view theirs, std::string_view advice) {
  return fmt::format("{} ({})", printable(theirs, k_longest_before_advice),
                     advice);
}

ProviderCheck unexpected_answer(const HttpReply& reply,
                                std::string_view words) {
  return {false,
          printable(words.empty()
                        ? fmt::format("unexpected answer {}", reply.status)
                        : fmt::format("unexpected answer {}: {}", reply.status,
                                      words),
                    k_longest_error)};
}

bool is_inline(const RenderedMessage& message, const Attachment& attachment) {
  return !attachment.cid.empty() && !message.html.empty();
}

std::string_view file_name(const Attachment& attachment) {
  if (attachment.filename.empty()) return "attachment";
  return attachment.filename;
}

}  // namespace pony
