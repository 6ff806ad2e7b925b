#include "core/report/report_format.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "tests/support/report_events.h"
#include "tests/support/require_ok.h"

namespace pony {

TEST_SUITE_BEGIN("report");

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
      {"\t=1", "\"'\t=1\""},
      {" =1+1", "' =1+1"},
      {"\u00a0 @x", "'\u00a0 @x"},
      {"＝1+1", "'＝1+1"},
      {"\n-1", "\"'\n-1\""},
      {"\x0b=1", "'\x0b=1"},
      {"a;=1+1", "\"a;=1+1\""},
      {" plain", " plain"},
      {"漢字", "漢字"},
      {"\r=1", "\"'\r=1\""},
      {"=HYPERLINK(\"http://x\",1)", "\"'=HYPERLINK(\"\"http://x\"\",1)\""}};
  for (const auto& [value, written] : cells) {
    const std::string csv =
        to_csv(tally_of({TallyBy::reason}, {with_reason("failed", value)}));
    CHECK(csv ==
          "reason,events,failed,deferred,expired\n" + written + ",1,1,0,0\n");
  }
}

TEST_CASE("JSON and CSV are sorted by key; of more than top the worst come") {
  std::vector<Event> events = {tagged("sent", {"a"}), tagged("sent", {"b"}),
                               tagged("failed", {"z"})};
  const Tally tally = tally_of({TallyBy::tag}, events);

  CHECK(lines_of(to_csv(tally, 3))[1].starts_with("a,"));
  CHECK(lines_of(to_csv(tally))[3].starts_with("z,"));
  CHECK(lines_of(to_csv(tally, 2))[1].starts_with("z,"));
  CHECK(lines_of(to_csv(tally, 2)).size() == 3);
  CHECK(lines_of(to_json_rows(tally, 1))[1].starts_with("{\"tag\":\"z\""));
  CHECK(lines_of(to_json_rows(tally, 1)).size() == 3);
}

TEST_SUITE_END();

}  // namespace pony
