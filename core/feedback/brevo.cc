// Brevo's transactional webhooks: one event a request, or an array of them,
// nothing of it signed. The request proves itself by the name and password in
// the webhook's URL.
//
// Source: Brevo's "Transactional webhooks".
#include "core/feedback/readers.h"

namespace pony {
namespace {

constexpr std::string_view k_provider = "Brevo";
constexpr std::size_t k_longest_custom = 4096;

struct Kind {
  std::string_view name;
  std::string_view ours;
  Bounce bounce;
};
constexpr Kind k_kinds[] = {
    {"delivered", "delivered", Bounce::none},
    {"hard_bounce", "bounced", Bounce::hard},
    {"invalid_email", "bounced", Bounce::hard},
    {"soft_bounce", "bounced", Bounce::soft},
    {"blocked", "bounced", Bounce::blocked},
    {"error", "bounced", Bounce::blocked},
    {"spam", "complained", Bounce::none},
    {"complaint", "complained", Bounce::none},
    {"opened", "opened", Bounce::none},
    {"unique_opened", "opened", Bounce::none},
    {"click", "clicked", Bounce::none},
    {"unsubscribed", "unsubscribed", Bounce::none},
};

const Kind* kind_of(std::string_view name) {
  for (const Kind& kind : k_kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

// Our id is in a header that comes back, as JSON in a string.
std::string our_id_of(const Json& json) {
  const std::string& custom = member(json, "X-Mailin-custom").text;
  if (custom.empty() || custom.size() > k_longest_custom) return {};
  const auto inner = parse_json(custom);
  return inner ? our_id_in(*inner) : std::string();
}

FeedbackEvent event_from(const Json& json, const Kind& kind, Time now) {
  FeedbackEvent event;
  event.kind = kind.ours;
  auto time = moment_at(json, "ts_event");
  if (!time) time = moment_at(json, "ts");
  event.time = time.value_or(now);
  event.recipient = address_at(json, "email");
  event.message_id = our_id_of(json);
  event.provider_id = id_at(json, "message-id");
  event.mail_id = without_brackets(event.provider_id);
  event.bounce = kind.bounce;
  if (kind.ours == "clicked") event.url = told_url(member(json, "link").text);
  if (kind.ours != "bounced") return event;
  event.reason = text_at(json, "reason");
  event.status = smtp_status(event.reason);
  return event;
}

}  // namespace

Result<Feedback> read_brevo(const Webhook& webhook,
                            const WebhookSettings& settings, Time now) {
  if (auto good = check_password(webhook, settings); !good)
    return tl::unexpected<Error>(good.error());
  const auto json = json_body(webhook.body, k_provider);
  if (!json) return tl::unexpected<Error>(json.error());
  Feedback feedback;
  const auto add = [&](const Json& item) {
    const std::string_view name = member(item, "event").text;
    if (const Kind* kind = kind_of(name))
      feedback.events.push_back(event_from(item, *kind, now));
    else
      ignore(feedback, name);
  };
  if (json->is_array()) {
    for (const Json& item : json->items) add(item);
    return feedback;
  }
  if (member(*json, "event").text.empty())
    return no_body_of(k_provider, "no 'event'");
  add(*json);
  return feedback;
}

}  // namespace pony
