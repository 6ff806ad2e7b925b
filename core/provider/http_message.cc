#include "core/provider/http_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/lower_case.h"

namespace pony {
namespace {

bool has_utf8_local_part(const Address& address) {
  return !is_ascii(local_part(address.email));
}

bool needs_quotes(std::string_view name) {
  return name.find_first_of(k_specials) != name.npos;
}

// About how large the mail is: bodies, attachments as base64, headers.
std::size_t carried_bytes(const RenderedMessage& message) {
  if (!message.raw.empty()) return message.raw.size();
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

void check_line(std::string_view what, std::string_view text,
                Result<>& so_far) {
  if (so_far && has_control(text))
    so_far = fail(Error::Kind::bad_data,
                  fmt::format("{} '{}' holds a control character", what,
                              printable(text, 60)));
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

std::vector<std::string> wire_recipients(const Attempt& attempt) {
  std::vector<std::string> out;
  for (const std::string& email : attempt.recipients)
    out.push_back(wire_address({"", email}).email);
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
  // A finished message's recipients are an envelope, without roles.
  if (addressees.to.empty() && !limits.bcc_alone && message.raw.empty())
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

// How it is said in `reduced` -------------------------------------------------

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

void say_renamed(const Attachment& attachment, std::string_view used,
                 std::vector<std::string>& reduced) {
  if (used == attachment.filename) return;
  reduced.push_back(carried_as("file name", attachment.filename, used));
}

void say_called_by_cid(const Attachment& attachment,
                       std::vector<std::string>& reduced) {
  if (attachment.filename.empty() || attachment.filename == attachment.cid)
    return;
  reduced.push_back(
      carried_as("file name", attachment.filename, attachment.cid));
}

// What fits -------------------------------------------------------------------

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

// JSON ------------------------------------------------------------------------

HttpRequest json_question(std::string url, HttpHeader authorization) {
  HttpRequest request;
  request.method = "GET";
  request.url = std::move(url);
  request.headers = {std::move(authorization), {"Accept", "application/json"}};
  return request;
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

}  // namespace pony
