#include "spool/purge.h"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr PurgeRules k_rules{240h, 720h, 2400h, 168h, 0};

std::string day_before(TempSpool& spool, int days) {
  return format_day(spool.clock.now() - days * 24h);
}

// A message that ended in `state` so many days ago: its path in the spool.
std::string ended(TempSpool& spool, const std::string& state, int days) {
  const auto id = spool.accept();
  const std::string folder = state + "/" + day_before(spool, days);
  fs::create_directories(spool / folder);
  const std::string path = folder + "/" + id + ".jsonl";
  fs::rename(spool / ("new/" + id + ".jsonl"), spool / path);
  return path;
}

std::string log_of(TempSpool& spool, int days) {
  return "log/events-" + day_before(spool, days) + ".jsonl";
}

struct Told {
  PurgeSummary summary;
  std::vector<Purged> purged;
};

Told purged(TempSpool& spool, PurgeOptions options) {
  Told result;
  options.each = [&](const Purged& one) { result.purged.push_back(one); };
  auto summary = purge(*spool, options);
  REQUIRE_OK(summary);
  result.summary = *summary;
  return result;
}

TEST_SUITE_BEGIN("spool");

TEST_CASE(
    "days go when they are as old as the retention says, and not before") {
  TempSpool spool;
  const auto young = ended(spool, "sent", 10);  // it ended 9 to 10 days ago
  const auto old = ended(spool, "sent", 11);
  const auto failed = ended(spool, "failed", 11);
  const auto old_failed = ended(spool, "failed", 31);
  const auto waiting = spool.accept();

  const auto result = purged(spool, {.rules = k_rules});

  CHECK(fs::exists(spool / young));
  CHECK_FALSE(fs::exists(spool / old));
  CHECK_FALSE(fs::exists(fs::path(spool / old).parent_path()));
  CHECK(fs::exists(spool / failed));
  CHECK_FALSE(fs::exists(spool / old_failed));
  CHECK(fs::exists(spool / ("new/" + waiting + ".jsonl")));
  CHECK(result.summary.messages == 2);
  CHECK(result.summary.bytes > 0);
}

TEST_CASE("today's are kept, whatever the retention says") {
  TempSpool spool;
  const auto today = ended(spool, "sent", 0);
  const auto yesterday = ended(spool, "sent", 1);
  PurgeOptions options{.rules = k_rules};
  options.rules.sent = 0s;

  purged(spool, options);

  CHECK(fs::exists(spool / today));
  CHECK_FALSE(fs::exists(spool / yesterday));
}

TEST_CASE("sub-folders for size go with their day") {
  TempSpool spool;
  const std::string day = "sent/" + day_before(spool, 20);
  fs::create_directories(spool / (day + "/A"));
  write_text(spool / (day + "/A/01ARZ3NDEKTSV4RRFFQ69G5FAV.jsonl"), "{}\n");

  const auto result = purged(spool, {.rules = k_rules});

  CHECK_FALSE(fs::exists(spool / day));
  CHECK(result.summary.messages == 1);
}

TEST_CASE(
    "a link in the place of a day is not followed, nor what is not a day's") {
  TempSpool spool;
  const fs::path outside = fs::path(spool.path()).parent_path() / "outside";
  fs::create_directories(outside);
  write_text((outside / "precious").string(), "keep");
  fs::create_directory_symlink(outside, spool / "sent/2001-01-01");
  fs::create_directories(spool / "sent/mine");
  write_text(spool / "sent/mine/precious", "keep");

  PurgeOptions options{.rules = k_rules};
  (void)purge(*spool, options);

  CHECK(fs::exists(outside / "precious"));
  CHECK(fs::exists(spool / "sent/mine/precious"));
}

TEST_CASE("a dry run tells the same and removes nothing") {
  TempSpool spool;
  const auto old = ended(spool, "sent", 11);
  write_text(spool / log_of(spool, 200), "{}\n");
  write_text(spool / log_of(spool, 20), "{}\n");
  PurgeOptions options{.rules = k_rules, .dry_run = true};

  const auto told = purged(spool, options);
  CHECK(fs::exists(spool / old));
  CHECK(fs::exists(spool / log_of(spool, 200)));
  CHECK(fs::exists(spool / log_of(spool, 20)));

  options.dry_run = false;
  const auto done = purged(spool, options);
  REQUIRE(done.purged.size() == told.purged.size());
  for (std::size_t i = 0; i < done.purged.size(); ++i)
    CHECK(done.purged[i].path == told.purged[i].path);
  CHECK(done.summary.messages == told.summary.messages);
}

