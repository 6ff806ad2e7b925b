// Postmark's webhooks: one event a request, nothing of it signed. The request
// proves itself by the name and password in the webhook's URL.
//
// Sources: Postmark's "Webhooks overview", "Bounce webhook", "Bounce types",
// "Subscription change webhook".
#include "core/feedback/readers.h"

namespace pony {
namespace {

constexpr std::string_view k_provider = "Postmark";

struct BounceType {
  std::string_view name;
  Bounce bounce;
};
constexpr BounceType k_bounce_types[] = {
    {"HardBounce", Bounce::hard},
    {"BadEmailAddress", Bounce::hard},
    {"SoftBounce", Bounce::soft},
    {"Transient", Bounce::soft},
    {"DnsError", Bounce::soft},
    {"Undeliverable", Bounce::soft},
    {"Unknown", Bounce::soft},
    {"Blocked", Bounce::blocked},
    {"DMARCPolicy", Bounce::blocked},
    {"SpamNotification", Bounce::blocked},
    {"ManuallyDeactivated", Bounce::blocked},
    {"VirusNotification", Bounce::blocked},
    {"InboundError", Bounce::blocked},
    {"SMTPApiError", Bounce::blocked},
    {"TemplateRenderingFailed", Bounce::blocked},
};

Bounce bounce_of(std::string_view type) {
  for (const BounceType& one : k_bounce_types)
    if (one.name == type) return one.bounce;
  return Bounce::none;
}

// Our word for it; empty: no event of ours.
std::string_view kind_of(const Json& json) {
  const std::string_view record = member(json, "RecordType").text;
  const std::string_view type = member(json, "Type").text;
  if (record == "Delivery") return "delivered";
  if (record == "Open") return "opened";
  if (record == "Click") return "clicked";
  if (record == "SpamComplaint") return "complained";
  if (record == "Bounce") {
    if (type == "SpamComplaint") return "complained";
    if (type == "Unsubscribe") return "unsubscribed";
    // Answers of vacation programs, changes of an address, tests.
    return bounce_of(type) == Bounce::none ? "" : "bounced";
  }
  // What bounced or was complained of is told by a request of its own.
  if (record == "SubscriptionChange" &&
      member(json, "SuppressSending").text == "true" &&
      member(json, "Origin").text == "Recipient" &&
      member(json, "SuppressionReason").text == "ManualSuppression")
    return "unsubscribed";
  return {};
}

// Each kind of request calls it otherwise.
Time time_of(const Json& json, Time now) {
  for (const char* key :
       {"DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt"})
    if (const auto time = moment_at(json, key)) return *time;
  return now;
}

FeedbackEvent event_from(const Json& json, std::string_view kind, Time now) {
  FeedbackEvent event;
  event.kind = kind;
  event.time = time_of(json, now);
  event.recipient = address_at(json, "Recipient");
  if (event.recipient.empty()) event.recipient = address_at(json, "Email");
  event.message_id = our_id_in(member(json, "Metadata"));
  event.provider_id = id_at(json, "MessageID");
  if (kind == "clicked")
    event.url = told_url(member(json, "OriginalLink").text);
  if (kind != "bounced") return event;
  event.bounce = bounce_of(member(json, "Type").text);
  event.reason = text_at(json, "Details");
  event.status = smtp_status(event.reason);
  if (event.reason.empty()) event.reason = text_at(json, "Description");
  return event;
}

}  // namespace

Result<Feedback> read_postmark(const Webhook& webhook,
                               const WebhookSettings& settings, Time now) {
  if (auto good = check_password(webhook, settings); !good)
    return tl::unexpected<Error>(good.error());
  const auto json = json_body(webhook.body, k_provider);
  if (!json) return tl::unexpected<Error>(json.error());
  const std::string& record = member(*json, "RecordType").text;
  if (record.empty()) return no_body_of(k_provider, "no 'RecordType'");
  Feedback feedback;
  const std::string_view kind = kind_of(*json);
  if (kind.empty())
    ignore(feedback, record);
  else
    feedback.events.push_back(event_from(*json, kind, now));
  return feedback;
}

}  // namespace pony
