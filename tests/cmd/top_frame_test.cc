// Tests cmd/top_frame.cc and cmd/activity.cc.
#include "cmd/top_frame.h"

#include <doctest/doctest.h>

#include "core/display_width.h"
#include "core/json.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

namespace pony {
namespace {

using namespace std::chrono_literals;

const Time k_now = *parse_time("2026-11-22T10:00:00Z");

struct Shown {
  ProviderConfig main;
  TopView view;

  Shown() {
    main.name = "main";
    view.now = k_now;
    view.spool = "/var/spool/pony";
    view.providers.push_back({&main, {}, {}});
  }
  std::string text(const FrameStyle& style = {}) const {
    std::string all;
    for (const auto& line : top_frame(view, style)) all += line + "\n";
    return all;
  }
};

TEST_CASE("no line is wider than the terminal, no frame higher") {
  Shown shown;
  shown.view.spool = std::string(300, 'x');
  shown.view.happened.arrivals.fill(7);
  shown.view.happened.last_failures.push_back(
      {k_now - 3min, "01A", "failed", "東京東京東京東京東京東京東京"});
  for (int width = 1; width < 130; ++width) {
    FrameStyle style;
    style.width = width;
    style.height = 10;
    style.unicode = true;
    const auto lines = top_frame(shown.view, style);
    CHECK(lines.size() <= 10);
    for (const auto& line : lines)
      CHECK(display_width(line) <= std::size_t(width));
  }
}

TEST_CASE("words from outside reach no terminal as they are") {
  Shown shown;
  shown.view.happened.last_failures.push_back(
      {k_now - 3min, "01\x1b[2J", "fai\nled", "no\x1b]0;title\x07 such"});
  shown.view.providers[0].health.rest_until = k_now + 1min;
  shown.view.providers[0].health.last_error = "\x1b[31m";
  const auto text = shown.text();
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find("3m ago") != std::string::npos);
}

TEST_CASE("colours are escapes around whole lines, and only if wanted") {
  Shown shown;
  CHECK(shown.text().find('\x1b') == std::string::npos);
  FrameStyle style;
  style.colour = true;
  CHECK(shown.text(style).starts_with("\x1b[1mpony top"));
}

TEST_CASE("bars show what is there, however little") {
  Happened::Seconds counts{};
  CHECK(sparkline(counts, 60, true) == std::string(60, ' '));
  counts[59] = 1000;
  counts[58] = 1;
  CHECK(sparkline(counts, 60, true).ends_with("▁█"));
  CHECK(sparkline(counts, 60, false).ends_with(".@"));
  // In less room several seconds share a bar.
  CHECK(sparkline(counts, 30, false) == std::string(29, ' ') + "@");
  CHECK(sparkline(counts, 7, false).size() == 7);
  CHECK(sparkline(counts, 0, false).empty());
}

TEST_CASE("a text is cut between characters") {
  CHECK(cut_to_width("東京", 3) == "東");
  CHECK(cut_to_width("abc", 10) == "abc");
  CHECK(cut_to_width("\xff\xfe", 1) == "\xff");
}

TEST_CASE("the object for programs is JSON, whatever happened") {
  Shown shown;
  shown.view.happened.last_failures.push_back({k_now, "\xff", "x", "\"\n"});
  const auto json = parse_json(top_json(shown.view));
  REQUIRE_OK(json);
  CHECK(json->find("oldest_s")->is(Json::Kind::null));
  CHECK(json->find("last_failures")->items.size() == 1);
  const auto& providers = json->find("providers")->items;
  REQUIRE(!providers.empty());
  REQUIRE(providers[0].find("p50_ms") != nullptr);
  CHECK(providers[0].find("p50_ms")->is(Json::Kind::null));
  CHECK(providers[0].find("p95_ms")->is(Json::Kind::null));
}

struct Log {
  TempSpool spool;
  Activity activity{spool->folders(), spool->log()};

  void add(Event event) {
    std::string line;
    append_line(line, event);
    REQUIRE_OK(spool->log().append(line, spool.clock.now()));
  }
  Happened read() {
    REQUIRE_OK(activity.read(spool.clock.now()));
    return activity.happened(spool.clock.now());
  }
};

TEST_CASE("what happened is counted once, in the second it happened") {
  Log log;
  log.add(log.spool.event("queued", "01A"));
  log.add(log.spool.event("queued", "01B"));
  Event sent = log.spool.event("sent", "01A");
  sent.queue_ms = 120;
  log.add(sent);
  Event attempt = log.spool.event("attempted", "01A");
  attempt.provider = "main";
  attempt.outcome = Outcome::unavailable;
  attempt.latency_ms = 90;
  log.add(attempt);
  log.spool.clock.advance(1s);
  (void)log.read();
  const auto happened = log.read();
  CHECK(happened.arrivals[59] == 2);
  CHECK(happened.deliveries[59] == 1);
  CHECK(happened.queue.p95 == 120);
  CHECK(happened.provider.p50 == 90);
  CHECK(happened.attempts.at("main").failed == 1);
  CHECK(rate_of(happened.arrivals, 5) == doctest::Approx(0.4));
  log.spool.clock.advance(10s);
  CHECK(log.read().arrivals[49] == 2);
  log.spool.clock.advance(10min);
  const auto later = log.read();
  CHECK(rate_of(later.arrivals, 60) == 0);
  CHECK(later.queue.count == 0);
}

TEST_CASE("the last failures come newest first, and are not many") {
  Log log;
  for (int i = 0; i < 100; ++i) {
    Event failed = log.spool.event("failed", "01A");
    failed.reason = std::to_string(i);
    log.add(failed);
  }
  const auto happened = log.read();
  CHECK(happened.last_failures.front().reason == "99");
  CHECK(happened.last_failures.size() <= 20);
}

}  // namespace
}  // namespace pony
