// The names of the five outcomes and their order; the bounds of a rest.
#include "core/outcome.h"

#include <algorithm>
#include <array>

namespace pony {
namespace {

constexpr std::array<std::string_view, 5> k_names = {
    "accepted", "rejected", "unavailable", "throttled", "unknown"};

// How good an outcome is for the sender; the order is better()'s.
int rank(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted:
      return 4;
    case Outcome::unknown:
      return 3;
    case Outcome::throttled:
      return 2;
    case Outcome::unavailable:
      return 1;
    case Outcome::rejected:
      return 0;
  }
  return 0;
}

}  // namespace

std::string_view to_text(Outcome outcome) {
  return k_names.at(static_cast<std::size_t>(outcome));
}

std::optional<Outcome> outcome_from(std::string_view text) {
  for (std::size_t i = 0; i < k_names.size(); ++i) {
    if (k_names[i] == text) return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

Outcome better(Outcome a, Outcome b) {
  return rank(a) >= rank(b) ? a : b;
}

std::chrono::seconds clamped_rest(std::chrono::seconds asked) {
  constexpr std::chrono::seconds k_shortest{1};
  constexpr std::chrono::seconds k_longest{24 * 3600};
  return std::clamp(asked, k_shortest, k_longest);
}

}  // namespace pony
