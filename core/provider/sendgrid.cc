// SendGrid's mail/send, version 3 of its API.
//
// Promises: what its published description refuses (an eleventh category, a
// reserved header, 10,000 bytes of custom arguments) is left out and said.
// `pony_id` among the custom arguments leads from its events back to the
// message: it has no idempotency key.
// Doesn't know: suppressed recipients, which it accepts and drops later.
#include "core/provider/sendgrid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/lower_case.h"
#include "core/provider/attempt.h"
#include "core/provider/http_message.h"
#include "core/provider/http_reply.h"

namespace pony {
namespace {

constexpr ApiLimits k_limits = {.name = "SendGrid",
                                .recipients = 1000,
                                // Newer pages say 30 MB, older ones 20.
                                .bytes = 20'000'000,
                                .inline_images = true,
                                .bcc_alone = true};
constexpr std::size_t k_most_categories = 10;
constexpr std::size_t k_longest_category = 255;  // characters
constexpr std::size_t k_most_custom_bytes = 10'000;
constexpr std::size_t k_most_errors = 1000;  // of one reply; one a recipient
constexpr std::size_t k_longest_words = 500;

// What it refuses and message_from() lets through.
const std::vector<std::string_view>& reserved_headers() {
  static const std::vector<std::string_view> names = {"x-sg-id", "x-sg-eid"};
  return names;
}

// One mail each, as SendGrid sees it. Somebody must be in `to`; where several
// are only bcc, each gets a mail of his own and sees only himself.
std::vector<Addressees> personalizations_of(const Attempt& attempt) {
  Addressees all = addressees_of(attempt);
  if (!all.to.empty()) return {std::move(all)};
  std::vector<Addressees> alone;
  for (const Address& address : all.bcc) alone.push_back({{address}, {}, {}});
  return alone;
}

// An address that is twice among `one`, whatever its case: SendGrid refuses
// the whole request for it.
std::optional<std::string> address_twice(const Addressees& one) {
  std::vector<std::string> seen;
  for (const auto* list : {&one.to, &one.cc, &one.bcc})
    for (const Address& address : *list)
      seen.push_back(in_lower_case(address.email));
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end());
  if (twice == seen.end()) return std::nullopt;
  return *twice;
}

std::string personalization_json(const Addressees& one) {
  std::string json;
  JsonWriter writer(json);
  writer.raw("to", json_addresses(one.to));
  if (!one.cc.empty()) writer.raw("cc", json_addresses(one.cc));
  if (!one.bcc.empty()) writer.raw("bcc", json_addresses(one.bcc));
  writer.end();
  return json;
}

std::string content_json(const RenderedMessage& message) {
  // Plain text first: it refuses the other order.
  std::vector<std::pair<std::string_view, std::string_view>> parts;
  if (!message.text.empty()) parts.emplace_back("text/plain", message.text);
  if (!message.html.empty()) parts.emplace_back("text/html", message.html);
  return json_array(parts, [](const auto& part) {
    std::string json;
    JsonWriter writer(json);
    writer.field("type", part.first).field("value", part.second).end();
    return json;
  });
}

std::string attachment_json(const Attachment& attachment,
                            std::vector<std::string>& reduced) {
  // Non-ASCII names arrive garbled.
  const std::string filename = ascii_form(attachment.filename);
  say_renamed(attachment, filename, reduced);
  const std::string& type = attachment.content_type;
  const std::size_t parameters = type.find(';');
  if (parameters != std::string::npos)  // it refuses the semicolon
    reduced.push_back(left_out("the parameters of the type of",
                               attachment.filename,
                               printable(type.substr(parameters + 1), 60)));
  std::string json;
  JsonWriter writer(json);
  writer.field("content", attachment.content)
      .field("filename", filename)
      .field("type", type.substr(0, parameters))
      .field("disposition", attachment.cid.empty() ? "attachment" : "inline");
  if (!attachment.cid.empty()) writer.field("content_id", attachment.cid);
  writer.end();
  return json;
}

std::vector<std::string> categories_of(const RenderedMessage& message,
                                       std::vector<std::string>& reduced) {
  std::vector<std::string> categories;
  std::size_t all = 0;  // each once
  for (const std::string& tag : message.tags) {
    const std::string category(first_characters(tag, k_longest_category));
    if (std::find(categories.begin(), categories.end(), category) !=
        categories.end())
      continue;
    ++all;
    if (categories.size() < k_most_categories) categories.push_back(category);
  }
  if (all > categories.size())
    reduced.push_back(some_tags(categories.size(), all));
  return categories;
}

std::string custom_args_json(const RenderedMessage& message,
                             std::vector<std::string>& reduced) {
  std::string json;
  JsonWriter writer(json);
  writer.field(k_id_name, message.id);
  for (const Header& entry : message.metadata) {
    if (entry.name == k_id_name) {
      reduced.push_back(left_out("metadata", entry.name, k_name_is_taken));
      continue;
    }
    const std::size_t size =
        json_string(entry.name).size() + json_string(entry.value).size();
    if (json.size() + size + 3 > k_most_custom_bytes) {
      reduced.push_back(left_out("metadata", entry.name,
                                 over_in_all(k_most_custom_bytes, "bytes")));
      continue;
    }
    writer.field(entry.name, entry.value);
  }
  writer.end();
  return json;
}

struct ApiError {
  std::string message;
  std::string field;
};

std::vector<ApiError> errors_of(const HttpReply& reply) {
  std::vector<ApiError> errors;
  const auto json = json_of(reply);
  const Json* list = json ? json->find("errors") : nullptr;
  if (list == nullptr) return errors;
  for (const Json& item : list->items) {
    if (errors.size() == k_most_errors) break;
    if (item.is_object())
      errors.push_back({std::string(item.text_of("message")),
                        std::string(item.text_of("field"))});
  }
  return errors;
}

// "Does not contain a valid address. (personalizations.0.to.0.email); …"
std::string words_of(const std::vector<ApiError>& errors) {
  std::string words;
  for (const ApiError& error : errors) {
    if (words.size() > k_longest_words) break;
    if (!words.empty()) words += "; ";
    words += error.message;
    if (!error.field.empty() && error.field != "null")
      words += fmt::format(" ({})", error.field);
  }
  return printable(words, k_longest_words);
}

bool says_used_up(const std::vector<ApiError>& errors) {
  return std::any_of(errors.begin(), errors.end(), [](const ApiError& error) {
    return error.message.find("aximum credits exceeded") != std::string::npos;
  });
}

// The next part of "personalizations.0.to.0.email".
std::string_view next_part(std::string_view& path) {
  const std::size_t dot = std::min(path.find('.'), path.size());
  const std::string_view part = path.substr(0, dot);
  path.remove_prefix(std::min(dot + 1, path.size()));
  return part;
}

std::optional<std::size_t> index_from(std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return index;
}

// The address that `field` of the request names, if it is a recipient's.
const Address* recipient_at(const std::vector<Addressees>& all,
                            std::string_view field) {
  if (next_part(field) != "personalizations") return nullptr;
  const auto mail = index_from(next_part(field));
  const std::string_view role = next_part(field);
  const auto at = index_from(next_part(field));
  if (!mail || !at || *mail >= all.size() || field != "email") return nullptr;
  const Addressees& one = all[*mail];
  const std::vector<Address>* list = role == "to"    ? &one.to
                                     : role == "cc"  ? &one.cc
                                     : role == "bcc" ? &one.bcc
                                                     : nullptr;
  if (list == nullptr || *at >= list->size()) return nullptr;
  return &(*list)[*at];
}

// A 400 refuses the message for good; when it complains of nothing but some
// of the recipients, only those.
std::vector<Verdict> refusal(const Attempt& attempt, const Verdict& refused,
                             const std::vector<ApiError>& errors) {
  const std::vector<Addressees> all = personalizations_of(attempt);
  const std::vector<std::string> recipients = wire_recipients(attempt);
  std::vector<bool> is_refused(recipients.size(), false);
  for (const ApiError& error : errors) {
    const Address* address = recipient_at(all, error.field);
    if (address == nullptr) return for_all(attempt, refused);
    for (std::size_t i = 0; i < is_refused.size(); ++i)
      if (recipients[i] == address->email) is_refused[i] = true;
  }
  return refused_among(attempt, refused, is_refused);
}

class SendgridApi : public HttpApi {
 public:
  explicit SendgridApi(const ApiConfig& api)
      : url_(api.base_url(api.config.setting("region") == "eu"
                              ? "https://api.eu.sendgrid.com"
                              : "https://api.sendgrid.com")),
        key_(api.secret("api_key")) {}

