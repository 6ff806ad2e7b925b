// Counting events; see tally.h.
#include "core/report/tally.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/outcome.h"

namespace pony {
namespace {

// 32 buckets for each doubling: the middle of a bucket is at most a 64th
// (1.6 %) off. Below 64 a bucket is one millisecond.
constexpr int k_bucket_bits = 5;
constexpr std::uint64_t k_exact_below = 2U << k_bucket_bits;

int bucket_of(std::uint64_t value) {
  if (value < k_exact_below) return static_cast<int>(value);
  const int shift = static_cast<int>(std::bit_width(value)) - k_bucket_bits - 1;
  return (shift << k_bucket_bits) + static_cast<int>(value >> shift);
}

// The middle of a bucket.
std::int64_t time_of(int bucket) {
  if (bucket < static_cast<int>(k_exact_below)) return bucket;
  const int shift = (bucket >> k_bucket_bits) - 1;
  const std::int64_t first = bucket - (shift << k_bucket_bits);
  return (first << shift) + (std::int64_t{1} << (shift - 1));
}

// A provider's answer may be long; rows are told apart by its beginning.
constexpr std::size_t k_reason_bytes = 80;

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::string reason_of(const Event& event) {
  const std::string& why = event.reason.empty() ? event.error : event.reason;
  if (why.size() <= k_reason_bytes) return why;
  std::size_t end = k_reason_bytes;
  while (end > 0 && is_continuation(why[end])) --end;
  return why.substr(0, end);
}

std::string hour_of(Time ts) {
  return format_minute(ts).substr(0, std::string_view("2026-11-21T10").size());
}

std::vector<std::string> tags_of(const Event& event) {
  if (event.tags.empty()) return {""};
  std::vector<std::string> tags = event.tags;
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

std::vector<std::string> values_of(const Event& event, TallyBy by) {
  switch (by) {
    case TallyBy::tag:
      return tags_of(event);
    case TallyBy::template_id:
      return {event.template_id};
    case TallyBy::provider:
      return {event.provider};
    case TallyBy::pool:
      return {event.pool};
    case TallyBy::lang:
      return {event.lang};
    case TallyBy::domain:
      return {event.domain};
    case TallyBy::reason:
      return {reason_of(event)};
    case TallyBy::day:
      return {format_day(event.ts)};
    case TallyBy::hour:
      return {hour_of(event.ts)};
    case TallyBy::event:
      return {event.event};
  }
  return {""};
}

using Key = std::vector<std::string>;

std::vector<Key> keys_of(const Event& event, const std::vector<TallyBy>& by) {
  std::vector<Key> keys = {{}};
  for (const TallyBy one : by) {
    std::vector<Key> longer;
    for (const std::string& value : values_of(event, one)) {
      for (Key key : keys) {
        key.push_back(value);
        longer.push_back(std::move(key));
      }
    }
    keys = std::move(longer);
  }
  return keys;
}

bool is_one_of(std::string_view word,
               const std::vector<std::string_view>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_counted(std::string_view event, TallyOf of) {
  static const std::vector<std::string_view> messages = {
      "queued",    "sent",      "failed", "deferred",
      "attempted", "cancelled", "expired"};
  static const std::vector<std::string_view> attempts = {"attempted", "sent"};
  static const std::vector<std::string_view> reasons = {
      "failed", "deferred", "expired", "held", "skipped"};
  switch (of) {
    case TallyOf::messages:
      return is_one_of(event, messages);
    case TallyOf::attempts:
      return is_one_of(event, attempts);
    case TallyOf::reasons:
      return is_one_of(event, reasons);
    case TallyOf::events:
      return true;
  }
  return false;
}

void count_attempt(TallyRow& row, const Event& event, TallyOf of) {
  // An attempt whose outcome cannot be read may have delivered the message.
  const Outcome outcome = event.outcome.value_or(Outcome::unknown);
  ++row.attempts;
  if (outcome == Outcome::unknown) ++row.unknown;
  if (of == TallyOf::attempts) ++row.outcomes[std::string(to_text(outcome))];
  if (event.latency_ms) row.provider_ms.add(*event.latency_ms);
}

void count_state(TallyRow& row, std::string_view event) {
  if (event == "queued") ++row.queued;
  if (event == "sent") ++row.sent;
  if (event == "failed") ++row.failed;
  if (event == "deferred") ++row.deferred;
  if (event == "cancelled") ++row.cancelled;
  if (event == "expired") ++row.expired;
}

void count(TallyRow& row, const Event& event, TallyOf of) {
  if (of == TallyOf::events || of == TallyOf::reasons) ++row.events;
  if (of == TallyOf::events) return;
  if (of != TallyOf::attempts) count_state(row, event.event);
  if (event.event == "attempted") count_attempt(row, event, of);
  if (event.event == "sent" && event.queue_ms)
    row.queue_ms.add(*event.queue_ms);
}

TallyOf counted_by(const std::vector<TallyBy>& by) {
  const auto has = [&by](TallyBy one) {
    return std::find(by.begin(), by.end(), one) != by.end();
  };
  if (has(TallyBy::event)) return TallyOf::events;
  if (has(TallyBy::provider)) return TallyOf::attempts;
  if (has(TallyBy::reason)) return TallyOf::reasons;
  return TallyOf::messages;
}

double share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 0;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void TimeHistogram::add(std::int64_t milliseconds) {
  const auto value =
      static_cast<std::uint64_t>(std::max<std::int64_t>(milliseconds, 0));
  ++buckets_[bucket_of(value)];
  ++count_;
}

std::optional<std::int64_t> TimeHistogram::percentile(double percent) const {
  if (count_ == 0) return std::nullopt;
  const double share_of_all =
      std::clamp(percent, 0.0, 100.0) * static_cast<double>(count_) / 100;
  const auto rank = static_cast<std::uint64_t>(std::ceil(share_of_all));
  std::uint64_t seen = 0;
  for (const auto& [bucket, times] : buckets_) {
    seen += times;
    if (seen >= rank) return time_of(bucket);
  }
  return time_of(buckets_.rbegin()->first);
}

double TallyRow::failure_rate() const {
  if (!outcomes.empty()) {
    const auto accepted =
        outcomes.find(std::string(to_text(Outcome::accepted)));
    const std::uint64_t good =
        accepted == outcomes.end() ? 0 : accepted->second;
    return share(attempts - good, attempts);
  }
  return share(failed + expired, sent + failed + expired);
}

std::string_view to_text(TallyBy by) {
  return tally_names()[static_cast<std::size_t>(by)];
}

std::optional<TallyBy> tally_by(std::string_view name) {
  const auto& names = tally_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<TallyBy>(found - names.begin());
}

const std::vector<std::string_view>& tally_names() {
  // In the order of TallyBy.
  static const std::vector<std::string_view> names = {
      "tag",    "template", "provider", "pool", "lang",
      "domain", "reason",   "day",      "hour", "event"};
  return names;
}

Tally::Tally(const std::vector<TallyBy>& by) : of_(counted_by(by)) {
  for (const TallyBy one : by) {
    if (std::find(by_.begin(), by_.end(), one) == by_.end()) by_.push_back(one);
  }
}

void Tally::add(const Event& event) {
  if (!is_counted(event.event, of_)) return;
  for (Key& key : keys_of(event, by_)) count(rows_[std::move(key)], event, of_);
  count(total_, event, of_);
}

}  // namespace pony
