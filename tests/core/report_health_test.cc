#include "core/report/report_health.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/display_width.h"
#include "tests/support/report_events.h"

namespace pony {
namespace {

constexpr Time k_noon = k_half_past_ten + std::chrono::minutes(90);

std::vector<Event> attempts(std::size_t times, const std::string& provider,
                            Outcome outcome) {
  return std::vector<Event>(times, an_attempt(provider, outcome));
}

Tally providers(const std::vector<std::vector<Event>>& all) {
  Tally tally({TallyBy::provider});
  for (const auto& events : all)
    for (const Event& event : events) tally.add(event);
  return tally;
}

ReportHealth health_by(const Tally& tally) {
  return health_of(tally, {&tally, nullptr});
}

using Mood = ReportHealth::Mood;

}  // namespace

TEST_SUITE_BEGIN("report");

TEST_CASE("a span names its ends, and never one that lies ahead") {
  const Time since = k_half_past_ten;
  CHECK(span_text({since, {}, k_noon}) ==
        "2026-11-21 10:30 to 2026-11-21 12:00 UTC");
  CHECK(span_text({{}, {}, k_noon}) == "all up to 2026-11-21 12:00 UTC");
  CHECK(span_text({{}, since, k_noon}) == "all up to 2026-11-21 10:30 UTC");
  CHECK(span_text({since, k_noon + std::chrono::hours(9), k_noon}) ==
        "2026-11-21 10:30 to 2026-11-21 12:00 UTC");
  CHECK(span_text({k_noon + std::chrono::hours(1), {}, k_noon}) ==
        "2026-11-21 12:00 to 2026-11-21 12:00 UTC");
}

TEST_CASE("a dead provider whose mail another carried is named") {
  const ReportHealth health =
      health_by(providers({attempts(400, "sendgrid", Outcome::unavailable),
                           attempts(12, "sendgrid", Outcome::throttled),
                           attempts(405, "mailgun", Outcome::accepted),
                           attempts(7, "mailgun", Outcome::rejected),
                           attempts(7, "relay", Outcome::accepted)}));

  CHECK(health.mood == Mood::bad);
  CHECK(health.whole == "419 of 831 attempts were not accepted (50.4 %)");
  REQUIRE(health.providers.size() == 1);
  CHECK(health.providers[0] ==
        "sendgrid: 412 of 412 attempts failed (400 unavailable, 12 throttled);"
        " mailgun accepted 405, relay 7");
}

TEST_CASE("it is said when nobody else took the mail") {
  const ReportHealth health =
      health_by(providers({attempts(1, "main", Outcome::unknown)}));

  REQUIRE(health.providers.size() == 1);
  CHECK(health.providers[0] ==
        "main: 1 of 1 attempt failed (1 unknown); no other provider accepted "
        "anything");
}

TEST_CASE("what is rejected says nothing of the provider") {
  const ReportHealth health =
      health_by(providers({attempts(9, "main", Outcome::rejected),
                           attempts(1, "main", Outcome::accepted)}));

  CHECK(health.mood == Mood::good);
  CHECK(health.providers.empty());
}

TEST_CASE("a provider that fails now and then is not called out") {
  CHECK(health_by(providers({attempts(6, "main", Outcome::accepted),
                             attempts(5, "main", Outcome::unavailable)}))
            .providers.empty());
}

TEST_CASE("many failing providers make few sentences") {
  std::vector<std::vector<Event>> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(
        attempts(1, "dead-" + std::to_string(i), Outcome::unavailable));
    all.push_back(attempts(1, "fine-" + std::to_string(i), Outcome::accepted));
  }
  const ReportHealth health = health_by(providers(all));

  REQUIRE(health.providers.size() == 6);
  CHECK(health.providers[0].ends_with("fine-12 1 and 35 more"));
  CHECK(health.providers[5] == "35 more providers failed like that");
}

