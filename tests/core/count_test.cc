// Tests core/report/count.cc and what it stands on (digest.cc,
// source_blocks.cc, row_counter.cc): figures are those of a slow and simple
// count, with and without digests, whatever happens to logs and digests.
#include "core/report/count.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/report/digest.h"
#include "core/report/event_facts.h"
#include "core/report/report_format.h"
#include "tests/support/random_events.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("report");

namespace pony {
namespace {

namespace fs = std::filesystem;
using Key = std::vector<std::string>;

const std::vector<std::vector<TallyBy>> k_bys = {
    {TallyBy::tag},
    {TallyBy::domain},
    {TallyBy::template_id, TallyBy::domain, TallyBy::lang},
    {TallyBy::provider},
    {TallyBy::reason, TallyBy::tag},
    {TallyBy::event},
    {TallyBy::hour, TallyBy::pool},
    {TallyBy::day}};

// A folder of logs, and one of digests.
struct Logs {
  TempSpool spool;
  Fd digests{::open((spool / "state").c_str(), O_RDONLY | O_DIRECTORY)};
  std::vector<std::string> names;  // oldest first

  std::string path(const std::string& name) const {
    return spool / ("log/" + name);
  }
  std::string digest(const std::string& name) const {
    return spool / ("state/" + digest_name(name));
  }
  void append(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::app | std::ios::binary) << text;
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  CountSources sources(int kept_in) const {
    CountSources sources;
    for (const auto& name : names)
      sources.files.push_back({name, compression_of(name)});
    sources.open = [this](const CountSource& file) -> Result<Fd> {
      Fd fd(::open(path(file.name).c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd) return fail_errno(errno, "cannot open a log");
      return fd;
    };
    sources.digests = kept_in;
    return sources;
  }
  CountSources without_digests() const { return sources(-1); }
  CountSources with_digests() const { return sources(digests.get()); }
};

struct Counted {
  CountSummary summary;
  std::vector<std::string> rows;  // of each of k_bys, as JSON
  std::vector<std::string> totals;
};

std::string total_text(const Tally& tally) {
  Tally total(tally.by());
  total.add_row(Key(tally.by().size(), "total"), tally.total());
  return to_json_rows(total);
}

Counted counted(const CountSources& sources, const EventFilter& filter = {}) {
  std::vector<Tally> tallies;
  for (const auto& by : k_bys) tallies.emplace_back(by);
  std::vector<Tally*> pointers;
  for (Tally& tally : tallies) pointers.push_back(&tally);
  auto summary = count(sources, filter, pointers);
  REQUIRE_OK(summary);
  Counted all{std::move(*summary), {}, {}};
  for (const Tally& tally : tallies) {
    all.rows.push_back(to_json_rows(tally));
    all.totals.push_back(total_text(tally));
  }
  return all;
}

void check_same(const Counted& a, const Counted& b) {
  REQUIRE(a.rows == b.rows);
  REQUIRE(a.totals == b.totals);
  REQUIRE(a.summary.lines == b.summary.lines);
  REQUIRE(a.summary.unreadable == b.summary.unreadable);
  REQUIRE(a.summary.repeated == b.summary.repeated);
  REQUIRE(a.summary.cut_off == b.summary.cut_off);
  REQUIRE(a.summary.first == b.summary.first);
  REQUIRE(a.summary.last == b.summary.last);
}

// ----- the slow and simple count

std::vector<Event> events_in(const Logs& logs) {
  std::vector<Event> events;
  for (const auto& name : logs.names) {
    std::ifstream in(logs.path(name), std::ios::binary);
    std::string line;
    while (std::getline(in, line) && !in.eof())
      if (auto event = parse_event(line)) events.push_back(std::move(*event));
  }
  for (Event& event : events) {
    if (event.queue_ms) event.queue_ms = kept_time(*event.queue_ms);
    if (event.latency_ms) event.latency_ms = kept_time(*event.latency_ms);
  }
  return events;
}

bool says_the_fate(const Event& event) {
  return event.event == "sent" || event.event == "failed" ||
         event.event == "cancelled" || event.event == "expired";
}

// Those that count: asked for, once each, and not of a fate that was undone.
std::vector<Event> that_count(const std::vector<Event>& events,
                              const EventFilter& filter, TallyOf of) {
  const auto is_in_span = [&filter](const Event& event) {
    return (!filter.since || event.ts >= *filter.since) &&
           (!filter.until || event.ts < *filter.until);
  };
  std::map<std::string, std::pair<Time, std::size_t>> retried;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.event == "retried" && is_in_span(event))
      retried[event.id] = std::max(retried[event.id], std::pair(event.ts, i));
  }
  std::set<std::string> seen;
  std::vector<Event> counting;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (!filter.matches(event)) continue;
    const auto again = retried.find(event.id);
    const bool undone = of == TallyOf::messages && says_the_fate(event) &&
                        again != retried.end() &&
                        std::pair(event.ts, i) < again->second;
    if (seen.insert(event.natural_key()).second && !undone)
      counting.push_back(event);
  }
  return counting;
}

