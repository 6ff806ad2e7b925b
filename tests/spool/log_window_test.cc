// Tests spool/log_window.cc, spool/log_place.cc and spool/heartbeat.cc.
#include "spool/log_window.h"

#include <filesystem>

#include "core/json.h"
#include "spool/heartbeat.h"
#include "spool/log_place.h"
#include "spool/state_file.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

using namespace std::chrono_literals;

struct Window {
  TempSpool spool;
  LogWindow window{spool->folders(), spool->log(), 6h};

  Event event(std::string_view kind, const std::string& id = "01A") {
    return spool.event(kind, id);
  }
  Event attempt(const std::string& provider, Outcome outcome,
                const std::string& id = "01A") {
    Event one = event("attempted", id);
    one.attempt = 1;
    one.provider = provider;
    one.outcome = outcome;
    return one;
  }
  void log(const Event& one) {
    std::string line;
    append_line(line, one);
    REQUIRE_OK(spool->log().append(line, spool.clock.now()));
  }
  void advance() { REQUIRE_OK(window.advance(spool.clock.now())); }
};

TEST_CASE("the window counts what failed, and forgets what is older") {
  Window w;
  w.log(w.event("failed"));
  w.log(w.event("expired"));
  w.log(w.event("sent"));
  w.advance();
  CHECK(w.window.failed_since(w.spool.clock.now() - 1h) == 2);
  w.spool.clock.advance(2h);
  w.log(w.event("failed"));
  w.advance();
  CHECK(w.window.failed_since(w.spool.clock.now() - 1h) == 1);
  CHECK(w.window.failed_since(w.spool.clock.now() - 6h) == 3);
  w.spool.clock.advance(5h);
  w.advance();
  CHECK(w.window.failed_since(w.spool.clock.now() - 24h) == 1);
}

TEST_CASE("attempts count by provider, and refusals are no failures") {
  Window w;
  w.log(w.attempt("main", Outcome::unavailable));
  w.log(w.attempt("main", Outcome::rejected));
  w.log(w.attempt("second", Outcome::accepted));
  w.advance();
  const auto attempts = w.window.attempts();
  CHECK(attempts.at("main").all == 2);
  CHECK(attempts.at("main").failed == 1);
  CHECK(attempts.at("second").failed == 0);
}

TEST_CASE("who delivered is known by pool and provider") {
  Window w;
  Event sent = w.event("sent");
  sent.provider = "second";
  sent.pool = "default";
  w.log(sent);
  w.log(sent);
  w.advance();
  CHECK(w.window.sent().at({"default", "second"}) == 2);
}

TEST_CASE("an unknown outcome counts until the message ended or is held") {
  Window w;
  for (const char* id : {"01A", "01B", "01C"})
    w.log(w.attempt("main", Outcome::unknown, id));
  w.log(w.event("deferred", "01A"));
  w.advance();
  CHECK(w.window.uncertain() == 3);
  w.log(w.event("sent", "01A"));
  w.log(w.event("held", "01B"));
  w.advance();
  CHECK(w.window.uncertain() == 1);
}

TEST_CASE("what a provider says is not taken for an event") {
  Window w;
  Event attempt = w.attempt("main", Outcome::accepted);
  attempt.error = R"(","event":"failed","outcome":"unknown)";
  w.log(attempt);
  w.advance();
  CHECK(w.window.failed_since(Time{}) == 0);
  CHECK(w.window.uncertain() == 0);
  CHECK(w.window.attempts().at("main").failed == 0);
}

TEST_CASE("lines that are none of ours are passed over") {
  Window w;
  for (const char* line :
       {"\n", "{}\n", "{\"event\":\"failed\"\n", "\xff\xfe\n",
        "{\"ts\":\"99\",\"event\":\"failed\"}\n",
        "{\"ts\":\"2026-99-99T99:99:99.000Z\",\"event\":\"failed\"}\n"})
    REQUIRE_OK(w.spool->log().append(line, w.spool.clock.now()));
  w.log(w.event("failed"));
  w.advance();
  CHECK(w.window.failed_since(Time{}) == 1);
}