TEST_CASE("messages are summed up in a sentence") {
  const auto of = [](const std::vector<Event>& events) {
    return health_of(tally_of({TallyBy::tag}, events), {});
  };
  CHECK(of({}).whole.empty());
  CHECK(of({an_event("queued")}).mood == Mood::quiet);
  CHECK(of({an_event("sent")}).whole == "1 of 1 message was sent");
  CHECK(of({an_event("sent")}).mood == Mood::good);
  CHECK(of({an_event("sent"), an_event("failed"), an_event("expired")}).whole ==
        "2 of 3 messages failed or expired (66.7 %)");
  std::vector<Event> some(20, an_event("sent"));
  some.push_back(an_event("failed"));
  CHECK(of(some).mood == Mood::bad);
  some.resize(60, an_event("sent"));
  CHECK(of(some).mood == Mood::good);
  const ReportHealth doubtful =
      of({an_event("sent"), an_attempt("main", Outcome::unknown)});
  CHECK(doubtful.whole ==
        "1 of 1 message was sent; the outcome of 1 attempt is unknown");
  CHECK(doubtful.mood == Mood::bad);
}

TEST_CASE("reasons and events have no health of their own") {
  CHECK(health_of(tally_of({TallyBy::event}, {an_event("failed")}), {})
            .whole.empty());
}

TEST_CASE("a headline is broken where the terminal ends") {
  const Tally tally =
      providers({attempts(400, "sendgrid", Outcome::unavailable),
                 attempts(400, "mailgun", Outcome::accepted)});
  const ReportSpan span = {k_half_past_ten, {}, k_noon};

  CHECK(to_headline(tally, {&tally, nullptr}, span, 0) ==
        "2026-11-21 10:30 to 2026-11-21 12:00 UTC: 400 of 800 attempts were "
        "not accepted (50.0 %)\n"
        "sendgrid: 400 of 400 attempts failed (400 unavailable); mailgun "
        "accepted 400\n");
  for (const std::string& line :
       lines_of(to_headline(tally, {&tally, nullptr}, span, 40))) {
    CAPTURE(line);
    CHECK(display_width(line) <= 40);
  }
}

TEST_CASE("a provider's name cannot send escapes to the terminal") {
  const Tally tally = providers({attempts(2, "\x1b[2J", Outcome::unavailable)});
  const std::string text =
      to_headline(tally, {&tally, nullptr}, {{}, {}, k_noon}, 0);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("[2J: 2 of 2") != std::string::npos);
}

TEST_CASE("a provider that began to fail is told from then on") {
  Tally all({TallyBy::provider});
  Tally over_time({TallyBy::hour, TallyBy::provider});
  const auto add = [&](int hour, std::size_t times, const std::string& provider,
                       Outcome outcome) {
    for (Event event : attempts(times, provider, outcome)) {
      event.ts += std::chrono::hours(hour);
      all.add(event);
      over_time.add(event);
    }
  };
  add(0, 500, "sendgrid", Outcome::accepted);
  add(0, 90, "mailgun", Outcome::accepted);
  add(1, 30, "sendgrid", Outcome::unavailable);
  add(2, 40, "mailgun", Outcome::accepted);
  add(3, 10, "sendgrid", Outcome::unknown);
  add(3, 1, "sendgrid", Outcome::accepted);
  add(1, 50, "recovered", Outcome::unavailable);
  add(2, 60, "recovered", Outcome::accepted);

  CHECK(health_by(all).providers.empty());
  const ReportHealth health = health_of(all, {&all, &over_time});
  REQUIRE(health.providers.size() == 1);
  CHECK(health.providers[0] ==
        "sendgrid: 40 of 41 attempts since 2026-11-21 11:00 failed (30 "
        "unavailable, 10 unknown); recovered accepted 60, mailgun 40 "
        "meanwhile");
  CHECK(health.mood == Mood::bad);
}

TEST_CASE(
    "a provider that failed all along is told with or without its hours") {
  Tally all({TallyBy::provider});
  Tally over_time({TallyBy::provider, TallyBy::day});
  for (const Event& event : attempts(3, "main", Outcome::unavailable)) {
    all.add(event);
    over_time.add(event);
  }
  CHECK(health_of(all, {&all, &over_time}).providers ==
        std::vector<std::string>{
            "main: 3 of 3 attempts since 2026-11-21 failed (3 unavailable); no "
            "other provider accepted anything meanwhile"});
}

TEST_CASE("every report tells of a failing provider, whatever it counts") {
  const Tally all = providers({attempts(3, "main", Outcome::unavailable)});
  const ReportHealth health =
      health_of(tally_of({TallyBy::tag}, {an_event("sent")}), {&all, nullptr});

  CHECK(health.whole == "1 of 1 message was sent");
  CHECK(health.providers.size() == 1);
  CHECK(health.mood == Mood::bad);
}

TEST_SUITE_END();

}  // namespace pony
