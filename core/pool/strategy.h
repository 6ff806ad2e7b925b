// In which order the providers of a pool are asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "core/config.h"

namespace pony {

// What a strategy may look at: one for each member of the pool.
struct MemberHealth {
  double failure_rate = 0;  // of late, 0 to 1
  double latency_ms = 0;    // of late
};

class Order {
 public:
  // `seed` also decides who leads first in a round_robin: a run that cron
  // starts for a message or two must not begin with the same one each time.
  explicit Order(std::uint64_t seed) : random_(seed), turn_(seed) {}

  // The indices of pool.members, the first to be asked first. `health` has
  // one entry a member. priority: as written; random and weighted: drawn for
  // each message; round_robin: the next one leads; adaptive: the one expected
  // to deliver soonest leads (latency, stretched by its failures).
  std::vector<std::size_t> of(const PoolConfig& pool,
                              const std::vector<MemberHealth>& health);

 private:
  std::mt19937_64 random_;
  std::size_t turn_;
};

// How likely each of pool.members is to be asked first by the next message, 0
// to 1, when only those may be asked for which `may_be_asked` is true. All 0
// when there are none. The two have one entry a member.
std::vector<double> chances_to_lead(const PoolConfig& pool,
                                    const std::vector<MemberHealth>& health,
                                    const std::vector<bool>& may_be_asked);

}  // namespace pony
