// Tests spool/backoff.cc.
#include "spool/backoff.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

using namespace std::chrono_literals;

RetryConfig without_jitter() {
  RetryConfig retry;
  retry.first = 60s;
  retry.factor = 2;
  retry.max = 4h;
  retry.jitter = 0;
  return retry;
}

TEST_CASE("each wait is the factor longer, up to the longest") {
  const auto retry = without_jitter();
  const std::vector<std::chrono::milliseconds> waits = {
      1min, 2min, 4min, 8min, 16min, 32min, 64min, 128min, 4h, 4h};
  for (std::size_t i = 0; i < waits.size(); ++i) {
    CAPTURE(i);
    CHECK(backoff(static_cast<int>(i) + 1, retry, 7) == waits[i]);
  }
  CHECK_MESSAGE(backoff(100'000, retry, 7) == 4h, "whatever the number");
}

TEST_CASE("a factor of one waits the same each time") {
  auto retry = without_jitter();
  retry.factor = 1;
  CHECK(backoff(1, retry, 7) == 60s);
  CHECK(backoff(50, retry, 7) == 60s);
}

TEST_CASE("jitter stays within its share, and spreads") {
  auto retry = without_jitter();
  retry.jitter = 0.2;
  std::set<std::int64_t> seen;
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto wait = backoff(1, retry, seed);
    CHECK(wait >= 48s);
    CHECK(wait <= 72s);
    sum += static_cast<double>(wait.count());
    seen.insert(wait.count());
  }
  CHECK(seen.size() > 900);
  CHECK(sum / 1000 > 59'000);
  CHECK(sum / 1000 < 61'000);
}

TEST_CASE(
    "the seed decides: the same message waits the same, another differs") {
  auto retry = without_jitter();
  retry.jitter = 0.2;
  CHECK(backoff(3, retry, 7) == backoff(3, retry, 7));
  CHECK(backoff(3, retry, 7) != backoff(3, retry, 8));
  CHECK(backoff(1, retry, 7) * 2 != backoff(2, retry, 7));
}

TEST_CASE("a wait is never negative") {
  auto retry = without_jitter();
  retry.first = 0s;
  retry.jitter = 1;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    CHECK(backoff(1, retry, seed) >= 0ms);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
