#include "core/report/prometheus.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "tests/support/report_events.h"

namespace pony {
namespace {

const ReportSpan k_span = {
    k_half_past_ten, {}, k_half_past_ten + std::chrono::hours(2)};

std::string metrics(const std::vector<TallyBy>& by,
                    const std::vector<Event>& events) {
  return to_prometheus(tally_of(by, events), k_span);
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// The value of the series that begins like this; -1 when there is none.
std::int64_t value_of(const std::string& text, const std::string& series) {
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with(series + " "))
      return std::atoll(line.c_str() + series.size() + 1);
  }
  return -1;
}

}  // namespace

TEST_SUITE_BEGIN("report");

TEST_CASE("messages are gauges by their keys and state") {
  const std::string text =
      metrics({TallyBy::template_id, TallyBy::lang},
              {an_event("queued"), an_event("sent"), an_event("sent"),
               an_attempt("main", Outcome::unknown),
               an_attempt("main", Outcome::accepted)});

  CHECK(has_line(text, "# TYPE pony_report_messages gauge"));
  const std::string labels =
      "by=\"template,lang\",template=\"welcome\",lang=\"es\"";
  CHECK(
      has_line(text, "pony_report_messages{" + labels + ",state=\"sent\"} 2"));
  CHECK(has_line(text,
                 "pony_report_messages{" + labels + ",state=\"failed\"} 0"));
  CHECK(has_line(text,
                 "pony_report_attempts{" + labels + ",outcome=\"known\"} 1"));
  CHECK(has_line(text,
                 "pony_report_attempts{" + labels + ",outcome=\"unknown\"} 1"));
  CHECK(has_line(text,
                 "pony_report_since_timestamp_seconds{by=\"template,lang\"} "
                 "1795257000.000"));
  CHECK(has_line(text,
                 "pony_report_until_timestamp_seconds{by=\"template,lang\"} "
                 "1795264200.000"));
}

TEST_CASE("attempts are by provider and outcome, reasons by what followed") {
  const std::string attempts =
      metrics({TallyBy::provider}, {an_attempt("main", Outcome::throttled)});
  CHECK(has_line(attempts,
                 "pony_report_attempts{by=\"provider\",provider=\"main\","
                 "outcome=\"throttled\"} 1"));
  const std::string reasons =
      metrics({TallyBy::reason},
              {with_reason("failed", "x"), with_reason("held", "x")});
  CHECK(has_line(
      reasons,
      "pony_report_reasons{by=\"reason\",reason=\"x\",then=\"failed\"} 1"));
  CHECK(has_line(
      reasons,
      "pony_report_reasons{by=\"reason\",reason=\"x\",then=\"other\"} 1"));
  CHECK(has_line(metrics({TallyBy::event}, {an_event("opened")}),
                 "pony_report_events{by=\"event\",event=\"opened\"} 1"));
}

TEST_CASE("a histogram counts each time once, into the bucket it belongs to") {
  std::vector<Event> events;
  const std::vector<std::int64_t> times = {0,   50,   100,  104,   700,
                                           700, 4000, 9000, 70000, 90000000};
  for (const std::int64_t ms : times) events.push_back(sent_after(ms));
  const std::string text = metrics({TallyBy::pool}, events);
  const std::string bucket =
      "pony_report_queue_seconds_bucket{by=\"pool\",pool=\"default\",le=\"";

  CHECK(has_line(text, "# TYPE pony_report_queue_seconds histogram"));
  CHECK(value_of(text, bucket + "0.1\"}") == 3);
  CHECK(value_of(text, bucket + "0.5\"}") == 4);
  CHECK(value_of(text, bucket + "1\"}") == 6);
  CHECK(value_of(text, bucket + "15\"}") == 8);
  CHECK(value_of(text, bucket + "60\"}") == 8);
  CHECK(value_of(text, bucket + "300\"}") == 9);
  CHECK(value_of(text, bucket + "86400\"}") == 9);
  CHECK(value_of(text, bucket + "+Inf\"}") == 10);
  const std::string labels = "{by=\"pool\",pool=\"default\"}";
  CHECK(value_of(text, "pony_report_queue_seconds_count" + labels) == 10);
  const auto sum = value_of(text, "pony_report_queue_seconds_sum" + labels);
  CHECK(sum > 90084 * 98 / 100);
  CHECK(sum < 90084 * 102 / 100);
}