  std::string_view type() const override { return "sendgrid"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  Result<HttpRequest> request(const Attempt& attempt, Time now,
                              std::vector<std::string>& reduced) const override;
  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply& reply,
                                Time now) const override;
  Result<HttpRequest> check_request(Time now) const override;
  ProviderCheck check_result(const HttpReply& reply) const override;

 private:
  HttpHeader authorization() const {
    return {"Authorization", "Bearer " + key_.reveal()};
  }

  std::string url_;
  Secret key_;
};

std::optional<std::string> SendgridApi::cannot_carry(
    const Attempt& attempt) const {
  if (auto why = beyond(k_limits, attempt)) return why;
  for (const Addressees& one : personalizations_of(attempt))
    if (const auto twice = address_twice(one))
      return fmt::format("SendGrid takes no address twice ('{}')",
                         printable(*twice, 100));
  return lacks(k_limits.name, *attempt.message);
}

Result<HttpRequest> SendgridApi::request(
    const Attempt& attempt, Time, std::vector<std::string>& reduced) const {
  if (auto why = cannot_carry(attempt))
    return fail(Error::Kind::bad_data, *why);
  const RenderedMessage& message = *attempt.message;

  HttpRequest request;
  request.url = url_ + "/v3/mail/send";
  request.headers = {authorization(),
                     {"Content-Type", "application/json"},
                     {"Accept", "application/json"}};
  JsonWriter body(request.body);
  body.raw("personalizations",
           json_array(personalizations_of(attempt), personalization_json));
  body.raw("from", json_address(wire_address(message.from)));
  if (message.reply_to)
    body.raw("reply_to", json_address(wire_address(*message.reply_to)));
  body.field("subject", message.subject);
  body.raw("content", content_json(message));
  const auto headers = headers_once(message, reserved_headers(), reduced);
  if (!headers.empty()) body.raw("headers", json_object(headers));
  if (!message.attachments.empty())
    body.raw("attachments",
             json_array(message.attachments, [&](const Attachment& one) {
               return attachment_json(one, reduced);
             }));
  const auto categories = categories_of(message, reduced);
  if (!categories.empty()) body.field("categories", categories);
  body.raw("custom_args", custom_args_json(message, reduced));
  body.end();

  if (auto checked = check_lines(message, request); !checked)
    return tl::unexpected(checked.error());
  return request;
}

std::vector<Verdict> SendgridApi::verdicts(const Attempt& attempt,
                                           const HttpReply& said,
                                           Time now) const {
  // The body is empty; events carry this id, with more after a dot.
  if (is_success(said))
    return for_all(attempt, taken_as(said, now, said.header("x-message-id")));
  const HttpReply reply = without_secret(said, key_);
  const std::vector<ApiError> errors = errors_of(reply);
  const std::string words = words_of(errors);
  // Comes as a 401, like a wrong key.
  if (says_used_up(errors)) return for_all(attempt, used_up(reply, now, words));
  // A 400 without its errors is some front end's, not SendGrid's.
  if (reply.status == 400 && !errors.empty())
    return refusal(attempt, api_verdict(Outcome::rejected, reply, now, words),
                   errors);
  Verdict verdict = verdict_of_status(reply, now, words);
  if (reply.status == 429)
    verdict.rest = asked_rest(reply, now, "x-ratelimit-reset");
  return for_all(attempt, verdict);
}

Result<HttpRequest> SendgridApi::check_request(Time) const {
  return json_question(url_ + "/v3/scopes", authorization());
}

ProviderCheck SendgridApi::check_result(const HttpReply& said) const {
  const HttpReply reply = without_secret(said, key_);
  const std::string words = words_of(errors_of(reply));
  if (reply.status == 401)
    return {false,
            "the key is not valid here (a key of an EU subuser needs "
            "'region: eu')"};
  if (reply.status == 403) return {false, "the key has no rights: " + words};
  const auto json = json_of(reply);
  const Json* scopes = json ? json->find("scopes") : nullptr;
  if (reply.status != 200 || scopes == nullptr || !scopes->is_array())
    return unexpected_answer(reply, words);
  const bool may_send =
      std::any_of(scopes->items.begin(), scopes->items.end(),
                  [](const Json& scope) { return scope.text == "mail.send"; });
  if (!may_send)
    return {false, "the key is valid but may not send (no 'mail.send')"};
  return {true, "the key may send"};
}

}  // namespace

std::unique_ptr<HttpApi> make_sendgrid_api(const ApiConfig& api) {
  return std::make_unique<SendgridApi>(api);
}

}  // namespace pony
