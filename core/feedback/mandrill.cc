// Mandrill's webhooks: a form with one field, a JSON array of events, signed
// with HMAC-SHA-1 over the webhook's URL and all fields.
//
// Sources: Mailchimp Transactional's "How to Authenticate Webhook Requests",
// "Webhook Format".
#include <algorithm>

#include "core/base64.h"
#include "core/feedback/form.h"
#include "core/feedback/readers.h"
#include "core/net/crypto.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::string_view k_provider = "Mandrill";
constexpr std::string_view k_signature = "X-Mandrill-Signature";
constexpr std::string_view k_field = "mandrill_events";

Result<> check_signature(const Webhook& webhook, FormFields fields,
                         const WebhookSettings& settings) {
  const std::string_view given = trimmed(webhook.header(k_signature));
  if (given.empty()) return not_signed(k_signature);
  std::sort(fields.begin(), fields.end());
  std::string text = settings.url;
  for (const auto& [name, value] : fields) text.append(name).append(value);
  const auto code = hmac_sha1(settings.secret.reveal(), text);
  if (!code) return tl::unexpected<Error>(code.error());
  const auto same = same_in_constant_time(*code, decode_base64(given));
  if (!same) return tl::unexpected<Error>(same.error());
  if (!*same)
    return wrong_signature(
        "'webhook.url' must be the URL as it was typed into Mandrill, "
        "'webhook.secret' that webhook's key");
  return {};
}

struct Kind {
  std::string_view name;
  std::string_view ours;
  Bounce bounce;
};
constexpr Kind k_kinds[] = {
    {"delivered", "delivered", Bounce::none},
    {"hard_bounce", "bounced", Bounce::hard},
    {"soft_bounce", "bounced", Bounce::soft},
    {"reject", "bounced", Bounce::blocked},
    {"open", "opened", Bounce::none},
    {"click", "clicked", Bounce::none},
    {"spam", "complained", Bounce::none},
    {"unsub", "unsubscribed", Bounce::none},
};

const Kind* kind_of(std::string_view name) {
  for (const Kind& kind : k_kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

FeedbackEvent event_from(const Json& json, const Kind& kind, Time now) {
  const Json& mail = member(json, "msg");
  FeedbackEvent event;
  event.kind = kind.ours;
  event.time = moment_at(json, "ts").value_or(now);
  event.recipient = address_at(mail, "email");
  event.message_id = our_id_in(member(mail, "metadata"));
  event.provider_id = id_at(mail, "_id");
  if (event.provider_id.empty()) event.provider_id = id_at(json, "_id");
  event.bounce = kind.bounce;
  if (kind.ours == "clicked") event.url = told_url(member(json, "url").text);
  if (kind.ours != "bounced") return event;
  event.reason = text_at(mail, "diag");
  event.status = smtp_status(event.reason);
  if (event.reason.empty()) event.reason = text_at(mail, "bounce_description");
  return event;
}

}  // namespace

Result<Feedback> read_mandrill(const Webhook& webhook,
                               const WebhookSettings& settings, Time now) {
  if (settings.secret.empty())
    return lacks_setting("secret",
                         "Mandrill shows it as the key of the webhook: give "
                         "it with 'secret_file'");
  if (settings.url.empty())
    return lacks_setting("url",
                         "Mandrill signs it: the URL as it was typed in there");
  auto fields = parse_form(webhook.body);
  if (!fields) return no_body_of(k_provider, fields.error().what);
  const auto field =
      std::find_if(fields->begin(), fields->end(),
                   [](const auto& one) { return one.first == k_field; });
  if (field == fields->end())
    return no_body_of(k_provider, "no field 'mandrill_events'");
  // What is sent when a webhook is set up, before there is a key to sign it
  // with. It says nothing, so nothing need be believed.
  if (trimmed(field->second) == "[]") return Feedback();
  if (auto good = check_signature(webhook, *fields, settings); !good)
    return tl::unexpected<Error>(good.error());
  const auto json = json_body(field->second, k_provider);
  if (!json) return tl::unexpected<Error>(json.error());
  if (!json->is_array())
    return no_body_of(k_provider, "'mandrill_events' is no JSON array");
  Feedback feedback;
  for (const Json& item : json->items) {
    const std::string_view name = member(item, "event").text;
    if (const Kind* kind = kind_of(name))
      feedback.events.push_back(event_from(item, *kind, now));
    else
      ignore(feedback, name.empty() ? member(item, "type").text : name);
  }
  return feedback;
}

}  // namespace pony
