// Tests spool/event_log.cc.
#include "spool/event_log.h"

#include <fcntl.h>
#include <zstd.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "core/line_reader.h"
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
  Lines read_telling(std::vector<std::string>& cut_off) {
    Lines lines;
    REQUIRE_OK(log.read(
        {}, {},
        [&](std::string_view line) {
          lines.emplace_back(line);
          return true;
        },
        &cut_off));
    return lines;
  }
  std::string file(std::string_view day) const {
    return spool / ("log/events-" + std::string(day) + ".jsonl");
  }
};

// `path` as gzip(1) leaves it: compressed, the other gone.
void gzip(const std::string& path) {
  const Fd from(::open(path.c_str(), O_RDONLY));
  const Fd to(::open((path + ".gz").c_str(), O_CREAT | O_WRONLY, 0600));
  REQUIRE_OK(compress_file(from.get(), to.get()));
  fs::remove(path);
}

std::string gzipped(const TempSpool& spool, const std::string& text) {
  const std::string path = spool / "tmp/text";
  write_text(path, text);
  gzip(path);
  std::string bytes = text_in(path + ".gz");
  fs::remove(path + ".gz");
  return bytes;
}

std::string zstd(const std::string& text) {
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  bytes.resize(
      ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), 3));
  return bytes;
}

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "line " + std::to_string(i) + '\n';
  return text;
}

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

TEST_CASE("rotated and compressed files are read, the oldest first") {
  Log a;
  const std::string day = a.file("2026-11-22");
  write_text(day, "6\n");
  write_text(day + ".1", "5\n");
  write_text(day + ".2.gz", gzipped(a.spool, "4\n"));
  write_text(day + ".10.zst", zstd("3\n"));
  write_text(day + "-20261123", "2\n");
  write_text(day + "-20261122.gz", gzipped(a.spool, "1\n"));
  write_text(a.file("2026-11-21") + ".gz", gzipped(a.spool, "0\n"));
  CHECK(a.read() == Lines{"0", "1", "2", "3", "4", "5", "6"});
  const auto files = a.log.files(k_second, {});
  REQUIRE_OK(files);
  REQUIRE(files->size() == 6);
  CHECK(files->front().name == "events-2026-11-22.jsonl-20261122.gz");
  CHECK(files->front().form == Compression::gzip);
  CHECK(files->back().form == Compression::none);
}

TEST_CASE("what only looks like a file of the log is none") {
  Log a;
  for (const char* name :
       {"events-2026-11-21.jsonl.bak", "events-2026-11-21.jsonl~",
        "events-2026-13-21.jsonl", "events-2026-11-21.jsonl.xz",
        "events-2026-11-21.jsonl.1.", "events-2026-11-21.json", "events-.gz",
        "events-2026-11-21.jsonl.gz.gz", ".events-2026-11-21.jsonl"})
    write_text(a.spool / ("log/" + std::string(name)), "x\n");
  CHECK(a.read().empty());
}

TEST_CASE("a compressed file may have several members and padding") {
  Log a;
  write_text(a.file("2026-11-21") + ".gz", gzipped(a.spool, "a\nb") +
                                               gzipped(a.spool, "c\n") +
                                               std::string(512, '\0'));
  write_text(a.file("2026-11-22") + ".zst", zstd("d\n") + zstd("e\n"));
  std::vector<std::string> cut_off;
  CHECK(a.read_telling(cut_off) == Lines{"a", "bc", "d", "e"});
  CHECK(cut_off.empty());
}

