#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/event.h"
#include "core/report/tally.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

// 2026-11-21T10:30:00Z
constexpr Time k_half_past_ten{Milliseconds{1795257000000}};

Event an_event(std::string name) {
  Event event;
  event.ts = k_half_past_ten;
  event.event = std::move(name);
  event.id = "01JD3X7Q9K0000000000000000";
  event.provider = "main";
  event.template_id = "welcome";
  event.lang = "es";
  event.pool = "default";
  event.tags = {"signup"};
  event.domain = "example.com";
  return event;
}

Event tagged(std::string name, std::vector<std::string> tags) {
  Event event = an_event(std::move(name));
  event.tags = std::move(tags);
  return event;
}

Event an_attempt(std::string provider, Outcome outcome,
                 std::int64_t latency_ms = 100) {
  Event event = an_event("attempted");
  event.provider = std::move(provider);
  event.outcome = outcome;
  event.latency_ms = latency_ms;
  return event;
}

Event with_reason(std::string name, std::string reason) {
  Event event = an_event(std::move(name));
  event.reason = std::move(reason);
  return event;
}

Event sent_after(std::int64_t queue_ms) {
  Event event = an_event("sent");
  event.queue_ms = queue_ms;
  return event;
}

Tally tally_of(const std::vector<TallyBy>& by,
               const std::vector<Event>& events) {
  Tally tally(by);
  for (const Event& event : events) tally.add(event);
  return tally;
}

using Key = std::vector<std::string>;

const TallyRow& row_of(const Tally& tally, const Key& key) {
  REQUIRE(tally.rows().contains(key));
  return tally.rows().at(key);
}

}  // namespace

TEST_SUITE_BEGIN("report");

TEST_CASE("a histogram without times has no percentiles") {
  CHECK_FALSE(TimeHistogram().percentile(50).has_value());
}

TEST_CASE("times below 64 ms are exact") {
  for (std::int64_t time = 0; time < 64; ++time) {
    TimeHistogram times;
    times.add(time);
    CHECK(times.percentile(50) == time);
  }
}

TEST_CASE("percentiles are by nearest rank") {
  TimeHistogram times;
  for (const std::int64_t time : {15, 20, 35, 40, 50}) times.add(time);

  CHECK(times.percentile(0) == 15);
  CHECK(times.percentile(20) == 15);
  CHECK(times.percentile(40) == 20);
  CHECK(times.percentile(50) == 35);
  CHECK(times.percentile(95) == 50);
  CHECK(times.percentile(100) == 50);
  CHECK(times.count() == 5);
}

TEST_CASE("a percentile is at most 2 % off that of the sorted times") {
  std::mt19937_64 random(20261121);
  std::lognormal_distribution<double> spread(7, 3);
  for (const std::size_t how_many : {1U, 2U, 99U, 1000U, 20000U}) {
    TimeHistogram times;
    std::vector<std::int64_t> sorted;
    for (std::size_t i = 0; i < how_many; ++i) {
      sorted.push_back(static_cast<std::int64_t>(spread(random)));
      times.add(sorted.back());
    }
    std::sort(sorted.begin(), sorted.end());

    for (const int percent : {1, 50, 90, 95, 99, 100}) {
      const std::size_t rank = (how_many * percent + 99) / 100;
      const auto exact = static_cast<double>(sorted[rank - 1]);
      const auto told = static_cast<double>(*times.percentile(percent));
      CAPTURE(how_many);
      CAPTURE(percent);
      CHECK(std::abs(told - exact) <= 0.02 * exact);
    }
  }
}

TEST_CASE("times at the edges of what fits are counted") {
  TimeHistogram times;
  times.add(INT64_MIN);
  times.add(INT64_MAX);

  CHECK(times.percentile(50) == 0);
  CHECK(*times.percentile(100) > INT64_MAX / 100 * 98);
}

