// Tests core/pool/breaker.cc.
#include "core/pool/breaker.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("pool");

namespace pony {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

// Opens after three failures, for 30 s, at most for 100 s.
struct ABreaker {
  Breaker breaker{BreakerConfig{3, 30s, 100s}};
  Breaker::Moment now{};

  void attempt_fails() {
    breaker.started(now);
    breaker.failed(now);
  }
  void open() {
    for (int i = 0; i < 3; ++i) attempt_fails();
    REQUIRE(breaker.state(now) == State::open);
  }
};

TEST_CASE(
    "a breaker opens with the failure that is one too many, and says so") {
  ABreaker a;
  CHECK_FALSE(a.breaker.failed(a.now));
  CHECK_FALSE(a.breaker.failed(a.now));
  CHECK(a.breaker.may_try(a.now));
  CHECK(a.breaker.failed(a.now));
  CHECK(a.breaker.state(a.now) == State::open);
  CHECK_FALSE(a.breaker.may_try(a.now));
  CHECK(a.breaker.resting_until(a.now) == a.now + 30s);
}

TEST_CASE("a success in between starts the count anew") {
  ABreaker a;
  a.attempt_fails();
  a.attempt_fails();
  a.breaker.succeeded();
  a.attempt_fails();
  a.attempt_fails();
  CHECK(a.breaker.state(a.now) == State::closed);
  CHECK(a.breaker.failures() == 2);
}

TEST_CASE(
    "what was in flight when it opened neither opens it again nor makes "
    "it rest longer") {
  ABreaker a;
  a.open();
  a.now += 10s;
  CHECK_FALSE(a.breaker.failed(a.now));
  CHECK(a.breaker.resting_until(a.now) == Breaker::Moment{} + 30s);
}

TEST_CASE("after the cool-down one probe is let through, and no second") {
  ABreaker a;
  a.open();
  a.now += 30s;
  CHECK(a.breaker.state(a.now) == State::half_open);
  CHECK(a.breaker.may_try(a.now));
  a.breaker.started(a.now);
  CHECK_FALSE(a.breaker.may_try(a.now));
}

TEST_CASE("a probe that succeeds closes it, with a fresh count and cool-down") {
  ABreaker a;
  a.open();
  a.now += 30s;
  a.breaker.started(a.now);
  a.breaker.succeeded();
  CHECK(a.breaker.state(a.now) == State::closed);
  CHECK(a.breaker.may_try(a.now));
  a.open();
  CHECK(a.breaker.resting_until(a.now) == a.now + 30s);
}

TEST_CASE("each probe that fails doubles the cool-down, up to the longest") {
  ABreaker a;
  a.open();
  for (const auto rest : {60s, 100s, 100s}) {
    a.now = *a.breaker.resting_until(a.now);
    a.breaker.started(a.now);
    CHECK_MESSAGE(!a.breaker.failed(a.now), "it was told when it opened");
    CHECK(a.breaker.resting_until(a.now) == a.now + rest);
  }
}

TEST_CASE("a probe that says nothing about the provider lets another probe") {
  ABreaker a;
  a.open();
  a.now += 30s;
  a.breaker.started(a.now);
  a.breaker.ended();
  CHECK(a.breaker.state(a.now) == State::half_open);
  CHECK(a.breaker.may_try(a.now));
}

TEST_CASE("who asked to be left alone is, for the longest time it asked") {
  ABreaker a;
  a.breaker.rest_until(a.now + 20s);
  a.breaker.rest_until(a.now + 5s);
  a.breaker.succeeded();
  CHECK(a.breaker.state(a.now) == State::closed);
  CHECK_FALSE(a.breaker.may_try(a.now + 19s));
  CHECK(a.breaker.resting_until(a.now + 19s) == a.now + 20s);
  CHECK(a.breaker.may_try(a.now + 20s));
  CHECK_FALSE(a.breaker.resting_until(a.now + 20s).has_value());
}

TEST_CASE("an open breaker that asked for more rests for the longer of both") {
  ABreaker a;
  a.open();
  a.breaker.rest_until(a.now + 90s);
  CHECK(a.breaker.resting_until(a.now) == a.now + 90s);
  CHECK_FALSE(a.breaker.may_try(a.now + 31s));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