TEST_CASE("many times add up in the histogram") {
  std::vector<Event> events;
  for (std::int64_t ms = 1; ms <= 5000; ++ms)
    events.push_back(an_attempt("main", Outcome::accepted, ms * 7 % 5000));
  const std::string text = metrics({TallyBy::provider}, events);
  const std::string bucket =
      "pony_report_provider_seconds_bucket{by=\"provider\",provider=\"main\","
      "le=\"";

  CHECK(value_of(text, bucket + "0.05\"}") == 51);
  CHECK(std::abs(value_of(text, bucket + "1\"}") - 1000) <= 20);
  CHECK(value_of(text, bucket + "5\"}") == 5000);
  CHECK(value_of(text, bucket + "+Inf\"}") == 5000);
}

TEST_CASE("however many times there are, none is lost or told as another") {
  for (std::int64_t count = 1; count <= 60; ++count) {
    std::vector<Event> events;
    for (std::int64_t ms = 0; ms < count; ++ms)
      events.push_back(an_attempt("main", Outcome::accepted, ms));
    const std::string text = metrics({TallyBy::provider}, events);
    const std::string sum =
        "pony_report_provider_seconds_sum{by=\"provider\",provider=\"main\"} ";
    CAPTURE(count);
    const auto at = text.find(sum);
    REQUIRE(at != std::string::npos);
    CHECK(std::stod(text.substr(at + sum.size())) ==
          doctest::Approx(static_cast<double>(count * (count - 1)) / 2000));
    CHECK(value_of(text,
                   "pony_report_provider_seconds_bucket{by=\"provider\","
                   "provider=\"main\",le=\"0.025\"}") ==
          std::min<std::int64_t>(count, 26));
  }
}

TEST_CASE("what was never timed has no histogram") {
  CHECK(metrics({TallyBy::tag}, {an_event("queued")}).find("_bucket") ==
        std::string::npos);
}

TEST_CASE("a label holds whatever a tag holds") {
  const std::string text =
      metrics({TallyBy::tag}, {tagged("sent", {"a\"b\\c\nd} 5\r\t漢"}),
                               tagged("sent", {"\xff"}), tagged("sent", {})});

  CHECK(text.find("tag=\"a\\\"b\\\\c\\nd} 5\r\t漢\",state=\"sent\"} 1\n") !=
        std::string::npos);
  CHECK(text.find("tag=\"\\\\xff\",state") != std::string::npos);
  CHECK(text.find("tag=\"\",state=\"sent\"} 1\n") != std::string::npos);
}

TEST_CASE("reports by different keys can lie in one folder") {
  std::set<std::string> series;
  std::size_t lines = 0;
  for (const TallyBy by : {TallyBy::tag, TallyBy::pool, TallyBy::lang}) {
    Event event = sent_after(1);
    event.tags.clear();
    event.pool.clear();
    event.lang.clear();
    for (const std::string& line : lines_of(metrics({by}, {event}))) {
      if (line.starts_with("#")) continue;
      ++lines;
      // An empty label is no label, for Prometheus.
      std::string name = line.substr(0, line.rfind(' '));
      const std::string none = "," + std::string(to_text(by)) + "=\"\"";
      if (const auto at = name.find(none); at != std::string::npos)
        name.erase(at, none.size());
      series.insert(name);
    }
  }
  CHECK(series.size() == lines);
}

TEST_SUITE_END();

}  // namespace pony
