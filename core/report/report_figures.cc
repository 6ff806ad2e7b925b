// Counts, trouble and numbers; see report_figures.h.
#include "core/report/report_figures.h"

#include <fmt/format.h>

#include <algorithm>

namespace pony {
namespace {

Count outcome_count(const TallyRow& row, Outcome outcome) {
  return {to_text(outcome), count_of(row, outcome)};
}

bool says_not_arrived(std::string_view event) {
  static constexpr std::array<std::string_view, 4> k_events = {
      "failed", "expired", "bounced", "complained"};
  return std::find(k_events.begin(), k_events.end(), event) != k_events.end();
}

bool is_of_trouble(const Tally& tally, const TallyKey& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (tally.by()[i] == TallyBy::event && says_not_arrived(key[i]))
      return true;
  }
  return false;
}

std::string two_units(std::int64_t large, std::string_view large_unit,
                      std::int64_t small, std::string_view small_unit) {
  if (small == 0) return fmt::format("{} {}", large, large_unit);
  return fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
}

}  // namespace

std::uint64_t count_of(const TallyRow& row, Outcome outcome) {
  const auto found = row.outcomes.find(std::string(to_text(outcome)));
  return found == row.outcomes.end() ? 0 : found->second;
}

std::uint64_t faults_of(const TallyRow& row) {
  return count_of(row, Outcome::unavailable) +
         count_of(row, Outcome::throttled) + count_of(row, Outcome::unknown);
}

std::vector<Count> counts_of(const TallyRow& row, TallyOf of) {
  switch (of) {
    case TallyOf::messages:
      return {{"queued", row.queued},       {"sent", row.sent},
              {"failed", row.failed},       {"deferred", row.deferred},
              {"cancelled", row.cancelled}, {"expired", row.expired},
              {"attempts", row.attempts},   {"unknown", row.unknown}};
    case TallyOf::attempts:
      return {{"attempts", row.attempts},
              outcome_count(row, Outcome::accepted),
              outcome_count(row, Outcome::rejected),
              outcome_count(row, Outcome::unavailable),
              outcome_count(row, Outcome::throttled),
              outcome_count(row, Outcome::unknown)};
    case TallyOf::reasons:
      return {{"events", row.events},
              {"failed", row.failed},
              {"deferred", row.deferred},
              {"expired", row.expired}};
    case TallyOf::events:
      return {{"events", row.events}};
  }
  return {};
}

bool has_times(TallyOf of) {
  return of == TallyOf::messages || of == TallyOf::attempts;
}

double Trouble::weight() const {
  if (wrong == 0 || among == 0) return 0;
  return static_cast<double>(wrong) * static_cast<double>(wrong) /
         static_cast<double>(among);
}

Trouble trouble_of(const Tally& tally, const TallyKey& key,
                   const TallyRow& row) {
  switch (tally.of()) {
    case TallyOf::messages: {
      const std::uint64_t wrong = row.failed + row.expired + row.unknown;
      return {wrong, row.sent + wrong};
    }
    case TallyOf::attempts:
      return {without(row.attempts, count_of(row, Outcome::accepted)),
              row.attempts};
    case TallyOf::reasons:
      return {row.failed + row.expired, row.events};
    case TallyOf::events:
      return {is_of_trouble(tally, key) ? row.events : 0, row.events};
  }
  return {};
}

std::uint64_t volume_of(const TallyRow& row, TallyOf of) {
  switch (of) {
    case TallyOf::messages:
      return std::max(row.queued,
                      row.sent + row.failed + row.expired + row.cancelled);
    case TallyOf::attempts:
      return row.attempts;
    case TallyOf::reasons:
    case TallyOf::events:
      return row.events;
  }
  return 0;
}

std::string duration_text(std::optional<std::int64_t> milliseconds) {
  if (!milliseconds) return "-";
  const std::int64_t ms = *milliseconds;
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 9950) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const std::int64_t s = ms / 1000 + (ms % 1000 >= 500 ? 1 : 0);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return two_units(s / 60, "m", s % 60, "s");
  if (s < 86400) return two_units(s / 3600, "h", s / 60 % 60, "m");
  return two_units(s / 86400, "d", s / 3600 % 24, "h");
}

std::string percent_text(double rate) {
  const double percent = rate * 100;
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  if (percent > 99.9 && percent < 100) return ">99.9 %";
  return fmt::format("{:.1f} %", percent);
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (auto end = text.size(); end > 3;) {
    end -= 3;
    text.insert(end, 1, ',');
  }
  return text;
}

}  // namespace pony
