// From where on something is wrong: the limits of `pony check` and of the
// configuration's `alerts`, in one spelling.
//
// A limit is passed by being more than it, except free space, where less is
// worse. One value is critical; WARN:CRIT has two, WARN: only the first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// What a threshold's numbers are.
enum class LimitUnit { seconds, count, percent };

struct Threshold {
  LimitUnit unit = LimitUnit::count;
  std::optional<double> warning, critical;
};

// "15m:1h", "1000", "10%:5%", "5m:" (no more than a warning). bad_data for
// anything else, also when the critical value comes before the warning.
Result<Threshold> parse_threshold(std::string_view text, LimitUnit unit);
// The spelling that parse_threshold reads.
std::string to_text(const Threshold& threshold);

// Is `value` beyond `limit`?
bool is_passed(double value, double limit, LimitUnit unit);
// "15m", "1000", "5%".
std::string value_text(double value, LimitUnit unit);

// What is looked at, and from where on it is wrong. What is not there is not
// looked at.
struct VitalLimits {
  std::optional<Threshold> oldest;     // seconds
  std::optional<Threshold> queue;      // messages waiting
  std::optional<Threshold> failed;     // messages, in Vitals::failed_span
  std::optional<Threshold> uncertain;  // messages
  std::optional<Threshold> last_run;   // seconds
  std::optional<Threshold> disk;       // per cent free
  bool degraded = false;

  bool empty() const;
};

}  // namespace pony
