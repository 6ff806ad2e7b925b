// What was taken is remembered, for its time and no longer.
#include "spool/feedback_memory.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("feedback memory");

namespace pony {
namespace {

using Seen = FeedbackMemory::Seen;
constexpr Milliseconds k_window = std::chrono::hours(1);

std::string digits(unsigned long number, char first = 'a') {
  std::string text = std::to_string(number);
  return std::string(1, first) + std::string(31 - text.size(), '0') + text;
}

FeedbackMemory memory(TempSpool& spool, const std::string& key,
                      const std::string& body) {
  auto opened =
      FeedbackMemory::open(spool->folders(), "main", key, body, k_window);
  REQUIRE_OK(opened);
  return std::move(*opened);
}

Seen take(TempSpool& spool, const std::string& key, const std::string& body) {
  auto one = memory(spool, key, body);
  const Seen seen = one.seen();
  if (seen == Seen::other) return seen;
  REQUIRE_OK(one.begin(spool.clock.now()));
  REQUIRE_OK(one.taken());
  return seen;
}

}  // namespace

TEST_CASE(
    "what was taken is known, and another body with its key told from "
    "it") {
  TempSpool spool;
  CHECK(take(spool, digits(1), digits(7)) == Seen::never);
  CHECK(take(spool, digits(1), digits(7)) == Seen::taken);
  CHECK(take(spool, digits(1), digits(8)) == Seen::other);
  CHECK(take(spool, digits(2), digits(8)) == Seen::never);
  CHECK(take(spool, digits(2, 'b'), digits(8)) == Seen::never);
}

TEST_CASE("what was begun and not finished is to be done again") {
  TempSpool spool;
  REQUIRE_OK(memory(spool, digits(1), digits(7)).begin(spool.clock.now()));
  CHECK(memory(spool, digits(1), digits(7)).seen() == Seen::begun);
  CHECK(memory(spool, digits(1), digits(8)).seen() == Seen::other);
  CHECK(take(spool, digits(1), digits(7)) == Seen::begun);
  CHECK(take(spool, digits(1), digits(7)) == Seen::taken);
}

TEST_CASE("a record that a crash cut short counts for nothing") {
  TempSpool spool;
  CHECK(take(spool, digits(1), digits(7)) == Seen::never);
  const auto path = spool / "state/feedback/main.a";
  write_text(path, text_in(path) + text_in(path).substr(0, 50));
  CHECK(take(spool, digits(1), digits(7)) == Seen::taken);
  CHECK(take(spool, digits(2), digits(7)) == Seen::never);
  CHECK(text_in(path).size() == 2 * 82);
  CHECK(take(spool, digits(2), digits(7)) == Seen::taken);
}

TEST_CASE(
    "a full memory keeps the younger half, and nothing that is too "
    "old") {
  TempSpool spool;
  const auto path = spool / "state/feedback/main.a";
  CHECK(take(spool, digits(0), digits(7)) == Seen::never);
  const std::string old = text_in(path);
  std::string all;
  for (unsigned long i = 0; i < 8192; ++i) {
    std::string record = old;
    record.replace(16, 32, digits(i));
    all += record;
  }
  write_text(path, all);
  spool.clock.advance(std::chrono::minutes(1));
  CHECK(take(spool, digits(9000), digits(7)) == Seen::never);
  CHECK(text_in(path).size() == 4097 * 82);
  CHECK(take(spool, digits(8191), digits(7)) == Seen::taken);
  CHECK(take(spool, digits(9000), digits(7)) == Seen::taken);
  CHECK(memory(spool, digits(5), digits(7)).seen() == Seen::never);

  write_text(path, all);
  spool.clock.advance(std::chrono::hours(2));
  CHECK(take(spool, digits(9001), digits(7)) == Seen::never);
  CHECK(text_in(path).size() == 82);
}

TEST_CASE("of many with one key one is the first") {
  TempSpool spool;
  std::atomic<int> first{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      auto other = Spool::open({spool.path(), {}}, spool.clock);
      auto one = FeedbackMemory::open((*other)->folders(), "main", digits(1),
                                      digits(7), k_window);
      if (!one || !one->begin(spool.clock.now())) return;
      first += one->seen() == Seen::never;
      (void)one->taken();
    });
  for (auto& thread : threads) thread.join();
  CHECK(first == 1);
  CHECK(take(spool, digits(1), digits(7)) == Seen::taken);
}

TEST_SUITE_END();

}  // namespace pony
