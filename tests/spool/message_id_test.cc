// Tests spool/message_id.cc.
#include "spool/message_id.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

const Time k_now = parse_time("2026-11-21T10:00:00.123Z").value();

TEST_CASE("an id is a ULID that tells when it was made") {
  const auto id = new_message_id(k_now);
  CHECK(is_message_id(id));
  CHECK(time_of_message_id(id) == k_now);
  // The example of the ULID specification.
  CHECK(time_of_message_id("01ARYZ6S41TSV4RRFFQ69G5FAV") ==
        Time(Milliseconds(1469918176385)));
}

TEST_CASE("within a millisecond each id is larger than the last") {
  std::string last;
  for (int i = 0; i < 10'000; ++i) {
    const auto id = new_message_id(k_now);
    CHECK(id > last);
    last = id;
  }
}

TEST_CASE("ids sort by the time of acceptance") {
  CHECK(new_message_id(k_now) < new_message_id(k_now + Milliseconds(1)));
  CHECK(new_message_id(k_now) < new_message_id(k_now + std::chrono::hours(9)));
}

TEST_CASE("no two ids are equal, whatever the clock does") {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(new_message_id(k_now + Milliseconds(i % 3)));
    ids.insert(new_message_id(k_now - Milliseconds(i % 7)));
  }
  CHECK(ids.size() == 2000);
}

TEST_CASE("threads are given different ids") {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& ids : made)
    threads.emplace_back([&ids] {
      for (int i = 0; i < 1000; ++i) ids.push_back(new_message_id(k_now));
    });
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  CHECK(all.size() == 4000);
}

TEST_CASE("nothing that could leave a folder is an id") {
  CHECK(is_message_id("01ARYZ6S41TSV4RRFFQ69G5FAV"));
  for (const std::string_view text :
       {"", "01ARYZ6S41TSV4RRFFQ69G5FA", "01ARYZ6S41TSV4RRFFQ69G5FAVX",
        "01aryz6s41tsv4rrffq69g5fav", "01ARYZ6S41TSV4RRFFQ69G5FAU",
        "../ARYZ6S41TSV4RRFFQ69G5FA", "01ARYZ6S41TSV4RR/FQ69G5FAV",
        "01ARYZ6S41TSV4RRFFQ69G5FA.", "01ARYZ6S41TSV4RRFFQ69G5FA\n"}) {
    CAPTURE(text);
    CHECK_FALSE(is_message_id(text));
  }
  CHECK_FALSE(is_message_id(std::string(26, '\0')));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
