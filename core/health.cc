#include "core/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <system_error>

#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

using std::chrono::seconds;

constexpr std::int64_t k_slots = 20;  // of a rate's length
constexpr int k_most_failures = 1'000'000;
constexpr double k_most_attempts = 1e9;
constexpr int k_most_used = 1'000'000'000;  // the largest rate there is
constexpr std::size_t k_error_bytes = 300;
constexpr std::size_t k_most_rates = 16;
constexpr seconds k_longest_rate{366 * 86'400};
constexpr seconds k_longest_cool_down{366 * 86'400};
constexpr Milliseconds k_longest_rest = std::chrono::hours(24);
constexpr Milliseconds k_longest_probe = std::chrono::hours(1);
constexpr double k_half_life_ms = 5 * 60'000;
constexpr unsigned k_most_latencies = 1'000;
constexpr std::int64_t k_longest_latency_ms = 3'600'000;
constexpr std::int64_t k_last_ms = 253'402'300'799'999;  // the year 9999

bool is_ahead(const std::optional<Time>& time, Time now) {
  return time && now < *time;
}

void bound(std::optional<Time>& time, Time last) {
  if (time && *time > last) time = last;
}

// --- latencies

std::size_t bucket_of(Milliseconds latency) {
  const auto ms = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(latency.count(), 0, k_longest_latency_ms));
  if (ms < 16) return ms;
  const auto shift = static_cast<unsigned>(std::bit_width(ms)) - 4;
  return 16 + (shift - 1) * 8 + ((ms >> shift) - 8);
}

Milliseconds middle_of(std::size_t bucket) {
  if (bucket < 16) return Milliseconds(bucket);
  const std::size_t shift = (bucket - 16) / 8 + 1;
  const std::size_t low = ((bucket - 16) % 8 + 8) << shift;
  return Milliseconds(low + (std::size_t{1} << (shift - 1)));
}

// --- "12:3 40:1": pairs of numbers, as files have them

// Calls `each` with every pair, until it answers false or the text is none.
void for_each_pair(
    std::string_view text,
    const std::function<bool(std::int64_t, std::int64_t)>& each) {
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    std::int64_t first = 0;
    std::int64_t second = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ':') return;
    read = std::from_chars(read.ptr + 1, end, second);
    if (read.ec != std::errc()) return;
    if (!each(first, second)) return;
    if (read.ptr == end || *read.ptr != ' ') return;
    at = read.ptr + 1;
  }
}

void append_pair(std::string& out, std::int64_t first, std::int64_t second) {
  if (!out.empty()) out.push_back(' ');
  fmt::format_to(std::back_inserter(out), "{}:{}", first, second);
}

// --- attempts of late

double faded(double count, Time counted_at, Time now) {
  const auto age = static_cast<double>((now - counted_at).count());
  return age <= 0 ? count : count * std::exp2(-age / k_half_life_ms);
}

void count_attempt(ProviderHealth& health, Time now, double good, double bad) {
  health.good = std::min(faded(health.good, health.counted_at, now) + good,
                         k_most_attempts);
  health.bad = std::min(faded(health.bad, health.counted_at, now) + bad,
                        k_most_attempts);
  health.counted_at = now;
}

// --- rates

Milliseconds slot_length(seconds per) {
  return Milliseconds(per) / k_slots;
}

std::int64_t slot_of(seconds per, Time now) {
  const auto length = slot_length(per);
  const auto since = now.time_since_epoch();
  return since / length - (since % length < Milliseconds(0) ? 1 : 0);
}

// A slot that a window with something of `slot` in it can touch, before it or
// after: another process's clock reading may be a little later than ours.
bool is_near(std::int64_t one, std::int64_t slot) {
  return one >= slot - k_slots && one <= slot + k_slots;
}

const RateUse* use_of(const ProviderHealth& health, seconds per) {
  for (const RateUse& use : health.rates)
    if (use.per == per) return &use;
  return nullptr;
}

