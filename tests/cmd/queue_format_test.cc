#include "cmd/queue_format.h"

#include <doctest/doctest.h>

#include "core/json.h"

using namespace pony;

namespace {

const Time k_now = parse_time("2026-11-21T12:00:00Z").value();

Event an_attempt(Outcome outcome, std::string error) {
  Event event;
  event.ts = k_now;
  event.event = "attempted";
  event.id = "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC";
  event.attempt = 1;
  event.provider = "main";
  event.outcome = outcome;
  event.error = std::move(error);
  return event;
}

Listed a_listed() {
  Listed listed;
  listed.state = State::deferred;
  listed.folder = "deferred/2026-11-21T12:05Z";
  listed.id = "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC";
  listed.name = listed.id + ".jsonl";
  listed.arrived = k_now - std::chrono::minutes(3);
  listed.size_bytes = 2314;
  listed.sender = Address{"", "team@widgets.example"};
  listed.file = MessageFile{};
  listed.file->id = listed.id;
  listed.file->message.to = {{"", "ann@example.com"}, {"", "bob@example.com"}};
  return listed;
}

void tell(Listed& listed, Event event) {
  listed.file->history.add(event, {"ann@example.com", "bob@example.com"});
  listed.file->events.push_back(std::move(event));
}

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("the last line of a queue is mailq's") {
  CHECK(queue_total(0, 0) == "Mail queue is empty\n");
  CHECK(queue_total(1, 20) == "-- 1 Kbytes in 1 Request.\n");
  CHECK(queue_total(2, 2314 + 9120) == "-- 11 Kbytes in 2 Requests.\n");
}

TEST_CASE("a queue line has id, state, size, age, tries, next try, who, why") {
  Listed listed = a_listed();
  tell(listed, an_attempt(Outcome::unavailable, "503 busy"));
  listed.file->history.next_at = k_now + std::chrono::minutes(5);
  CHECK(QueueTable(0, k_now).lines(listed) ==
        "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC  deferred   2.3K    3m      1    5m  "
        "team@widgets.example      ann@example.com, bob@example.com\n"
        "    (main: 503 busy)\n");
}

TEST_CASE("no line of the queue is wider than the terminal, but for errors") {
  Listed listed = a_listed();
  listed.file->message.to = {{"", std::string(60, 'x') + "@example.com"}};
  for (const int width : {80, 110, 140}) {
    const QueueTable table(width, k_now);
    const std::string text = table.header() + table.lines(listed);
    std::size_t start = 0;
    for (auto end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', start)) {
      // "…" is three bytes and one column.
      CHECK(end - start <= static_cast<std::size_t>(width) + 2);
      start = end + 1;
    }
  }
}

TEST_CASE("an error cannot write to the terminal") {
  Listed listed = a_listed();
  tell(listed, an_attempt(Outcome::unavailable, "\x1b[2J\nforged"));
  const std::string text = QueueTable(0, k_now).lines(listed);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\nforged") == std::string::npos);
}

TEST_CASE("who has the message already is not waiting for it") {
  Listed listed = a_listed();
  Event partly = an_attempt(Outcome::accepted, "");
  partly.recipients = {{"ann@example.com", Outcome::accepted, ""},
                       {"bob@example.com", Outcome::unavailable, "450 later"}};
  tell(listed, partly);
  const auto json = parse_json(queue_json(listed)).value();
  const Json& recipients = *json.find("recipients");
  REQUIRE(recipients.items.size() == 1);
  CHECK(recipients.items[0].text_of("address") == "bob@example.com");
  CHECK(recipients.items[0].text_of("delay_reason") == "main: 450 later");
}

TEST_CASE("the queue as JSON has postqueue's names first, then pony's") {
  const std::string line = queue_json(a_listed());
  CHECK(line.starts_with(
      R"({"queue_name":"deferred","queue_id":"01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC",)"
      R"("arrival_time":1795262220,"message_size":2314,)"
      R"("forced_expire":false,"sender":"team@widgets.example",)"
      R"("recipients":[{"address":"ann@example.com"},)"
      R"({"address":"bob@example.com"}],"schema":1,"state":"deferred",)"));
  CHECK(line.ends_with("}\n"));
  const auto json = parse_json(line).value();
  CHECK(json.find("template")->is(Json::Kind::null));
  CHECK(json.text_of("priority") == "normal");
}

TEST_CASE("the summary counts by state and age and names the oldest") {
  QueueSummary summary(k_now);
  summary.add(State::fresh, k_now - std::chrono::minutes(4));
  summary.add(State::fresh, k_now - std::chrono::minutes(5));
  summary.add(State::deferred, k_now - std::chrono::hours(48));
  summary.add(State::deferred, k_now + std::chrono::minutes(1));
  const auto json = parse_json(summary.json()).value();
  CHECK(json.number_of("total") == 4);
  CHECK(json.number_of("oldest_age_ms") == 48 * 3600 * 1000);
  const Json& fresh = *json.find("states")->find("new");
  CHECK(fresh.find("ages")->number_of("5m") == 1);
  CHECK(fresh.find("ages")->number_of("10m") == 1);
  CHECK(fresh.number_of("oldest_age_ms") == 5 * 60 * 1000);
  const Json& deferred = *json.find("states")->find("deferred");
  CHECK(deferred.find("ages")->number_of("older") == 1);
  CHECK(deferred.find("ages")->number_of("5m") == 1);
  CHECK(summary.table().find("2d") != std::string::npos);
  CHECK(QueueSummary(k_now).table() == "Mail queue is empty\n");
}

TEST_SUITE_END();