TEST_CASE("of a compressed file that was cut off is read what there is") {
  Log a;
  const std::string text = numbered_lines(50'000);
  for (const std::string& bytes : {gzipped(a.spool, text), zstd(text)}) {
    const bool is_gzip = bytes[0] == '\x1f';
    const std::string path = a.file("2026-11-21") + (is_gzip ? ".gz" : ".zst");
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{5}, bytes.size() / 2,
          bytes.size() - 1}) {
      CAPTURE(size);
      write_text(path, bytes.substr(0, size));
      std::vector<std::string> cut_off;
      const Lines lines = a.read_telling(cut_off);
      CHECK(cut_off.size() == 1);
      CHECK(lines.size() <= 50'000);
      if (size == bytes.size() - 1) CHECK(lines.size() > 40'000);
      for (std::size_t i = 0; i < lines.size(); ++i)
        REQUIRE(lines[i] == "line " + std::to_string(i));
    }
    write_text(path, bytes);
    std::vector<std::string> cut_off;
    CHECK(a.read_telling(cut_off).size() == 50'000);
    CHECK(cut_off.empty());
    fs::remove(path);
  }
}

TEST_CASE("damaged compressed files do no harm") {
  Log a;
  std::mt19937 random(7);
  const std::string text = numbered_lines(2'000);
  for (const std::string& good : {gzipped(a.spool, text), zstd(text)}) {
    const std::string path =
        a.file("2026-11-21") + (good[0] == '\x1f' ? ".gz" : ".zst");
    for (int round = 0; round < 200; ++round) {
      std::string bytes = good;
      for (int changes = 0; changes < 3; ++changes)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      write_text(path, bytes);
      CHECK(a.read().size() <= 1'000'000);
    }
    fs::remove(path);
  }
}

TEST_CASE("a bomb costs no more memory than a line may") {
  Log a;
  std::string bomb;
  const std::string zeros(std::size_t{16} << 20, '0');
  for (int i = 0; i < 4; ++i) bomb += gzipped(a.spool, zeros);
  write_text(a.file("2026-11-21") + ".gz",
             bomb + gzipped(a.spool, "\nafter it\n"));
  const Lines lines = a.read();
  REQUIRE(lines.size() == 2);
  CHECK_MESSAGE(lines[0].empty(), "a line too long is given as an empty one");
  CHECK(lines[1] == "after it");
}

TEST_CASE("a line too long is left out wherever blocks end") {
  Log a;
  for (const int more : {1, 100, 70'000, 300'000, 9'000'000}) {
    const std::string longest(k_longest_line, 'x');
    write_text(a.file("2026-11-21"), "a\n" + longest + '\n' + longest +
                                         std::string(more, 'x') + "\nb\n");
    const Lines lines = a.read();
    REQUIRE(lines.size() == 4);
    CHECK(lines[1].size() == k_longest_line);
    CHECK(lines[2].empty());
    CHECK(lines[3] == "b");
  }
}

TEST_CASE("a reader goes on when the file is rotated under it") {
  Log a;
  EventLog::Position position;
  const std::string day = a.file("2026-11-21");
  a.append("a\nb\n");
  CHECK(a.read_on(position) == Lines{"a", "b"});

  SUBCASE("renamed") {
    fs::rename(day, day + ".1");
    write_text(day + ".1", "a\nb\nlate\n");
    write_text(day, "c\n");
  }
  SUBCASE("renamed, then compressed") {
    write_text(day, "a\nb\nlate\n");
    fs::rename(day, day + ".1");
    gzip(day + ".1");
    write_text(day, "c\n");
  }
  SUBCASE("compressed where it is") {
    write_text(day, "a\nb\nlate\nc\n");
    gzip(day);
  }
  SUBCASE("copied and truncated") {
    write_text(day, "a\nb\nlate\n");
    fs::copy_file(day, day + ".1");
    write_text(day, "c\n");
  }
  SUBCASE("truncated, and grown beyond what was read") {
    write_text(day, "a\nb\nlate\n");
    fs::copy_file(day, day + "-20261122");
    write_text(day, "c\nmuch more than before\n");
    CHECK(a.read_on(position) == Lines{"late", "c", "much more than before"});
    return;
  }
  CHECK(a.read_on(position) == Lines{"late", "c"});
  CHECK(a.read_on(position).empty());
}

TEST_CASE("while a file is being compressed nothing is given twice") {
  Log a;
  const std::string day = a.file("2026-11-21");
  const std::string text = numbered_lines(20'000);
  const std::string bytes = gzipped(a.spool, text);
  write_text(day, text);
  write_text(day + ".gz", bytes.substr(0, bytes.size() / 2));
  CHECK(a.read().size() == 20'000);
  EventLog::Position position;
  CHECK(a.read_on(position).size() == 20'000);
  write_text(day + ".gz", bytes);
  CHECK(a.read_on(position).empty());
  fs::remove(day);
  CHECK(a.read_on(position).empty());
}

TEST_CASE("what was rotated away is not written to any more") {
  Log a;
  const std::string day = a.file("2026-11-21");
  a.append("a\n");
  fs::rename(day, day + ".1");
  a.append("b\n");
  CHECK(text_in(day + ".1") == "a\n");
  CHECK(text_in(day) == "b\n");
  fs::remove(day);
  a.append("c\n");
  CHECK(text_in(day) == "c\n");
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