RateUse& use_for(ProviderHealth& health, seconds per) {
  for (RateUse& use : health.rates)
    if (use.per == per) return use;
  return health.rates.emplace_back(RateUse{per, {}});
}

bool is_usable(const RateLimit& limit) {
  return limit.per >= seconds(1) && limit.per <= k_longest_rate;
}

std::int64_t used_near(const RateUse& use, std::int64_t slot) {
  std::int64_t used = 0;
  for (const auto& [number, count] : use.slots)
    if (is_near(number, slot)) used += count;
  return used;
}

// When the limit has room again; nothing when it has now.
std::optional<Time> full_until(const ProviderHealth& health,
                               const RateLimit& limit, Time now) {
  const RateUse* use = use_of(health, limit.per);
  if (use == nullptr) return std::nullopt;
  const std::int64_t slot = slot_of(limit.per, now);
  std::int64_t used = used_near(*use, slot);
  if (used < limit.count) return std::nullopt;
  for (const auto& [number, count] : use->slots) {
    if (!is_near(number, slot)) continue;
    used -= count;
    if (used < limit.count)
      return Time((number + k_slots + 1) * slot_length(limit.per));
  }
  return now + limit.per;  // a count of 0: never, but somebody may change it
}

void take_one(RateUse& use, Time now) {
  const std::int64_t slot = slot_of(use.per, now);
  std::erase_if(use.slots,
                [&](const auto& one) { return !is_near(one.first, slot); });
  auto at = std::lower_bound(
      use.slots.begin(), use.slots.end(), slot,
      [](const auto& one, std::int64_t number) { return one.first < number; });
  if (at == use.slots.end() || at->first != slot)
    at = use.slots.insert(at, {slot, 0});
  if (at->second < k_most_used) ++at->second;
}

// Two limits of one length are one use.
std::vector<seconds> lengths_of(const std::vector<RateLimit>& limits) {
  std::vector<seconds> lengths;
  for (const RateLimit& limit : limits)
    if (is_usable(limit) &&
        std::find(lengths.begin(), lengths.end(), limit.per) == lengths.end())
      lengths.push_back(limit.per);
  return lengths;
}

// --- JSON

void put_time(JsonWriter& json, std::string_view name,
              const std::optional<Time>& time) {
  if (time) json.field(name, format_time(*time));
}

std::optional<Time> time_in(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  const auto time = parse_time(member->text);
  return time ? std::optional<Time>(*time) : std::nullopt;
}

double count_in(const Json& json, std::string_view name) {
  const std::string_view text = json.text_of(name);
  double count = 0;
  const auto read =
      std::from_chars(text.data(), text.data() + text.size(), count);
  const bool is_count = read.ec == std::errc() &&
                        read.ptr == text.data() + text.size() &&
                        std::isfinite(count) && count >= 0;
  return is_count ? std::min(count, k_most_attempts) : 0;
}

std::string rates_json(const std::vector<RateUse>& rates) {
  std::string list = "[";
  for (const RateUse& use : rates) {
    if (use.slots.empty()) continue;
    std::string used;
    for (const auto& [slot, count] : use.slots) append_pair(used, slot, count);
    if (list.size() > 1) list.push_back(',');
    JsonWriter(list)
        .field("per", std::int64_t{use.per.count()})
        .field("used", used)
        .end();
  }
  return list + "]";
}

std::optional<RateUse> rate_in(const Json& json) {
  const seconds per(json.number_of("per"));
  if (!is_usable({1, per})) return std::nullopt;
  const std::int64_t last = k_last_ms / slot_length(per).count();
  RateUse use{per, {}};
  for_each_pair(json.text_of("used"), [&](std::int64_t slot,
                                          std::int64_t count) {
    const bool in_order = use.slots.empty() || slot > use.slots.back().first;
    if (slot < -last || slot > last || count < 1 || !in_order) return true;
    use.slots.emplace_back(
        slot, static_cast<int>(std::min<std::int64_t>(count, k_most_used)));
    return use.slots.size() <= 2 * k_slots;
  });
  return use;
}