TEST_CASE("every name that rows can be asked by is known, and no other") {
  for (const std::string_view name : tally_names()) {
    REQUIRE(tally_by(name).has_value());
    CHECK(to_text(*tally_by(name)) == name);
  }
  CHECK(tally_names().size() == 10);
  CHECK(tally_by("template") == TallyBy::template_id);
  CHECK(tally_by("event") == TallyBy::event);
  CHECK_FALSE(tally_by("template_id").has_value());
  CHECK_FALSE(tally_by("").has_value());
}

TEST_CASE("a row counts messages by what became of them") {
  const Tally tally =
      tally_of({TallyBy::pool},
               {an_event("queued"), an_event("queued"), sent_after(1500),
                an_event("failed"), an_event("deferred"), an_event("deferred"),
                an_event("cancelled"), an_event("expired"),
                an_attempt("main", Outcome::accepted, 40),
                an_attempt("second", Outcome::unknown, 60),
                an_event("released"), an_event("opened")});

  REQUIRE(tally.rows().size() == 1);
  const TallyRow& row = row_of(tally, {"default"});
  CHECK(row.queued == 2);
  CHECK(row.sent == 1);
  CHECK(row.failed == 1);
  CHECK(row.deferred == 2);
  CHECK(row.cancelled == 1);
  CHECK(row.expired == 1);
  CHECK(row.attempts == 2);
  CHECK(row.unknown == 1);
  CHECK(row.provider_ms.count() == 2);
  CHECK(row.provider_ms.percentile(50) == 40);
  CHECK(row.queue_ms.count() == 1);
}

TEST_CASE("the failure rate leaves out what is cancelled or still waiting") {
  const Tally tally =
      tally_of({}, {an_event("queued"), an_event("sent"), an_event("sent"),
                    an_event("failed"), an_event("expired"),
                    an_event("cancelled"), an_event("deferred")});

  CHECK(row_of(tally, {}).failure_rate() == doctest::Approx(0.5));
  CHECK(TallyRow().failure_rate() == 0);
}

TEST_CASE("a message with two tags counts in both rows, once in the total") {
  const Tally tally = tally_of(
      {TallyBy::tag},
      {tagged("sent", {"signup", "eu", "signup"}), tagged("sent", {})});

  CHECK(tally.rows().size() == 3);
  CHECK(row_of(tally, {"signup"}).sent == 1);
  CHECK(row_of(tally, {"eu"}).sent == 1);
  CHECK(row_of(tally, {""}).sent == 1);
  CHECK(tally.total().sent == 2);
}

TEST_CASE("several keys give a row for each combination that occurs") {
  Event later = tagged("sent", {"signup"});
  later.ts += std::chrono::hours(24);
  const Tally tally = tally_of({TallyBy::day, TallyBy::tag, TallyBy::day},
                               {tagged("sent", {"signup", "eu"}), later});

  CHECK(tally.by().size() == 2);
  CHECK(tally.rows().size() == 3);
  CHECK(row_of(tally, {"2026-11-21", "eu"}).sent == 1);
  CHECK(row_of(tally, {"2026-11-21", "signup"}).sent == 1);
  CHECK(row_of(tally, {"2026-11-22", "signup"}).sent == 1);
}

TEST_CASE("each key is taken from its own field of the event") {
  const std::vector<std::pair<TallyBy, std::string>> expected = {
      {TallyBy::template_id, "welcome"},
      {TallyBy::pool, "default"},
      {TallyBy::lang, "es"},
      {TallyBy::domain, "example.com"},
      {TallyBy::day, "2026-11-21"},
      {TallyBy::hour, "2026-11-21T10"},
      {TallyBy::tag, "signup"},
      {TallyBy::provider, "main"},
      {TallyBy::event, "sent"}};
  for (const auto& [by, value] : expected) {
    const Tally tally = tally_of({by}, {sent_after(1)});
    CHECK(tally.rows().size() == 1);
    CHECK(tally.rows().begin()->first == Key{value});
  }
}

