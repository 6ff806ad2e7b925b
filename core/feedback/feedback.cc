#include "core/feedback/feedback.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/feedback/readers.h"

namespace pony {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct Row {
  std::string_view type;
  Result<Feedback> (*read)(const Webhook&, const WebhookSettings&, Time);
  // Nought: none, as nothing in a request is signed.
  minutes max_age;
  bool has_password;
};

constexpr minutes k_usual{15};

// SendGrid repeats for 24 h, Mailgun for 8 h, SNS for an hour at most. Mandrill
// does not say for how long, and what it signs has no time of its own: the
// latest event's is taken. Svix signs each try anew.
constexpr std::array<Row, 7> k_rows = {{
    {"brevo", read_brevo, minutes(0), true},
    {"mailgun", read_mailgun, hours(8) + k_usual, false},
    {"mandrill", read_mandrill, hours(24) + k_usual, false},
    {"postmark", read_postmark, minutes(0), true},
    {"resend", read_resend, k_usual, false},
    {"sendgrid", read_sendgrid, hours(24) + k_usual, false},
    {"ses", read_sns, hours(1) + k_usual, false},
}};

const Row* row_of(std::string_view type) {
  const auto* row =
      std::find_if(k_rows.begin(), k_rows.end(),
                   [&](const Row& one) { return one.type == type; });
  return row == k_rows.end() ? nullptr : row;
}

// The time a request is as old as: what is signed of it, else its latest
// event.
std::optional<Time> made_at(const Feedback& feedback) {
  std::optional<Time> latest = feedback.signed_at;
  if (latest) return latest;
  for (const FeedbackEvent& event : feedback.events)
    if (!latest || event.time > *latest) latest = event.time;
  return latest;
}

Result<> check_age(const Feedback& feedback,
                   const std::optional<Milliseconds>& limit, Time now) {
  const auto made = made_at(feedback);
  if (!limit || !made) return {};
  if (*made > now + k_clock_difference)
    return fail(Error::Kind::no_permission,
                "the request was made at " + format_time(*made) +
                    ", which is still to come",
                "compare this machine's clock");
  if (now - *made > *limit)
    return fail(Error::Kind::no_permission,
                "the request was made at " + format_time(*made) +
                    ", more than " + format_duration(*limit) + " ago",
                "if it is genuine, 'webhook.max_age' is too short");
  return {};
}

}  // namespace

std::string_view Webhook::header(std::string_view name) const {
  for (const HttpHeader& one : headers)
    if (one.name.size() == name.size() &&
        ::strncasecmp(one.name.data(), name.data(), name.size()) == 0)
      return one.value;
  return {};
}

std::string_view to_text(Bounce bounce) {
  switch (bounce) {
    case Bounce::none:
      return {};
    case Bounce::hard:
      return "hard";
    case Bounce::soft:
      return "soft";
    case Bounce::blocked:
      return "blocked";
  }
  return {};
}

bool has_webhooks(std::string_view type) {
  return row_of(type) != nullptr;
}

bool wants_password(std::string_view type) {
  const Row* row = row_of(type);
  return row != nullptr && row->has_password;
}

std::optional<Milliseconds> usual_max_age(std::string_view type) {
  const Row* row = row_of(type);
  if (row == nullptr || row->max_age == minutes(0)) return std::nullopt;
  return Milliseconds(row->max_age);
}

Result<Feedback> read_feedback(std::string_view type, const Webhook& webhook,
                               const WebhookSettings& settings, Time now) {
  const Row* row = row_of(type);
  if (row == nullptr)
    return fail(
        Error::Kind::config,
        "a provider of the type '" + std::string(type) + "' sends no webhooks");
  if (webhook.body.size() > k_webhook_limit)
    return fail(Error::Kind::bad_data, "the body is larger than 10 MiB");
  auto feedback = row->read(webhook, settings, now);
  if (!feedback) return feedback;
  const auto limit = settings.max_age ? settings.max_age : usual_max_age(type);
  if (auto young = check_age(*feedback, limit, now); !young)
    return tl::unexpected<Error>(young.error());
  return feedback;
}

}  // namespace pony
