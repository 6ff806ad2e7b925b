// The figures of a row of a tally, and how they are told. What every format
// shares: which counts a row has, what of it is trouble, and the spelling of
// numbers for people. Knows no format.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outcome.h"
#include "core/report/tally.h"

namespace pony {

// One value for each key of Tally::by().
using TallyKey = std::vector<std::string>;

struct Count {
  std::string_view name;  // as JSON has it
  std::uint64_t value;
};

// The counts that every format shows, in its order.
std::vector<Count> counts_of(const TallyRow& row, TallyOf of);
// Attempts of a row that is counted by provider with this outcome.
std::uint64_t count_of(const TallyRow& row, Outcome outcome);

// Attempts that failed by the provider's doing: unavailable, throttled and
// unknown. What is rejected is the message's.
std::uint64_t faults_of(const TallyRow& row);

// What is left of `whole` without `part`; 0 where rows contradict themselves.
constexpr std::uint64_t without(std::uint64_t whole, std::uint64_t part) {
  return whole > part ? whole - part : 0;
}

// Are there rates and times in such a row?
bool has_times(TallyOf of);

struct Percentile {
  std::string_view name;
  double percent;
};
inline constexpr std::array<Percentile, 3> k_percentiles = {
    {{"p50", 50}, {"p95", 95}, {"p99", 99}}};

// What went wrong in a row, and among how many.
//   messages  failed, expired and attempts of unknown outcome, among those and
//             the messages sent
//   attempts  those not accepted, among all
//   reasons   events that ended a message, among all
//   events    those whose event says that a message did not arrive
struct Trouble {
  std::uint64_t wrong = 0;
  std::uint64_t among = 0;

  // How many times their share: 10 of 10 weigh as much as 100 of 1,000. 0
  // when nothing went wrong.
  double weight() const;
};
// `key` is the row's: of events only it tells what they are.
Trouble trouble_of(const Tally& tally, const TallyKey& key,
                   const TallyRow& row);
// How much a row counts.
std::uint64_t volume_of(const TallyRow& row, TallyOf of);

// For people: "340 ms", "1.2 s", "2 m 6 s", "3 d 10 h"; "-" for nothing.
std::string duration_text(std::optional<std::int64_t> milliseconds);
// A fraction: "33.3 %", "<0.1 %" where it would look like none, ">99.9 %"
// where it would look like all.
std::string percent_text(double rate);
// "1,234,567".
std::string count_text(std::uint64_t count);

}  // namespace pony
