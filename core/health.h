// How a provider has been of late: whether its breaker is open, whether it
// rests or is paused, how often it fails, how fast it is, and what is left of
// its rates. A value and functions on it.
//
//   closed ──N failures in a row──► open ──cool-down over──► half open
//     ▲                              ▲                          │ one probe
//     └────────── success ───────────┴───────── failure ────────┘
//
// Each time the probe fails the cool-down doubles, up to max_cool_down. A
// provider that asked to be left alone (Retry-After) rests for that long, and
// one that a person paused until it is resumed, whatever the breaker says.
//
// All times are the wall clock's, so that the value outlives a process and a
// reboot; tidy() bounds what a clock that jumped can do to it. A HealthStore
// is where it is kept, so that several processes share one.
// Doesn't know: files, clocks, what a provider is.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/config.h"
#include "core/result.h"

namespace pony {

// What was taken of the limit for this length of time, by slots of a
// twentieth of it, counted from 1970: slot number and how much.
struct RateUse {
  std::chrono::seconds per;
  std::vector<std::pair<std::int64_t, int>> slots;
};

// Latencies of late: all counts are halved when they pass 1,000, so that the
// last thousand decide. Exact below 16 ms, else at most 7 % off; longer than
// an hour counts as an hour, negative (a clock set back) as 0.
class LatencyHistogram {
 public:
  void add(Milliseconds latency);
  // What `percent` (0 to 100) of all do not exceed, by nearest rank; nothing
  // when empty.
  std::optional<Milliseconds> percentile(double percent) const;

  // "12:3 40:1": bucket and count. Reading takes what makes sense of a text,
  // until something does not.
  std::string to_text() const;
  static LatencyHistogram from_text(std::string_view text);

 private:
  // 0 to 15 ms, then eight for each doubling, up to beyond an hour.
  static constexpr std::size_t k_buckets = 16 + 18 * 8;

  void halve();

  std::array<std::uint16_t, k_buckets> counts_{};
  unsigned total_ = 0;
};

enum class BreakerState { closed, open, half_open };
// "closed", "open", "half-open".
std::string_view to_text(BreakerState state);

struct ProviderHealth {
  int failures = 0;  // in a row
  std::optional<Time> open_since, open_until;
  std::chrono::seconds cool_down{0};
  // Half open: somebody probes, and is taken for dead after this.
  std::optional<Time> probe_until;
  std::optional<Time> rest_until;    // as the provider asked (Retry-After)
  bool paused = false;               // by a person
  std::optional<Time> paused_until;  // nothing: until resumed
  std::string last_error;            // cut to a few hundred bytes
  std::optional<Time> last_error_at;
  // Attempts of late; both halve every five minutes, so that a bad hour is
  // forgotten. As they were at counted_at.
  double good = 0, bad = 0;
  Time counted_at;
  LatencyHistogram latency;  // of attempts that were answered
  std::vector<RateUse> rates;
};

BreakerState breaker_state(const ProviderHealth& health, Time now);

// Has a person paused it, and is the pause not over?
bool is_paused(const ProviderHealth& health, Time now);

// When it may be tried again: the latest of open, rest and pause; half open
// and somebody probes: when that probe is taken for dead. Nothing: now.
// Time::max() for a pause without an end.
std::optional<Time> resting_until(const ProviderHealth& health, Time now);

// Why, for people: "paused until …", "breaker open after 5 failures: <error>",
// "asked to be left alone"; more than one reason with "; " in between. Empty
// when it does not rest. Holds the provider's own words: print it with
// printable().
std::string why_resting(const ProviderHealth& health, Time now);

// Half open, not resting, and nobody probes: takes the probe for `lease`. True
// if taken.
bool claim_probe(ProviderHealth& health, Time now, Milliseconds lease);

// An attempt ended, the provider works: closes the breaker.
void note_success(ProviderHealth& health, Time now, Milliseconds latency);

// An attempt ended, the provider does not work. True when this failure opened
// the breaker, which was closed. Opens at config.failures in a row; a probe
// that fails opens again for twice as long, at most max_cool_down; what was in
// flight when it opened changes nothing of that.
bool note_failure(ProviderHealth& health, Time now, std::string_view error,
                  const BreakerConfig& config);

// An attempt ended that says nothing about health: lets another one probe.
void note_neutral(ProviderHealth& health);

// It asked to be left alone; the longest it asked for counts.
void note_rest(ProviderHealth& health, Time until);

// By a person, and until `until` or until resumed.
void pause(ProviderHealth& health, std::optional<Time> until);
// It may be tried again at once: no pause, no rest, breaker closed. What was
// counted and measured stays.
void resume(ProviderHealth& health);

// The failed ones among the attempts of late, 0 to 1. Goes to 0 when there
// have been none for long, so that it is tried again.
double failure_rate(const ProviderHealth& health, Time now);

// Takes one attempt from each of the limits: no window of a limit's length,
// wherever it begins, sees more than its count (at the price of at most a
// twentieth of it). Nothing: taken. Else: when to ask again, and nothing is
// taken from any of them.
std::optional<Time> take_from_rates(ProviderHealth& health,
                                    const std::vector<RateLimit>& limits,
                                    Time now);
// Gives back what was taken at `taken`: its attempt never started.
void give_back_to_rates(ProviderHealth& health,
                        const std::vector<RateLimit>& limits, Time taken);
// How many may start now, by limit, in the order of `limits`.
std::vector<int> left_of_rates(const ProviderHealth& health,
                               const std::vector<RateLimit>& limits, Time now);

// Bounds what a clock that jumped or a foreign hand could leave: open_until is
// at most max_cool_down ahead, rest_until a day, probe_until an hour; what was
// taken of rates more than their own length ahead is dropped, as are rates
// that are not configured (any more). A pause is a person's: it stays.
void tidy(ProviderHealth& health, Time now, const BreakerConfig& config,
          const std::vector<RateLimit>& limits);

// One JSON object on one line, without '\n'.
std::string to_json_text(const ProviderHealth& health);
// Total: a text that is none of ours, or of another version, is a fresh value;
// a member that makes no sense is as if it were not there.
ProviderHealth health_from(std::string_view text);

// Where the health of providers is kept, by name.
class HealthStore {
 public:
  virtual ~HealthStore() = default;

  // Reads the provider's health, lets `change` work on it and keeps what it
  // made of it, as one step that no other process comes between; answers with
  // it. `change` is called at most once, must be quick and must not come back
  // to the store. Never blocks on the network. Errors: disk, temporary
  // (somebody holds it for too long), no_permission; nothing was kept then,
  // and the caller goes on with what it has in memory.
  virtual Result<ProviderHealth> update(
      const std::string& provider,
      const std::function<void(ProviderHealth&)>& change) = 0;

  // A provider of which nothing is known has a fresh value. Errors: as above.
  virtual Result<ProviderHealth> read(const std::string& provider) = 0;
};

// Lives as long as the process: for tests, and where there is no spool.
class MemoryHealthStore : public HealthStore {
 public:
  Result<ProviderHealth> update(
      const std::string& provider,
      const std::function<void(ProviderHealth&)>& change) override;
  Result<ProviderHealth> read(const std::string& provider) override;

 private:
  std::map<std::string, ProviderHealth, std::less<>> health_;
};

}  // namespace pony
