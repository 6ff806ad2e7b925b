#include "spool/backoff.h"

#include <algorithm>
#include <cmath>

namespace pony {

std::chrono::milliseconds backoff(int round, const RetryConfig& retry,
                                  std::uint64_t seed) {
  const double most = static_cast<double>(retry.max.count());
  const double wait =
      std::min(most, static_cast<double>(retry.first.count()) *
                         std::pow(retry.factor, std::max(0, round - 1)));
  // splitmix64: neighbouring seeds (ids) give unrelated numbers.
  std::uint64_t z =
      seed + 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(round + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  const double unit =
      static_cast<double>(z >> 11) / 9007199254740992.0;  // 2^53
  const double seconds = wait * (1 + retry.jitter * (2 * unit - 1));
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::max(0.0, seconds) * 1000));
}

}  // namespace pony
