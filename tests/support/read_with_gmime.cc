// A stranger reads our mail: GMime. Reads what make_mails writes from standard
// input, parses each mail and compares it with what it must hold. Prints the
// first differences and a count; exit code 1 if there was one, or no mail.
//
//   read_with_gmime [--as-it-is]
//
// GMime as Debian has it loses the second of two base64 encoded-words that end
// in "=" (jstedfast/gmime#133). core/mime does not write such pairs, so there
// is no cure here; who reads others' mail with GMime has to turn every B-word
// of the header into a Q-word first.
#include <fmt/format.h>
#include <gmime/gmime.h>

#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/mime/body_encoding.h"

namespace {

using pony::Json;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

// --- reading ---

// What GMime complained of while it parsed. Not that a file has two names: the
// second is for programs that do not know RFC 2231, and GMime takes the first.
struct Complaints {
  std::string list;

  static void note(std::int64_t offset, GMimeParserWarning code,
                   const char* item, gpointer complaints) {
    const auto name = text_or_empty(item);
    const bool is_second = code == GMIME_WARN_DUPLICATED_PARAMETER ||
                           code == GMIME_CRIT_CONFLICTING_PARAMETER;
    if (is_second && name == "filename") return;
    static_cast<Complaints*>(complaints)->list += fmt::format(
        "[{} at {}: {}]", static_cast<int>(code), offset, name.substr(0, 60));
  }
};

Owned<GMimeMessage> parse(std::string_view mail, GMimeParserOptions* options) {
  const Owned<GMimeStream> stream(
      g_mime_stream_mem_new_with_buffer(mail.data(), mail.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  return Owned<GMimeMessage>(
      g_mime_parser_construct_message(parser.get(), options));
}

std::string decoded_bytes(GMimePart* part) {
  auto* const content = g_mime_part_get_content(part);
  if (content == nullptr) return "";
  const Owned<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_data_wrapper_write_to_stream(content, stream.get());
  const auto* const bytes =
      g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return {reinterpret_cast<const char*>(bytes->data), bytes->len};
}

// --- what was found, in the form of expected_content() ---

// GMime has no spaces at the ends of names.
std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return std::string(
      text.substr(first, text.find_last_not_of(' ') - first + 1));
}

Json trimmed_names(Json addresses) {
  for (auto& address : addresses.items) {
    for (auto& [key, value] : address.members) {
      if (key == "name") value.text = trimmed(value.text);
    }
  }
  return addresses;
}

Json addresses_of(GMimeMessage* message, GMimeAddressType type) {
  auto json = Json::array();
  auto* const list = g_mime_message_get_addresses(message, type);
  for (int i = 0; list != nullptr && i < internet_address_list_length(list);
       ++i) {
    auto* const address = internet_address_list_get_address(list, i);
    if (!INTERNET_ADDRESS_IS_MAILBOX(address)) continue;
    auto& item = json.items.emplace_back(Json::object());
    item.set("name",
             Json::string(text_or_empty(internet_address_get_name(address))));
    auto* const mailbox = INTERNET_ADDRESS_MAILBOX(address);
    item.set("email", Json::string(text_or_empty(
                          internet_address_mailbox_get_idn_addr(mailbox))));
  }
  return json;
}

bool is_undisclosed(GMimeMessage* message) {
  auto* const list =
      g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_TO);
  if (list == nullptr || internet_address_list_length(list) != 1) return false;
  auto* const group = internet_address_list_get_address(list, 0);
  return INTERNET_ADDRESS_IS_GROUP(group) &&
         text_or_empty(internet_address_get_name(group)) ==
             "undisclosed-recipients" &&
         internet_address_list_length(internet_address_group_get_members(
             INTERNET_ADDRESS_GROUP(group))) == 0;
}

// A header as it was written, but on one line.
std::string unfolded(const char* raw) {
  std::string text;
  for (const char c : text_or_empty(raw)) {
    if (c != '\r' && c != '\n') text += c;
  }
  return text.substr(text.starts_with(' ') ? 1 : 0);
}

// ASCII is written as it is, also where it looks encoded.
std::string header_value(GMimeMessage* message, const Json& wanted) {
  auto* const list = g_mime_object_get_header_list(GMIME_OBJECT(message));
  auto* const header = g_mime_header_list_get_header(
      list, std::string(wanted.text_of("name")).c_str());
  if (header == nullptr) return "(none)";
  const auto raw = unfolded(g_mime_header_get_raw_value(header));
  if (pony::is_ascii(wanted.text_of("value"))) return raw;
  return text_or_empty(g_mime_header_get_value(header));
}

Json headers_of(GMimeMessage* message, const Json& wanted) {
  auto json = Json::array();
  for (const auto& header : wanted.items) {
    auto& item = json.items.emplace_back(Json::object());
    item.set("name", Json::string(std::string(header.text_of("name"))));
    item.set("value", Json::string(header_value(message, header)));
  }
  return json;
}

std::string type_of(GMimeObject* object) {
  auto* const type = g_mime_object_get_content_type(object);
  return fmt::format("{}/{}", g_mime_content_type_get_media_type(type),
                     g_mime_content_type_get_media_subtype(type));
}

std::string structure_of(GMimeObject* object) {
  if (!GMIME_IS_MULTIPART(object)) return type_of(object);
  auto* const multipart = GMIME_MULTIPART(object);
  std::string parts;
  for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i) {
    if (i > 0) parts += ',';
    parts += structure_of(g_mime_multipart_get_part(multipart, i));
  }
  return fmt::format("{}({})", type_of(object), parts);
}

using UsePart = std::function<void(GMimePart*)>;