std::vector<RateUse> rates_in(const Json& json) {
  std::vector<RateUse> rates;
  const Json* list = json.find("rates");
  if (list == nullptr) return rates;
  for (const Json& item : list->items) {
    if (rates.size() == k_most_rates) break;
    auto use = rate_in(item);
    const auto is_same = [&](const RateUse& one) {
      return one.per == use->per;
    };
    if (use && std::none_of(rates.begin(), rates.end(), is_same))
      rates.push_back(std::move(*use));
  }
  return rates;
}

std::string_view cut_to(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  // Not inside a character.
  while (bytes > 0 &&
         (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U)
    --bytes;
  return text.substr(0, bytes);
}

}  // namespace

// --- latencies

void LatencyHistogram::add(Milliseconds latency) {
  ++counts_[bucket_of(latency)];
  if (++total_ > k_most_latencies) halve();
}

void LatencyHistogram::halve() {
  total_ = 0;
  for (auto& count : counts_) {
    count = static_cast<std::uint16_t>(count / 2);
    total_ += count;
  }
}

std::optional<Milliseconds> LatencyHistogram::percentile(double percent) const {
  if (total_ == 0) return std::nullopt;
  const double rank = std::clamp(std::ceil(percent / 100 * total_), 1.0,
                                 static_cast<double>(total_));
  unsigned seen = 0;
  for (std::size_t bucket = 0; bucket < k_buckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return middle_of(bucket);
  }
  return std::nullopt;  // not reached: the counts add up to total_
}

std::string LatencyHistogram::to_text() const {
  std::string text;
  for (std::size_t bucket = 0; bucket < k_buckets; ++bucket)
    if (counts_[bucket] > 0)
      append_pair(text, static_cast<std::int64_t>(bucket), counts_[bucket]);
  return text;
}

LatencyHistogram LatencyHistogram::from_text(std::string_view text) {
  LatencyHistogram histogram;
  for_each_pair(text, [&](std::int64_t bucket, std::int64_t count) {
    const bool makes_sense = bucket >= 0 &&
                             bucket < static_cast<std::int64_t>(k_buckets) &&
                             count > 0 && count <= k_most_latencies;
    if (!makes_sense) return false;
    auto& place = histogram.counts_[static_cast<std::size_t>(bucket)];
    if (place > 0) return false;
    place = static_cast<std::uint16_t>(count);
    histogram.total_ += static_cast<unsigned>(count);
    return true;
  });
  while (histogram.total_ > k_most_latencies) histogram.halve();
  return histogram;
}

// --- the breaker

std::string_view to_text(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      break;
  }
  return "half-open";
}

BreakerState breaker_state(const ProviderHealth& health, Time now) {
  if (!health.open_until) return BreakerState::closed;
  return now < *health.open_until ? BreakerState::open
                                  : BreakerState::half_open;
}

bool is_paused(const ProviderHealth& health, Time now) {
  return health.paused && (!health.paused_until || now < *health.paused_until);
}

std::optional<Time> resting_until(const ProviderHealth& health, Time now) {
  std::optional<Time> until;
  const auto at_least = [&](const std::optional<Time>& time) {
    if (is_ahead(time, now) && (!until || *time > *until)) until = time;
  };
  at_least(health.open_until);
  if (breaker_state(health, now) == BreakerState::half_open)
    at_least(health.probe_until);
  at_least(health.rest_until);
  if (is_paused(health, now))
    at_least(health.paused_until.value_or(Time::max()));
  return until;
}

std::string why_resting(const ProviderHealth& health, Time now) {
  std::string why;
  const auto add = [&](std::string_view reason) {
    if (!why.empty()) why += "; ";
    why += reason;
  };
  if (is_paused(health, now))
    add("paused until " + (health.paused_until
                               ? format_time(*health.paused_until)
                               : std::string("resumed")));
  const BreakerState state = breaker_state(health, now);
  const bool probing =
      state == BreakerState::half_open && is_ahead(health.probe_until, now);
  if (state == BreakerState::open || probing)
    add(fmt::format(
        "breaker {} after {}{}{}", probing ? "half open, being tried," : "open",
        counted(static_cast<std::uint64_t>(health.failures), "failure"),
        health.last_error.empty() ? "" : ": ", health.last_error));
  if (is_ahead(health.rest_until, now)) add("asked to be left alone");
  return why;
}

