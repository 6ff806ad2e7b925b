// pony explain: each kind of life, as its file in tests/golden/explain tells
// it, is told as the text beside it. PONY_REFRESH_GOLDEN=1 writes them anew.
#include "cmd/explain_format.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/json.h"
#include "spool/message_file.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

namespace files = std::filesystem;

const files::path k_folder = PONY_SOURCE_DIR "/tests/golden/explain";
const Time k_now = parse_time("2026-11-21T10:30:00Z").value();
constexpr std::string_view k_id = "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC";

std::string content_of(const files::path& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

Story story_from(const std::string& content) {
  Story story;
  auto file = parse_message_file(content, k_id);
  REQUIRE_OK(file);
  story.listed.id = k_id;
  story.listed.state = file->history.state;
  story.listed.folder = std::string(to_text(file->history.state));
  story.listed.name = message_file_name(k_id);
  story.listed.arrived = file->accepted_at;
  story.listed.size_bytes = file->size;
  story.listed.sender = file->message.from;
  story.events = file->events;
  story.subject = file->message.subject;
  story.pool = "default";
  story.pool_size = 2;
  if (story.listed.state == State::deferred)
    story.gives_up_at = file->accepted_at + std::chrono::hours(120);
  story.listed.file = std::move(*file);
  return story;
}

Story a_life(const std::string& name) {
  return story_from(content_of(k_folder / (name + ".jsonl")));
}

Json facts_of(const Story& story) {
  auto json = parse_json(explain_json(story, k_now));
  REQUIRE(json.has_value());
  return std::move(*json);
}

bool says(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("every kind of life is told as it was written down") {
  int lives = 0;
  for (const auto& entry : files::directory_iterator(k_folder)) {
    if (entry.path().extension() != ".jsonl") continue;
    CAPTURE(entry.path().filename().string());
    ++lives;
    const std::string told =
        explain_text(story_from(content_of(entry.path())), k_now);
    auto golden = entry.path();
    golden.replace_extension(".txt");
    if (std::getenv("PONY_REFRESH_GOLDEN") != nullptr)
      std::ofstream(golden) << told;
    CHECK(told == content_of(golden));
  }
  CHECK(lives >= 20);
}

TEST_CASE("the facts hold each attempt with its provider, outcome and time") {
  const Json facts = facts_of(a_life("failover"));
  const Json* attempts = facts.find("attempts");
  REQUIRE(attempts != nullptr);
  REQUIRE(attempts->items.size() == 2);
  CHECK(attempts->items[0].text_of("provider") == "main");
  CHECK(attempts->items[0].text_of("outcome") == "unavailable");
  CHECK(attempts->items[0].number_of("ms") == 120);
  CHECK(attempts->items[0].text_of("error") == "503 service \"unavailable\"\n");
  CHECK(attempts->items[1].text_of("outcome") == "accepted");
  CHECK(facts.number_of("took_ms") == 2000);
  CHECK(facts.find("next")->text_of("action") == "none");
  CHECK(to_text(*facts.find("providers")) == "[\"main\",\"second\"]");
  const std::string told = explain_text(a_life("failover"), k_now);
  CHECK(facts.text_of("summary") == told.substr(0, told.find('\n')));
}

TEST_CASE("what happens next is an action that a program can act on") {
  const std::pair<const char*, const char*> cases[] = {
      {"due", "run"},           {"deferred", "wait"},
      {"scheduled", "wait"},    {"held_by_hand", "release"},
      {"cancelled", "retry"},   {"rejected", "retry"},
      {"expired", "retry"},     {"past_expires_at", "none"},
      {"sent_at_once", "none"},
  };
  for (const auto& [life, action] : cases) {
    CAPTURE(life);
    CHECK(facts_of(a_life(life)).find("next")->text_of("action") == action);
  }
  CHECK(facts_of(a_life("deferred")).find("next")->text_of("at") ==
        "2026-11-21T10:45:00.000Z");
}

TEST_CASE("a provider that rests is named, with how to wake it") {
  Story story = a_life("deferred");
  story.resting.push_back({"main", "breaker open after 5 failures: 503 busy",
                           k_now + std::chrono::minutes(3)});
  std::string text = explain_text(story, k_now);
  CHECK(says(text,
             "Provider 'main' rests until 2026-11-21T10:33:00.000Z (in "
             "3 min 0 s): breaker open after 5 failures: 503 busy."));
  CHECK(says(text, "pony provider resume main\n"));
  CHECK_FALSE(says(text, "No provider of pool"));
  story.resting.push_back({"second", "paused", {}});
  text = explain_text(story, k_now);
  CHECK(says(text, "No provider of pool 'default' may be asked now."));
  CHECK(says(text, "'second' rests until it is resumed: paused."));
}

TEST_CASE("who of several has it is said by recipient") {
  const Json facts = facts_of(a_life("partial"));
  const auto& recipients = facts.find("recipients")->items;
  REQUIRE(recipients.size() == 3);
  CHECK(recipients[0].text_of("outcome") == "accepted");
  CHECK(recipients[1].text_of("outcome") == "rejected");
  CHECK(recipients[1].text_of("error") == "550 mailbox is gone");
  CHECK(recipients[2].text_of("outcome") == "unavailable");
  CHECK(recipients[2].text_of("provider") == "second");
}

TEST_CASE("a file that is no message has a story too") {
  Story story;
  story.listed.id = k_id;
  story.listed.state = State::failed;
  story.listed.folder = "failed/2026-11-21";
  story.listed.name = std::string(k_id) + ".json";
  story.listed.arrived = k_now - std::chrono::minutes(1);
  story.listed.size_bytes = 12;
  story.listed.problem = "'x.json' is not a valid message: no recipient";
  const std::string text = explain_text(story, k_now);
  CHECK(says(text, "is no message: 'x.json' is not a valid message"));
  CHECK(says(text, "failed/2026-11-21/01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC.json"));
  CHECK(facts_of(story).find("next")->text_of("action") == "mend");
}

TEST_CASE("whatever a provider says, no line of the story is broken by it") {
  Story story = a_life("deferred");
  for (auto& event : story.events) {
    event.error = "a\nb\x1b[31m\xff" + std::string(5000, 'x');
    event.reason = event.error;
    event.provider = "p\nq";
    event.by = "h\x07:1";
  }
  story.subject = "evil\nsubject";
  const std::string text = explain_text(story, k_now);
  CHECK_FALSE(says(text, "\x1b"));
  CHECK_FALSE(says(text, "a\nb"));
  CHECK_FALSE(says(text, "evil\n"));
  CHECK(text.size() < 20000);
  CHECK(is_utf8(text));
  facts_of(story);
}

TEST_CASE("spans are told in the two largest units that say something") {
  CHECK(span_words(Milliseconds(-5)) == "0 ms");
  CHECK(span_words(Milliseconds(999)) == "999 ms");
  CHECK(span_words(Milliseconds(3250)) == "3.2 s");
  CHECK(span_words(std::chrono::seconds(125)) == "2 min 5 s");
  CHECK(span_words(std::chrono::minutes(250)) == "4 h 10 min");
  CHECK(span_words(std::chrono::hours(50)) == "2 d 2 h");
}

TEST_SUITE_END();

}  // namespace pony
