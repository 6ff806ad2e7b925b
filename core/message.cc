// What a message is: its parts' names, what must be there, its JSON spelling.
// How JSON that others wrote becomes one is message_reader.cc's work.
#include "core/message.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "core/lower_case.h"

namespace pony {
namespace {

constexpr std::array<std::string_view, 3> k_priorities = {"high", "normal",
                                                          "bulk"};
constexpr std::array<std::string_view, 3> k_policies = {"retry", "hold",
                                                        "fail"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_letter_or_digit(char c) {
  return is_letter(c) || (c >= '0' && c <= '9');
}

void set_text(Json& json, std::string_view key, const std::string& value) {
  if (!value.empty()) json.set(std::string(key), Json::string(value));
}

void set_address(Json& json, std::string_view key,
                 const std::optional<Address>& address) {
  if (address) json.set(std::string(key), Json::string(to_text(*address)));
}

void set_addresses(Json& json, std::string_view key,
                   const std::vector<Address>& addresses) {
  if (addresses.empty()) return;
  Json& list = json.set(std::string(key), Json::array());
  list.items.reserve(addresses.size());
  for (const Address& address : addresses) {
    list.items.push_back(Json::string(to_text(address)));
  }
}

void set_time(Json& json, std::string_view key,
              const std::optional<Time>& time) {
  if (time) json.set(std::string(key), Json::string(format_time(*time)));
}

// A header that is there once is a string, else an array of strings.
void set_headers(Json& json, const std::vector<Header>& headers) {
  if (headers.empty()) return;
  Json& object = json.set("headers", Json::object());
  for (const Header& header : headers) {
    const auto same = std::find_if(
        object.members.begin(), object.members.end(), [&](const JsonMember& m) {
          return in_lower_case(m.key) == in_lower_case(header.name);
        });
    if (same == object.members.end()) {
      object.set(header.name, Json::string(header.value));
      continue;
    }
    if (same->value.is_string()) {
      Json list = Json::array();
      list.items.push_back(std::move(same->value));
      same->value = std::move(list);
    }
    same->value.items.push_back(Json::string(header.value));
  }
}

void set_attachments(Json& json, const std::vector<Attachment>& attachments) {
  if (attachments.empty()) return;
  Json& list = json.set("attachments", Json::array());
  for (const Attachment& attachment : attachments) {
    Json& entry = list.items.emplace_back(Json::object());
    entry.set("filename", Json::string(attachment.filename));
    set_text(entry, "content_type", attachment.content_type);
    entry.set("content", Json::string(attachment.content));
    set_text(entry, "cid", attachment.cid);
  }
}

void set_dsn(Json& json, const std::optional<Dsn>& dsn) {
  if (!dsn) return;
  Json& object = json.set("dsn", Json::object());
  if (dsn->notify == std::vector<std::string>{"never"}) {
    object.set("notify", Json::string("never"));
  } else if (!dsn->notify.empty()) {
    Json& list = object.set("notify", Json::array());
    for (const std::string& word : dsn->notify)
      list.items.push_back(Json::string(word));
  }
  set_text(object, "return", dsn->return_part);
  set_text(object, "envelope_id", dsn->envelope_id);
}

void set_strings(Json& json, const char* key,
                 const std::vector<std::string>& strings) {
  if (strings.empty()) return;
  Json& list = json.set(key, Json::array());
  for (const auto& each : strings) list.items.push_back(Json::string(each));
}

void set_metadata(Json& json, const std::vector<Header>& metadata) {
  if (metadata.empty()) return;
  Json& object = json.set("metadata", Json::object());
  for (const Header& entry : metadata) {
    object.set(entry.name, Json::string(entry.value));
  }
}

// What a finished message says itself, and may not be said beside it.
std::vector<std::string_view> said_beside_raw(const Message& message) {
  std::vector<std::string_view> keys;
  const auto add = [&](std::string_view key, bool is_given) {
    if (is_given) keys.push_back(key);
  };
  add("reply_to", message.reply_to.has_value());
  add("template", !message.template_id.empty());
  add("lang", !message.lang.empty());
  add("replacements", !message.replacements.members.empty());
  add("subject", !message.subject.empty());
  add("text", !message.text.empty());
  add("html", !message.html.empty());
  add("headers", !message.headers.empty());
  add("list_unsubscribe", !message.list_unsubscribe.empty());
  add("attachments", !message.attachments.empty());
  return keys;
}

}  // namespace

std::string_view to_text(Priority priority) {
  return k_priorities.at(static_cast<std::size_t>(priority));
}

std::optional<Priority> priority_from(std::string_view text) {
  for (std::size_t i = 0; i < k_priorities.size(); ++i) {
    if (k_priorities[i] == text) return static_cast<Priority>(i);
  }
  return std::nullopt;
}

std::string_view to_text(OnUnknown policy) {
  return k_policies.at(static_cast<std::size_t>(policy));
}

std::optional<OnUnknown> on_unknown_from(std::string_view text) {
  for (std::size_t i = 0; i < k_policies.size(); ++i) {
    if (k_policies[i] == text) return static_cast<OnUnknown>(i);
  }
  return std::nullopt;
}

std::vector<Address> Message::recipients() const {
  std::vector<Address> all;
  all.reserve(to.size() + cc.size() + bcc.size());
  std::unordered_set<std::string> seen;
  for (const auto* list : {&to, &cc, &bcc}) {
    for (const Address& address : *list) {
      const std::string key = std::string(local_part(address.email)) + '@' +
                              in_lower_case(domain_of(address.email));
      if (seen.insert(key).second) all.push_back(address);
    }
  }
  return all;
}

const std::vector<std::string_view>& message_keys() {
  static const std::vector<std::string_view> k_keys = {"from",
                                                       "to",
                                                       "cc",
                                                       "bcc",
                                                       "reply_to",
                                                       "template",
                                                       "lang",
                                                       "replacements",
                                                       "subject",
                                                       "text",
                                                       "html",
                                                       "headers",
                                                       "list_unsubscribe",
                                                       "attachments",
                                                       "raw",
                                                       "dsn",
                                                       "tags",
                                                       "metadata",
                                                       "priority",
                                                       "send_at",
                                                       "expires_at",
                                                       "pool",
                                                       "idempotency_key",
                                                       "on_unknown"};
  return k_keys;
}

std::vector<Problem> missing_parts(const Message& message) {
  std::vector<Problem> problems;
  if (message.to.empty() && message.cc.empty() && message.bcc.empty()) {
    problems.push_back({"to", "no recipient is given", ""});
  }
  if (!message.raw.empty()) {
    for (const std::string_view key : said_beside_raw(message)) {
      problems.push_back({std::string(key),
                          "'raw' is a finished message, which has its own",
                          "leave out '" + std::string(key) + "' or 'raw'"});
    }
    return problems;
  }
  const bool has_body = !message.text.empty() || !message.html.empty();
  const bool has_content = has_body || !message.subject.empty();
  if (!message.template_id.empty()) {
    if (has_content) {
      problems.push_back({"template",
                          "a template and a subject, text or html are given",
                          "leave out one or the other"});
    }
    return problems;
  }
  if (!has_content) {
    problems.push_back({"template", "neither a template nor a subject is given",
                        "give 'template', or 'subject' with 'text' or 'html'"});
    return problems;
  }
  if (message.subject.empty()) {
    problems.push_back({"subject", "no subject is given", ""});
  }
  if (!has_body) {
    problems.push_back({"text", "neither text nor html is given", ""});
  }
  return problems;
}

Json to_json(const Message& message) {
  Json json = Json::object();
  set_address(json, "from", message.from);
  set_addresses(json, "to", message.to);
  set_addresses(json, "cc", message.cc);
  set_addresses(json, "bcc", message.bcc);
  set_address(json, "reply_to", message.reply_to);
  set_text(json, "template", message.template_id);
  set_text(json, "lang", message.lang);
  if (!message.replacements.members.empty()) {
    json.set("replacements", message.replacements);
  }
  set_text(json, "subject", message.subject);
  set_text(json, "text", message.text);
  set_text(json, "html", message.html);
  set_headers(json, message.headers);
  set_strings(json, "list_unsubscribe", message.list_unsubscribe);
  set_attachments(json, message.attachments);
  set_text(json, "raw", message.raw);
  set_dsn(json, message.dsn);
  set_strings(json, "tags", message.tags);
  set_metadata(json, message.metadata);
  if (message.priority != Priority::normal) {
    json.set("priority", Json::string(std::string(to_text(message.priority))));
  }
  set_time(json, "send_at", message.send_at);
  set_time(json, "expires_at", message.expires_at);
  set_text(json, "pool", message.pool);
  set_text(json, "idempotency_key", message.idempotency_key);
  if (message.on_unknown) {
    json.set("on_unknown",
             Json::string(std::string(to_text(*message.on_unknown))));
  }
  return json;
}

bool is_template_id(std::string_view id) {
  constexpr std::size_t k_max_size = 100;
  return !id.empty() && id.size() <= k_max_size && id.front() != '.' &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
         });
}