bool claim_probe(ProviderHealth& health, Time now, Milliseconds lease) {
  if (breaker_state(health, now) != BreakerState::half_open ||
      resting_until(health, now))
    return false;
  health.probe_until = now + lease;
  return true;
}

void note_success(ProviderHealth& health, Time now, Milliseconds latency) {
  health.failures = 0;
  health.open_since.reset();
  health.open_until.reset();
  health.probe_until.reset();
  health.cool_down = seconds(0);
  count_attempt(health, now, 1, 0);
  health.latency.add(latency);
}

bool note_failure(ProviderHealth& health, Time now, std::string_view error,
                  const BreakerConfig& config) {
  health.failures = std::min(health.failures + 1, k_most_failures);
  health.last_error = cut_to(error, k_error_bytes);
  health.last_error_at = now;
  count_attempt(health, now, 0, 1);
  const bool probe_failed = health.probe_until.has_value();
  health.probe_until.reset();
  // Open: it was in flight when that happened.
  if (breaker_state(health, now) == BreakerState::open) return false;
  if (!probe_failed && health.failures < config.failures) return false;
  const bool was_closed = !health.open_until;
  health.cool_down = health.cool_down.count() == 0
                         ? config.cool_down
                         : std::min(health.cool_down * 2, config.max_cool_down);
  if (was_closed) health.open_since = now;
  health.open_until = now + health.cool_down;
  return was_closed;
}

void note_neutral(ProviderHealth& health) {
  health.probe_until.reset();
}

void note_rest(ProviderHealth& health, Time until) {
  if (!health.rest_until || until > *health.rest_until)
    health.rest_until = until;
}

void pause(ProviderHealth& health, std::optional<Time> until) {
  health.paused = true;
  health.paused_until = until;
}

void resume(ProviderHealth& health) {
  health.paused = false;
  health.paused_until.reset();
  health.rest_until.reset();
  health.failures = 0;
  health.open_since.reset();
  health.open_until.reset();
  health.probe_until.reset();
  health.cool_down = seconds(0);
}

double failure_rate(const ProviderHealth& health, Time now) {
  const double good = faded(health.good, health.counted_at, now);
  const double bad = faded(health.bad, health.counted_at, now);
  // Less than one attempt is none: what is left of them fades away.
  return std::clamp(bad / std::max(good + bad, 1.0), 0.0, 1.0);
}

// --- rates

std::optional<Time> take_from_rates(ProviderHealth& health,
                                    const std::vector<RateLimit>& limits,
                                    Time now) {
  std::optional<Time> full;
  for (const RateLimit& limit : limits) {
    if (!is_usable(limit)) continue;
    const auto until = full_until(health, limit, now);
    if (until && (!full || *until > *full)) full = until;
  }
  if (full) return full;
  for (const seconds per : lengths_of(limits))
    take_one(use_for(health, per), now);
  return std::nullopt;
}

void give_back_to_rates(ProviderHealth& health,
                        const std::vector<RateLimit>& limits, Time taken) {
  for (const seconds per : lengths_of(limits)) {
    RateUse& use = use_for(health, per);
    const std::int64_t slot = slot_of(per, taken);
    for (auto& [number, count] : use.slots)
      if (number == slot) --count;
    std::erase_if(use.slots, [](const auto& one) { return one.second <= 0; });
  }
}

std::vector<int> left_of_rates(const ProviderHealth& health,
                               const std::vector<RateLimit>& limits, Time now) {
  std::vector<int> left;
  left.reserve(limits.size());
  for (const RateLimit& limit : limits) {
    const RateUse* use = use_of(health, limit.per);
    const std::int64_t used =
        use == nullptr ? 0 : used_near(*use, slot_of(limit.per, now));
    left.push_back(
        static_cast<int>(std::max<std::int64_t>(limit.count - used, 0)));
  }
  return left;
}

