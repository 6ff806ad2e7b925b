#include "core/threshold.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/clock.h"
#include "core/json.h"

namespace pony {
namespace {

std::string_view wanted(LimitUnit unit) {
  switch (unit) {
    case LimitUnit::seconds:
      return "a duration such as 15m, or two, 15m:1h";
    case LimitUnit::count:
      return "a number such as 1000, or two, 500:1000";
    case LimitUnit::percent:
      return "a percentage such as 5%, or two, 10%:5%";
  }
  return "a threshold";
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(),
                                    value, std::chars_format::fixed);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() ||
      !std::isfinite(value) || value < 0)
    return std::nullopt;
  return value;
}

std::optional<double> value_in(std::string_view text, LimitUnit unit) {
  if (unit == LimitUnit::seconds) {
    const auto duration = parse_duration(text);
    if (!duration) return std::nullopt;
    return static_cast<double>(duration->count()) / 1000;
  }
  if (unit == LimitUnit::percent && text.ends_with('%')) text.remove_suffix(1);
  const auto value = number_in(text);
  if (value && unit == LimitUnit::percent && *value > 100) return std::nullopt;
  if (value && unit == LimitUnit::count && *value != std::floor(*value))
    return std::nullopt;
  return value;
}

}  // namespace

bool is_passed(double value, double limit, LimitUnit unit) {
  return unit == LimitUnit::percent ? value < limit : value > limit;
}

std::string value_text(double value, LimitUnit unit) {
  switch (unit) {
    case LimitUnit::seconds:
      return format_duration(
          Milliseconds(static_cast<std::int64_t>(std::llround(value * 1000))));
    case LimitUnit::percent:
      return fmt::format("{}", value) + "%";
    case LimitUnit::count:
      break;
  }
  return fmt::format("{}", value);
}

Result<Threshold> parse_threshold(std::string_view text, LimitUnit unit) {
  const auto refused = [&] {
    return fail(Error::Kind::bad_data, "'" + printable(text, 60) +
                                           "' is no threshold: give " +
                                           std::string(wanted(unit)));
  };
  Threshold threshold{unit, {}, {}};
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    threshold.critical = value_in(text, unit);
    if (!threshold.critical) return refused();
    return threshold;
  }
  const auto first = text.substr(0, colon);
  const auto second = text.substr(colon + 1);
  if (!first.empty()) threshold.warning = value_in(first, unit);
  if (!second.empty()) threshold.critical = value_in(second, unit);
  const bool has_all = threshold.warning.has_value() != first.empty() &&
                       threshold.critical.has_value() != second.empty();
  if (!has_all || (first.empty() && second.empty())) return refused();
  if (threshold.warning && threshold.critical &&
      is_passed(*threshold.warning, *threshold.critical, unit))
    return fail(Error::Kind::bad_data,
                "'" + printable(text, 60) +
                    "' warns only after it is critical: the first is the "
                    "warning");
  return threshold;
}

std::string to_text(const Threshold& threshold) {
  std::string text;
  if (threshold.warning)
    text = value_text(*threshold.warning, threshold.unit) + ":";
  if (threshold.critical)
    text += value_text(*threshold.critical, threshold.unit);
  return text;
}

bool VitalLimits::empty() const {
  return !oldest && !queue && !failed && !uncertain && !last_run && !disk &&
         !degraded;
}

}  // namespace pony