TEST_CASE("by provider, attempts count by outcome and messages do not") {
  const Tally tally =
      tally_of({TallyBy::provider},
               {an_event("queued"), an_attempt("main", Outcome::accepted, 10),
                an_attempt("main", Outcome::accepted, 20),
                an_attempt("main", Outcome::throttled, 30),
                an_attempt("main", Outcome::unknown, 40),
                an_attempt("second", Outcome::rejected), an_event("failed"),
                sent_after(7)});

  CHECK(tally.rows().size() == 2);
  const TallyRow& main = row_of(tally, {"main"});
  CHECK(main.attempts == 4);
  CHECK(main.outcomes.at("accepted") == 2);
  CHECK(main.outcomes.at("throttled") == 1);
  CHECK(main.outcomes.at("unknown") == 1);
  CHECK(main.sent == 0);
  CHECK(main.failure_rate() == doctest::Approx(0.5));
  CHECK(main.provider_ms.percentile(100) == 40);
  CHECK(main.queue_ms.percentile(50) == 7);
  CHECK(row_of(tally, {"second"}).failure_rate() == doctest::Approx(1));
}

TEST_CASE("an attempt without an outcome counts as unknown") {
  const Tally tally = tally_of({TallyBy::provider}, {an_event("attempted")});

  CHECK(row_of(tally, {"main"}).outcomes.at("unknown") == 1);
}

TEST_CASE("by event, every kind is counted, also those of feedback") {
  const Tally tally =
      tally_of({TallyBy::event}, {an_event("sent"), an_event("sent"),
                                  an_event("opened"), an_event("held")});

  CHECK(row_of(tally, {"sent"}).events == 2);
  CHECK(row_of(tally, {"opened"}).events == 1);
  CHECK(row_of(tally, {"held"}).events == 1);
}

TEST_CASE("by reason, only events that say why not are counted") {
  Event only_error = an_event("deferred");
  only_error.error = "503 busy";
  const Tally tally = tally_of(
      {TallyBy::reason},
      {with_reason("failed", "no such user"), only_error,
       with_reason("skipped", "too large"), with_reason("held", "by hand"),
       with_reason("expired", "too old"), an_event("sent"),
       with_reason("suppressed", "bounced on 2026-11-20"),
       with_reason("bounced", "hard bounce"),
       with_reason("complained", "abuse"), with_reason("clicked", "a link"),
       an_attempt("main", Outcome::rejected)});

  CHECK(tally.rows().size() == 8);
  for (const char* late : {"bounced on 2026-11-20", "hard bounce", "abuse"}) {
    CHECK(row_of(tally, {late}).events == 1);
    CHECK(row_of(tally, {late}).failed == 0);
  }
  CHECK(row_of(tally, {"no such user"}).failed == 1);
  CHECK(row_of(tally, {"503 busy"}).deferred == 1);
  CHECK(row_of(tally, {"too large"}).events == 1);
  CHECK(row_of(tally, {"by hand"}).events == 1);
  CHECK(row_of(tally, {"too old"}).expired == 1);
}

TEST_CASE("a long reason is cut at 80 bytes, never inside a character") {
  const Tally tally =
      tally_of({TallyBy::reason},
               {with_reason("failed", std::string(79, 'x') + "é and more"),
                with_reason("failed", std::string(78, 'y') + "é and more")});

  CHECK(row_of(tally, {std::string(79, 'x') + "…"}).failed == 1);
  CHECK(row_of(tally, {std::string(78, 'y') + "é…"}).failed == 1);
}

TEST_CASE("by provider and reason, attempts count by what was answered") {
  Event refused = an_attempt("main", Outcome::rejected);
  refused.error = "550 no such user";
  const Tally tally =
      tally_of({TallyBy::provider, TallyBy::reason},
               {refused, an_attempt("main", Outcome::accepted)});

  CHECK(row_of(tally, {"main", "550 no such user"}).attempts == 1);
  CHECK(row_of(tally, {"main", ""}).attempts == 1);
}

TEST_SUITE_END();

}  // namespace pony
