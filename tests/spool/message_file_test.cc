// Tests spool/message_file.cc.
#include "spool/message_file.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

const std::string k_id = "01ARYZ6S41TSV4RRFFQ69G5FAV";
const std::string k_other_id = "01ARYZ6S41TSV4RRFFQ69G5FAW";
const Time k_now = parse_time("2026-11-21T10:00:00.123Z").value();

std::string event_line(std::string_view kind, const std::string& id = k_id) {
  Event event;
  event.ts = k_now;
  event.event = kind;
  event.id = id;
  std::string line;
  append_line(line, event);
  return line;
}

std::string first_line(Mode mode = Mode::queue) {
  return message_line(k_id, k_now, mode, a_message());
}

TEST_CASE("a message's file is called after its id, and nothing else is") {
  CHECK(message_file_name(k_id) == k_id + ".jsonl");
  CHECK(id_of_file_name(k_id + ".jsonl") == k_id);
  for (const std::string& name :
       {k_id, k_id + ".json", k_id + ".jsonl.tmp", std::string(".jsonl"),
        std::string("order-1.jsonl"), "x" + k_id + ".jsonl"}) {
    CAPTURE(name);
    CHECK(id_of_file_name(name).empty());
  }
}

TEST_CASE("the first line is the message as it was accepted") {
  CHECK(message_line(k_id, k_now, Mode::queue, a_message()) ==
        R"({"pony":1,"id":"01ARYZ6S41TSV4RRFFQ69G5FAV",)"
        R"("accepted_at":"2026-11-21T10:00:00.123Z",)"
        R"("to":["ann@example.com"],"subject":"Hi","text":"Hi"})"
        "\n");
  CHECK(message_line(k_id, k_now, Mode::send, Message{}) ==
        R"({"pony":1,"id":"01ARYZ6S41TSV4RRFFQ69G5FAV",)"
        R"("accepted_at":"2026-11-21T10:00:00.123Z","mode":"send"})"
        "\n");
}

TEST_CASE("what was written is read back: the message, its mode, its events") {
  const auto content =
      first_line(Mode::send) + event_line("queued") + event_line("held");
  const auto file = parse_message_file(content, k_id);
  REQUIRE_OK(file);
  CHECK(file->id == k_id);
  CHECK(file->accepted_at == k_now);
  CHECK(file->mode == Mode::send);
  CHECK(to_text(to_json(file->message)) == to_text(to_json(a_message())));
  CHECK(file->events.size() == 2);
  CHECK(file->history.state == State::held);
  CHECK(file->size == content.size());
  CHECK(file->unreadable_lines == 0);
}

TEST_CASE("a torn last line is dropped and counted") {
  const auto whole = first_line() + event_line("queued");
  const auto torn = event_line("sent");
  for (const std::size_t bytes : {std::size_t{1}, torn.size() / 2}) {
    CAPTURE(bytes);
    const auto file = parse_message_file(whole + torn.substr(0, bytes), k_id);
    REQUIRE_OK(file);
    CHECK(file->events.size() == 1);
    CHECK(file->unreadable_lines == 1);
    CHECK(file->history.state == State::fresh);
  }
}

TEST_CASE("a last line that only lacks its end counts") {
  auto content = first_line() + event_line("sent");
  content.pop_back();
  const auto file = parse_message_file(content, k_id);
  REQUIRE_OK(file);
  CHECK(file->history.state == State::sent);
}

TEST_CASE("events of other messages and what is no event are not believed") {
  const auto file = parse_message_file(
      first_line() + event_line("sent", k_other_id) + "{\"event\":\"sent\"}\n" +
          std::string(9, '\0') + "\n\n" + event_line("queued"),
      k_id);
  REQUIRE_OK(file);
  CHECK(file->events.size() == 1);
  CHECK(file->unreadable_lines == 3);
  CHECK(file->history.state == State::fresh);
}

TEST_CASE("a file whose first line is no message of ours is refused") {
  auto without_end = first_line();
  without_end.pop_back();
  auto later_version = first_line();
  later_version.replace(later_version.find(":1"), 2, ":2");
  auto without_recipient = first_line();
  without_recipient.replace(without_recipient.find("\"to\""), 4, "\"cc\"");
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string("[]\n"),
        std::string("{}\n"), without_end, later_version,
        std::string(R"({"pony":1,"id":")" + k_id + "\"}\n"),
        std::string(100, '\0')}) {
    CAPTURE(content);
    CHECK_FAILS(parse_message_file(content, k_id), bad_data);
  }
  CHECK_FAILS(parse_message_file(first_line(), k_other_id), bad_data);
}

TEST_CASE(
    "a message that names the members of the envelope does not become "
    "another") {
  const auto json =
      parse_json(R"({"pony":1,"to":"a@b.example","subject":"x"})");
  REQUIRE_OK(json);
  CHECK_FALSE(message_from(*json).has_value());
}

TEST_CASE("what the runner hands on has the history of all rounds") {
  Event attempted;
  attempted.ts = k_now;
  attempted.event = "attempted";
  attempted.id = k_id;
  attempted.attempt = 3;
  attempted.provider = "main";
  attempted.outcome = Outcome::accepted;
  std::string content = first_line();
  append_line(content, attempted);
  auto file = parse_message_file(content, k_id);
  REQUIRE_OK(file);
  const Delivery delivery = delivery_from(std::move(*file));
  CHECK(delivery.id == k_id);
  CHECK(delivery.accepted_at == k_now);
  CHECK(delivery.message.to.at(0).email == "ann@example.com");
  CHECK(delivery.history.attempts == 3);
  CHECK(delivery.history.settled.count("ann@example.com") == 1);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
