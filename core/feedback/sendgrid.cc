// SendGrid's Event Webhook: an array of events, all of it signed with ECDSA
// over the time and the body's bytes.
//
// Sources: Twilio's "Event Webhook Reference" and "Getting Started with the
// Event Webhook Security Features".
#include "core/base64.h"
#include "core/feedback/readers.h"
#include "core/net/public_key.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::string_view k_provider = "SendGrid";
constexpr std::string_view k_signature =
    "X-Twilio-Email-Event-Webhook-Signature";
constexpr std::string_view k_timestamp =
    "X-Twilio-Email-Event-Webhook-Timestamp";

// The key as it is shown in SendGrid's settings, or as PEM.
std::string key_bytes(std::string_view text) {
  constexpr std::string_view k_begin = "-----BEGIN PUBLIC KEY-----";
  if (const auto at = text.find(k_begin); at != std::string_view::npos)
    text.remove_prefix(at + k_begin.size());
  text = text.substr(0, text.find("-----"));
  std::string digits;
  for (const char c : text)
    if (k_white_space.find(c) == std::string_view::npos) digits.push_back(c);
  return decode_base64(digits);
}

Result<> check_signature(const Webhook& webhook,
                         const WebhookSettings& settings) {
  if (settings.public_key.empty())
    return lacks_setting("public_key",
                         "SendGrid shows it as the verification key of the "
                         "webhook, where its signature is switched on");
  const std::string_view signature = trimmed(webhook.header(k_signature));
  if (signature.empty()) return not_signed(k_signature);
  const std::string_view timestamp = webhook.header(k_timestamp);
  if (timestamp.empty()) return not_signed(k_timestamp);
  const auto good = is_signed_by_p256(key_bytes(settings.public_key),
                                      std::string(timestamp) + webhook.body,
                                      decode_base64(signature));
  if (!good && good.error().kind == Error::Kind::config &&
      good.error().hint.empty())
    return fail(Error::Kind::config,
                "'webhook.public_key' is no public key of SendGrid's",
                "it is a line of 124 characters that begins with MFkw");
  if (!good) return tl::unexpected<Error>(good.error());
  if (!*good)
    return wrong_signature(
        "is 'webhook.public_key' this webhook's? has the body been handed over "
        "byte for byte?");
  return {};
}

// Its name for the message: what the answer to the request had, without what
// is added to it on the way.
std::string provider_id_at(const Json& event) {
  std::string id = id_at(event, "sg_message_id");
  for (const char* suffix : {".filter", ".recv"})
    if (const auto at = id.find(suffix); at != std::string::npos) id.resize(at);
  return id;
}

struct Kind {
  std::string_view name;
  std::string_view ours;
};
constexpr Kind k_kinds[] = {
    {"delivered", "delivered"},
    {"bounce", "bounced"},
    {"dropped", "bounced"},
    {"open", "opened"},
    {"click", "clicked"},
    {"spamreport", "complained"},
    {"unsubscribe", "unsubscribed"},
    {"group_unsubscribe", "unsubscribed"},
};

std::string_view our_kind(std::string_view name) {
  for (const Kind& kind : k_kinds)
    if (kind.name == name) return kind.ours;
  return {};
}

// What bounced has been given up; what was dropped never left, because of an
// older bounce or for an account's reasons.
Bounce bounce_of(const Json& event, std::string_view words) {
  if (member(event, "event").text == "dropped" ||
      member(event, "type").text == "blocked")
    return bounce_by_words(words, Bounce::blocked) == Bounce::soft
               ? Bounce::soft
               : Bounce::blocked;
  return bounce_by_words(words, Bounce::hard);
}

FeedbackEvent event_from(const Json& json, std::string_view kind, Time when) {
  FeedbackEvent event;
  event.kind = kind;
  event.time = moment_at(json, "timestamp").value_or(when);
  event.recipient = address_at(json, "email");
  event.message_id = our_id_in(json);
  event.provider_id = provider_id_at(json);
  event.mail_id = without_brackets(id_at(json, "smtp-id"));
  if (kind == "clicked") event.url = told_url(member(json, "url").text);
  if (kind != "bounced") return event;
  event.reason = text_at(json, "reason");
  event.status = smtp_status(event.reason);
  // "status" is the enhanced code alone.
  event.bounce = bounce_of(json, text_at(json, "status") + " " + event.reason);
  return event;
}

}  // namespace

Result<Feedback> read_sendgrid(const Webhook& webhook,
                               const WebhookSettings& settings, Time now) {
  if (auto good = check_signature(webhook, settings); !good)
    return tl::unexpected<Error>(good.error());
  const auto signed_at = epoch_time(webhook.header(k_timestamp));
  if (!signed_at)
    return no_body_of(k_provider, "'" + std::string(k_timestamp) +
                                      "' is no number of seconds");
  const auto json = json_body(webhook.body, k_provider);
  if (!json) return tl::unexpected<Error>(json.error());
  if (!json->is_array()) return no_body_of(k_provider, "it is no JSON array");
  (void)now;
  Feedback feedback;
  feedback.signed_at = signed_at;
  for (const Json& item : json->items) {
    const std::string_view name = member(item, "event").text;
    const std::string_view kind = our_kind(name);
    if (kind.empty())
      ignore(feedback, name);
    else
      feedback.events.push_back(event_from(item, kind, *signed_at));
  }
  return feedback;
}

}  // namespace pony
