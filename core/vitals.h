// How a spool and its providers are, as numbers, and what of it is wrong:
// what `pony check` and the configuration's `alerts` have in common. Values
// and functions on them.
//
// Doesn't know: where the numbers come from, who is told.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/health.h"
#include "core/threshold.h"

namespace pony {

// A provider, and how its attempts went of late.
struct ProviderVitals {
  std::string name;
  BreakerState breaker = BreakerState::closed;
  bool paused = false;
  std::string why;  // it rests; empty when it does not
  std::optional<Time> last_error_at;
  std::uint64_t attempts = 0, failed_attempts = 0;
  // Messages of its pools that others delivered meanwhile, by provider.
  std::map<std::string, std::uint64_t> carried_by;

  // Half open it might work again, and it might not: that is believed when
  // its last failure is before `long_ago`.
  bool takes_mail(Time long_ago) const;
};

struct PoolVitals {
  std::string name;
  std::vector<std::string> members;
};

struct Vitals {
  Time now{};
  // Messages by priority, in the order of Priority; claimed: all of them.
  std::array<std::uint64_t, 3> fresh{}, deferred{};
  std::uint64_t claimed = 0, held = 0;
  // Since when the one has waited that waited longest; nothing: none does.
  std::optional<Time> oldest_since;
  std::uint64_t failed = 0;
  Milliseconds failed_span{std::chrono::hours(1)};
  std::uint64_t uncertain = 0;
  std::optional<Time> last_run;
  double free_space = 100, free_inodes = 100;  // per cent
  std::uint64_t free_bytes = 0;
  std::vector<ProviderVitals> providers;
  std::vector<PoolVitals> pools;
  Milliseconds attempts_span{std::chrono::hours(6)};

  std::uint64_t waiting() const;  // all but those that are held
  // How long the oldest has waited; 0 when none waits. Never negative.
  Milliseconds oldest() const;
};

enum class CheckStatus { ok, warning, critical };
// "OK", "WARNING", "CRITICAL".
std::string_view to_text(CheckStatus severity);

struct CheckFinding {
  std::string kind;  // "oldest", "queue", "failed", "uncertain", "last_run",
                     // "disk", "degraded"
  CheckStatus severity = CheckStatus::ok;
  // What it is, also when that is fine: "the oldest message has waited 2h
  // (critical above 1h)". May hold a provider's own words: print it with
  // printable().
  std::string sentence;
  double value = 0;  // seconds, messages, per cent; degraded: how many things
};

// One for each thing that `limits` names, in the order above.
std::vector<CheckFinding> judge(const Vitals& vitals,
                                const VitalLimits& limits);
// The worst of them.
CheckStatus worst_of(const std::vector<CheckFinding>& findings);

// One line, as monitoring plug-ins print it, with its '\n': "PONY OK - 3
// waiting, oldest 2m | queue=3;;1000;0 oldest=120s;;900;0".
std::string in_one_line(const Vitals& vitals, const VitalLimits& limits,
                        const std::vector<CheckFinding>& findings);

}  // namespace pony
