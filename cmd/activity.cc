#include "cmd/activity.h"

#include <algorithm>
#include <charconv>

#include "core/event.h"
#include "spool/log_place.h"
#include "spool/log_window.h"

namespace pony {
namespace {

using std::chrono::seconds;

constexpr seconds k_span = std::chrono::minutes(5);
constexpr std::size_t k_first_bytes = std::size_t{64} << 20;
constexpr std::size_t k_most_samples = 20'000;
constexpr std::size_t k_failures_kept = 20;
constexpr std::size_t k_most_providers = 100;
constexpr std::size_t k_to_the_second = 19;  // "2026-11-22T10:00:00"

std::int64_t second_at(Time time) {
  return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

// The number that follows `member` ("\"queue_ms\":").
std::optional<std::int64_t> number_in_line(std::string_view line,
                                           std::string_view member) {
  const auto at = line.find(member);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + member.size());
  std::int64_t number = 0;
  const auto read =
      std::from_chars(line.data(), line.data() + line.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  return number;
}

template <class Samples>
Percentiles percentiles_of(const Samples& samples) {
  std::vector<std::int64_t> times;
  times.reserve(samples.size());
  for (const auto& sample : samples) times.push_back(sample.ms);
  Percentiles result{times.size(), 0, 0};
  if (times.empty()) return result;
  const auto at = [&](std::size_t percent) {
    const std::size_t rank = (times.size() * percent + 99) / 100;
    const auto nth = times.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(times.begin(), nth, times.end());
    return *nth;
  };
  result.p50 = at(50);
  result.p95 = at(95);
  return result;
}

}  // namespace

double rate_of(const Happened::Seconds& counts, std::size_t last) {
  last = std::clamp<std::size_t>(last, 1, counts.size());
  double sum = 0;
  for (std::size_t i = counts.size() - last; i < counts.size(); ++i)
    sum += counts[i];
  return sum / static_cast<double>(last);
}

Result<> Activity::read(Time now) {
  if (!begun_) {
    auto place = place_of(log_, now - k_span, k_first_bytes);
    if (!place) return tl::unexpected(place.error());
    position_ = std::move(*place);
    begun_ = true;
  }
  auto read =
      log_.read_on(position_, now - k_span, now, [&](std::string_view line) {
        take(line);
        return true;
      });
  forget(second_at(now - k_span));
  return read;
}

std::optional<Activity::Second> Activity::second_of(std::string_view line) {
  const auto ts = text_in_line(line, "\"ts\":\"").substr(0, k_to_the_second);
  if (ts.size() == k_to_the_second && ts == last_ts_) return last_second_;
  last_ts_ = ts;
  const auto time = parse_time(std::string(ts) + "Z");
  last_second_ = time ? std::optional(second_at(*time)) : std::nullopt;
  return last_second_;
}

void Activity::take(std::string_view line) {
  const auto kind = text_in_line(line, "\"event\":\"");
  const bool failed = kind == "failed" || kind == "expired";
  if (!failed && kind != "queued" && kind != "sent" && kind != "attempted")
    return;
  const auto second = second_of(line);
  if (!second) return;
  Counts& counts = seconds_[*second];
  const auto sample = [&](std::deque<Sample>& samples,
                          std::string_view member) {
    if (const auto ms = number_in_line(line, member))
      samples.push_back({*second, *ms});
    if (samples.size() > k_most_samples) samples.pop_front();
  };
  if (kind == "queued") {
    ++counts.arrivals;
  } else if (kind == "sent") {
    ++counts.deliveries;
    sample(queue_, "\"queue_ms\":");
  } else if (kind == "attempted") {
    sample(provider_, "\"latency_ms\":");
    const auto provider = text_in_line(line, "\"provider\":\"");
    if (counts.attempts.size() >= k_most_providers) return;
    auto& attempts = counts.attempts[std::string(provider)];
    const auto outcome = text_in_line(line, "\"outcome\":\"");
    ++attempts.all;
    if (outcome != "accepted" && outcome != "rejected") ++attempts.failed;
  } else {
    ++counts.failures;
    if (auto event = parse_event(line))
      failures_.push_front({event->ts, event->id, event->event, event->reason});
    if (failures_.size() > k_failures_kept) failures_.pop_back();
  }
}

void Activity::forget(Second before) {
  seconds_.erase(seconds_.begin(), seconds_.lower_bound(before));
  for (auto* samples : {&queue_, &provider_})
    while (!samples->empty() && samples->front().at < before)
      samples->pop_front();
}

Happened Activity::happened(Time now) const {
  Happened result;
  const Second last = second_at(now) - 1;
  for (std::size_t i = 0; i < k_seconds_shown; ++i) {
    const auto it =
        seconds_.find(last - static_cast<Second>(k_seconds_shown - 1 - i));
    if (it == seconds_.end()) continue;
    result.arrivals[i] = it->second.arrivals;
    result.deliveries[i] = it->second.deliveries;
    result.failures[i] = it->second.failures;
    for (const auto& [provider, attempts] : it->second.attempts) {
      result.attempts[provider].all += attempts.all;
      result.attempts[provider].failed += attempts.failed;
    }
  }
  result.queue = percentiles_of(queue_);
  result.provider = percentiles_of(provider_);
  result.last_failures.assign(failures_.begin(), failures_.end());
  return result;
}

}  // namespace pony
