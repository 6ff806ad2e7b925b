#include "core/report/report_page.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/report/time_chart.h"
#include "tests/support/report_events.h"

namespace pony {
namespace {

using std::chrono::hours;

ReportSpan span_of(std::chrono::hours back) {
  return {k_half_past_ten - back, {}, k_half_past_ten};
}

std::string page_of(const std::vector<Event>& events,
                    const ReportSpan& span = span_of(hours(24))) {
  ReportPage page = empty_page(span);
  for (const Event& event : events) add(page, event);
  return to_html(page);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t times_in(const std::string& text, std::string_view part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1))
    ++times;
  return times;
}

Event at(Event event, Time ts) {
  event.ts = ts;
  return event;
}

Tally by_hour(const std::vector<Event>& events) {
  return tally_of({TallyBy::hour}, events);
}

}  // namespace

TEST_SUITE_BEGIN("report");

TEST_CASE("a page of up to two days is by hour, a longer one by day") {
  CHECK(page_keys(span_of(hours(48))).front() == std::vector{TallyBy::hour});
  CHECK(page_keys(span_of(hours(49))).front() == std::vector{TallyBy::day});
  CHECK(page_keys({{}, {}, k_half_past_ten}).front() ==
        std::vector{TallyBy::day});
  const ReportSpan past = {k_half_past_ten - hours(400),
                           k_half_past_ten - hours(380), k_half_past_ten};
  CHECK(page_keys(past).front() == std::vector{TallyBy::hour});
}

TEST_CASE("a page tells figures, charts and what went wrong") {
  const std::string page =
      page_of({an_event("queued"), sent_after(1200), an_event("sent"),
               with_reason("failed", "550 no such user"),
               an_attempt("main", Outcome::accepted, 340),
               an_attempt("second", Outcome::unavailable, 90)});

  CHECK(page.starts_with("<!DOCTYPE html>\n"));
  CHECK(has(page, "<h1>Mail report</h1>"));
  CHECK(has(page, "2026-11-20 10:30 to 2026-11-21 10:30 UTC"));
  CHECK(has(page, "1 of 3 messages failed or expired (33.3 %)."));
  CHECK(has(page,
            "second: 1 of 1 attempt since 2026-11-21 10:00 failed (1 "
            "unavailable); main accepted 1 meanwhile."));
  for (const std::string_view id : {"time", "providers", "latency", "reasons",
                                    "tags", "templates", "domains"})
    CHECK(has(page, "<section id=\"" + std::string(id) + "\""));
  CHECK(has(page, "<title id=\"sent-title\">Sent by hour</title>"));
  CHECK(has(page, "<title>21 Nov 10:00: 2 sent, 1 failed or expired</title>"));
  CHECK(has(page, "550 no such user"));
  CHECK(has(page, "340 ms"));
}

TEST_CASE("a page needs nothing from elsewhere") {
  const std::string page = page_of({sent_after(1), an_event("failed")});

  CHECK(has(page, "content=\"default-src 'none';"));
  CHECK_FALSE(has(page, "<script"));
  CHECK_FALSE(has(page, "http:"));
  CHECK_FALSE(has(page, "https:"));
  CHECK_FALSE(has(page, "url("));
  CHECK_FALSE(has(page, "@import"));
}

TEST_CASE("whatever names and reasons hold is text") {
  const std::string evil =
      "\"'--></style></title></svg></td><script>x</script><img src=//x "
      "onerror=x>&\x1b[31m\n\u202e";
  Event event = with_reason("failed", evil);
  event.tags = {evil};
  event.template_id = evil;
  event.domain = evil;
  Event attempt = an_attempt(evil, Outcome::unavailable);
  ReportPage page = empty_page(span_of(hours(24)));
  page.selection = evil;
  page.tallies.emplace_back(std::vector{TallyBy::event, TallyBy::tag});
  add(page, event);
  add(page, attempt);
  const std::string html = to_html(page);

  CHECK(times_in(html, "&lt;script&gt;x&lt;/script&gt;") == 11);
  CHECK_FALSE(has(html, "<script"));
  CHECK_FALSE(has(html, "<img"));
  CHECK(times_in(html, "</style>") == 1);
  CHECK(times_in(html, "</title></head>") == 0);
  CHECK_FALSE(has(html, "\x1b"));
  CHECK_FALSE(has(html, "\u202e"));
  CHECK(times_in(html, "<svg") == times_in(html, "</svg>"));
}

TEST_CASE("an empty page says so, without charts of nothing") {
  const std::string page = page_of({});
  CHECK(has(page, "Nothing was sent, nothing failed."));
  CHECK_FALSE(has(page, "<svg"));
  CHECK_FALSE(has(page, "<section"));
}

TEST_CASE("without failures there is no chart of failures") {
  const std::string page = page_of({sent_after(1)});
  CHECK(has(page, "id=\"sent-title\""));
  CHECK_FALSE(has(page, "id=\"failed-title\""));
  CHECK(has(page, "1 of 1 message was sent."));
  CHECK_FALSE(has(page, "health bad"));
}

TEST_CASE("a section has the worst rows, and says how many are left out") {
  ReportPage page = empty_page(span_of(hours(24)));
  page.top = 3;
  for (int i = 0; i < 30; ++i)
    add(page, tagged("sent", {"tag-" + std::to_string(i)}));
  add(page, tagged("failed", {"broken"}));
  const std::string html = to_html(page);

  CHECK(has(html, "… and 28 more"));
  CHECK(has(html, ">broken</span>"));
  CHECK_FALSE(has(html, ">tag-5</span>"));
}