std::string simple_rows(const std::vector<Event>& events,
                        const EventFilter& filter,
                        const std::vector<TallyBy>& by) {
  Tally all(by);
  std::map<std::string, Tally> of_messages;
  for (Event& event : that_count(events, filter, all.of())) {
    // Attempts of unknown outcome count once a message.
    if (all.of() == TallyOf::messages && event.event == "attempted" &&
        event.outcome.value_or(Outcome::unknown) == Outcome::unknown)
      of_messages.try_emplace(event.id, by).first->second.add(event);
    all.add(event);
  }
  if (all.of() != TallyOf::messages) return to_json_rows(all);
  Tally mended(by);
  for (const auto& [key, row] : all.rows()) {
    TallyRow copy = row;
    copy.unknown = 0;
    for (const auto& [id, tally] : of_messages)
      if (tally.rows().contains(key)) ++copy.unknown;
    mended.add_row(key, copy);
  }
  return to_json_rows(mended);
}

std::vector<EventFilter> some_filters() {
  const Time start = parse_time("2026-11-21T00:00:00Z").value();
  std::vector<EventFilter> filters(5);
  filters[1].since = start + std::chrono::minutes(40);
  filters[1].until = start + std::chrono::hours(3);
  filters[2].tags = {"eu"};
  filters[2].domains = {"gmail.com", "example.com"};
  filters[3].reasons = {"NO SUCH"};
  filters[3].langs = {"es"};
  filters[4].events = {"sent", "failed"};
  filters[4].providers = {"main"};
  filters[4].templates = {"welcome"};
  filters[4].pools = {"bulk", "default"};
  return filters;
}

std::string some_lines(RandomEvents& random, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string line = random.line(200);
    text += line + '\n';
    if (random.chance(2)) text += line + '\n';  // told twice
  }
  return text;
}

TEST_CASE("a count is that of the events read one by one") {
  Logs logs;
  RandomEvents random(7);
  logs.append("events-2026-11-21.jsonl", some_lines(random, 4000));
  logs.append("events-2026-11-22.jsonl", some_lines(random, 2000));
  const auto events = events_in(logs);
  REQUIRE(events.size() > 3000);
  for (const EventFilter& filter : some_filters()) {
    const Counted cold = counted(logs.with_digests(), filter);
    check_same(cold, counted(logs.with_digests(), filter));
    check_same(cold, counted(logs.without_digests(), filter));
    for (std::size_t i = 0; i < k_bys.size(); ++i) {
      CAPTURE(i);
      CHECK(cold.rows[i] == simple_rows(events, filter, k_bys[i]));
    }
  }
  CHECK(counted(logs.with_digests()).summary.repeated > 50);
}