// --- bounds

void tidy(ProviderHealth& health, Time now, const BreakerConfig& config,
          const std::vector<RateLimit>& limits) {
  bound(health.open_until, now + config.max_cool_down);
  bound(health.open_since, now);
  bound(health.rest_until, now + k_longest_rest);
  bound(health.probe_until, now + k_longest_probe);
  health.cool_down =
      std::clamp(health.cool_down, seconds(0), config.max_cool_down);
  if (health.counted_at > now) health.counted_at = now;
  const auto lengths = lengths_of(limits);
  std::erase_if(health.rates, [&](const RateUse& use) {
    return std::find(lengths.begin(), lengths.end(), use.per) == lengths.end();
  });
  for (RateUse& use : health.rates) {
    const std::int64_t slot = slot_of(use.per, now);
    std::erase_if(use.slots,
                  [&](const auto& one) { return !is_near(one.first, slot); });
  }
}

// --- JSON

std::string to_json_text(const ProviderHealth& health) {
  std::string text;
  JsonWriter json(text);
  json.field("v", std::int64_t{1});
  if (health.paused) json.boolean("paused", true);
  put_time(json, "paused_until", health.paused_until);
  json.field("failures", std::int64_t{health.failures});
  put_time(json, "open_since", health.open_since);
  put_time(json, "open_until", health.open_until);
  if (health.cool_down.count() > 0)
    json.field("cool_down_s", std::int64_t{health.cool_down.count()});
  put_time(json, "probe_until", health.probe_until);
  put_time(json, "rest_until", health.rest_until);
  if (!health.last_error.empty()) json.field("last_error", health.last_error);
  put_time(json, "last_error_at", health.last_error_at);
  json.raw("good", fmt::format("{:.3f}", health.good));
  json.raw("bad", fmt::format("{:.3f}", health.bad));
  json.field("counted_at", format_time(health.counted_at));
  json.field("latency", health.latency.to_text());
  json.raw("rates", rates_json(health.rates));
  json.end();
  return text;
}

ProviderHealth health_from(std::string_view text) {
  ProviderHealth health;
  const auto json = parse_json(text);
  if (!json || !json->is_object() || json->number_of("v") != 1) return health;
  health.paused = json->text_of("paused") == "true";
  if (health.paused) health.paused_until = time_in(*json, "paused_until");
  health.failures = static_cast<int>(std::clamp<std::int64_t>(
      json->number_of("failures"), 0, k_most_failures));
  health.open_until = time_in(*json, "open_until");
  // Without the first the others would be taken for a probe that failed.
  if (health.open_until) {
    health.open_since = time_in(*json, "open_since");
    health.probe_until = time_in(*json, "probe_until");
  }
  health.cool_down = std::clamp(seconds(json->number_of("cool_down_s")),
                                seconds(0), k_longest_cool_down);
  health.rest_until = time_in(*json, "rest_until");
  health.last_error = cut_to(json->text_of("last_error"), k_error_bytes);
  health.last_error_at = time_in(*json, "last_error_at");
  health.good = count_in(*json, "good");
  health.bad = count_in(*json, "bad");
  health.counted_at = time_in(*json, "counted_at").value_or(Time());
  health.latency = LatencyHistogram::from_text(json->text_of("latency"));
  health.rates = rates_in(*json);
  return health;
}

// --- in memory

Result<ProviderHealth> MemoryHealthStore::update(
    const std::string& provider,
    const std::function<void(ProviderHealth&)>& change) {
  ProviderHealth& health = health_[provider];
  change(health);
  return health;
}

Result<ProviderHealth> MemoryHealthStore::read(const std::string& provider) {
  const auto found = health_.find(provider);
  return found == health_.end() ? ProviderHealth() : found->second;
}

}  // namespace pony
