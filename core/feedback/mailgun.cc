// Mailgun's webhooks: one event, with a signature beside it that covers a time
// and a token, and not the event. So the token is good for one body only.
//
// Sources: Mailgun's "Securing Webhooks", "Event structure".
#include "core/feedback/readers.h"
#include "core/net/crypto.h"

namespace pony {
namespace {

constexpr std::string_view k_provider = "Mailgun";
// Nothing is verified before it is parsed: a stranger is not to make us parse
// ten megabytes.
constexpr std::size_t k_limit = std::size_t{1} << 20;

Result<> check_signature(const Json& signature,
                         const WebhookSettings& settings) {
  const std::string& timestamp = member(signature, "timestamp").text;
  const std::string& token = member(signature, "token").text;
  const std::string& given = member(signature, "signature").text;
  if (timestamp.empty() || token.empty() || given.empty())
    return fail(Error::Kind::no_permission,
                "the request is not signed: its body has no 'signature' with "
                "timestamp, token and signature");
  const auto code =
      hmac_sha256(settings.secret.reveal(), std::string(timestamp) + token);
  if (!code) return tl::unexpected<Error>(code.error());
  const auto same = same_in_constant_time(to_hex(*code), given);
  if (!same) return tl::unexpected<Error>(same.error());
  if (!*same)
    return wrong_signature(
        "'webhook.secret' is the account's HTTP webhook signing key, not an "
        "API key");
  return {};
}

struct Kind {
  std::string_view name;
  std::string_view ours;
};
constexpr Kind k_kinds[] = {
    {"delivered", "delivered"},
    {"failed", "bounced"},
    {"rejected", "bounced"},
    {"complained", "complained"},
    {"opened", "opened"},
    {"clicked", "clicked"},
    {"unsubscribed", "unsubscribed"},
};

std::string_view our_kind(const Json& event) {
  const std::string_view name = member(event, "event").text;
  // It is tried again.
  if (name == "failed" && member(event, "severity").text != "permanent")
    return {};
  for (const Kind& kind : k_kinds)
    if (kind.name == name) return kind.ours;
  return {};
}

Bounce bounce_of(const Json& event, std::string_view words) {
  const Json& status = member(event, "delivery-status");
  const std::string& kind = member(status, "bounce-type").text;
  const std::string& reason = member(event, "reason").text;
  Bounce bounce = Bounce::blocked;
  if (reason == "bounce" || reason == "suppress-bounce") bounce = Bounce::hard;
  if (kind == "hard") bounce = Bounce::hard;
  if (kind == "soft") bounce = Bounce::soft;
  const std::string code = member(status, "enhanced-code").text;
  return bounce_by_words(code.empty() ? std::string(words) : code, bounce);
}

void add_failure(const Json& json, FeedbackEvent& event) {
  const Json& status = member(json, "delivery-status");
  event.reason = text_at(status, "message");
  if (event.reason.empty()) event.reason = text_at(status, "description");
  if (event.reason.empty()) event.reason = text_at(json, "reason");
  if (event.reason.empty())
    event.reason = text_at(member(json, "reject"), "reason");
  event.status = smtp_status(member(status, "code").text);
  event.bounce = bounce_of(json, event.reason);
}

FeedbackEvent event_from(const Json& json, std::string_view kind,
                         Time signed_at) {
  FeedbackEvent event;
  event.kind = kind;
  event.time = moment_at(json, "timestamp").value_or(signed_at);
  event.recipient = address_at(json, "recipient");
  event.message_id = our_id_in(member(json, "user-variables"));
  event.mail_id = without_brackets(
      id_at(member(member(json, "message"), "headers"), "message-id"));
  // It calls a message by its Message-ID.
  if (!event.mail_id.empty()) event.provider_id = "<" + event.mail_id + ">";
  if (kind == "clicked") event.url = told_url(member(json, "url").text);
  if (kind == "bounced") add_failure(json, event);
  return event;
}

}  // namespace

Result<Feedback> read_mailgun(const Webhook& webhook,
                              const WebhookSettings& settings, Time /*now*/) {
  if (settings.secret.empty())
    return lacks_setting("secret",
                         "it is the account's HTTP webhook signing key: give "
                         "it with 'secret_file'");
  if (webhook.body.size() > k_limit)
    return no_body_of(k_provider, "it is larger than 1 MiB");
  const auto json = json_body(webhook.body, k_provider);
  if (!json) return tl::unexpected<Error>(json.error());
  const Json& signature = member(*json, "signature");
  if (auto good = check_signature(signature, settings); !good)
    return tl::unexpected<Error>(good.error());
  Feedback feedback;
  feedback.signed_at = moment_at(signature, "timestamp");
  if (!feedback.signed_at)
    return no_body_of(k_provider, "its timestamp is no number of seconds");
  feedback.token = member(signature, "timestamp").text + " " +
                   member(signature, "token").text;
  const Json& event = member(*json, "event-data");
  if (!event.is_object()) return no_body_of(k_provider, "no 'event-data'");
  const std::string_view kind = our_kind(event);
  if (kind.empty())
    ignore(feedback, member(event, "event").text);
  else
    feedback.events.push_back(event_from(event, kind, *feedback.signed_at));
  return feedback;
}

}  // namespace pony
