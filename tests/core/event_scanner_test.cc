// Tests core/report/event_scanner.cc and event_block.cc: what the fast way
// tells of a line is what parse_event() does.
#include "core/report/event_scanner.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "core/report/event_block.h"
#include "core/report/event_facts.h"
#include "tests/support/random_events.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("report");

namespace pony {
namespace {

using Texts = std::vector<std::string>;
// Everything that a report may know of an event.
using Told = std::tuple<std::int64_t, std::uint64_t, std::uint64_t,
                        std::uint32_t, Texts, Texts>;

Told told_by(const EventFacts& facts) {
  Texts texts;
  for (const auto text :
       {facts.event, facts.outcome, facts.template_id, facts.provider,
        facts.pool, facts.lang, facts.domain, facts.why})
    texts.emplace_back(text);
  return {facts.ts,   facts.key, facts.message,
          facts.time, texts,     Texts(facts.tags.begin(), facts.tags.end())};
}

Told told_by(const EventBlock& block, std::size_t i) {
  const BlockNames& names = block.names;
  const auto& label = names.labels[block.label[i]];
  const auto& detail = names.details[block.detail[i]];
  Texts texts;
  for (const auto number :
       {label.event, label.outcome, label.template_id, label.provider,
        label.pool, label.lang, detail.domain, detail.why})
    texts.push_back(names.strings[number]);
  Texts tags;
  for (std::uint32_t tag = 0; tag < label.tags; ++tag)
    tags.push_back(names.strings[names.tags[label.first_tag + tag]]);
  return {block.base_ts + block.ts[i],
          block.key[i],
          block.message[i],
          block.time[i],
          texts,
          tags};
}

// Is it read without parse_event()?
bool is_scanned(const std::string& line) {
  EventScanner scanner;
  ScannedLine scanned;
  ScannedTraits traits;
  return scanner.scan(line, scanned) &&
         EventScanner::scan_traits(scanned.traits, traits);
}

std::string line_of(const Event& event) {
  std::string line;
  append_line(line, event);
  line.pop_back();
  return line;
}

TEST_CASE("of 100,000 lines of all kinds both ways tell the same") {
  RandomEvents random(20261122);
  BlockBuilder builder;
  std::vector<Told> expected;
  std::vector<std::size_t> unreadable;
  std::size_t scanned = 0;
  std::size_t refused = 0;
  const auto check_block = [&] {
    const EventBlock block = builder.take();
    REQUIRE(block.size() == expected.size());
    for (std::size_t i = 0; i < block.size(); ++i) {
      CAPTURE(i);
      REQUIRE(told_by(block, i) == expected[i]);
    }
    expected.clear();
  };
  for (int i = 0; i < 100'000; ++i) {
    const std::string line = random.line();
    CAPTURE(line);
    const auto event = parse_event(line);
    auto added = builder.add(line);
    if (added == BlockBuilder::Added::full) {
      check_block();
      added = builder.add(line);
    }
    REQUIRE((added == BlockBuilder::Added::yes) == event.has_value());
    if (event) {
      expected.push_back(told_by(facts_of(*event)));
    } else {
      ++refused;
    }
    if (is_scanned(line)) ++scanned;
  }
  check_block();
  // Else the test would test one way only.
  CHECK(scanned > 30'000);
  CHECK(scanned < 70'000);
  CHECK(refused > 5'000);
}

TEST_CASE("every member that an event may have is scanned") {
  Event event;
  event.ts = Time{Milliseconds(1'795'255'200'123)};
  event.event = "attempted";
  event.id = "01JD0000000000000000000000";
  event.by = "web1:42";
  event.attempt = 2;
  event.provider = "main";
  event.outcome = Outcome::throttled;
  event.latency_ms = 0;
  event.queue_ms = 456;
  event.provider_id = "<a\"b\\c>";
  event.status = 429;
  event.error = "too many: señor";
  event.recipient = "a@b.example";
  event.reduced = {"tags", "meta\tdata"};
  event.next_at = Time{Milliseconds(1'795'255'260'000)};
  event.reason = "busy";
  event.template_id = "welcome";
  event.lang = "es";
  event.pool = "default";
  event.tags = {"signup", "eu"};
  event.domain = "b.example";
  CHECK(is_scanned(line_of(event)));
  event = Event();
  event.ts = Time{Milliseconds(1'795'255'200'123)};
  event.event = "queued";
  event.id = "x";
  CHECK(is_scanned(line_of(event)));
}

TEST_CASE("lines that are no JSON, or not in order, are not scanned") {
  const std::string good =
      R"({"ts":"2026-11-21T10:00:00.123Z","event":"sent","id":"x",)"
      R"("provider":"main","domain":"b.example"})";
  REQUIRE(is_scanned(good));
  const auto with = [&good](std::string_view part, std::string_view other) {
    std::string line = good;
    return line.replace(line.find(part), part.size(), other);
  };
  CHECK_FALSE(is_scanned(with("00.123Z", "60.123Z")));
  CHECK_FALSE(is_scanned(with("11-21", "11-31")));
  CHECK_FALSE(is_scanned(with("0.123Z", "0,123Z")));
  CHECK_FALSE(is_scanned(with("sent", "")));
  CHECK_FALSE(is_scanned(with("\"x\"", "\"\"")));
  CHECK_FALSE(is_scanned(with("main", "m\tin")));
  CHECK_FALSE(is_scanned(with("main", "m\xC3in")));
  CHECK_FALSE(is_scanned(with("main", "m\\tin")));
  CHECK_FALSE(is_scanned(with("b.example", "b\\u002eexample")));
  CHECK_FALSE(is_scanned(with("\"id\"", "\"ID\"")));
  CHECK_FALSE(is_scanned(with("}", "} ")));
  CHECK_FALSE(is_scanned(with("\"domain\"", "\"outcome\"")));
  CHECK_FALSE(is_scanned(with("\"provider\"", "\"error\":\"\",\"provider\"")));
  CHECK_FALSE(is_scanned(with("\"provider\":\"main\"", "\"status\":007")));
  CHECK_FALSE(is_scanned(with("\"provider\":\"main\"", "\"status\":")));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(is_scanned(good.substr(0, size)));
  }
}

TEST_CASE("a minute of zeros is no minute") {
  CHECK_FALSE(is_scanned(std::string(R"({"ts":")") + std::string(16, '\0') +
                         R"(:00.123Z","event":"sent","id":"x"})"));
}

TEST_CASE("a block is full after 65,536 events, and goes on after take()") {
  BlockBuilder builder;
  const std::string line =
      R"({"ts":"2026-11-21T10:00:00.123Z","event":"retried","id":"x"})";
  for (std::size_t i = 0; i < k_block_events; ++i)
    REQUIRE(builder.add(line) == BlockBuilder::Added::yes);
  CHECK(builder.add(line) == BlockBuilder::Added::full);
  CHECK(builder.add("torn") == BlockBuilder::Added::unreadable);
  const EventBlock block = builder.take();
  CHECK(block.size() == k_block_events);
  CHECK(block.retried == k_block_events);
  CHECK(builder.add(line) == BlockBuilder::Added::yes);
  CHECK(builder.take().names.labels.size() == 1);
}

TEST_CASE("times that are too far apart are in different blocks") {
  BlockBuilder builder;
  const auto line = [](const std::string& day) {
    return R"({"ts":")" + day + R"(T10:00:00.123Z","event":"sent","id":"x"})";
  };
  CHECK(builder.add(line("2026-11-21")) == BlockBuilder::Added::yes);
  CHECK(builder.add(line("2026-11-01")) == BlockBuilder::Added::yes);
  CHECK(builder.add(line("2026-12-11")) == BlockBuilder::Added::yes);
  CHECK(builder.add(line("2027-12-11")) == BlockBuilder::Added::full);
  CHECK(builder.add(line("1026-12-11")) == BlockBuilder::Added::full);
  const EventBlock block = builder.take();
  CHECK(format_day(Time{Milliseconds(block.first_ts)}) == "2026-11-01");
  CHECK(format_day(Time{Milliseconds(block.last_ts)}) == "2026-12-11");
}

TEST_CASE("a block of texts that never repeat is full before its memory is") {
  BlockBuilder builder;
  const std::string text(10'000, 'x');
  std::size_t events = 0;
  const auto line = [&] {
    return R"({"ts":"2026-11-21T10:00:00.123Z","event":"sent","id":"x",)"
           R"("tags":[")" +
           text + std::to_string(events) + R"("]})";
  };
  while (builder.add(line()) == BlockBuilder::Added::yes) ++events;
  CHECK(events < 1000);
}

TEST_CASE("a long reason is cut, but not within a character") {
  Event event;
  event.event = "failed";
  event.id = "x";
  event.error = std::string(k_kept_reason_bytes - 1, 'x') + "é and more";
  const std::string line = line_of(event);
  BlockBuilder builder;
  REQUIRE(is_scanned(line));
  CHECK(builder.add(line) == BlockBuilder::Added::yes);
  const EventBlock block = builder.take();
  CHECK(block.names.strings[block.names.details[0].why] ==
        std::string(k_kept_reason_bytes - 1, 'x'));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
