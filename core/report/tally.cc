// Counting events; see tally.h.
#include "core/report/tally.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/outcome.h"
#include "core/report/event_facts.h"
#include "core/report/event_kind.h"

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
      return {reason_key(why_of(event))};
    case TallyBy::day:
      return {format_day(event.ts)};
    case TallyBy::hour:
      return {hour_text(event.ts)};
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

void count_attempt(TallyRow& row, const Event& event, TallyOf of) {
  // An attempt whose outcome cannot be read may have delivered the message.
  const Outcome outcome = event.outcome.value_or(Outcome::unknown);
  ++row.attempts;
  if (outcome == Outcome::unknown) ++row.unknown;
  if (of == TallyOf::attempts) ++row.outcomes[std::string(to_text(outcome))];
  if (event.latency_ms) row.provider_ms.add(*event.latency_ms);
}

void count(TallyRow& row, const Event& event, TallyOf of) {
  const EventKind kind = event_kind(event.event);
  if (of == TallyOf::events || of == TallyOf::reasons) ++row.events;
  if (of == TallyOf::events) return;
  if (of != TallyOf::attempts) count_state(row, kind);
  if (kind == EventKind::attempted) count_attempt(row, event, of);
  if (kind == EventKind::sent && event.queue_ms)
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

TimeHistogram::Page& TimeHistogram::page(std::size_t number) {
  if (number >= page_at_.size()) page_at_.resize(number + 1);
  if (page_at_[number] == 0) {
    pages_.emplace_back();
    page_at_[number] = static_cast<std::uint8_t>(pages_.size());
  }
  return pages_[page_at_[number] - 1U];
}

void TimeHistogram::add(std::int64_t milliseconds) {
  const auto value =
      static_cast<std::uint64_t>(std::max<std::int64_t>(milliseconds, 0));
  const auto bucket = static_cast<std::size_t>(bucket_of(value));
  const std::size_t page_size = Page().size();
  ++page(bucket / page_size)[bucket % page_size];
  ++count_;
}

void TimeHistogram::add(const TimeHistogram& others) {
  for (std::size_t i = 0; i < others.page_at_.size(); ++i) {
    if (others.page_at_[i] == 0) continue;
    const Page& from = others.pages_[others.page_at_[i] - 1U];
    Page& to = page(i);
    for (std::size_t slot = 0; slot < from.size(); ++slot)
      to[slot] += from[slot];
  }
  count_ += others.count_;
}

std::optional<std::int64_t> TimeHistogram::percentile(double percent) const {
  if (count_ == 0) return std::nullopt;
  const double share_of_all =
      std::clamp(percent, 0.0, 100.0) * static_cast<double>(count_) / 100;
  const auto rank = static_cast<std::uint64_t>(std::ceil(share_of_all));
  std::uint64_t seen = 0;
  int last = 0;
  for (std::size_t i = 0; i < page_at_.size(); ++i) {
    if (page_at_[i] == 0) continue;
    const Page& page = pages_[page_at_[i] - 1U];
    for (std::size_t slot = 0; slot < page.size(); ++slot) {
      if (page[slot] == 0) continue;
      last = static_cast<int>(i * page.size() + slot);
      seen += page[slot];
      if (seen >= rank) return time_of(last);
    }
  }
  return time_of(last);
}

void TallyRow::add(const TallyRow& other) {
  queued += other.queued;
  sent += other.sent;
  failed += other.failed;
  deferred += other.deferred;
  cancelled += other.cancelled;
  expired += other.expired;
  attempts += other.attempts;
  unknown += other.unknown;
  for (const auto& [name, times] : other.outcomes) outcomes[name] += times;
  events += other.events;
  queue_ms.add(other.queue_ms);
  provider_ms.add(other.provider_ms);
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

std::string hour_text(Time time) {
  return format_minute(time).substr(0,
                                    std::string_view("2026-11-21T10").size());
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
  if (!is_counted(event_kind(event.event), of_)) return;
  for (Key& key : keys_of(event, by_)) count(rows_[std::move(key)], event, of_);
  count(total_, event, of_);
}

void Tally::add_row(const std::vector<std::string>& key, const TallyRow& row) {
  rows_[key].add(row);
}

void Tally::add_total(const TallyRow& row) {
  total_.add(row);
}

}  // namespace pony
