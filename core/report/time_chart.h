// What happened when, as a picture: bars over hours or days, drawn by us as
// SVG inside HTML. Labels are drawn by the style sheet and not part of the
// text: where pictures are dropped, as in mail, nothing is left of the chart,
// and the figures stand in a table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/report/report_health.h"
#include "core/report/tally.h"

namespace pony {

// An hour or a day, and what it counted.
struct TimeBucket {
  Time begin{};
  std::uint64_t queued = 0, sent = 0, failed = 0;  // failed or expired
};

struct TimeLine {
  enum class Unit { hour, day } unit = Unit::day;
  std::vector<TimeBucket> buckets;  // without gaps
  bool is_cut = false;              // older ones are left out
};

// The rows of a tally by hour or by day alone, with the gaps filled, from the
// span's beginning (or the first row) to its end. At most k_most_buckets, the
// latest: a clock that was wrong once must not make a chart of centuries.
constexpr std::size_t k_most_buckets = 800;
TimeLine time_line(const Tally& tally, const ReportSpan& span);

// "21 Nov 10:00" or "21 Nov 2026", UTC.
std::string bucket_text(const TimeBucket& bucket, TimeLine::Unit unit);

// A provider's attempts in one bucket, and those that failed by its doing.
struct ProviderBucket {
  std::uint64_t attempts = 0, faults = 0;
};

// How a provider has been over the same buckets as a TimeLine.
struct ProviderStrip {
  std::string label;  // escaped, fit for an attribute
  std::vector<ProviderBucket> buckets;
};
// From a tally by provider and hour or day (provider_time_keys()).
std::vector<ProviderBucket> provider_line(const Tally& over_time,
                                          const std::string& provider,
                                          const TimeLine& line);

// Appends, one below the other over the same time: bars for what was sent and,
// if anything was, for what failed, with a scale each, as failures are few and
// would not be seen on the other's; then a strip for each provider, filled as
// far as it failed.
void append_time_charts(std::string& out, const TimeLine& line,
                        const std::vector<ProviderStrip>& strips);

}  // namespace pony
