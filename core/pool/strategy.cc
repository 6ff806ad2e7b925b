#include "core/pool/strategy.h"

#include <algorithm>
#include <numeric>

namespace pony {
namespace {

// The time a message may be expected to take there: a failure costs another
// try somewhere else, so a provider that fails half of the time looks twice
// as slow.
double expected_time(const MemberHealth& health) {
  return (health.latency_ms + 1) / std::max(0.05, 1 - health.failure_rate);
}

}  // namespace

std::vector<std::size_t> Order::of(const PoolConfig& pool,
                                   const std::vector<MemberHealth>& health) {
  std::vector<std::size_t> order(pool.members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  switch (pool.strategy) {
    case Strategy::priority:
      break;
    case Strategy::random:
      std::shuffle(order.begin(), order.end(), random_);
      break;
    case Strategy::round_robin:
      std::rotate(
          order.begin(),
          order.begin() + static_cast<std::ptrdiff_t>(turn_++ % order.size()),
          order.end());
      break;
    case Strategy::weighted: {
      // Drawn one after the other, each time in proportion to what is left.
      std::vector<double> weights;
      for (const auto& member : pool.members) weights.push_back(member.weight);
      for (auto& place : order) {
        std::discrete_distribution<std::size_t> draw(weights.begin(),
                                                     weights.end());
        place = draw(random_);
        weights[place] = 0;
      }
      break;
    }
    case Strategy::adaptive:
      std::stable_sort(
          order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return expected_time(health[a]) < expected_time(health[b]);
          });
      break;
  }
  return order;
}

std::vector<double> chances_to_lead(const PoolConfig& pool,
                                    const std::vector<MemberHealth>& health,
                                    const std::vector<bool>& may_be_asked) {
  const std::size_t count = pool.members.size();
  std::vector<double> chances(count, 0);
  const auto weight_of = [&](std::size_t i) {
    return may_be_asked[i] ? static_cast<double>(pool.members[i].weight) : 0.0;
  };
  const auto asked = std::count(may_be_asked.begin(), may_be_asked.end(), true);
  if (asked == 0) return chances;
  switch (pool.strategy) {
    case Strategy::priority:
    case Strategy::adaptive:
      for (const std::size_t i : Order(0).of(pool, health)) {
        if (!may_be_asked[i]) continue;
        chances[i] = 1;
        break;
      }
      break;
    case Strategy::random:
      for (std::size_t i = 0; i < count; ++i)
        if (may_be_asked[i]) chances[i] = 1 / static_cast<double>(asked);
      break;
    case Strategy::round_robin:
      // Who cannot be asked leaves its turn to the next.
      for (std::size_t turn = 0; turn < count; ++turn) {
        std::size_t leads = turn;
        while (!may_be_asked[leads]) leads = (leads + 1) % count;
        chances[leads] += 1 / static_cast<double>(count);
      }
      break;
    case Strategy::weighted: {
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += weight_of(i);
      for (std::size_t i = 0; i < count; ++i) chances[i] = weight_of(i) / sum;
      break;
    }
  }
  return chances;
}

}  // namespace pony
