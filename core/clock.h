// Time as mail needs it: UTC with milliseconds, its RFC 3339 and RFC 5322
// spellings, and durations as people write them in a configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

using Milliseconds = std::chrono::milliseconds;
// Wall-clock time, UTC.
using Time = std::chrono::time_point<std::chrono::system_clock, Milliseconds>;

// Where now comes from; tests hand in one that moves by advance().
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock : public Clock {
 public:
  Time now() const override;
};

// "2026-11-21T10:00:00.123Z" (RFC 3339), always milliseconds, always Z.
std::string format_time(Time time);
// "2026-11-21", the UTC day.
std::string format_day(Time time);
// "2026-11-21T10:00Z": a deferred bucket's name, which sorts by time.
std::string format_minute(Time time);
// "Sat, 21 Nov 2026 10:00:00 +0000" (RFC 5322, 3.3).
std::string format_rfc5322(Time time);

// Reads RFC 3339 ("2026-12-01T09:00:00Z", "…+02:00", with or without a
// fraction) whole; anything after it is refused, as are a second 60 and days
// that do not exist. bad_data otherwise.
Result<Time> parse_time(std::string_view text);
// The inverse of format_minute and format_day (midnight); bad_data otherwise.
Result<Time> parse_minute(std::string_view text);
Result<Time> parse_day(std::string_view text);

// "250ms", "30s", "1m", "4h", "5d", "2w"; a bare number is refused (which
// unit?). bad_data otherwise, also for what does not fit or is negative.
Result<Milliseconds> parse_duration(std::string_view text);
// The shortest exact spelling: "90s" → "90s", "120s" → "2m".
std::string format_duration(Milliseconds duration);
// For people: "3m", "2h", "5d"; never negative.
std::string format_age(Milliseconds age);

// A moment as people type it: RFC 3339; "2026-11-21"; "now"; "today" and
// "yesterday" (UTC midnight); a duration, which means that long before `now`
// ("7d"), or after it with a plus ("+30m"). bad_data otherwise.
Result<Time> parse_moment(std::string_view text, Time now);

}  // namespace pony
