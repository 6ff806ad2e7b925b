// Tests core/health.cc.
#include "core/health.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <random>

TEST_SUITE_BEGIN("health");

namespace pony {
namespace {

using namespace std::chrono_literals;

const Time k_start = parse_time("2026-11-21T10:00:00Z").value();

// Opens after three failures, for 30 s, at most for 100 s.
struct AProvider {
  BreakerConfig config{3, 30s, 100s};
  ProviderHealth health;
  Time now = k_start;

  bool fails(std::string_view error = "connection refused") {
    return note_failure(health, now, error, config);
  }
  bool probes() { return claim_probe(health, now, 60s); }
  BreakerState state() const { return breaker_state(health, now); }
  std::optional<Time> resting() const { return resting_until(health, now); }
  void open() {
    for (int i = 0; i < 3; ++i) fails();
    REQUIRE(state() == BreakerState::open);
  }
};

TEST_CASE("a provider of which nothing is known may be tried") {
  const AProvider a;
  CHECK(a.state() == BreakerState::closed);
  CHECK_FALSE(a.resting().has_value());
  CHECK(why_resting(a.health, a.now).empty());
  CHECK(failure_rate(a.health, a.now) == 0);
  CHECK_FALSE(a.health.latency.percentile(50).has_value());
}

TEST_CASE(
    "a breaker opens with the failure that is one too many, and says so") {
  AProvider a;
  CHECK_FALSE(a.fails());
  CHECK_FALSE(a.fails());
  CHECK_FALSE(a.resting().has_value());
  CHECK(a.fails());
  CHECK(a.state() == BreakerState::open);
  CHECK(a.resting() == a.now + 30s);
  CHECK(a.health.open_since == a.now);
  CHECK(why_resting(a.health, a.now) ==
        "breaker open after 3 failures: connection refused");
}

TEST_CASE("a success in between starts the count anew") {
  AProvider a;
  a.fails();
  a.fails();
  note_success(a.health, a.now, 10ms);
  a.fails();
  CHECK_FALSE(a.fails());
  CHECK(a.state() == BreakerState::closed);
  CHECK(a.health.failures == 2);
}

TEST_CASE(
    "what was in flight when it opened neither opens it again nor makes it "
    "rest longer") {
  AProvider a;
  a.open();
  a.now += 10s;
  CHECK_FALSE(a.fails());
  CHECK(a.resting() == k_start + 30s);
}

TEST_CASE("after the cool-down one probe is let through, and no second") {
  AProvider a;
  a.open();
  CHECK_FALSE(a.probes());
  a.now += 30s;
  CHECK(a.state() == BreakerState::half_open);
  CHECK_FALSE(a.resting().has_value());
  CHECK(a.probes());
  CHECK_FALSE(a.probes());
  CHECK(a.resting() == a.now + 60s);
}

TEST_CASE("who probes and is not heard of again lets another one probe") {
  AProvider a;
  a.open();
  a.now += 30s;
  REQUIRE(a.probes());
  a.now += 60s - 1ms;
  CHECK_FALSE(a.probes());
  a.now += 1ms;
  CHECK_FALSE(a.resting().has_value());
  CHECK(a.probes());
}

TEST_CASE("there is no probe of what is closed, rests or is paused") {
  AProvider a;
  CHECK_FALSE(a.probes());
  a.open();
  a.now += 30s;
  note_rest(a.health, a.now + 5s);
  CHECK_FALSE(a.probes());
  a.now += 5s;
  pause(a.health, {});
  CHECK_FALSE(a.probes());
  a.health.paused = false;
  CHECK(a.probes());
}

TEST_CASE("a probe that succeeds closes it, with a fresh count and cool-down") {
  AProvider a;
  a.open();
  a.now += 30s;
  REQUIRE(a.probes());
  note_success(a.health, a.now, 10ms);
  CHECK(a.state() == BreakerState::closed);
  CHECK_FALSE(a.resting().has_value());
  a.open();
  CHECK(a.resting() == a.now + 30s);
}

TEST_CASE("each probe that fails doubles the cool-down, up to the longest") {
  AProvider a;
  a.open();
  for (const auto rest : {60s, 100s, 100s}) {
    a.now = *a.resting();
    REQUIRE(a.probes());
    CHECK_MESSAGE(!a.fails(), "it was told when it opened");
    CHECK(a.resting() == a.now + rest);
    CHECK(a.health.open_since == k_start);
  }
}

TEST_CASE("a probe that fails opens it, whatever may fail in a row by now") {
  AProvider a;
  a.open();
  a.now += 30s;
  REQUIRE(a.probes());
  a.config.failures = 100;
  a.fails();
  CHECK(a.state() == BreakerState::open);
}

TEST_CASE("a probe that says nothing about the provider lets another probe") {
  AProvider a;
  a.open();
  a.now += 30s;
  REQUIRE(a.probes());
  note_neutral(a.health);
  CHECK(a.state() == BreakerState::half_open);
  CHECK(a.probes());
}

TEST_CASE("who asked to be left alone is, for the longest time it asked") {
  AProvider a;
  note_rest(a.health, a.now + 20s);
  note_rest(a.health, a.now + 5s);
  note_success(a.health, a.now, 10ms);
  CHECK(a.state() == BreakerState::closed);
  CHECK(a.resting() == a.now + 20s);
  CHECK(why_resting(a.health, a.now) == "asked to be left alone");
  a.now += 20s;
  CHECK_FALSE(a.resting().has_value());
  CHECK(why_resting(a.health, a.now).empty());
}

TEST_CASE("with several reasons to rest the longest counts, and all are told") {
  AProvider a;
  a.open();
  note_rest(a.health, a.now + 90s);
  CHECK(a.resting() == a.now + 90s);
  pause(a.health, a.now + 2h);
  CHECK(a.resting() == a.now + 2h);
  CHECK(why_resting(a.health, a.now) ==
        "paused until 2026-11-21T12:00:00.000Z; breaker open after 3 failures: "
        "connection refused; asked to be left alone");
}

TEST_CASE("a pause ends when it should, or never by itself") {
  AProvider a;
  pause(a.health, a.now + 2h);
  CHECK(is_paused(a.health, a.now + 2h - 1ms));
  CHECK_FALSE(is_paused(a.health, a.now + 2h));
  CHECK_FALSE(resting_until(a.health, a.now + 2h).has_value());
  pause(a.health, {});
  CHECK(a.resting() == Time::max());
  CHECK(why_resting(a.health, a.now) == "paused until resumed");
}

TEST_CASE("who is resumed may be tried at once, and is known as before") {
  AProvider a;
  a.open();
  note_rest(a.health, a.now + 90s);
  pause(a.health, {});
  resume(a.health);
  CHECK_FALSE(a.resting().has_value());
  CHECK(a.state() == BreakerState::closed);
  CHECK(a.health.failures == 0);
  CHECK(failure_rate(a.health, a.now) == 1);
}

TEST_CASE("an error is kept short, and no character of it is cut in half") {
  AProvider a;
  std::string error(299, 'x');
  a.fails(error + "ööö");
  CHECK(a.health.last_error == error);
}

// --- attempts of late

TEST_CASE("the failure rate is that of late, and an hour is forgotten") {
  AProvider a;
  for (int i = 0; i < 3; ++i) note_success(a.health, a.now, 10ms);
  a.fails();
  CHECK(failure_rate(a.health, a.now) == doctest::Approx(0.25));
  for (int i = 0; i < 100; ++i) a.fails();
  CHECK(failure_rate(a.health, a.now) > 0.9);
  CHECK_MESSAGE(failure_rate(a.health, a.now + 1h) < 0.05, "nothing since");
  a.now += 15min;
  for (int i = 0; i < 100; ++i) note_success(a.health, a.now, 10ms);
  CHECK(failure_rate(a.health, a.now) < 0.15);
}

TEST_CASE("a clock that was set back makes no rate wrong") {
  AProvider a;
  a.fails();
  a.now -= 24h;
  CHECK(failure_rate(a.health, a.now) == 1);
  note_success(a.health, a.now, 10ms);
  CHECK(failure_rate(a.health, a.now) == doctest::Approx(0.5));
}

// --- latency

TEST_CASE("a percentile is at most a tenth off, at every size") {
  for (std::int64_t ms = 0; ms < 3'600'000; ms += 1 + ms / 7) {
    LatencyHistogram one;
    one.add(Milliseconds(ms));
    const auto found = static_cast<double>(one.percentile(50)->count());
    CAPTURE(ms);
    CHECK(std::abs(found - static_cast<double>(ms)) <=
          static_cast<double>(ms) * 0.1);
  }
}

TEST_CASE("percentiles are those of nearest rank") {
  LatencyHistogram many;
  for (int i = 0; i < 90; ++i) many.add(10ms);
  for (int i = 0; i < 10; ++i) many.add(15ms);
  CHECK(many.percentile(0) == 10ms);
  CHECK(many.percentile(50) == 10ms);
  CHECK(many.percentile(90) == 10ms);
  CHECK(many.percentile(91) == 15ms);
  CHECK(many.percentile(100) == 15ms);
}

TEST_CASE("what is beyond an hour or before zero counts as that") {
  LatencyHistogram odd;
  odd.add(Milliseconds::max());
  CHECK(*odd.percentile(50) > 55min);
  CHECK(*odd.percentile(50) < 65min);
  LatencyHistogram negative;
  negative.add(Milliseconds::min());
  CHECK(negative.percentile(50) == 0ms);
}

TEST_CASE(
    "a provider that became slow is seen to be within its last thousand") {
  LatencyHistogram many;
  for (int i = 0; i < 100'000; ++i) many.add(5ms);
  for (int i = 0; i < 1'000; ++i) many.add(14ms);
  CHECK(many.percentile(50) == 14ms);
}

TEST_CASE("a histogram comes back from its text, or what makes sense of it") {
  LatencyHistogram many;
  for (int i = 0; i < 200; ++i) many.add(Milliseconds(i * i));
  const auto again = LatencyHistogram::from_text(many.to_text());
  CHECK(again.to_text() == many.to_text());
  CHECK(again.percentile(95) == many.percentile(95));
  for (const char* text :
       {"", "x", "1", "1:", ":1", "-1:5", "160:1", "99999999999999999999:1",
        "1:0", "1:-4", "1:99999999999", "1:1001", "1;2", " 1:1"}) {
    CAPTURE(text);
    CHECK(LatencyHistogram::from_text(text).to_text().empty());
  }
  CHECK(LatencyHistogram::from_text("1:2 1:2 3:4").to_text() == "1:2");
  std::string full;
  for (int i = 0; i < 160; ++i)
    full += (i > 0 ? " " : "") + std::to_string(i) + ":1000";
  CHECK_MESSAGE(LatencyHistogram::from_text(full).percentile(100).has_value(),
                "more than a thousand are halved");
}

// --- rates

TEST_CASE("no window of a limit's length ever sees more than its count") {
  const std::vector<RateLimit> limits = {{7, 1s}, {100, 60s}};
  ProviderHealth health;
  std::mt19937 random(42);
  std::deque<Time> taken;
  Time now = k_start;
  for (int i = 0; i < 20'000; ++i) {
    now += Milliseconds(random() % 40);
    // Other processes read the clock a little before or after.
    const Time theirs = now - Milliseconds(random() % 30);
    if (!take_from_rates(health, limits, theirs)) taken.push_back(theirs);
  }
  std::sort(taken.begin(), taken.end());
  for (const auto& limit : limits) {
    const auto count = static_cast<std::size_t>(limit.count);
    std::size_t broken = 0;
    for (std::size_t i = count; i < taken.size(); ++i)
      broken += taken[i] - taken[i - count] < limit.per;
    CHECK(broken == 0);
  }
  // And it is used: of some 390 s at most a tenth is lost to the slots.
  CHECK(static_cast<double>(taken.size()) >
        0.9 * 100 * std::chrono::duration<double>(now - k_start).count() / 60);
}

TEST_CASE("when to ask again is when something may be taken, and not before") {
  const std::vector<RateLimit> limits = {{3, 60s}};
  ProviderHealth health;
  for (int i = 0; i < 3; ++i)
    REQUIRE_FALSE(take_from_rates(health, limits, k_start + i * 10s));
  const auto again = take_from_rates(health, limits, k_start + 30s);
  REQUIRE(again.has_value());
  CHECK(*again > k_start + 60s);
  CHECK(*again <= k_start + 63s);
  CHECK(take_from_rates(health, limits, *again - 1ms) == again);
  CHECK_FALSE(take_from_rates(health, limits, *again).has_value());
}

TEST_CASE("when one limit is reached nothing is taken from the others") {
  const std::vector<RateLimit> limits = {{2, 1s}, {1000, 86400s}};
  ProviderHealth health;
  for (int i = 0; i < 10; ++i) (void)take_from_rates(health, limits, k_start);
  CHECK(left_of_rates(health, limits, k_start) == std::vector<int>{0, 998});
}

TEST_CASE("of two limits for the same length the smaller one holds") {
  const std::vector<RateLimit> limits = {{5, 1s}, {3, 1s}};
  ProviderHealth health;
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(take_from_rates(health, limits, k_start));
  CHECK(take_from_rates(health, limits, k_start).has_value());
  CHECK(left_of_rates(health, limits, k_start) == std::vector<int>{2, 0});
}

TEST_CASE("what never started is given back, and no more than was taken") {
  const std::vector<RateLimit> limits = {{1, 1s}};
  ProviderHealth health;
  REQUIRE_FALSE(take_from_rates(health, limits, k_start));
  REQUIRE(take_from_rates(health, limits, k_start).has_value());
  give_back_to_rates(health, limits, k_start);
  give_back_to_rates(health, limits, k_start);
  CHECK(left_of_rates(health, limits, k_start) == std::vector<int>{1});
  CHECK_FALSE(take_from_rates(health, limits, k_start).has_value());
}

TEST_CASE("what is given back is of the moment when it was taken") {
  const std::vector<RateLimit> limits = {{2, 1s}};
  ProviderHealth health;
  REQUIRE_FALSE(take_from_rates(health, limits, k_start));
  REQUIRE_FALSE(take_from_rates(health, limits, k_start + 500ms));
  give_back_to_rates(health, limits, k_start);
  CHECK(left_of_rates(health, limits, k_start + 1400ms) == std::vector<int>{1});
}

TEST_CASE("a provider without limits has as much as it wants, and no record") {
  ProviderHealth health;
  for (int i = 0; i < 100; ++i)
    CHECK_FALSE(take_from_rates(health, {}, k_start));
  CHECK(health.rates.empty());
}

TEST_CASE("what is kept of a rate is bounded") {
  const std::vector<RateLimit> limits = {{1'000'000, 1s}};
  ProviderHealth health;
  for (int i = 0; i < 10'000; ++i)
    (void)take_from_rates(health, limits, k_start + i * 7ms);
  CHECK(health.rates.front().slots.size() <= 41);
}

// --- a clock that jumped

TEST_CASE(
    "a clock that was ahead by a year stops nobody for longer than may "
    "be") {
  AProvider a;
  const std::vector<RateLimit> limits = {{1, 1s}, {5, 86400s}};
  a.now += 365 * 24h;
  a.open();
  note_rest(a.health, a.now + 1h);
  REQUIRE_FALSE(take_from_rates(a.health, limits, a.now));
  a.now = k_start;
  tidy(a.health, a.now, a.config, limits);
  CHECK(a.health.open_until == a.now + 100s);
  CHECK(a.health.rest_until == a.now + 24h);
  CHECK(left_of_rates(a.health, limits, a.now) == std::vector<int>{1, 5});
  a.now += 100s;
  a.health.rest_until.reset();
  a.health.probe_until = a.now + 365 * 24h;
  tidy(a.health, a.now, a.config, limits);
  CHECK(a.resting() == a.now + 1h);
}

TEST_CASE("to tidy what is in order changes nothing") {
  AProvider a;
  const std::vector<RateLimit> limits = {{10, 1s}, {5, 86400s}};
  a.open();
  note_rest(a.health, a.now + 1h);
  pause(a.health, a.now + 1000 * 24h);
  REQUIRE_FALSE(take_from_rates(a.health, limits, a.now));
  const std::string before = to_json_text(a.health);
  tidy(a.health, a.now, a.config, limits);
  CHECK(to_json_text(a.health) == before);
  tidy(a.health, a.now, a.config, {limits.back()});
  REQUIRE(a.health.rates.size() == 1);
  CHECK(a.health.rates.front().per == 86400s);
}

// --- JSON

ProviderHealth a_full_one() {
  AProvider a;
  a.open();
  a.now = *a.resting();
  a.probes();
  note_rest(a.health, a.now + 1h);
  pause(a.health, a.now + 2h);
  a.health.last_error = "550 \"no\"\x1b[31m\nö";
  for (int i = 0; i < 100; ++i) a.health.latency.add(Milliseconds(i * 7));
  a.health.good = 12.345;
  (void)take_from_rates(a.health, {{10, 1s}, {100, 86400s}}, a.now);
  return a.health;
}

TEST_CASE("health comes back from its text as it was") {
  for (const auto& health : {ProviderHealth(), a_full_one()}) {
    const std::string text = to_json_text(health);
    CAPTURE(text);
    CHECK(text.find('\n') == std::string::npos);
    const auto again = health_from(text);
    CHECK(to_json_text(again) == text);
    CHECK(again.last_error == health.last_error);
    CHECK(again.open_until == health.open_until);
    CHECK(again.probe_until == health.probe_until);
    CHECK(again.paused_until == health.paused_until);
    CHECK(again.rates.size() == health.rates.size());
  }
}

TEST_CASE("a text that is none of ours is a fresh value") {
  const std::string fresh = to_json_text(ProviderHealth());
  const std::string whole = to_json_text(a_full_one());
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(to_json_text(health_from(whole.substr(0, size))) == fresh);
  for (const std::string& text :
       {std::string("null"), std::string("[]"), std::string("7"),
        std::string("{}"), std::string(1000, '\0'), std::string(1000, '['),
        std::string(R"({"v":2,"failures":3})"),
        std::string(R"({"v":"one","failures":3})"),
        std::string(R"({"v":1,"v":1,"failures":3})"),
        std::string(R"({"v":1,"good":NaN,"failures":3})")}) {
    CAPTURE(text);
    CHECK(to_json_text(health_from(text)) == fresh);
  }
}

TEST_CASE("a member that makes no sense is as if it were not there") {
  const std::string fresh = to_json_text(ProviderHealth());
  for (const char* member :
       {R"("failures":-3)",
        R"("failures":"x")",
        R"("failures":1e3)",
        R"("failures":99999999999999999999)",
        R"("good":-1)",
        R"("good":"inf")",
        R"("good":"nan")",
        R"("bad":1e999)",
        R"("bad":[1])",
        R"("open_until":7)",
        R"("open_until":"yesterday")",
        R"("open_since":"2026-11-21T10:00:00Z")",
        R"("probe_until":"2026-11-21T10:00:00Z")",
        R"("cool_down_s":-5)",
        R"("paused":1)",
        R"("paused_until":"2026-11-21T10:00:00Z")",
        R"("last_error":{})",
        R"("counted_at":"9999")",
        R"("latency":"x")",
        R"("rates":{})",
        R"("rates":[1,"x",null])",
        R"("rates":[{"per":0,"used":"1:1"}])",
        R"("rates":[{"per":-1,"used":"1:1"}])",
        R"("rates":[{"per":1,"used":"9223372036854775807:1"}])",
        R"("rates":[{"per":1,"used":"1:-1 2:0"}])"}) {
    CAPTURE(member);
    const auto health = health_from(R"({"v":1,)" + std::string(member) + "}");
    CHECK(to_json_text(health) == fresh);
  }
}

TEST_CASE("numbers of any size do no harm") {
  auto health = health_from(
      R"({"v":1,"failures":9223372036854775807,"good":1e300,"bad":1e300,)"
      R"("open_until":"9999-12-31T23:59:59Z","cool_down_s":9223372036854775807,)"
      R"("rest_until":"9999-12-31T23:59:59Z","counted_at":"9999-12-31T23:59:59Z",)"
      R"("rates":[{"per":1,"used":"1:9223372036854775807 2:9223372036854775807"}]})");
  AProvider a;
  a.health = health;
  const std::vector<RateLimit> limits = {{5, 1s}};
  a.fails();
  CHECK(failure_rate(a.health, a.now) <= 1);
  tidy(a.health, a.now, a.config, limits);
  a.now += 100s;
  a.fails();
  CHECK(*a.resting() <= a.now + 24h);
  CHECK_FALSE(take_from_rates(a.health, limits, a.now));
  health.rates.assign(1, {1s, {}});
  for (int i = 0; i < 41; ++i)
    health.rates[0].slots.emplace_back(i, std::numeric_limits<int>::max() - 1);
  CHECK(left_of_rates(health, limits, Time(1s)) == std::vector<int>{0});
  CHECK(take_from_rates(health, limits, Time(1s)).has_value());
}

TEST_CASE("a store in memory keeps what was made of each provider") {
  MemoryHealthStore store;
  const auto changed =
      store.update("main", [](ProviderHealth& health) { health.failures = 3; });
  CHECK(changed.value().failures == 3);
  CHECK(store.read("main").value().failures == 3);
  CHECK(store.read("other").value().failures == 0);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