void for_each_leaf(GMimeObject* object, const UsePart& use) {
  if (GMIME_IS_PART(object)) return use(GMIME_PART(object));
  if (!GMIME_IS_MULTIPART(object)) return;
  auto* const multipart = GMIME_MULTIPART(object);
  for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i) {
    for_each_leaf(g_mime_multipart_get_part(multipart, i), use);
  }
}

bool is_file(GMimePart* part) {
  return g_mime_object_get_disposition(GMIME_OBJECT(part)) != nullptr;
}

Json text_of(GMimePart* part) {
  auto* const object = GMIME_OBJECT(part);
  const auto charset = text_or_empty(
      g_mime_object_get_content_type_parameter(object, "charset"));
  std::string lines;
  for (const char c : decoded_bytes(part)) {
    if (c != '\r') lines += c;  // a lone one the mail could not have
  }
  auto json = Json::object();
  json.set("type", Json::string(type_of(object)));
  json.set("text", Json::string(charset == "utf-8" ? lines : charset));
  return json;
}

Json attachment_of(GMimePart* part) {
  auto* const object = GMIME_OBJECT(part);
  std::string base64;
  pony::append_base64_run(base64, decoded_bytes(part));
  auto json = Json::object();
  const auto set = [&](const char* key, const char* value) {
    json.set(key, Json::string(text_or_empty(value)));
  };
  set("filename", g_mime_part_get_filename(part));
  set("type", type_of(object).c_str());
  set("disposition", g_mime_object_get_disposition(object));
  set("cid", g_mime_object_get_content_id(object));
  set("content", base64.c_str());
  return json;
}

Json content_of(GMimeMessage* message, const Json& wanted) {
  auto* const body = g_mime_message_get_mime_part(message);
  auto texts = Json::array();
  auto attachments = Json::array();
  for_each_leaf(body, [&](GMimePart* part) {
    if (is_file(part)) {
      attachments.items.push_back(attachment_of(part));
    } else {
      texts.items.push_back(text_of(part));
    }
  });
  auto* const date = g_mime_message_get_date(message);
  auto json = Json::object();
  json.set("from", addresses_of(message, GMIME_ADDRESS_TYPE_FROM));
  json.set("to", addresses_of(message, GMIME_ADDRESS_TYPE_TO));
  json.set("cc", addresses_of(message, GMIME_ADDRESS_TYPE_CC));
  json.set("reply_to", addresses_of(message, GMIME_ADDRESS_TYPE_REPLY_TO));
  json.set("undisclosed", Json::boolean(is_undisclosed(message)));
  json.set("subject",
           Json::string(text_or_empty(g_mime_message_get_subject(message))));
  json.set("message_id",
           Json::string(fmt::format(
               "<{}>", text_or_empty(g_mime_message_get_message_id(message)))));
  json.set("date",
           Json::number(date == nullptr ? -1 : g_date_time_to_unix(date)));
  json.set("headers", headers_of(message, *wanted.find("headers")));
  json.set("structure", Json::string(structure_of(body)));
  json.set("texts", std::move(texts));
  json.set("attachments", std::move(attachments));
  return json;
}

// --- comparing ---

std::string shortened(const Json& json) {
  return to_text(json).substr(0, 600);
}

// What is wrong with `mail`; empty: nothing.
std::string trouble_with(std::string_view mail, const Json& wanted) {
  Complaints complaints;
  auto* const options = g_mime_parser_options_new();
  g_mime_parser_options_set_warning_callback(options, Complaints::note,
                                             &complaints);
  const auto message = parse(mail, options);
  std::string trouble;
  if (message == nullptr) {
    trouble = "  is no message\n";
  } else {
    const auto found = content_of(message.get(), wanted);
    for (const auto& [key, value] : wanted.members) {
      const auto* const other = found.find(key);
      const auto expected = trimmed_names(value);
      if (other != nullptr && to_text(*other) == to_text(expected)) continue;
      trouble += fmt::format("  {}: found {}\n  expected {}\n", key,
                             shortened(*other), shortened(expected));
    }
    if (g_mime_message_get_bcc(message.get()) != nullptr &&
        internet_address_list_length(g_mime_message_get_bcc(message.get())) >
            0) {
      trouble += "  has Bcc\n";
    }
  }
  if (!complaints.list.empty()) {
    trouble += fmt::format("  defects: {}\n", complaints.list);
  }
  g_mime_parser_options_free(options);
  return trouble;
}

bool read_block(std::string& block, std::size_t size) {
  block.resize(size);
  return static_cast<bool>(
      std::cin.read(block.data(), static_cast<std::streamsize>(size)));
}

}  // namespace

int main() {
  constexpr long k_most_shown = 10;
  std::ios::sync_with_stdio(false);
  g_mime_init();
  long count = 0;
  long wrong = 0;
  std::size_t mail_size = 0;
  std::size_t json_size = 0;
  std::string mail;
  std::string json;
  while (std::cin >> mail_size >> json_size) {
    std::cin.ignore(1);
    if (!read_block(mail, mail_size) || !read_block(json, json_size)) return 65;
    const auto wanted = pony::parse_json(json);
    if (!wanted) return 65;
    const auto trouble = trouble_with(mail, *wanted);
    if (!trouble.empty() && ++wrong <= k_most_shown) {
      fmt::print("mail {}:\n{}", count, trouble);
    }
    ++count;
  }
  fmt::print("{} mails read with GMime {}.{}.{}, {} of them wrong\n", count,
             gmime_major_version, gmime_minor_version, gmime_micro_version,
             wrong);
  return wrong > 0 || count == 0 ? 1 : 0;
}
