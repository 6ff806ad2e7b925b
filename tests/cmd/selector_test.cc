#include "cmd/selector.h"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>

using namespace pony;

namespace {

const Time k_now = parse_time("2026-11-21T12:00:00Z").value();

MessageFile a_file() {
  MessageFile file;
  file.id = "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC";
  file.accepted_at = k_now - std::chrono::hours(1);
  file.message.from = Address{"Team", "team@widgets.example"};
  file.message.to = {{"", "ann@example.com"}};
  file.message.bcc = {{"", "hidden@example.org"}};
  file.message.tags = {"signup", "eu"};
  file.message.template_id = "welcome";
  file.message.lang = "es";
  file.message.pool = "default";
  file.message.idempotency_key = "order-7";
  file.size = 2048;
  file.history.attempts = 3;
  file.history.last_provider = "main";
  file.history.last_error = "550 Mailbox full";
  return file;
}

Selector selector_of(std::vector<std::string> words) {
  CLI::App app;
  Selector selector;
  add_selectors(app, selector);
  std::reverse(words.begin(), words.end());
  app.parse(words);
  return selector;
}

bool is_meant(std::vector<std::string> words, State state = State::deferred) {
  return selector_of(std::move(words)).matches(a_file(), state, k_now);
}

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("without a selector every message is meant") {
  CHECK(is_meant({}));
  CHECK_FALSE(selector_of({}).given());
  CHECK_FALSE(selector_of({"--limit", "3"}).given());
}

TEST_CASE("each selector keeps what it names and leaves out the rest") {
  const std::vector<
      std::pair<std::vector<std::string>, std::vector<std::string>>>
      cases = {
          {{"--state", "deferred"}, {"--state", "held,new"}},
          {{"--id", "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC"},
           {"--id", "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BD"}},
          {{"--to", "Ann@Example.com"}, {"--to", "bob@example.com"}},
          {{"--to", "*@example.org"}, {"--to", "*@example.net"}},
          {{"--from", "team@widgets.example"}, {"--from", "*@example.com"}},
          {{"--tag", "eu"}, {"--tag", "us"}},
          {{"--template", "welcome"}, {"--template", "receipt"}},
          {{"--lang", "es"}, {"--lang", "en"}},
          {{"--provider", "main"}, {"--provider", "second"}},
          {{"--pool", "default"}, {"--pool", "other"}},
          {{"--priority", "normal"}, {"--priority", "high,bulk"}},
          {{"--older", "60m"}, {"--older", "61m"}},
          {{"--newer", "61m"}, {"--newer", "60m"}},
          {{"--domain", "Example.ORG"}, {"--domain", "ample.org"}},
          {{"--domain", "*.com"}, {"--domain", "*.net"}},
          {{"--key", "order-7"}, {"--key", "order-70"}},
          {{"--attempts", "3"}, {"--attempts", "4"}},
          {{"--attempts", ">2"}, {"--attempts", ">3"}},
          {{"--attempts", ">=3"}, {"--attempts", ">=4"}},
          {{"--attempts", "<4"}, {"--attempts", "<3"}},
          {{"--attempts", "<=3"}, {"--attempts", "<=2"}},
          {{"--size", "2K"}, {"--size", ">2K"}},
          {{"--size", "<1M"}, {"--size", ">=1G"}},
          {{"--reason", "mailbox FULL"}, {"--reason", "greylisted"}},
      };
  for (const auto& [meant, left_out] : cases) {
    CAPTURE(meant[0]);
    CHECK(is_meant(meant));
    CHECK_FALSE(is_meant(left_out));
    CHECK(selector_of(meant).given());
  }
}

TEST_CASE("values of one selector are alternatives, selectors must all hold") {
  CHECK(is_meant({"--tag", "us", "--tag", "eu"}));
  CHECK_FALSE(is_meant({"--tag", "eu", "--template", "receipt"}));
}

TEST_CASE("--state all means every state") {
  for (const State state : {State::fresh, State::deferred, State::held,
                            State::claimed, State::sent, State::failed})
    CHECK(is_meant({"--state", "all"}, state));
}

TEST_CASE("a selector takes one value: the next word is not its own") {
  CLI::App app;
  Selector selector;
  std::vector<std::string> ids;
  app.add_option("ID", ids);
  add_selectors(app, selector);
  app.parse(std::vector<std::string>{"01J", "signup", "--tag"});
  CHECK(selector.tags == std::vector<std::string>{"signup"});
  CHECK(ids == std::vector<std::string>{"01J"});
}

TEST_CASE("a value that means nothing is refused") {
  CHECK_THROWS_AS(selector_of({"--state", "active"}), CLI::ValidationError);
  CHECK_THROWS_AS(selector_of({"--priority", "urgent"}), CLI::ValidationError);
  CHECK_THROWS_AS(selector_of({"--older", "5"}), CLI::ValidationError);
  for (const char* bound :
       {"", ">", "many", "-1", "3K", "=>3", "3 ", "99999999999999999999999"}) {
    CAPTURE(bound);
    CHECK_THROWS_AS(selector_of({"--attempts", bound}), CLI::ValidationError);
  }
  for (const char* bound : {">1X", "1KB", "99999999999999G"}) {
    CAPTURE(bound);
    CHECK_THROWS_AS(selector_of({"--size", bound}), CLI::ValidationError);
  }
}

TEST_CASE("what a name or a day tells never leaves out what is meant") {
  using std::chrono::hours;
  using std::chrono::minutes;
  const Selector newer = selector_of({"--newer", "60m"});
  CHECK(newer.may_be_aged(k_now - minutes(60), k_now));
  CHECK_FALSE(newer.may_be_aged(k_now - minutes(62), k_now));
  const Selector older = selector_of({"--older", "60m"});
  CHECK(older.may_be_aged(k_now - minutes(60), k_now));
  CHECK_FALSE(older.may_be_aged(k_now - minutes(58), k_now));
  // It was accepted on the 20th at noon or later; clocks may be a day apart.
  const Selector day = selector_of({"--newer", "1d"});
  CHECK(day.may_have_ended_on("2026-11-21", k_now));
  CHECK(day.may_have_ended_on("2026-11-19", k_now));
  CHECK_FALSE(day.may_have_ended_on("2026-11-18", k_now));
  CHECK(older.may_have_ended_on("2001-01-01", k_now));
}

TEST_CASE("a sender that the configuration gives can be selected") {
  MessageFile file = a_file();
  file.message.from.reset();
  const Selector selector = selector_of({"--from", "default@widgets.example"});
  CHECK_FALSE(selector.matches(file, State::fresh, k_now));
  CHECK(selector.matches(file, State::fresh, k_now,
                         Address{"", "default@widgets.example"}));
}

TEST_CASE("a file that is no message is met only by what can be asked of it") {
  const auto is_met = [](std::vector<std::string> words) {
    return selector_of(std::move(words))
        .matches_unreadable("", State::failed, k_now, "bad JSON", k_now);
  };
  CHECK(is_met({}));
  CHECK(is_met({"--state", "failed", "--newer", "1m", "--reason", "json"}));
  CHECK_FALSE(is_met({"--reason", "full"}));
  CHECK_FALSE(is_met({"--tag", "signup"}));
  CHECK_FALSE(is_met({"--priority", "normal"}));
}

TEST_SUITE_END();
