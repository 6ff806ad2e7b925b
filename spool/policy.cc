#include "spool/policy.h"

#include <algorithm>
#include <functional>
#include <string>

#include "spool/backoff.h"

namespace pony {
namespace {

std::string refusals(const Round& round) {
  std::string text;
  for (const auto& one : round.verdicts) {
    if (one.verdict.outcome != Outcome::rejected) continue;
    if (!text.empty()) text += "; ";
    text += one.email + ": " + one.verdict.error;
    if (text.size() > 500) return text.substr(0, 500) + "…";
  }
  return text;
}

// The last words of a provider that could not take it.
std::string trouble(const Round& round) {
  if (!round.not_tried.empty()) return round.not_tried;
  for (auto it = round.verdicts.rbegin(); it != round.verdicts.rend(); ++it) {
    if (it->verdict.outcome == Outcome::accepted ||
        it->verdict.outcome == Outcome::rejected)
      continue;
    return round.provider + ": " + it->verdict.error;
  }
  return {};
}

Event of_kind(std::string_view kind, std::string reason) {
  Event event;
  event.event = kind;
  event.reason = std::move(reason);
  return event;
}

// Empty: that recipient is not.
std::string why_suppressed(const History& history, const std::string& email) {
  const auto it = history.suppressed.find(email);
  return it == history.suppressed.end() ? std::string() : it->second;
}

// Sent: who has it has it; the event names who has not, and why.
Event sent(const Delivery& delivery, const Round& round) {
  Event event = of_kind("sent", {});
  for (const auto& [email, outcome] : delivery.history.settled)
    if (outcome != Outcome::accepted)
      event.recipients.push_back(
          {email, outcome, why_suppressed(delivery.history, email)});
  for (const auto& one : round.verdicts) {
    if (one.verdict.outcome == Outcome::accepted) {
      if (event.provider_id.empty())
        event.provider_id = one.verdict.provider_id;
      if (event.status == 0) event.status = one.verdict.status;
      continue;
    }
    const auto known = std::find_if(
        event.recipients.begin(), event.recipients.end(),
        [&](const RecipientOutcome& r) { return r.email == one.email; });
    if (known != event.recipients.end()) {
      known->error = one.verdict.error;
    } else {
      event.recipients.push_back(
          {one.email, one.verdict.outcome, one.verdict.error});
    }
  }
  event.provider = delivery.history.last_provider;
  return event;
}

bool somebody_has(const Delivery& delivery) {
  const auto& settled = delivery.history.settled;
  return std::any_of(settled.begin(), settled.end(), [](const auto& one) {
    return one.second == Outcome::accepted;
  });
}

}  // namespace

Event ended_untried(const Delivery& delivery, std::string_view kind,
                    std::string reason) {
  if (!somebody_has(delivery)) return of_kind(kind, std::move(reason));
  Round round;
  for (const auto& recipient : delivery.message.recipients())
    if (!delivery.history.settled.contains(recipient.email))
      round.verdicts.push_back(
          {recipient.email, {Outcome::unavailable, 0, reason, {}, {}, false}});
  Event event = sent(delivery, round);
  event.attempt = delivery.history.attempts;
  return event;
}

std::optional<Event> expired_before_try(const Delivery& delivery, Time now) {
  const auto& expires_at = delivery.message.expires_at;
  if (!expires_at || now < *expires_at) return {};
  return ended_untried(
      delivery, "expired",
      "past its expires_at, " + format_time(*expires_at) +
          (delivery.history.last_error.empty()
               ? std::string()
               : "; last error: " + delivery.history.last_error));
}

Event what_follows(const Delivery& delivery, const Round& round,
                   const Policy& policy, Time now) {
  const History& history = delivery.history;
  const auto has = [&](Outcome outcome) {
    return std::any_of(
        round.verdicts.begin(), round.verdicts.end(),
        [&](const auto& one) { return one.verdict.outcome == outcome; });
  };
  const auto ended = [&](std::string_view kind, std::string reason) {
    Event event = somebody_has(delivery) ? sent(delivery, round)
                                         : of_kind(kind, std::move(reason));
    event.attempt = round.attempt;
    if (event.provider.empty()) event.provider = round.provider;
    return event;
  };

  const OnUnknown on_unknown =
      delivery.message.on_unknown.value_or(policy.on_unknown);
  const bool unknown = has(Outcome::unknown);
  if (unknown && on_unknown == OnUnknown::hold) {
    Event event =
        of_kind("held", "it may have been delivered: " + trouble(round));
    event.attempt = round.attempt;
    event.provider = round.provider;
    return event;
  }
  const bool waits = has(Outcome::unavailable) || has(Outcome::throttled) ||
                     (unknown && on_unknown == OnUnknown::retry) ||
                     !round.not_tried.empty();
  if (!waits && round.cannot_be_carried.empty()) {
    if (unknown)
      return ended("failed", "it may have been delivered: " + trouble(round));
    return ended("failed", refusals(round));
  }
  if (!round.cannot_be_carried.empty() && !waits)
    return ended("failed", round.cannot_be_carried);

  const std::uint64_t seed = std::hash<std::string>{}(delivery.id);
  Time next_at = now + backoff(history.rounds + 1, policy.retry, seed);
  // Nobody was asked: it waits for as long as they rest.
  if (round.next_at)
    next_at = std::max(*round.next_at, now + std::chrono::seconds(1));
  if (const auto& expires_at = delivery.message.expires_at;
      expires_at && next_at >= *expires_at)
    return ended("expired", "its expires_at, " + format_time(*expires_at) +
                                ", comes before the next try; last error: " +
                                trouble(round));
  const Time since =
      std::max({delivery.accepted_at,
                delivery.message.send_at.value_or(delivery.accepted_at),
                history.restarted_at.value_or(delivery.accepted_at)});
  if (next_at - since > policy.retry.give_up_after)
    return ended("expired", "gave up after " +
                                format_duration(policy.retry.give_up_after) +
                                "; last error: " + trouble(round));
  Event event = of_kind("deferred", trouble(round));
  event.attempt = round.attempt;
  event.provider = round.provider;
  event.next_at = next_at;
  // Others wait; who is in doubt and counted as failed is not sent to again.
  if (unknown && on_unknown == OnUnknown::fail)
    for (const auto& one : round.verdicts)
      if (one.verdict.outcome == Outcome::unknown)
        event.recipients.push_back(
            {one.email, Outcome::unknown, one.verdict.error});
  return event;
}

std::optional<Event> nobody_left(const Delivery& delivery) {
  constexpr std::size_t k_longest_list = 500;
  const History& history = delivery.history;
  if (history.suppressed.empty()) return {};
  for (const auto& address : delivery.message.recipients())
    if (!history.settled.contains(address.email)) return {};
  std::string who;
  for (const auto& [email, why] : history.suppressed) {
    if (!who.empty()) who += ", ";
    if (who.size() > k_longest_list) {
      who += "…";
      break;
    }
    who += email + " " + why;
  }
  return ended_untried(delivery, "failed",
                       "nobody is left to be sent to: " + who);
}

}  // namespace pony
