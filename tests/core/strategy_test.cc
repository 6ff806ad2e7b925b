// Tests core/pool/strategy.cc.
#include "core/pool/strategy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("pool");

namespace pony {
namespace {

using Indices = std::vector<std::size_t>;

PoolConfig a_pool(Strategy strategy, const std::vector<int>& weights) {
  PoolConfig pool;
  pool.strategy = strategy;
  for (const int weight : weights)
    pool.members.push_back({"p" + std::to_string(pool.members.size()), weight});
  return pool;
}

std::vector<MemberHealth> healthy(std::size_t count) {
  return std::vector<MemberHealth>(count);
}

TEST_CASE("every strategy asks every provider, and none twice") {
  for (const auto strategy :
       {Strategy::priority, Strategy::random, Strategy::round_robin,
        Strategy::weighted, Strategy::adaptive}) {
    CAPTURE(static_cast<int>(strategy));
    const auto pool = a_pool(strategy, {1, 50, 3, 1});
    Order order(7);
    for (int i = 0; i < 100; ++i) {
      auto indices = order.of(pool, healthy(4));
      std::sort(indices.begin(), indices.end());
      CHECK(indices == Indices{0, 1, 2, 3});
    }
  }
}

TEST_CASE("priority is the order in which they are written") {
  Order order(7);
  CHECK(order.of(a_pool(Strategy::priority, {1, 9, 1}), healthy(3)) ==
        Indices{0, 1, 2});
}

TEST_CASE("in a round robin each leads in turn, the seed says who is first") {
  const auto pool = a_pool(Strategy::round_robin, {1, 1, 1});
  CHECK(Order(1).of(pool, healthy(3)) == Indices{1, 2, 0});
  Order order(6);
  CHECK(order.of(pool, healthy(3)) == Indices{0, 1, 2});
  CHECK(order.of(pool, healthy(3)) == Indices{1, 2, 0});
  CHECK(order.of(pool, healthy(3)) == Indices{2, 0, 1});
  CHECK(order.of(pool, healthy(3)) == Indices{0, 1, 2});
}

TEST_CASE("random is drawn for each message, and the seed decides") {
  const auto pool = a_pool(Strategy::random, {1, 1, 1});
  Order order(7);
  Order same(7);
  std::set<Indices> seen;
  for (int i = 0; i < 200; ++i) {
    const auto drawn = order.of(pool, healthy(3));
    CHECK(drawn == same.of(pool, healthy(3)));
    seen.insert(drawn);
  }
  CHECK_MESSAGE(seen.size() == 6, "each of the 3! orders");
}

TEST_CASE("by weight each leads as often as its weight says") {
  const auto pool = a_pool(Strategy::weighted, {3, 1});
  Order order(7);
  int first = 0;
  for (int i = 0; i < 4000; ++i)
    first += order.of(pool, healthy(2)).front() == 0;
  CHECK(first > 2850);
  CHECK(first < 3150);
}

TEST_CASE("adaptive prefers the one expected to deliver soonest") {
  const auto pool = a_pool(Strategy::adaptive, {1, 1, 1});
  Order order(7);
  CHECK(order.of(pool, {{0, 300}, {0, 100}, {0, 200}}) == Indices{1, 2, 0});
  // Half of its messages need another try somewhere else.
  CHECK(order.of(pool, {{0, 150}, {0.5, 100}, {0, 120}}) == Indices{2, 0, 1});
  CHECK_MESSAGE((order.of(pool, healthy(3)) == Indices{0, 1, 2}),
                "as written while nothing is known");
}

TEST_CASE("the chance to lead is how often one does lead") {
  const std::vector<MemberHealth> health = {{0, 300}, {0, 100}, {0, 200}};
  const std::vector<bool> asked[] = {{true, true, true},
                                     {false, true, true},
                                     {true, false, false},
                                     {false, false, false}};
  for (const Strategy strategy :
       {Strategy::priority, Strategy::random, Strategy::round_robin,
        Strategy::weighted, Strategy::adaptive}) {
    const auto pool = a_pool(strategy, {3, 1, 2});
    for (const auto& may_be_asked : asked) {
      Order order(7);
      std::vector<double> leads(3, 0);
      constexpr int k_messages = 6000;
      for (int i = 0; i < k_messages; ++i) {
        for (const std::size_t one : order.of(pool, health)) {
          if (!may_be_asked[one]) continue;
          leads[one] += 1.0 / k_messages;
          break;
        }
      }
      const auto chances = chances_to_lead(pool, health, may_be_asked);
      for (std::size_t i = 0; i < 3; ++i)
        CHECK(chances[i] == doctest::Approx(leads[i]).epsilon(0.03));
    }
  }
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
