// Tests spool/event_log.cc.
#include "spool/event_log.h"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const Time k_first = parse_time("2026-11-21T23:00:00Z").value();
const Time k_second = k_first + 24h;
const Time k_third = k_first + 48h;

struct Log {
  TempSpool spool;
  EventLog log{spool->folders()};

  void append(std::string_view line, Time now = k_first) {
    REQUIRE_OK(log.append(line, now));
  }
  Lines read(std::optional<Time> since = {}, std::optional<Time> until = {}) {
    Lines lines;
    REQUIRE_OK(log.read(since, until, [&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    }));
    return lines;
  }
  Lines read_on(EventLog::Position& position) {
    Lines lines;
    REQUIRE_OK(log.read_on(position, {}, {}, [&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    }));
    return lines;
  }
  std::string file(std::string_view day) const {
    return spool / ("log/events-" + std::string(day) + ".jsonl");
  }
};

TEST_CASE("a line goes to its day's file, and days are read oldest first") {
  Log a;
  a.append("c\n", k_third);
  a.append("a\n", k_first);
  a.append("b\nb2\n", k_second);
  REQUIRE_OK(a.log.sync());
  CHECK(text_in(a.file("2026-11-22")) == "b\nb2\n");
  CHECK(a.read() == Lines{"a", "b", "b2", "c"});
  a.append("", k_first);
  CHECK(a.read().size() == 4);
}

TEST_CASE("only days that may hold what is asked for are read") {
  Log a;
  a.append("a\n", k_first);
  a.append("b\n", k_second);
  a.append("c\n", k_third);
  CHECK(a.read(k_second) == Lines{"b", "c"});
  // An event of the day may be in the next day's file.
  CHECK(a.read({}, k_first) == Lines{"a", "b"});
  CHECK(a.read(k_third + 48h).empty());
}

TEST_CASE("a reader may stop") {
  Log a;
  a.append("a\nb\n", k_first);
  a.append("c\n", k_second);
  int calls = 0;
  REQUIRE_OK(a.log.read({}, {}, [&](std::string_view) { return ++calls < 2; }));
  CHECK(calls == 2);
}

TEST_CASE("a torn last line is left out, and ended by the next writer") {
  Log a;
  a.append("whole\n");
  write_text(a.file("2026-11-21"), "whole\n{\"torn");
  CHECK(a.read() == Lines{"whole"});
  EventLog next(a.spool->folders());
  REQUIRE_OK(next.append("more\n", k_first));
  CHECK(text_in(a.file("2026-11-21")) == "whole\n{\"torn\nmore\n");
}

TEST_CASE("lines longer than what is read at once come whole") {
  Log a;
  const std::string longest(700'000, 'x');
  a.append("a\n" + longest + "\nb\n");
  CHECK(a.read() == Lines{"a", longest, "b"});
}

TEST_CASE("who reads on gets what was appended since, and nothing twice") {
  Log a;
  EventLog::Position position;
  CHECK(a.read_on(position).empty());
  a.append("a\n", k_first);
  CHECK(a.read_on(position) == Lines{"a"});
  CHECK(a.read_on(position).empty());
  a.append("b\n", k_second);
  // A process that was slow at midnight.
  a.append("a2\n", k_first);
  CHECK(a.read_on(position) == Lines{"a2", "b"});
  a.append("c\n", k_third);
  CHECK(a.read_on(position) == Lines{"c"});
}

TEST_CASE("a line that was torn when it was read is given once it is whole") {
  Log a;
  EventLog::Position position;
  a.append("a\n");
  write_text(a.file("2026-11-21"), "a\nb");
  CHECK(a.read_on(position) == Lines{"a"});
  write_text(a.file("2026-11-21"), "a\nbb\n");
  CHECK(a.read_on(position) == Lines{"bb"});
}

TEST_CASE("a log that is a symbolic link is neither read nor written") {
  Log a;
  write_text(a.spool / "other", "secret\n");
  fs::create_symlink("../other", a.file("2026-11-21"));
  CHECK_FALSE(a.log.append("a\n", k_first).has_value());
  CHECK_FALSE(
      a.log.read({}, {}, [](std::string_view) { return true; }).has_value());
  CHECK(text_in(a.spool / "other") == "secret\n");
}

TEST_CASE("other files in log/ are left alone") {
  Log a;
  write_text(a.spool / "log/notes.txt", "x\n");
  a.append("a\n");
  CHECK(a.read() == Lines{"a"});
}

TEST_CASE("the logged events of some messages are told by their keys") {
  Log a;
  const auto one = a.spool.accept();
  const auto other = a.spool.accept();
  Event attempted = a.spool.event("attempted", one);
  attempted.attempt = 1;
  attempted.provider = "main";
  std::string lines = "not json, \"id\":\"" + one + "\"\n";
  append_line(lines, attempted);
  append_line(lines, a.spool.event("sent", other));
  a.append(lines, a.spool.clock.now());

  const auto keys = a.log.keys_of({one}, a.spool.clock.now() - 24h);

  REQUIRE_OK(keys);
  REQUIRE_MESSAGE(keys->size() == 2, "queued and attempted");
  CHECK(keys->at(1) == attempted.natural_key());
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
