#include "spool/fsck.h"

#include <sys/file.h>

#include <filesystem>
#include <string>
#include <vector>

#include "spool/housekeeping.h"
#include "spool/recovery.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

namespace pony {
namespace {

namespace fs = std::filesystem;

struct Checked {
  FsckSummary summary;
  std::vector<Finding> findings;
};

Checked check(TempSpool& spool, bool dry_run = false) {
  Checked checked;
  FsckOptions options;
  options.dry_run = dry_run;
  options.on_finding = [&](const Finding& finding) {
    checked.findings.push_back(finding);
  };
  auto summary = fsck(*spool, options);
  REQUIRE_OK(summary);
  checked.summary = *summary;
  return checked;
}

std::string line_of(TempSpool& spool, std::string_view kind,
                    const std::string& id) {
  std::string line;
  append_line(line, spool.event(kind, id));
  return line;
}

TEST_SUITE_BEGIN("spool");

TEST_CASE(
    "a sound spool has no findings, whatever states its messages are in") {
  TempSpool spool;
  for (const char* event : {"held", "failed", "sent", "cancelled"}) {
    const auto id = spool.accept();
    spool.happen(id, {spool.event(event, id)});
  }
  spool.accept({"ann@example.com"}, spool.clock.now() + std::chrono::hours(48));
  spool.accept();

  const auto checked = check(spool);

  CHECK(checked.findings.empty());
  CHECK_MESSAGE(fs::is_empty(spool / "cur"), "its own claims are gone");
}

TEST_CASE("of two names of one message the longer file survives") {
  TempSpool spool;
  const auto id = spool.accept();
  const auto name = message_file_name(id);
  const std::string start = text_in(spool / ("new/" + name));
  const std::string longer =
      start + line_of(spool, "held", id) + line_of(spool, "released", id);
  // Further along by its folder, behind by what it knows.
  write_text(spool / ("held/" + name), start + line_of(spool, "held", id));
  write_text(spool / ("new/" + name), longer);

  const auto checked = check(spool);

  REQUIRE(checked.findings.size() == 1);
  CHECK(checked.findings[0].problem == "twice");
  CHECK(checked.findings[0].path == "held/" + name);
  CHECK(checked.summary.mended == 1);
  CHECK(text_in(spool / ("new/" + name)) == longer);
  CHECK_FALSE(fs::exists(spool / ("held/" + name)));
}

TEST_CASE("of two equal files that which is in its place survives") {
  TempSpool spool;
  const auto id = spool.accept();
  const auto name = message_file_name(id);
  spool.happen(id, {spool.event("sent", id)});
  const auto sent = spool.load(id).folder;
  fs::create_hard_link(spool / (sent + "/" + name), spool / ("new/" + name));

  check(spool);

  CHECK(spool.load(id).folder == sent);
  CHECK_FALSE(fs::exists(spool / ("new/" + name)));
}

TEST_CASE("two histories of one message are both kept") {
  TempSpool spool;
  const auto id = spool.accept();
  const auto name = message_file_name(id);
  const std::string start = text_in(spool / ("new/" + name));
  write_text(spool / ("new/" + name), start + line_of(spool, "retried", id));
  write_text(spool / ("held/" + name), start + line_of(spool, "held", id));

  const auto checked = check(spool);

  CHECK(checked.summary.problems == 1);
  CHECK(checked.summary.mended == 0);
  CHECK(fs::exists(spool / ("new/" + name)));
  CHECK(fs::exists(spool / ("held/" + name)));
}

TEST_CASE("a message is moved to where its tail says") {
  TempSpool spool;
  const auto id = spool.accept({"ann@example.com"},
                               spool.clock.now() + std::chrono::hours(48));
  const auto home = spool.load(id).folder;
  const auto name = message_file_name(id);
  fs::rename(spool / (home + "/" + name), spool / ("new/" + name));

  const auto told = check(spool, true);
  CHECK(told.summary.problems == 1);
  CHECK(spool.load(id).state == State::fresh);
  const auto checked = check(spool);

  CHECK(checked.findings[0].problem == "misplaced");
  CHECK(spool.load(id).folder == home);
}

TEST_CASE("what is deferred and due may lie in new/") {
  TempSpool spool;
  const auto id = spool.accept({"ann@example.com"},
                               spool.clock.now() + std::chrono::hours(1));
  const auto name = message_file_name(id);
  const auto home = spool.load(id).folder;
  fs::rename(spool / (home + "/" + name), spool / ("new/" + name));
  fs::remove_all(spool / home);

  spool.clock.advance(std::chrono::hours(2));

  CHECK(check(spool).findings.empty());
}

TEST_CASE("a file that a living runner has claimed is left alone") {
  TempSpool spool;
  const auto id = spool.accept();
  const auto name = message_file_name(id);
  auto runner = RunnerFolder::create(spool->folders());
  REQUIRE_OK(runner);
  REQUIRE_OK(runner->claim("new", name, name));

  CHECK(check(spool).findings.empty());
  CHECK(fs::exists(spool / (runner->path() + "/" + name)));
}

std::string the_log(TempSpool& spool) {
  return fs::directory_iterator(spool / "log")->path().string();
}

TEST_CASE("events that the log has lost are written to it again, once") {
  TempSpool spool;
  spool.accept();
  const std::string first = text_in(the_log(spool));
  const auto id = spool.accept();
  spool.happen(id, {spool.event("sent", id)});
  write_text(the_log(spool), first + "{\"torn\n");
  spool.clock.advance(std::chrono::minutes(2));

  const auto told = check(spool, true);
  CHECK(text_in(the_log(spool)) == first + "{\"torn\n");
  REQUIRE(told.summary.problems == 1);
  CHECK(told.findings.back().problem == "not_logged");
  CHECK(told.findings.back().what ==
        "2 events of the messages' files were not in the event log");
  const auto mended = check(spool);
  CHECK(mended.summary.mended == 1);
  CHECK(spool.logged("\"id\":\"" + id + "\"") == 2);
  CHECK(spool.logged("\"event\":\"sent\"") == 1);
  CHECK(check(spool).summary.problems == 0);
}

TEST_CASE(
    "what a log does not know because it is purged is not written again") {
  TempSpool spool;
  spool.accept();
  fs::remove(the_log(spool));
  spool.clock.advance(std::chrono::hours(48));
  spool.accept();
  spool.clock.advance(std::chrono::minutes(2));

  CHECK(check(spool).findings.empty());
}

TEST_CASE("a log that spells addresses otherwise has its events") {
  for (const LogAddresses how : {LogAddresses::masked, LogAddresses::hash}) {
    TempSpool spool;
    auto opened = Spool::open({spool.path(), {}, {}, how}, spool.clock);
    REQUIRE_OK(opened);
    const auto id = spool.accept();
    Event suppressed = spool.event("suppressed", id);
    suppressed.recipient = "ann@example.com";
    auto runner = RunnerFolder::create((*opened)->folders());
    REQUIRE_OK(runner);
    const auto name = message_file_name(id);
    REQUIRE_OK(runner->claim("new", name, name));
    std::vector<Settled> settled;
    settled.push_back(
        {id, Priority::normal, {suppressed, spool.event("failed", id)}, {}});
    REQUIRE_OK(runner->file(settled, (*opened)->log(), spool.clock.now(), {}));
    REQUIRE(spool.logged("ann@example.com") == 0);
    spool.clock.advance(std::chrono::minutes(2));

    CHECK(check(spool).findings.empty());
  }
}

TEST_CASE("what happened a moment ago may be on its way to the log") {
  TempSpool spool;
  spool.accept();
  const std::string first = text_in(the_log(spool));
  spool.accept();
  write_text(the_log(spool), first);

  CHECK(check(spool).findings.empty());
}

TEST_CASE("recovery puts the longer of two names of a message in its place") {
  for (const bool other_history : {false, true}) {
    CAPTURE(other_history);
    TempSpool spool;
    const auto id = spool.accept();
    const auto name = message_file_name(id);
    {
      auto runner = RunnerFolder::create(spool->folders());
      REQUIRE_OK(runner);
      REQUIRE_OK(runner->claim("new", name, name));
      const auto start = text_in(spool / (runner->path() + "/" + name));
      write_text(spool / ("new/" + name),
                 other_history ? start + line_of(spool, "retried", id) : start);
    }

    auto recovered = recover(*spool, {}, {});

    REQUIRE_OK(recovered);
    CHECK(recovered->warnings.size() == 1);
    CHECK(fs::is_empty(spool / "cur") != other_history);
    for (const auto& left : fs::directory_iterator(spool / "cur"))
      CHECK_MESSAGE(fs::exists(left.path() / "journal.000000"),
                    "what its runner knew of it is kept with it");
    const auto events = spool.load(id).file.events;
    CHECK(events.back().event == (other_history ? "retried" : "recovered"));
  }
}

TEST_CASE("tmp/ is swept of what is old and has no living writer") {
  TempSpool spool;
  write_text(spool / "tmp/old", "x");
  auto living = spool->folders().create_in_tmp("living");
  REQUIRE_OK(living);
  REQUIRE(::flock(living->get(), LOCK_EX) == 0);
  fs::create_directory(spool / "tmp/dead.1.x");
  write_text(spool / "tmp/dead.1.x/.lock", "");

  const Time later = spool.clock.now() + std::chrono::hours(37);
  REQUIRE_OK(housekeep(*spool, later - std::chrono::hours(2)));
  CHECK_MESSAGE(fs::exists(spool / "tmp/old"), "36 h are not over");
  REQUIRE_OK(housekeep(*spool, later));

  CHECK_FALSE(fs::exists(spool / "tmp/old"));
  CHECK_FALSE(fs::exists(spool / "tmp/dead.1.x"));
  CHECK(fs::exists(spool / "tmp/living"));
}

TEST_CASE("housekeeping sweeps at most once an hour") {
  TempSpool spool;
  const Time later = spool.clock.now() + std::chrono::hours(48);
  REQUIRE_OK(housekeep(*spool, later));
  write_text(spool / "tmp/old", "x");

  REQUIRE_OK(housekeep(*spool, later + std::chrono::minutes(59)));
  CHECK(fs::exists(spool / "tmp/old"));
  REQUIRE_OK(housekeep(*spool, later + std::chrono::minutes(61)));
  CHECK_FALSE(fs::exists(spool / "tmp/old"));
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