bool is_language(std::string_view tag) {
  // RFC 5646, 2.1: subtags of up to 8; 4.4.1: 35 bytes hold any real tag.
  constexpr std::size_t k_max_subtag = 8;
  constexpr std::size_t k_max_size = 35;
  if (tag.empty() || tag.size() > k_max_size || !is_letter(tag.front())) {
    return false;
  }
  std::size_t subtag = 0;
  for (const char c : tag) {
    if (c == '-' && subtag > 0) {
      subtag = 0;
    } else if (!is_letter_or_digit(c) || ++subtag > k_max_subtag) {
      return false;
    }
  }
  return subtag > 0;
}

bool is_envelope_id(std::string_view id) {
  constexpr std::size_t k_max_size = 100;
  return !id.empty() && id.size() <= k_max_size &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return c > ' ' && c < '\x7f' && c != '+' && c != '=';
         });
}

bool is_free_header_name(std::string_view name) {
  // So that name, colon and a word of the value share a line of 78.
  constexpr std::size_t k_max_size = 76;
  constexpr std::array<std::string_view, 19> k_ours = {"from",
                                                       "sender",
                                                       "reply-to",
                                                       "to",
                                                       "cc",
                                                       "bcc",
                                                       "subject",
                                                       "date",
                                                       "message-id",
                                                       "received",
                                                       "return-path",
                                                       "mime-version",
                                                       "delivered-to",
                                                       "received-spf",
                                                       "dkim-signature",
                                                       "domainkey-signature",
                                                       "authentication-results",
                                                       "apparently-to",
                                                       "x-original-to"};
  constexpr std::array<std::string_view, 3> k_our_families = {
      "content-", "arc-", "resent-"};
  const bool is_name = !name.empty() && name.size() <= k_max_size &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return c > ' ' && c < '\x7F' && c != ':';
                       });
  if (!is_name) return false;
  const std::string key = in_lower_case(name);
  return std::find(k_ours.begin(), k_ours.end(), key) == k_ours.end() &&
         std::none_of(
             k_our_families.begin(), k_our_families.end(),
             [&](std::string_view family) { return key.starts_with(family); });
}

}  // namespace pony
