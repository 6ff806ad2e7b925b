#include "cmd/event_words.h"

#include <doctest/doctest.h>

#include "cmd/event_filter.h"

using namespace pony;

namespace {

Event an_attempt() {
  Event event;
  event.ts = parse_time("2026-11-21T10:00:00.123Z").value();
  event.event = "attempted";
  event.id = "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC";
  event.attempt = 2;
  event.provider = "main";
  event.outcome = Outcome::unavailable;
  event.status = 503;
  event.error = "busy \"now\"";
  event.latency_ms = 31;
  event.tags = {"signup", "eu"};
  return event;
}

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("an event in the log is one line of key=value, why at its end") {
  CHECK(log_line(an_attempt()) ==
        "2026-11-21T10:00:00.123Z  attempted   01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC  "
        "provider=main attempt=2 latency_ms=31 tags=signup,eu status=503 "
        "outcome=unavailable error=\"busy \\\"now\\\"\"\n");
}

TEST_CASE("an event in a message's story is plain words") {
  CHECK(story_line(an_attempt()) ==
        "2026-11-21T10:00:00.123Z  attempted   main, try 2: unavailable (503); "
        "busy \"now\"; took 31 ms\n");
  Event event = an_attempt();
  event.outcome = Outcome::unknown;
  CHECK(story_line(event).find("may have been delivered") != std::string::npos);
}

TEST_CASE("an event about one recipient names him") {
  Event event = an_attempt();
  event.outcome.reset();
  event.recipient = "ann@example.com";
  CHECK(story_line(event).find("main, try 2: ann@example.com; busy") !=
        std::string::npos);
  CHECK(log_line(event).find(" recipient=ann@example.com error=") !=
        std::string::npos);
}

TEST_CASE("what a provider said cannot break the line") {
  Event event = an_attempt();
  event.error = "a\nb\x1b[0m";
  event.provider_id = "x\ny";
  for (const std::string& line : {log_line(event), story_line(event)}) {
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(line.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("an event filter takes since, but not until, as its own") {
  EventFilter filter;
  const Event event = an_attempt();
  filter.since = event.ts;
  CHECK(filter.matches(event));
  filter.until = event.ts;
  CHECK_FALSE(filter.matches(event));
}

TEST_CASE("an event filter wants every kind of value, and any of a kind") {
  EventFilter filter;
  filter.tags = {"us", "eu"};
  filter.providers = {"main"};
  CHECK(filter.matches(an_attempt()));
  filter.events = {"sent"};
  CHECK_FALSE(filter.matches(an_attempt()));
}

TEST_SUITE_END();
