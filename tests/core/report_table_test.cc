#include "core/report/report_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/display_width.h"
#include "tests/support/report_events.h"
#include "tests/support/require_ok.h"

namespace pony {

TEST_SUITE_BEGIN("report");

TEST_CASE("a table is aligned, with a total and durations for people") {
  const Tally tally = tally_of(
      {TallyBy::tag}, {tagged("queued", {"signup", "eu"}), tagged("queued", {}),
                       tagged("sent", {"signup", "eu"}), tagged("failed", {}),
                       sent_after(1200)});

  CHECK(to_table(tally, 100) ==
        "tag     queued  sent  failed  failures  queue p50    p95    p99\n"
        "-            1     0       1   100.0 %          -      -      -\n"
        "signup       1     2       0     0.0 %      1.2 s  1.2 s  1.2 s\n"
        "eu           1     1       0     0.0 %          -      -      -\n"
        "total        2     2       1    33.3 %      1.2 s  1.2 s  1.2 s\n");
}

TEST_CASE("a table with one row has no total, without keys no key column") {
  CHECK(to_table(tally_of({}, {an_event("sent")}), 0) ==
        "queued  sent  failed  failures\n"
        "     0     1       0     0.0 %\n");
}

TEST_CASE("a table without rows is its header") {
  CHECK(to_table(Tally({TallyBy::event}), 80) == "event  events\n");
}

TEST_CASE("durations are told in the units that people use") {
  const std::vector<std::pair<std::int64_t, std::string>> told = {
      {0, "0 ms"},          {340, "340 ms"},        {1200, "1.2 s"},
      {12000, "12 s"},      {60000, "1 m"},         {126000, "2 m 6 s"},
      {7500000, "2 h 5 m"}, {300000000, "3 d 10 h"}};
  for (const auto& [ms, text] : told) {
    const std::string table = to_table(tally_of({}, {sent_after(ms)}), 0);
    CAPTURE(table);
    CHECK(table.find("  " + text + "\n") != std::string::npos);
  }
}

TEST_CASE("a table fits its width: keys are cut first, then columns go") {
  Event event = sent_after(1200);
  event.tags = {"a-tag-that-goes-on-and-on-and-on-and-on-and-on-and-on"};
  const Tally tally = tally_of(
      {TallyBy::tag}, {event, an_attempt("main", Outcome::accepted, 340),
                       tagged("deferred", {"other"}), tagged("failed", {"x"})});

  for (const int width : {160, 120, 100, 80, 60, 45, 40}) {
    for (const std::string& line : lines_of(to_table(tally, width))) {
      CAPTURE(line);
      CHECK(display_width(line) <= static_cast<std::size_t>(width));
    }
  }
  CHECK(to_table(tally, 0).find(event.tags[0]) != std::string::npos);
  const std::string narrow = to_table(tally, 80);
  CHECK(narrow.find("a-tag-that-g…") != std::string::npos);
  CHECK(narrow.find("queue p50") != std::string::npos);
  CHECK(narrow.find("p99") == std::string::npos);
}

TEST_CASE("a table never cuts a day or an hour") {
  const Tally tally =
      tally_of({TallyBy::domain, TallyBy::hour},
               {an_event("queued"), sent_after(1200), an_event("failed")});

  CHECK(to_table(tally, 30).find("2026-11-21T10 ") != std::string::npos);
}

TEST_CASE("wide and combining characters keep a table's columns straight") {
  const Tally tally =
      tally_of({TallyBy::event},
               {an_event("漢字"), an_event("e\u0301t"), an_event("ascii")});

  CHECK(to_table(tally, 80) ==
        "event  events\n"
        "ascii       1\n"
        "e\u0301t          1\n"
        "漢字        1\n"
        "total       3\n");
}

TEST_CASE("a key with wide characters is cut by columns, not by bytes") {
  std::string wide;
  for (int i = 0; i < 30; ++i) wide += "漢";
  const Tally tally = tally_of({TallyBy::event}, {an_event(wide)});

  CHECK(lines_of(to_table(tally, 20))[1] == "漢漢漢漢漢…        1");
}

TEST_CASE("a key cannot send escapes to the terminal") {
  const Tally tally =
      tally_of({TallyBy::tag}, {tagged("sent", {"\x1b[2Jgone\x07"})});

  const std::string table = to_table(tally, 80);
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(table.find('\x07') == std::string::npos);
  CHECK(table.find("[2Jgone") != std::string::npos);
}

TEST_CASE("rows in which something went wrong come first, the worst on top") {
  std::vector<Event> events;
  const auto add = [&events](std::size_t times, const std::string& name,
                             const std::string& tag) {
    for (std::size_t i = 0; i < times; ++i)
      events.push_back(tagged(name, {tag}));
  };
  add(300, "sent", "large");
  add(20, "sent", "small");
  add(500, "sent", "some-failed");
  add(12, "failed", "some-failed");
  add(10, "expired", "all-expired");
  add(50, "sent", "doubtful");
  events.push_back(an_attempt("main", Outcome::unknown));
  events.back().tags = {"doubtful"};

  const auto lines = lines_of(to_table(tally_of({TallyBy::tag}, events), 0));
  REQUIRE(lines.size() == 7);
  CHECK(lines[1].starts_with("all-expired "));
  CHECK(lines[2].starts_with("some-failed "));
  CHECK(lines[3].starts_with("doubtful "));
  CHECK(lines[4].starts_with("large "));
  CHECK(lines[5].starts_with("small "));
  CHECK(lines[6].starts_with("total "));
}

TEST_CASE("a provider that accepts nothing comes before a busy one") {
  std::vector<Event> events(50, an_attempt("busy", Outcome::accepted));
  events.push_back(an_attempt("busy", Outcome::rejected));
  events.push_back(an_attempt("dead", Outcome::unavailable));

  const auto lines =
      lines_of(to_table(tally_of({TallyBy::provider}, events), 0));
  CHECK(lines[1].starts_with("dead "));
  CHECK(lines[2].starts_with("busy "));
}

TEST_CASE("reasons and events that ended a message come first") {
  std::vector<Event> events(9, with_reason("deferred", "busy"));
  events.push_back(with_reason("failed", "no such user"));

  CHECK(
      lines_of(to_table(tally_of({TallyBy::reason}, events), 0))[1].starts_with(
          "no such user "));
  CHECK(
      lines_of(to_table(tally_of({TallyBy::event}, events), 0))[1].starts_with(
          "failed "));
}

TEST_CASE("days and hours stay in the order of time") {
  Event earlier = tagged("sent", {"a"});
  earlier.ts -= std::chrono::hours(24);
  Event latest = tagged("sent", {"a"});
  latest.ts += std::chrono::hours(1);
  const std::vector<Event> events = {tagged("failed", {"a"}),
                                     tagged("sent", {"b"}), latest, earlier};

  const auto hours = lines_of(to_table(tally_of({TallyBy::hour}, events), 0));
  CHECK(hours[1].starts_with("2026-11-20T10 "));
  CHECK(hours[2].starts_with("2026-11-21T10 "));
  CHECK(hours[3].starts_with("2026-11-21T11 "));
  const auto both =
      lines_of(to_table(tally_of({TallyBy::tag, TallyBy::day}, events), 0));
  CHECK(both[1].starts_with("a      2026-11-20 "));
  CHECK(both[2].starts_with("a      2026-11-21 "));
  CHECK(both[3].starts_with("b      2026-11-21 "));
}

TEST_CASE("what is cut is counted in a line and in the total") {
  std::vector<Event> events;
  for (int i = 0; i < 1205; ++i)
    events.push_back(tagged("sent", {"tag-" + std::to_string(i)}));
  events.push_back(tagged("failed", {"bad"}));
  const Tally tally = tally_of({TallyBy::tag}, events);

  const auto lines = lines_of(to_table(tally, 0, 2));
  REQUIRE(lines.size() == 5);
  CHECK(lines[1].starts_with("bad "));
  CHECK(lines[3] == "… and 1,204 more");
  CHECK(lines[4].starts_with("total "));
  CHECK(lines[4].find("  1205       1 ") != std::string::npos);
  CHECK(lines_of(to_table(tally, 0, 0)).size() == 1208);
  CHECK(to_table(tally, 0, 1206).find("…") == std::string::npos);
}

TEST_CASE("of days the latest are kept, and what is cut stands before") {
  std::vector<Event> events;
  for (int day = 0; day < 5; ++day) {
    events.push_back(an_event("sent"));
    events.back().ts += std::chrono::hours(24 * day);
  }
  const auto lines = lines_of(to_table(tally_of({TallyBy::day}, events), 0, 2));

  REQUIRE(lines.size() == 5);
  CHECK(lines[1] == "… and 3 before");
  CHECK(lines[2].starts_with("2026-11-24 "));
  CHECK(lines[3].starts_with("2026-11-25 "));
  CHECK(lines[4].starts_with("total "));
}

TEST_CASE("whatever is counted fits 80 and 40 columns") {
  std::vector<Event> events = {
      an_event("queued"),
      sent_after(123456),
      an_event("failed"),
      an_event("deferred"),
      an_event("cancelled"),
      an_event("expired"),
      an_attempt("sendgrid-eu", Outcome::accepted, 1234),
      an_attempt("mailgun", Outcome::rejected, 87654),
      an_attempt("mailgun", Outcome::unavailable),
      an_attempt("mailgun", Outcome::throttled),
      an_attempt("mailgun", Outcome::unknown),
      with_reason("failed", "550 5.1.1 no such user here, or anywhere else"),
      with_reason("expired", "too old")};
  const std::vector<std::vector<TallyBy>> all = {
      {},
      {TallyBy::tag},
      {TallyBy::provider},
      {TallyBy::reason},
      {TallyBy::event},
      {TallyBy::hour},
      {TallyBy::template_id, TallyBy::lang},
      {TallyBy::provider, TallyBy::reason},
      {TallyBy::day, TallyBy::domain}};
  for (const auto& by : all) {
    const Tally tally = tally_of(by, events);
    for (const int width : {80, 40}) {
      for (const std::string& line : lines_of(to_table(tally, width))) {
        CAPTURE(line);
        CHECK(display_width(line) <= static_cast<std::size_t>(width));
      }
    }
  }
  const std::string narrow =
      to_table(tally_of({TallyBy::provider}, events), 40);
  CHECK(narrow.find("attempts") != std::string::npos);
  CHECK(narrow.find("failures") != std::string::npos);
}

TEST_CASE("of providers their own time is the last to go") {
  const Tally tally =
      tally_of({TallyBy::provider},
               {an_attempt("main", Outcome::accepted, 340), sent_after(1200)});
  const std::string table = to_table(tally, 60);

  CHECK(table.find("provider p50") != std::string::npos);
  CHECK(table.find("queue p50") == std::string::npos);
}

TEST_SUITE_END();

}  // namespace pony