TEST_CASE("a moment's place is found without reading what is before") {
  Window w;
  // Long enough that there is something to find; a line a second, for hours.
  const Time start = std::chrono::floor<std::chrono::days>(w.spool.clock.now());
  for (int i = 0; i < 20'000; ++i) {
    Event one = w.event("sent");
    one.ts = start + std::chrono::seconds(i);
    one.reason = std::string(100, 'x');
    std::string line;
    append_line(line, one);
    REQUIRE_OK(w.spool->log().append(line, start));
  }
  const Time since = start + std::chrono::seconds(15'000);
  auto place = place_of(w.spool->log(), since);
  REQUIRE_OK(place);
  std::size_t lines = 0;
  std::string first;
  REQUIRE_OK(
      w.spool->log().read_on(*place, since, {}, [&](std::string_view line) {
        if (lines++ == 0) first = line;
        return true;
      }));
  const auto event = parse_event(first);
  REQUIRE_OK(event);
  CHECK(event->ts <= since - 10min);  // with slack
  CHECK(lines > 5'000);
  CHECK(lines < 9'000);

  // No more than so many bytes.
  place = place_of(w.spool->log(), start, 100'000);
  REQUIRE_OK(place);
  lines = 0;
  REQUIRE_OK(
      w.spool->log().read_on(*place, start, {}, [&](std::string_view line) {
        CHECK(parse_event(line));
        ++lines;
        return true;
      }));
  CHECK(lines > 300);
  CHECK(lines < 700);
}

TEST_CASE("a reader at the end of the log hears only what comes") {
  Window w;
  w.log(w.event("sent"));
  auto place = end_of_log(w.spool->log(), w.spool.clock.now());
  REQUIRE_OK(place);
  w.log(w.event("failed"));
  auto again = EventLog::Position::from_json(place->to_json());
  REQUIRE(again);
  std::size_t lines = 0;
  REQUIRE_OK(w.spool->log().read_on(*again, again->first_day(), {},
                                    [&](std::string_view) {
                                      ++lines;
                                      return true;
                                    }));
  CHECK(lines == 1);
}

TEST_CASE("a place that is none of ours is none") {
  for (
      const char* text :
      {"", "{}", "[]", "{\"2026-11-22\":-1}", "\xff",
       R"({"day_before":"","last_day":"../../etc","files":[]})",
       R"({"day_before":"x","last_day":"2026-11-22","files":[]})",
       R"({"last_day":"2026-11-22","files":[{"day":"2026-11-22","begins":"z","offset":1}]})",
       R"({"last_day":"2026-11-22","files":[{"day":"2026-11-22","begins":"1","offset":-1}]})",
       R"({"last_day":"2026-11-22","files":[{"day":"1","begins":"1","offset":1}]})"})
    CHECK_MESSAGE(!EventLog::Position::from_json(text), text);
  CHECK(EventLog::Position::from_json(
      R"({"last_day":"2026-11-22","files":[{"day":"2026-11-22","begins":"1f","offset":1}]})"));
}

TEST_CASE("the last run is known once there was one") {
  TempSpool spool;
  auto last = last_run(spool->folders());
  REQUIRE_OK(last);
  CHECK(!*last);
  REQUIRE_OK(note_run(spool->folders(), spool.clock.now()));
  spool.clock.advance(1min);
  REQUIRE_OK(note_run(spool->folders(), spool.clock.now()));
  last = last_run(spool->folders());
  REQUIRE_OK(last);
  CHECK(*last == spool.clock.now());
  write_text(spool / "state/last_run", "garbage");
  last = last_run(spool->folders());
  REQUIRE_OK(last);
  CHECK(!*last);
}

TEST_CASE("a state file takes a shorter text after a longer one") {
  TempSpool spool;
  auto fd = open_state_file(spool->folders(), "some/thing");
  REQUIRE_OK(fd);
  REQUIRE_OK(write_state(fd->get(), std::string(1000, 'x'), "some/thing"));
  REQUIRE_OK(write_state(fd->get(), "{}", "some/thing"));
  auto again = open_state_file(spool->folders(), "some/thing");
  REQUIRE_OK(again);
  auto text = read_state(again->get(), "some/thing");
  REQUIRE_OK(text);
  CHECK(text->substr(0, text->find(' ')) == "{}");
  CHECK(parse_json(*text));
}

TEST_CASE("a symbolic link in a state file's place is not followed") {
  TempSpool spool;
  write_text(spool / "victim", "precious");
  std::filesystem::create_symlink(spool / "victim", spool / "state/last_run");
  CHECK(!note_run(spool->folders(), spool.clock.now()));
  CHECK(text_in(spool / "victim") == "precious");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
