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
#include "core/json.h"
#include "core/report/report_format.h"
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

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  for (auto end = text.find('\n'); end != std::string::npos;
       end = text.find('\n', from)) {
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  CHECK(from == text.size());
  return lines;
}

std::size_t code_points(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
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
       an_attempt("main", Outcome::rejected)});

  CHECK(tally.rows().size() == 5);
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

  CHECK(row_of(tally, {std::string(79, 'x')}).failed == 1);
  CHECK(row_of(tally, {std::string(78, 'y') + "é"}).failed == 1);
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

TEST_CASE("JSON rows are those of the contract") {
  const Tally tally =
      tally_of({TallyBy::tag},
               {an_event("queued"), sent_after(12), an_event("failed"),
                an_event("sent"), an_attempt("main", Outcome::unknown, 34)});

  CHECK(to_json_rows(tally) ==
        "[\n{\"tag\":\"signup\",\"queued\":1,\"sent\":2,\"failed\":1,"
        "\"deferred\":0,\"cancelled\":0,\"expired\":0,\"attempts\":1,"
        "\"unknown\":1,\"failure_rate\":0.333333,"
        "\"queue_ms\":{\"p50\":12,\"p95\":12,\"p99\":12},"
        "\"provider_ms\":{\"p50\":34,\"p95\":34,\"p99\":34}}\n]\n");
}

TEST_CASE("JSON can be read back, whatever a tag or reason holds") {
  const std::string hostile = "\"},{\n\x1b[31m\\ é 漢";
  const Tally tally = tally_of(
      {TallyBy::tag}, {tagged("sent", {hostile}), tagged("queued", {})});

  const auto rows = parse_json(to_json_rows(tally));
  REQUIRE_OK(rows);
  REQUIRE(rows->items.size() == 2);
  CHECK(rows->items[0].text_of("tag", "?") == "");
  CHECK(rows->items[0].number_of("queued") == 1);
  CHECK(rows->items[0].text_of("failure_rate") == "0");
  CHECK(rows->items[1].text_of("tag") == hostile);
  const Json* times = rows->items[1].find("queue_ms");
  REQUIRE(times != nullptr);
  REQUIRE(times->find("p50") != nullptr);
  CHECK(times->find("p50")->is(Json::Kind::null));
  CHECK(lines_of(to_json_rows(tally)).size() == 4);
}

TEST_CASE("JSON without rows is an empty array") {
  CHECK(to_json_rows(Tally({TallyBy::tag})) == "[]\n");
}

TEST_CASE("JSON by provider, reason and event says what was counted") {
  const std::vector<Event> events = {an_attempt("main", Outcome::throttled),
                                     with_reason("failed", "gone")};

  const auto by_provider =
      parse_json(to_json_rows(tally_of({TallyBy::provider}, events)));
  REQUIRE_OK(by_provider);
  REQUIRE(by_provider->items.size() == 1);
  CHECK(by_provider->items[0].number_of("throttled") == 1);
  CHECK(by_provider->items[0].number_of("accepted", -1) == 0);
  CHECK(by_provider->items[0].text_of("failure_rate") == "1");
  CHECK(to_json_rows(tally_of({TallyBy::reason}, events)) ==
        "[\n{\"reason\":\"gone\",\"events\":1,\"failed\":1,\"deferred\":0,"
        "\"expired\":0}\n]\n");
  CHECK(to_json_rows(tally_of({TallyBy::event}, events)) ==
        "[\n{\"event\":\"attempted\",\"events\":1},\n"
        "{\"event\":\"failed\",\"events\":1}\n]\n");
}

TEST_CASE("a rate that is nearly nothing is written without an exponent") {
  Tally tally({});
  for (int i = 0; i < 49999; ++i) tally.add(an_event("sent"));
  tally.add(an_event("failed"));

  CHECK(to_json_rows(tally).find("\"failure_rate\":0.00002,") !=
        std::string::npos);
}

TEST_CASE("CSV has a header with the JSON's names and empty cells for null") {
  const Tally tally = tally_of({TallyBy::tag}, {sent_after(12)});

  CHECK(to_csv(tally) ==
        "tag,queued,sent,failed,deferred,cancelled,expired,attempts,unknown,"
        "failure_rate,queue_p50_ms,queue_p95_ms,queue_p99_ms,provider_p50_ms,"
        "provider_p95_ms,provider_p99_ms\n"
        "signup,0,1,0,0,0,0,0,0,0,12,12,12,,,\n");
}

TEST_CASE("CSV cells are quoted, and never formulas") {
  const std::vector<std::pair<std::string, std::string>> cells = {
      {"plain - text", "plain - text"},
      {"", ""},
      {"a,b", "\"a,b\""},
      {"say \"no\"", "\"say \"\"no\"\"\""},
      {"two\nlines", "\"two\nlines\""},
      {"=1+1", "'=1+1"},
      {"+49", "'+49"},
      {"-1", "'-1"},
      {"@SUM(A1)", "'@SUM(A1)"},
      {"\t=1", "'\t=1"},
      {"\r=1", "\"'\r=1\""},
      {"=HYPERLINK(\"http://x\",1)", "\"'=HYPERLINK(\"\"http://x\"\",1)\""}};
  for (const auto& [value, written] : cells) {
    const std::string csv =
        to_csv(tally_of({TallyBy::reason}, {with_reason("failed", value)}));
    CHECK(csv ==
          "reason,events,failed,deferred,expired\n" + written + ",1,1,0,0\n");
  }
}

TEST_CASE("a table is aligned, with a total and durations for people") {
  const Tally tally = tally_of(
      {TallyBy::tag}, {tagged("queued", {"signup", "eu"}), tagged("queued", {}),
                       tagged("sent", {"signup", "eu"}), tagged("failed", {}),
                       sent_after(1200)});

  CHECK(to_table(tally, 100) ==
        "tag     queued  sent  failed  failures  queue p50    p95    p99\n"
        "-            1     0       1   100.0 %          -      -      -\n"
        "eu           1     1       0     0.0 %          -      -      -\n"
        "signup       1     2       0     0.0 %      1.2 s  1.2 s  1.2 s\n"
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
      CHECK(code_points(line) <= static_cast<std::size_t>(width));
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

  CHECK(lines_of(to_table(tally, 20))[1] == "漢漢漢漢漢漢…       1");
}

TEST_CASE("a key cannot send escapes to the terminal") {
  const Tally tally =
      tally_of({TallyBy::tag}, {tagged("sent", {"\x1b[2Jgone\x07"})});

  const std::string table = to_table(tally, 80);
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(table.find('\x07') == std::string::npos);
  CHECK(table.find("[2Jgone") != std::string::npos);
}

TEST_SUITE_END();

}  // namespace pony