TEST_CASE("a tally that was asked for besides has a section at the end") {
  ReportPage page = empty_page(span_of(hours(24)));
  page.tallies.emplace_back(std::vector{TallyBy::pool, TallyBy::lang});
  page.tallies.emplace_back(std::vector<TallyBy>{});
  add(page, sent_after(1));
  const std::string html = to_html(page);

  CHECK(has(html, "By pool, lang"));
  CHECK(has(html, "default · es"));
  CHECK(has(html, "All together"));
  CHECK(html.find("By pool, lang") > html.find("id=\"domains\""));
}

TEST_CASE("a page lacks the sections whose tallies it was not given") {
  ReportPage page = empty_page(span_of(hours(24)));
  page.tallies.erase(page.tallies.begin(), page.tallies.begin() + 3);
  add(page, sent_after(1));
  const std::string html = to_html(page);

  CHECK_FALSE(has(html, "id=\"time\""));
  CHECK_FALSE(has(html, "id=\"providers\""));
  CHECK(has(html, "id=\"tags\""));
}

TEST_CASE("the line of time has no gaps, and the span's length") {
  const TimeLine line =
      time_line(by_hour({an_event("queued"), an_event("sent"),
                         an_event("failed"), an_event("expired"),
                         at(an_event("sent"), k_half_past_ten - hours(5))}),
                span_of(hours(6)));

  REQUIRE(line.buckets.size() == 7);
  CHECK(line.unit == TimeLine::Unit::hour);
  CHECK(line.buckets[0].sent == 0);
  CHECK(line.buckets[1].sent == 1);
  CHECK(line.buckets[5].sent == 0);
  CHECK(line.buckets[6].queued == 1);
  CHECK(line.buckets[6].sent == 1);
  CHECK(line.buckets[6].failed == 2);
  CHECK(bucket_text(line.buckets[6], line.unit) == "21 Nov 10:00");
  CHECK_FALSE(line.is_cut);
}

TEST_CASE("without a beginning the line of time starts with the first event") {
  const TimeLine line =
      time_line(tally_of({TallyBy::day},
                         {at(an_event("sent"), k_half_past_ten - hours(48))}),
                {{}, {}, k_half_past_ten});

  REQUIRE(line.buckets.size() == 3);
  CHECK(bucket_text(line.buckets[0], line.unit) == "19 Nov 2026");
}

TEST_CASE("the end of a span is not a part of it") {
  const Time midnight = *parse_day("2026-11-21");
  const TimeLine line = time_line(
      tally_of({TallyBy::day}, {at(an_event("sent"), midnight - hours(1))}),
      {midnight - hours(48), midnight, k_half_past_ten});

  REQUIRE(line.buckets.size() == 2);
  CHECK(line.buckets[1].sent == 1);
}

TEST_CASE("a clock that was wrong makes no chart of centuries") {
  const std::vector<Event> events = {
      at(an_event("sent"), *parse_day("1970-01-02")),
      at(an_event("sent"), *parse_day("9998-01-01")), an_event("sent")};
  const TimeLine line =
      time_line(tally_of({TallyBy::day}, events), {{}, {}, k_half_past_ten});

  CHECK(line.buckets.size() == k_most_buckets);
  CHECK(line.is_cut);
  CHECK(line.buckets.back().sent == 1);
  CHECK(has(page_of(events, {{}, {}, k_half_past_ten}),
            "Only the last 800 are drawn."));
}

TEST_CASE("a span that ends before it begins has no line of time") {
  CHECK(time_line(by_hour({an_event("sent")}),
                  {k_half_past_ten + hours(9), k_half_past_ten - hours(9),
                   k_half_past_ten})
            .buckets.empty());
}

TEST_CASE("bars reach from nothing to a round number that is marked") {
  std::vector<Event> events(1101, an_event("sent"));
  events.push_back(an_event("failed"));
  std::string charts;
  append_time_charts(charts, time_line(by_hour(events), span_of(hours(1))), {});

  CHECK(has(charts, "data-t=\"1,200\""));
  CHECK(has(charts, "data-t=\"600\""));
  CHECK(has(charts, "M1.14 100v-91.75h0.72V100z"));
  CHECK(has(charts, "M1.14 100v-100.00h0.72V100z"));
  CHECK(has(charts, "data-t=\"10:00\""));
}

TEST_CASE("a provider's strip is filled as far as it failed") {
  ReportPage page = empty_page(span_of(hours(2)));
  add(page, an_event("sent"));
  add(page, an_attempt("main", Outcome::accepted));
  add(page, an_attempt("main", Outcome::accepted));
  add(page, an_attempt("main", Outcome::rejected));
  add(page, an_attempt("main", Outcome::throttled));
  add(page,
      at(an_attempt("main", Outcome::unknown), k_half_past_ten - hours(1)));
  const std::string html = to_html(page);

  CHECK(has(html,
            "<path class=\"failed\" d=\"M1 0.0h.96V100.0h-.96zM2 "
            "0.0h.96V25.0h-.96z\"/>"));
  CHECK(has(html, "<title>21 Nov 10:00: 1 of 4 attempts failed</title>"));
}

TEST_SUITE_END();

}  // namespace pony