TEST_CASE("little memory costs time and changes nothing") {
  Logs logs;
  RandomEvents random(8);
  for (const char* day : {"21", "22", "23"})
    logs.append("events-2026-11-" + std::string(day) + ".jsonl",
                some_lines(random, 1500));
  const Counted usual = counted(logs.without_digests());
  for (const std::size_t kept : {0U, 1000U, 2000U, 100'000U}) {
    for (const std::size_t apart : {400U, 3000U, 100'000U}) {
      CAPTURE(kept);
      CAPTURE(apart);
      for (CountSources sources :
           {logs.without_digests(), logs.with_digests()}) {
        sources.kept_events = kept;
        sources.told_apart = apart;
        check_same(usual, counted(sources));
      }
    }
  }
}

// ----- messages, not events

Event at(int second, std::string name, std::string id = "a") {
  Event event;
  event.ts =
      parse_time("2026-11-21T10:00:00Z").value() + std::chrono::seconds(second);
  event.event = std::move(name);
  event.id = std::move(id);
  event.tags = {"t"};
  return event;
}

TallyRow row_of(const std::vector<Event>& events,
                const EventFilter& filter = {}) {
  Logs logs;
  std::string text;
  for (const Event& event : events) append_line(text, event);
  logs.append("events-2026-11-21.jsonl", text);
  Tally tally({TallyBy::tag});
  Tally* const tallies[] = {&tally};
  REQUIRE_OK(count(logs.with_digests(), filter, tallies));
  return tally.rows().empty() ? TallyRow() : tally.rows().begin()->second;
}

TEST_CASE("a message that failed, was retried and sent counts as sent alone") {
  const TallyRow row =
      row_of({at(0, "queued"), at(1, "failed"), at(2, "retried"), at(3, "sent"),
              at(1, "failed", "b")});
  CHECK(row.queued == 1);
  CHECK(row.sent == 1);
  CHECK_MESSAGE(row.failed == 1, "the other message's");
}

TEST_CASE("what became of a message counts after the last retry, if within") {
  const std::vector<Event> events = {at(1, "failed"), at(2, "retried"),
                                     at(3, "cancelled"), at(4, "retried")};
  CHECK(row_of(events).failed == 0);
  CHECK(row_of(events).cancelled == 0);
  EventFilter until;
  until.until = at(4, "").ts;
  CHECK(row_of(events, until).cancelled == 1);
  until.until = at(2, "").ts;
  CHECK(row_of(events, until).failed == 1);
  // Who asks for a provider's events does not see the retry, which counts.
  EventFilter failed;
  failed.events = {"failed", "cancelled"};
  CHECK(row_of(events, failed).failed == 0);
}

TEST_CASE("of the same moment the event that was written later counts") {
  CHECK(row_of({at(1, "failed"), at(1, "retried"), at(1, "sent")}).sent == 1);
  CHECK(row_of({at(1, "failed"), at(1, "retried"), at(1, "sent")}).failed == 0);
}

TEST_CASE("attempts and deferrals count each, unknown once a message") {
  std::vector<Event> events;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    Event attempted = at(attempt, "attempted");
    attempted.attempt = attempt;
    attempted.provider = "main";
    attempted.outcome = Outcome::unknown;
    Event deferred = at(attempt, "deferred");
    deferred.attempt = attempt;
    events.push_back(attempted);
    events.push_back(attempted);  // told twice
    events.push_back(deferred);
  }
  const TallyRow row = row_of(events);
  CHECK(row.attempts == 3);
  CHECK(row.unknown == 1);
  CHECK(row.deferred == 3);
}

// ----- digests

TEST_CASE("a digest is the folder's owner's and lets nobody else in") {
  Logs logs;
  RandomEvents random(9);
  const std::string name = "events-2026-11-21.jsonl";
  logs.append(name, some_lines(random, 1000));
  (void)counted(logs.with_digests());
  REQUIRE(fs::exists(logs.digest(name)));
  CHECK((fs::status(logs.digest(name)).permissions() & fs::perms::mask) ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a warm count reads the digest, not the log") {
  Logs logs;
  RandomEvents random(10);
  const std::string name = "events-2026-11-21.jsonl";
  logs.append(name, some_lines(random, 1000));
  const Counted cold = counted(logs.with_digests());
  // The same length, inode, beginning, end and time: nobody could tell.
  const auto written = fs::last_write_time(logs.path(name));
  const auto size = fs::file_size(logs.path(name));
  std::fstream file(logs.path(name), std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(size / 2));
  file << std::string(100, '\n');
  file.close();
  fs::last_write_time(logs.path(name), written);
  check_same(cold, counted(logs.with_digests()));
  CHECK(cold.rows != counted(logs.without_digests()).rows);
}

TEST_CASE("a log that was cut and grew on otherwise is read anew") {
  Logs logs;
  RandomEvents random(17);
  const std::string name = "events-2026-11-21.jsonl";
  logs.append(name, some_lines(random, 1000));
  (void)counted(logs.with_digests());
  // Its inode and its beginning are the same.
  fs::resize_file(logs.path(name), fs::file_size(logs.path(name)) / 2);
  logs.append(name, '\n' + some_lines(random, 1500));
  check_same(counted(logs.without_digests()), counted(logs.with_digests()));
}

TEST_CASE("a last line counts when it is ended") {
  Logs logs;
  RandomEvents random(11);
  const std::string name = "events-2026-11-21.jsonl";
  logs.append(name, some_lines(random, 1000));
  std::string line;
  append_line(line, at(0, "sent"));
  const auto sent_by = [&] {
    const Counted warm = counted(logs.with_digests());
    check_same(warm, counted(logs.without_digests()));
    return warm.summary.lines;
  };
  const auto before = sent_by();
  logs.append(name, line.substr(0, 20));
  CHECK(sent_by() == before);
  logs.append(name, line.substr(20));
  CHECK(sent_by() == before + 1);
}

TEST_CASE("digests of logs that have gone are removed, nothing else is") {
  Logs logs;
  for (const char* name : {"a.jsonl.digest", "b.jsonl.digest", "note"})
    write_text(logs.spool / ("state/" + std::string(name)), "x");
  remove_other_digests(logs.digests.get(), {"a.jsonl"});
  CHECK(fs::exists(logs.spool / "state/a.jsonl.digest"));
  CHECK_FALSE(fs::exists(logs.spool / "state/b.jsonl.digest"));
  CHECK(fs::exists(logs.spool / "state/note"));
}

TEST_CASE("without a place for digests a count is the same") {
  Logs logs;
  RandomEvents random(12);
  const std::string name = "events-2026-11-21.jsonl";
  logs.append(name, some_lines(random, 1000));
  const Counted usual = counted(logs.without_digests());
  SUBCASE("a folder is there") {
    fs::create_directory(logs.digest(name));
  }
  SUBCASE("a link is there") {
    fs::create_symlink("elsewhere", logs.digest(name));
  }
  SUBCASE("another has the lock") {
    (void)counted(logs.with_digests());
    fs::resize_file(logs.digest(name), 100);
    const Fd other(::open(logs.digest(name).c_str(), O_RDWR));
    REQUIRE(::flock(other.get(), LOCK_EX) == 0);
    check_same(usual, counted(logs.with_digests()));
    CHECK(fs::file_size(logs.digest(name)) == 100);
  }
  SUBCASE("nothing can be written") {
    logs.digests = Fd(::open("/proc/self", O_RDONLY | O_DIRECTORY));
  }
  check_same(usual, counted(logs.with_digests()));
  CHECK_FALSE(fs::exists(logs.spool / "state/elsewhere"));
}

// Any byte of a digest.
TEST_CASE("a damaged digest is noticed wherever it is damaged") {
  Logs logs;
  RandomEvents random(13);
  const std::string name = "events-2026-11-21.jsonl";
  logs.append(name, some_lines(random, 700));
  const Counted usual = counted(logs.without_digests());
  check_same(usual, counted(logs.with_digests()));
  logs.append(name, "");
  const std::string good = text_in(logs.digest(name));
  for (int round = 0; round < 250; ++round) {
    std::string bad = good;
    // The headers byte by byte, then anywhere.
    const std::size_t place = round < 200 ? static_cast<std::size_t>(round)
                                          : random.below(good.size());
    if (place >= bad.size()) break;
    CAPTURE(place);
    if (round % 10 == 9) {
      bad.resize(place);
    } else {
      bad[place] = static_cast<char>(bad[place] ^ (1 << random.below(8)));
    }
    write_text(logs.digest(name), bad);
    check_same(usual, counted(logs.with_digests()));
  }
}

void gzip(const std::string& from, const std::string& to) {
  const Fd in(::open(from.c_str(), O_RDONLY));
  const Fd out(::open(to.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600));
  REQUIRE_OK(compress_file(in.get(), out.get()));
}

// What may happen to the logs and their digests.
void do_something(Logs& logs, RandomEvents& random, int round) {
  const std::size_t which = random.below(logs.names.size());
  const std::string name = logs.names[which];
  const std::string path = logs.path(name);
  const bool is_plain = compression_of(name) == Compression::none;
  const auto kind = random.below(12);
  if (kind < 4 || (!is_plain && kind < 9)) {
    const std::string today = logs.names.back();
    logs.append(compression_of(today) == Compression::none
                    ? today
                    : "events-" + std::to_string(round) + ".jsonl",
                some_lines(random, random.below(900)));
    if (random.chance(20)) logs.append(logs.names.back(), "{\"torn\":");
  } else if (kind == 4) {
    fs::rename(path, path + ".1");
    logs.names[which] += ".1";
    logs.append("events-" + std::to_string(round) + ".jsonl",
                some_lines(random, random.below(700)));
  } else if (kind == 5) {
    gzip(path, path + ".gz");
    fs::remove(path);
    logs.names[which] += ".gz";
    logs.append("events-" + std::to_string(round) + ".jsonl", "");
  } else if (kind == 6) {
    fs::resize_file(path, random.below(fs::file_size(path) + 1));
  } else if (kind == 7) {
    // Truncated, and grown beyond what it was.
    fs::resize_file(path, 0);
    logs.append(name, some_lines(random, 1200));
  } else if (kind == 8) {
    std::ofstream(path + ".new", std::ios::binary)
        << some_lines(random, random.below(700));
    fs::rename(path + ".new", path);
  } else if (kind == 9) {
    fs::remove(logs.digest(name));
  } else if (kind == 10 && fs::exists(logs.digest(name))) {
    std::string bytes = text_in(logs.digest(name));
    if (bytes.empty()) return;
    bytes[random.below(bytes.size())] ^= 0x10;
    write_text(logs.digest(name), bytes);
  } else if (fs::exists(logs.digest(name))) {
    fs::resize_file(logs.digest(name),
                    random.below(fs::file_size(logs.digest(name)) + 1));
  }
}

TEST_CASE("whatever happens to logs and digests, digests change no figure") {
  RandomEvents random(20261122);
  for (int spool = 0; spool < 3; ++spool) {
    Logs logs;
    logs.append("events-2026-11-21.jsonl", some_lines(random, 1000));
    for (int round = 0; round < 25; ++round) {
      CAPTURE(spool);
      CAPTURE(round);
      const auto more = 1 + random.below(3);
      for (std::size_t i = 0; i < more; ++i) do_something(logs, random, round);
      const EventFilter filter = some_filters()[random.below(5)];
      check_same(counted(logs.without_digests(), filter),
                 counted(logs.with_digests(), filter));
    }
  }
}

TEST_CASE("many reports at once while others write are right") {
  Logs logs;
  RandomEvents random(14);
  const std::string name = "events-2026-11-21.jsonl";
  logs.append(name, some_lines(random, 1000));
  const std::string more = some_lines(random, 1000);
  constexpr int k_reports = 8;
  constexpr int k_rounds = 10;
  std::vector<std::vector<std::uint64_t>> lines(k_reports);
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int i = 0; i < 2 * k_rounds; ++i) logs.append(name, more);
  });
  for (auto& told : lines) {
    threads.emplace_back([&] {
      for (int i = 0; i < k_rounds; ++i) {
        Tally tally({TallyBy::tag});
        Tally* const tallies[] = {&tally};
        auto summary = count(logs.with_digests(), {}, tallies);
        told.push_back(summary ? summary->lines : 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& told : lines) {
    CHECK(told.front() >= 1000);
    CHECK(std::is_sorted(told.begin(), told.end()));
  }
  check_same(counted(logs.without_digests()), counted(logs.with_digests()));
}

TEST_CASE("several tallies of one pass are those of a pass each") {
  Logs logs;
  RandomEvents random(15);
  logs.append("events-2026-11-21.jsonl", some_lines(random, 2000));
  const Counted together = counted(logs.without_digests());
  for (std::size_t i = 0; i < k_bys.size(); ++i) {
    Tally tally(k_bys[i]);
    Tally* const tallies[] = {&tally};
    REQUIRE_OK(count(logs.without_digests(), {}, tallies));
    CHECK(to_json_rows(tally) == together.rows[i]);
  }
}

TEST_CASE("a file that was removed meanwhile is passed over") {
  Logs logs;
  RandomEvents random(16);
  logs.append("events-2026-11-21.jsonl", some_lines(random, 10));
  logs.names.push_back("events-2026-11-22.jsonl");
  CHECK(counted(logs.with_digests()).summary.files == 1);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