TEST_CASE("logs are compressed when nobody writes to them any more, and go") {
  TempSpool spool;
  for (const int days : {0, 1, 7, 9, 200})
    write_text(spool / log_of(spool, days), "{\"event\":\"sent\",\"id\":\"" +
                                                std::to_string(days) + "\"}\n");

  const auto result = purged(spool, {.rules = k_rules});

  CHECK(fs::exists(spool / log_of(spool, 0)));
  CHECK(fs::exists(spool / log_of(spool, 1)));
  CHECK(fs::exists(spool / log_of(spool, 7)));
  CHECK_FALSE(fs::exists(spool / log_of(spool, 9)));
  CHECK(fs::exists(spool / (log_of(spool, 9) + ".gz")));
  CHECK_FALSE(fs::exists(spool / log_of(spool, 200)));
  CHECK(result.summary.compressed == 1);
  CHECK(result.summary.logs == 1);
  CHECK_MESSAGE(spool.logged("\"event\":\"sent\"") == 4,
                "what is compressed is still read");
  CHECK(fs::is_empty(spool / "tmp"));

  PurgeOptions later{.rules = k_rules};
  later.rules.log = 24h;
  purged(spool, later);
  CHECK_FALSE(fs::exists(spool / (log_of(spool, 9) + ".gz")));
}

TEST_CASE("a purge that died between two names is finished by the next") {
  TempSpool spool;
  const std::string line =
      "{\"ts\":\"2026-11-01T00:00:00.000Z\",\"event\":\"sent\",\"id\":\"1\"}\n";
  const std::string log = log_of(spool, 20);
  write_text(spool / log, line);
  purged(spool, {.rules = k_rules});
  write_text(spool / log, line + line);  // and was written to after that

  const auto result = purged(spool, {.rules = k_rules});

  CHECK(result.summary.compressed == 1);
  CHECK_FALSE(fs::exists(spool / log));
  CHECK(spool.logged("\"event\":\"sent\"") == 2);
}

TEST_CASE("a compressed log with other events in it is never written over") {
  TempSpool spool;
  const std::string log = log_of(spool, 20);
  write_text(spool / log, "{\"one\":1}\n");
  purged(spool, {.rules = k_rules});
  write_text(spool / log, "{\"two\":2}\n");

  const auto result = purged(spool, {.rules = k_rules});

  CHECK(result.summary.compressed == 0);
  CHECK(spool.logged("one") == 1);
  CHECK(spool.logged("two") == 1);
}

TEST_CASE("while the disk is too full the oldest sent days go, today's never") {
  TempSpool spool;
  const auto oldest = ended(spool, "sent", 5);
  const auto older = ended(spool, "sent", 4);
  const auto old = ended(spool, "sent", 3);
  const auto failed = ended(spool, "failed", 6);
  const auto today = ended(spool, "sent", 0);
  PurgeOptions options{.rules = k_rules};
  options.rules.keep_free = 0.05;
  // Each day that goes makes room for two percent.
  const auto free = [&] {
    return 1U + 2U * (!fs::exists(spool / oldest) + !fs::exists(spool / older) +
                      !fs::exists(spool / old));
  };
  options.disk_space = [&]() -> Result<DiskSpace> {
    return DiskSpace{free(), 100};
  };

  const auto result = purged(spool, options);

  CHECK_FALSE(fs::exists(spool / oldest));
  CHECK_FALSE(fs::exists(spool / older));
  CHECK(fs::exists(spool / old));
  CHECK(fs::exists(spool / failed));
  CHECK_FALSE(result.summary.is_short_of_space);
  REQUIRE(result.purged.size() == 2);
  CHECK(result.purged[0].why == Purged::Why::disk);

  options.disk_space = []() -> Result<DiskSpace> { return DiskSpace{0, 100}; };
  const auto full = purged(spool, options);
  CHECK(full.summary.is_short_of_space);
  CHECK_FALSE(fs::exists(spool / old));
  CHECK(fs::exists(spool / failed));
  CHECK(fs::exists(spool / today));
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
