// What happens, for those who watch: arrivals, deliveries and failures by the
// second, how long things take, what failed last. Read from the event log,
// each line once. Bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "spool/event_log.h"
#include "spool/folders.h"

namespace pony {

inline constexpr std::size_t k_seconds_shown = 60;

struct Percentiles {
  std::size_t count = 0;
  std::int64_t p50 = 0, p95 = 0;  // milliseconds
};

struct Happened {
  // By second, the oldest first; the last is the last whole second.
  using Seconds = std::array<std::uint32_t, k_seconds_shown>;
  Seconds arrivals{}, deliveries{}, failures{};
  Percentiles queue, provider;  // of the last five minutes
  struct Attempts {
    std::uint64_t all = 0, failed = 0;  // in the last minute
  };
  std::map<std::string, Attempts> attempts;  // by provider
  struct Failure {
    Time at{};
    std::string id, what, reason;
  };
  std::vector<Failure> last_failures;  // the newest first
};

// The mean of the last `seconds` of them.
double rate_of(const Happened::Seconds& counts, std::size_t seconds);

class Activity {
 public:
  Activity(Folders& folders, EventLog& log) : folders_(folders), log_(log) {}

  // Reads on to the end of the log. Errors: it cannot be read.
  Result<> read(Time now);
  Happened happened(Time now) const;

 private:
  using Second = std::int64_t;  // since 1970
  struct Counts {
    std::uint32_t arrivals = 0, deliveries = 0, failures = 0;
    std::map<std::string, Happened::Attempts, std::less<>> attempts;
  };
  struct Sample {
    Second at;
    std::int64_t ms;
  };

  void take(std::string_view line);
  std::optional<Second> second_of(std::string_view line);
  void forget(Second before);

  Folders& folders_;
  EventLog& log_;
  bool begun_ = false;
  EventLog::Position position_;
  std::map<Second, Counts> seconds_;
  std::deque<Sample> queue_, provider_;
  std::deque<Happened::Failure> failures_;
  std::string last_ts_;
  std::optional<Second> last_second_;
};

}  // namespace pony
