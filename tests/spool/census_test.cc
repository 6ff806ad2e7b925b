// Tests spool/census.cc and spool/message_tail.cc.
#include "spool/census.h"

#include "spool/message_id.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

using namespace std::chrono_literals;

Census census_of(TempSpool& spool, const CensusOptions& options = {}) {
  auto census = take_census(spool->folders(), spool.clock.now(), options);
  REQUIRE_OK(census);
  return *census;
}

// Ids and events have milliseconds.
Milliseconds waited(TempSpool& spool) {
  const auto census = census_of(spool);
  REQUIRE(census.oldest_since);
  return spool.clock.now() - *census.oldest_since;
}

Event deferred(TempSpool& spool, const std::string& id, Milliseconds until) {
  Event event = spool.event("deferred", id);
  event.next_at = spool.clock.now() + until;
  event.queue_ms = (spool.clock.now() - time_of_message_id(id)).count();
  return event;
}

TEST_CASE("an empty spool has nobody waiting") {
  TempSpool spool;
  const auto census = census_of(spool);
  CHECK(census.waiting() == 0);
  CHECK(!census.oldest_since);
}

TEST_CASE("messages are counted by state and priority") {
  TempSpool spool;
  spool.accept();
  Message high = a_message();
  high.priority = Priority::high;
  spool.accept(high);
  spool.accept(high);
  const auto id = spool.accept();
  spool.happen(id, {deferred(spool, id, 5min)});
  REQUIRE_OK(spool->accept_held(a_message(), "wait for me"));
  write_text(spool / "new/other.json", "{}");
  write_text(spool / "new/.hidden.json", "{}");
  write_text(spool / "new/README", "");
  const auto census = census_of(spool);
  CHECK(census.fresh == std::array<std::uint64_t, 3>{2, 2, 0});
  CHECK(census.deferred == std::array<std::uint64_t, 3>{0, 1, 0});
  CHECK(census.held == 1);
  CHECK(census.waiting() == 5);
}

TEST_CASE("a message waits since it was accepted, also while it is deferred") {
  TempSpool spool;
  const auto id = spool.accept();
  spool.clock.advance(10min);
  spool.accept();
  CHECK(waited(spool) == 10min);
  spool.happen(id, {deferred(spool, id, 1h)});
  spool.clock.advance(5min);
  CHECK(waited(spool) == 15min);
}

TEST_CASE(
    "one that is scheduled does not wait before its time, and then since") {
  TempSpool spool;
  spool.accept({"ann@example.com"}, spool.clock.now() + 24h);
  spool.clock.advance(23h);
  CHECK(!census_of(spool).oldest_since);
  spool.clock.advance(2h);
  CHECK(waited(spool) == 1h);
}

TEST_CASE("one that a person brought back waits since then") {
  TempSpool spool;
  const auto id = spool.accept();
  spool.clock.advance(72h);
  spool.happen(id, {spool.event("retried", id)});
  spool.clock.advance(2min);
  CHECK(waited(spool) == 2min);
}

TEST_CASE("one that is held does not wait") {
  TempSpool spool;
  REQUIRE_OK(spool->accept_held(a_message(), "wait for me"));
  spool.clock.advance(72h);
  CHECK(!census_of(spool).oldest_since);
}

TEST_CASE("one that may have been delivered and is held is told") {
  TempSpool spool;
  REQUIRE_OK(spool->accept_held(a_message(), "wait for me"));
  const auto id = spool.accept();
  Event held = spool.event("held", id);
  held.reason = "it may have been delivered: main: the connection broke";
  spool.happen(id, {held});
  CHECK(census_of(spool).held_uncertain == 0);
  CensusOptions options;
  options.ask_held = true;
  CHECK(census_of(spool, options).held_uncertain == 1);
}

TEST_CASE("among more scheduled ones than are asked the old one is found") {
  TempSpool spool;
  for (int i = 0; i < 300; ++i)
    spool.accept({"ann@example.com"}, spool.clock.now() + 24h);
  const auto id = spool.accept();
  spool.happen(id, {deferred(spool, id, 2min)});
  spool.clock.advance(1min);
  CHECK(waited(spool) == 1min);
}

TEST_CASE("more that were brought back than are asked hide no older one") {
  TempSpool spool;
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(spool.accept());
  spool.clock.advance(48h);
  for (const auto& id : ids) spool.happen(id, {spool.event("retried", id)});
  // The others are known by when their file changed, which is by the real
  // clock: that is 48 h ago here.
  CHECK(waited(spool) <= 48h);
  CHECK(census_of(spool).waiting() == 100);
}

TEST_CASE("a file that is no message counts and does not stop the count") {
  TempSpool spool;
  const auto id = spool.accept();
  spool.clock.advance(1min);
  write_text(spool / ("new/" + id + ".jsonl"), "{torn");
  CHECK(census_of(spool).waiting() == 1);
  CHECK(waited(spool) == 1min);
  write_text(spool / ("new/" + id + ".jsonl"), "");
  CHECK(waited(spool) == 1min);
}

TEST_CASE("who knows enough may stop") {
  TempSpool spool;
  for (int i = 0; i < 4096; ++i)
    write_text(spool / ("new/" + std::to_string(i) + ".json"), "{}");
  CensusOptions options;
  options.enough = [](const Census& census) { return census.waiting() > 10; };
  const auto census = census_of(spool, options);
  CHECK(census.cut_short);
  CHECK(census.waiting() == 4096);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
