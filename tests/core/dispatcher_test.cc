// Tests core/pool/dispatcher.cc with providers whose answers are scripted.
#include "core/pool/dispatcher.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("pool");

namespace pony {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

const Words k_both = {"ann@b.example", "bob@b.example"};

Verdict a_verdict(Outcome outcome, std::string words = "says no") {
  Verdict verdict;
  verdict.outcome = outcome;
  verdict.status = outcome == Outcome::accepted ? 250 : 450;
  verdict.error = outcome == Outcome::accepted ? "" : std::move(words);
  verdict.provider_id = outcome == Outcome::accepted ? "its-id" : "";
  return verdict;
}

// What a provider is to answer, and what it was asked.
struct Script {
  explicit Script(std::string its_name) : name(std::move(its_name)) {}

  std::string name;
  int room = 100;
  std::string cannot_carry;
  std::chrono::seconds remembers_key_for{0};
  bool answers_at_once = true;
  // For the next attempt: one verdict for everybody, or one each. When there
  // is none left it accepts.
  std::deque<std::vector<Verdict>> answers;
  std::vector<Attempt> started;
  std::vector<Provider::Done> open;
  bool was_shut_down = false;

  Script& then(Outcome outcome) {
    answers.push_back({a_verdict(outcome)});
    return *this;
  }
  Script& then(std::vector<Verdict> verdicts) {
    answers.push_back(std::move(verdicts));
    return *this;
  }
  // Answers the oldest attempt that is still open.
  void answer() {
    REQUIRE_FALSE(open.empty());
    const auto done = std::move(open.front());
    open.erase(open.begin());
    const auto& attempt = started[started.size() - open.size() - 1];
    AttemptResult result;
    result.latency = 12ms;
    result.verdicts = {a_verdict(Outcome::accepted)};
    if (!answers.empty()) {
      result.verdicts = std::move(answers.front());
      answers.pop_front();
    }
    if (result.verdicts.size() == 1)
      result.verdicts.resize(attempt.recipients.size(), result.verdicts[0]);
    REQUIRE(result.verdicts.size() == attempt.recipients.size());
    done(result);
  }
};

class ScriptedProvider : public Provider {
 public:
  explicit ScriptedProvider(Script& script) : script_(script) {}
  std::string_view name() const override { return script_.name; }
  std::string_view type() const override { return "scripted"; }
  std::optional<std::string> cannot_carry(const Attempt&) const override {
    if (script_.cannot_carry.empty()) return {};
    return script_.cannot_carry;
  }
  int room() const override {
    return script_.room - static_cast<int>(script_.open.size());
  }
  void start(Attempt attempt, Done done) override {
    script_.started.push_back(std::move(attempt));
    script_.open.push_back(std::move(done));
    if (script_.answers_at_once) script_.answer();
  }
  void check(std::function<void(ProviderCheck)> checked) override {
    checked({true, {}});
  }
  std::chrono::seconds remembers_key_for() const override {
    return script_.remembers_key_for;
  }
  void shut_down() override {
    script_.was_shut_down = true;
    while (!script_.open.empty()) {
      script_.answers.push_front({a_verdict(Outcome::unknown, "given up")});
      script_.answer();
    }
  }
  Result<std::string> preview(const Attempt&,
                              std::vector<std::string>&) const override {
    return "";
  }

 private:
  Script& script_;
};

std::shared_ptr<Delivery> a_delivery(std::string id = "1",
                                     const Words& to = {"ann@b.example"}) {
  auto delivery = std::make_shared<Delivery>();
  delivery->id = std::move(id);
  for (const auto& email : to) delivery->message.to.push_back({{}, email});
  return delivery;
}

// Two providers, "main" before "second", and what has happened so far.
struct Pool {
  Script main{"main"};
  Script second{"second"};
  std::optional<Error> render_error;
  Words warnings;
  std::vector<std::string> breaker_events;
  std::vector<Event> events;
  std::vector<Round> rounds;
  FakeClock clock;
  MemoryHealthStore own_health;
  HealthStore& health;
  Reactor reactor;
  Config config;
  Dispatcher dispatcher;

  explicit Pool(HealthStore* shared = nullptr,
                std::vector<RateLimit> rate_of_main = {})
      : health(shared != nullptr ? *shared : own_health),
        config(a_config(std::move(rate_of_main))),
        dispatcher(
            config, providers(),
            [this](const Delivery& delivery) { return render(delivery); },
            health, reactor, clock, options()) {}

  std::vector<std::unique_ptr<Provider>> providers() {
    std::vector<std::unique_ptr<Provider>> all;
    all.push_back(std::make_unique<ScriptedProvider>(main));
    all.push_back(std::make_unique<ScriptedProvider>(second));
    return all;
  }
  static Config a_config(std::vector<RateLimit> rate_of_main) {
    Config config;
    config.providers.resize(2);
    config.providers[0].name = "main";
    config.providers[0].rate = std::move(rate_of_main);
    config.providers[1].name = "second";
    config.pools = {
        {"default", Strategy::priority, {{"main"}, {"second"}}, {}},
        {"alone", Strategy::priority, {{"second"}}, {}},
        {"partly", Strategy::priority, {{"left-out"}, {"second"}}, {}},
        {"c.example", Strategy::priority, {{"second"}, {"main"}}, {}}};
    config.breaker = {3, 1h, 2h};
    return config;
  }
  Dispatcher::Options options() {
    Dispatcher::Options with;
    with.jobs = 10;
    with.on_warning = [this](const std::string& text) {
      warnings.push_back(text);
    };
    with.on_breaker = [this](const Json& event) {
      breaker_events.push_back(to_text(event));
    };
    return with;
  }
  Result<RenderedMessage> render(const Delivery& delivery) {
    if (render_error) return tl::unexpected(*render_error);
    RenderedMessage mail;
    mail.from = delivery.message.from.value_or(Address{"", "team@a.example"});
    mail.lang = "es";
    return mail;
  }
  // What poll() gives, confirmed.
  void turn() {
    auto happened = dispatcher.poll(Milliseconds(0));
    for (auto& event : happened.events) events.push_back(std::move(event));
    for (auto& round : happened.rounds) rounds.push_back(std::move(round));
    dispatcher.confirmed();
  }
  // Takes it and turns until its round has ended.
  Round deliver(const std::shared_ptr<Delivery>& delivery) {
    dispatcher.take(delivery);
    const auto before = rounds.size();
    for (int i = 0; i < 10 && rounds.size() == before; ++i) turn();
    REQUIRE(rounds.size() == before + 1);
    CHECK(rounds.back().id == delivery->id);
    return rounds.back();
  }
  // "attempting main 1; attempted main 1 accepted", …
  std::string story() const {
    std::string text;
    for (const auto& event : events) {
      if (!text.empty()) text += "; ";
      text += event.event + " " + event.provider;
      if (event.attempt > 0) text += " " + std::to_string(event.attempt);
      if (event.outcome) text += " " + std::string(to_text(*event.outcome));
    }
    return text;
  }
  void open_breaker_of(Script& script) {
    for (int i = 0; i < 3; ++i) script.then(Outcome::unavailable);
    const bool is_main = &script == &main;
    for (int i = 0; i < 3; ++i) {
      auto delivery = a_delivery("opens" + std::to_string(i));
      if (!is_main) delivery->message.pool = "alone";
      (void)deliver(delivery);
    }
    events.clear();
    rounds.clear();
    main.started.clear();
    second.started.clear();
  }
};

std::string outcomes_of(const Round& round) {
  std::string text;
  for (const auto& one : round.verdicts) {
    if (!text.empty()) text += ", ";
    text += one.email.substr(0, 3) + " ";
    text += to_text(one.verdict.outcome);
  }
  return text;
}

TEST_CASE("the first provider that takes it ends the round") {
  Pool pool;
  const auto round = pool.deliver(a_delivery());
  CHECK(pool.story() == "attempting main 1; attempted main 1 accepted");
  CHECK(outcomes_of(round) == "ann accepted");
  CHECK(round.provider == "main");
  CHECK(round.attempt == 1);
  CHECK_FALSE(round.untouched);
  CHECK(round.not_tried.empty());
  CHECK(pool.second.started.empty());
  const auto& attempted = pool.events.back();
  CHECK(attempted.status == 250);
  CHECK(attempted.provider_id == "its-id");
  CHECK(attempted.latency_ms == 12);
  CHECK(attempted.error.empty());
  CHECK(attempted.lang == "es");
  CHECK(attempted.pool == "default");
  CHECK_MESSAGE(attempted.recipients.empty(), "they do not differ");
}

TEST_CASE(
    "unavailable and throttled go on to the next provider at once, "
    "unknown and rejected do not") {
  for (const auto& [outcome, goes_on] :
       std::vector<std::pair<Outcome, bool>>{{Outcome::unavailable, true},
                                             {Outcome::throttled, true},
                                             {Outcome::unknown, false},
                                             {Outcome::rejected, false}}) {
    CAPTURE(to_text(outcome));
    Pool pool;
    pool.main.then(outcome);
    const auto round = pool.deliver(a_delivery());
    CHECK(pool.second.started.size() == (goes_on ? 1 : 0));
    CHECK(round.verdicts.at(0).verdict.outcome ==
          (goes_on ? Outcome::accepted : outcome));
    CHECK(round.attempt == (goes_on ? 2 : 1));
  }
}

TEST_CASE(
    "when all providers have failed the round says the last one's words") {
  Pool pool;
  pool.main.then(Outcome::unavailable);
  pool.second.then({a_verdict(Outcome::throttled, "too many")});
  const auto round = pool.deliver(a_delivery());
  CHECK(pool.story() ==
        "attempting main 1; attempted main 1 unavailable; "
        "attempting second 2; attempted second 2 throttled");
  CHECK(outcomes_of(round) == "ann throttled");
  CHECK(round.verdicts[0].verdict.error == "too many");
  CHECK(round.provider == "second");
}

TEST_CASE("only recipients whom a provider could not serve go on to the next") {
  Pool pool;
  pool.main.then(
      {a_verdict(Outcome::accepted), a_verdict(Outcome::unavailable)});
  const auto round = pool.deliver(a_delivery("1", k_both));
  REQUIRE(pool.second.started.size() == 1);
  CHECK(pool.second.started[0].recipients == Words{"bob@b.example"});
  CHECK(pool.second.started[0].number == 2);
  CHECK(outcomes_of(round) == "ann accepted, bob accepted");

  const auto& mixed = pool.events.at(1);
  CHECK_MESSAGE(mixed.outcome == Outcome::accepted, "the best of them");
  REQUIRE(mixed.recipients.size() == 2);
  CHECK(mixed.recipients[1].email == "bob@b.example");
  CHECK(mixed.recipients[1].outcome == Outcome::unavailable);
  CHECK(mixed.recipients[1].error == "says no");
}

TEST_CASE(
    "whose outcome is unknown is asked of no other provider, and stays "
    "unknown in the history while others go on") {
  Pool pool;
  pool.main.then(
      {a_verdict(Outcome::unknown), a_verdict(Outcome::unavailable)});
  const auto delivery = a_delivery("1", k_both);
  const auto round = pool.deliver(delivery);
  REQUIRE(pool.second.started.size() == 1);
  CHECK(pool.second.started[0].recipients == Words{"bob@b.example"});
  CHECK(outcomes_of(round) == "ann unknown, bob accepted");

  History history;
  for (const auto& event : pool.events) history.add(event, k_both);
  CHECK(history.settled ==
        std::map<std::string, Outcome>{{"bob@b.example", Outcome::accepted}});
  CHECK(history.unknown_at == "main");
}

TEST_CASE("who was settled in an earlier round is never attempted again") {
  Pool pool;
  auto delivery = a_delivery("1", k_both);
  delivery->history.attempts = 4;
  SUBCASE("the others are") {
    delivery->history.settled = {{"ann@b.example", Outcome::accepted}};
    const auto round = pool.deliver(delivery);
    REQUIRE(pool.main.started.size() == 1);
    CHECK(pool.main.started[0].recipients == Words{"bob@b.example"});
    CHECK_MESSAGE(pool.main.started[0].number == 5, "attempts go on counting");
    CHECK(outcomes_of(round) == "bob accepted");
  }
  SUBCASE("nobody is left: the round ends without an attempt") {
    delivery->history.settled = {{"ann@b.example", Outcome::accepted},
                                 {"bob@b.example", Outcome::rejected}};
    const auto round = pool.deliver(delivery);
    CHECK(pool.events.empty());
    CHECK(round.verdicts.empty());
    CHECK_FALSE(round.untouched);
    CHECK(round.not_tried.empty());
  }
}

TEST_CASE(
    "whose answer was lost last time is asked first as long as it knows a "
    "message by its key") {
  for (const bool remembers : {true, false}) {
    CAPTURE(remembers);
    Pool pool;
    pool.second.remembers_key_for = 15min;
    auto delivery = a_delivery();
    delivery->history.unknown_at = "second";
    delivery->history.unknown_since =
        pool.clock.now() - (remembers ? 14min : 15min);
    (void)pool.deliver(delivery);
    CHECK(pool.story() == (remembers
                               ? "attempting second 1; attempted second 1 "
                                 "accepted"
                               : "attempting main 1; attempted main 1 "
                                 "accepted"));
  }
}

TEST_CASE(
    "whose answer was lost last time is asked last if it would send a second "
    "copy") {
  Pool pool;
  auto delivery = a_delivery();
  delivery->history.unknown_at = "main";
  pool.second.then(Outcome::unavailable);
  (void)pool.deliver(delivery);
  CHECK(pool.story() ==
        "attempting second 1; attempted second 1 unavailable; "
        "attempting main 2; attempted main 2 accepted");
}

TEST_CASE(
    "a provider that cannot carry the message is skipped, and it is said") {
  Pool pool;
  pool.main.cannot_carry = "no SMTPUTF8";
  const auto round = pool.deliver(a_delivery());
  CHECK(pool.story() ==
        "skipped main; attempting second 1; attempted second 1 accepted");
  CHECK(pool.events.at(0).reason == "no SMTPUTF8");
  CHECK(pool.main.started.empty());
  CHECK_MESSAGE(round.cannot_be_carried.empty(), "another one could");
}

TEST_CASE("a message that no provider can carry is told with every reason") {
  Pool pool;
  pool.main.cannot_carry = "too large";
  pool.second.cannot_carry = "no attachments";
  const auto round = pool.deliver(a_delivery());
  CHECK(round.cannot_be_carried == "main: too large; second: no attachments");
  CHECK(round.verdicts.empty());
}

TEST_CASE("a provider that could not be set up might have carried it") {
  Pool pool;
  pool.second.cannot_carry = "no attachments";
  auto delivery = a_delivery();
  delivery->message.pool = "partly";
  const auto round = pool.deliver(delivery);
  CHECK_MESSAGE(round.cannot_be_carried.empty(), "it is not for ever");
  CHECK(round.not_tried ==
        "every provider of pool 'partly' that could take it rests or is left "
        "out");
}

TEST_CASE("a provider that could carry it but rests is waited for") {
  Pool pool;
  pool.open_breaker_of(pool.main);
  pool.second.cannot_carry = "no attachments";
  const auto round = pool.deliver(a_delivery());
  CHECK(round.cannot_be_carried.empty());
  CHECK(round.not_tried.find("'default'") != std::string::npos);
  CHECK_FALSE(round.untouched);
}

TEST_CASE("no attempt starts before it was announced and confirmed") {
  Pool pool;
  pool.main.then(Outcome::unavailable);
  pool.dispatcher.take(a_delivery());
  CHECK(pool.main.started.empty());
  auto happened = pool.dispatcher.poll(Milliseconds(0));
  REQUIRE(happened.events.size() == 1);
  CHECK(happened.events[0].event == "attempting");
  CHECK(pool.main.started.empty());

  pool.dispatcher.confirmed();

  CHECK(pool.main.started.size() == 1);
  CHECK_MESSAGE(pool.second.started.empty(), "announced, but not confirmed");
  happened = pool.dispatcher.poll(Milliseconds(0));
  REQUIRE(happened.events.size() == 2);
  CHECK(happened.events[0].event == "attempted");
  CHECK(happened.events[1].event == "attempting");
  CHECK(happened.events[1].provider == "second");
  CHECK(pool.second.started.empty());
  pool.dispatcher.confirmed();
  CHECK(pool.second.started.size() == 1);
}

TEST_CASE("confirming twice starts nothing twice") {
  Pool pool;
  pool.main.answers_at_once = false;
  pool.dispatcher.take(a_delivery());
  pool.turn();
  pool.dispatcher.confirmed();
  pool.turn();
  CHECK(pool.main.started.size() == 1);
}

TEST_CASE("a breaker that opens is told once, and its provider is left out") {
  Pool pool;
  pool.open_breaker_of(pool.main);
  REQUIRE(pool.warnings.size() == 3);
  CHECK(pool.warnings[0] ==
        "provider 'main' rests: breaker open after 3 failures: says no");
  CHECK(pool.warnings[1] ==
        "pool 'default' lives on its last provider, 'second'");
  CHECK(pool.warnings[2] ==
        "pool 'c.example' lives on its last provider, 'second'");
  REQUIRE(pool.breaker_events.size() == 1);
  CHECK(pool.breaker_events[0] ==
        R"({"ts":"2026-11-21T10:00:00.000Z","event":"breaker",)"
        R"("provider":"main","state":"open","failures":3,)"
        R"("until":"2026-11-21T11:00:00.000Z","error":"says no",)"
        R"("pools":[{"pool":"default","left":["second"]},)"
        R"({"pool":"c.example","left":["second"]}]})");
  (void)pool.deliver(a_delivery());
  CHECK(pool.main.started.empty());
  CHECK(pool.second.started.size() == 1);
  CHECK_MESSAGE(pool.dispatcher.room() == 10, "another provider can");
  CHECK(pool.dispatcher.stalled().empty());
}

TEST_CASE(
    "when every provider rests there is no room, and what is taken all "
    "the same goes back untouched") {
  Pool pool;
  pool.open_breaker_of(pool.main);
  pool.open_breaker_of(pool.second);
  CHECK(pool.dispatcher.room() == 0);
  const auto stalled = pool.dispatcher.stalled();
  CHECK(stalled ==
        "every provider rests: 'main' (breaker open after 3 failures: says "
        "no, 1h more); 'second' (breaker open after 3 failures: says no, 1h "
        "more)");

  const auto round = pool.deliver(a_delivery());
  CHECK(round.untouched);
  CHECK(pool.events.empty());
}

TEST_CASE("trouble with one recipient opens no breaker") {
  Pool pool;
  Verdict grey = a_verdict(Outcome::unavailable, "greylisted");
  grey.counts_against_provider = false;
  for (int i = 0; i < 10; ++i) {
    pool.main.then(std::vector{grey});
    (void)pool.deliver(a_delivery(std::to_string(i)));
  }
  CHECK(pool.main.started.size() == 10);
  CHECK(pool.warnings.empty());
}

TEST_CASE("a rejected message opens no breaker: its provider works") {
  Pool pool;
  for (int i = 0; i < 10; ++i) {
    pool.main.then(Outcome::rejected);
    (void)pool.deliver(a_delivery(std::to_string(i)));
  }
  CHECK(pool.main.started.size() == 10);
}

TEST_CASE("a lost answer counts against its provider") {
  Pool pool;
  for (int i = 0; i < 3; ++i) pool.main.then(Outcome::unknown);
  for (int i = 0; i < 3; ++i) (void)pool.deliver(a_delivery(std::to_string(i)));
  CHECK(pool.breaker_events.size() == 1);
}

TEST_CASE(
    "a half-open breaker lets one message through, and its success closes it") {
  Pool pool;
  pool.open_breaker_of(pool.main);
  pool.clock.advance(1h);
  pool.main.answers_at_once = false;
  for (const char* id : {"1", "2", "3"}) pool.dispatcher.take(a_delivery(id));
  pool.turn();
  pool.turn();
  CHECK(pool.main.started.size() == 1);
  CHECK_MESSAGE(pool.second.started.size() == 2, "the others go round it");
  pool.main.answer();
  pool.turn();
  pool.main.answers_at_once = true;
  (void)pool.deliver(a_delivery("4"));
  CHECK(pool.main.started.size() == 2);
  REQUIRE(pool.breaker_events.size() == 2);
  CHECK(pool.breaker_events[1].find(R"("state":"closed")") !=
        std::string::npos);
}

TEST_CASE("a probe that fails is not told again, and rests twice as long") {
  Pool pool;
  pool.open_breaker_of(pool.main);
  pool.clock.advance(1h);
  pool.main.then(Outcome::unavailable);
  (void)pool.deliver(a_delivery("probe"));
  pool.clock.advance(1h);
  (void)pool.deliver(a_delivery("later"));
  CHECK(pool.main.started.size() == 1);
  CHECK(pool.breaker_events.size() == 1);
  pool.clock.advance(1h);
  (void)pool.deliver(a_delivery("in the end"));
  CHECK(pool.main.started.size() == 2);
}

TEST_CASE("when all are half open, room is for one probe and no more") {
  Pool pool;
  pool.open_breaker_of(pool.main);
  pool.open_breaker_of(pool.second);
  pool.clock.advance(1h);
  CHECK(pool.dispatcher.stalled().empty());
  CHECK(pool.dispatcher.room() == 1);
}

TEST_CASE("what one process finds out of a provider, the others know") {
  MemoryHealthStore shared;
  Pool one(&shared);
  one.open_breaker_of(one.main);
  Pool other(&shared);
  (void)other.deliver(a_delivery());
  CHECK(other.main.started.empty());
  CHECK(other.second.started.size() == 1);
}

// A disk that can be read and not be written.
class ReadOnlyStore : public HealthStore {
 public:
  Result<ProviderHealth> update(
      const std::string&,
      const std::function<void(ProviderHealth&)>&) override {
    return fail(Error::Kind::disk, "read-only file system");
  }
  Result<ProviderHealth> read(const std::string&) override {
    return ProviderHealth();
  }
};

TEST_CASE("a store that keeps nothing costs the sharing and nothing else") {
  ReadOnlyStore store;
  Pool pool(&store);
  pool.open_breaker_of(pool.main);
  CHECK(std::count(pool.warnings.begin(), pool.warnings.end(),
                   "the health of provider 'main' is not kept: "
                   "read-only file system") == 1);
  CHECK(pool.breaker_events.size() == 1);
  (void)pool.deliver(a_delivery());
  CHECK(pool.main.started.empty());
  pool.clock.advance(1h);
  (void)pool.deliver(a_delivery("2"));
  CHECK(pool.main.started.size() == 1);
  CHECK(pool.breaker_events.size() == 2);
}

TEST_CASE("a provider that a person paused is left out until then") {
  MemoryHealthStore shared;
  Pool pool(&shared);
  const Time until = pool.clock.now() + 10min;
  (void)shared.update("main",
                      [&](ProviderHealth& health) { pause(health, until); });
  Pool other(&shared);
  (void)other.deliver(a_delivery("1"));
  CHECK(other.main.started.empty());
  other.clock.advance(10min);
  (void)other.deliver(a_delivery("2"));
  CHECK(other.main.started.size() == 1);
}

TEST_CASE("a rate that is used up for long sends what follows elsewhere") {
  Pool pool(nullptr, {{2, 1h}});
  for (const char* id : {"1", "2", "3", "4"})
    (void)pool.deliver(a_delivery(id));
  CHECK(pool.main.started.size() == 2);
  CHECK(pool.second.started.size() == 2);
  CHECK(pool.breaker_events.empty());
}

TEST_CASE("a rate that has a place in a moment is waited for") {
  Pool pool(nullptr, {{2, 1s}});
  for (const char* id : {"1", "2", "3"}) pool.dispatcher.take(a_delivery(id));
  pool.turn();
  pool.turn();
  CHECK(pool.main.started.size() == 2);
  pool.clock.advance(1100ms);
  pool.turn();
  pool.turn();
  CHECK(pool.main.started.size() == 3);
  CHECK(pool.second.started.empty());
}

TEST_CASE("a rejection that never left the house says nothing of health") {
  Pool pool;
  pool.open_breaker_of(pool.main);
  pool.clock.advance(1h);
  Verdict local = a_verdict(Outcome::rejected);
  local.counts_against_provider = false;
  pool.main.then(std::vector{local});
  (void)pool.deliver(a_delivery("1"));
  CHECK_MESSAGE(pool.breaker_events.size() == 1, "not closed by it");
}

TEST_CASE(
    "a provider that asked to be left alone rests from its first answer") {
  Pool pool;
  Verdict busy = a_verdict(Outcome::throttled, "too many");
  busy.rest = std::chrono::seconds(600);
  pool.main.then(std::vector{busy});
  (void)pool.deliver(a_delivery("1"));
  (void)pool.deliver(a_delivery("2"));
  CHECK(pool.main.started.size() == 1);
  CHECK(pool.second.started.size() == 2);
}

TEST_CASE("messages wait in line for a provider without room, in order") {
  Pool pool;
  pool.main.room = 1;
  pool.main.answers_at_once = false;
  for (const char* id : {"1", "2", "3"}) pool.dispatcher.take(a_delivery(id));
  CHECK(pool.dispatcher.room() == 7);
  pool.turn();
  pool.turn();
  REQUIRE(pool.main.started.size() == 1);
  CHECK_MESSAGE(pool.second.started.empty(), "busy is no failure");
  for (const std::size_t ended : {1, 2, 3}) {
    pool.main.answer();
    pool.turn();
    CHECK(pool.rounds.size() == ended);
    CHECK(pool.rounds.back().id == std::to_string(ended));
    CHECK(pool.main.started.size() == std::min<std::size_t>(ended + 1, 3));
  }
  CHECK(pool.dispatcher.room() == 10);
}

TEST_CASE("who waits in line goes on when the provider's breaker opens") {
  Pool pool;
  pool.main.room = 3;
  pool.main.answers_at_once = false;
  for (const char* id : {"1", "2", "3", "4"})
    pool.dispatcher.take(a_delivery(id));
  pool.turn();
  REQUIRE(pool.main.started.size() == 3);
  for (int i = 0; i < 3; ++i) {
    pool.main.then(Outcome::unavailable);
    pool.main.answer();
  }
  pool.turn();
  pool.turn();
  CHECK(pool.main.started.size() == 3);
  CHECK(pool.second.started.size() == 4);
  CHECK(pool.rounds.size() == 4);
}

TEST_CASE(
    "giving up ends every round: what was started is as its provider "
    "says, what was not is as it was") {
  Pool pool;
  pool.main.room = 1;
  pool.main.answers_at_once = false;
  pool.dispatcher.take(a_delivery("started"));
  pool.turn();
  pool.dispatcher.take(a_delivery("in line"));
  // Busy at "main", so announced at "second" and not confirmed.
  auto alone = a_delivery("announced");
  alone->message.pool = "alone";
  pool.dispatcher.take(alone);
  REQUIRE(pool.main.started.size() == 1);

  pool.dispatcher.give_up();
  pool.turn();

  CHECK(pool.main.was_shut_down);
  CHECK(pool.second.was_shut_down);
  CHECK(pool.dispatcher.room() == 0);
  CHECK(pool.second.started.empty());
  REQUIRE(pool.rounds.size() == 3);
  for (const auto& round : pool.rounds) {
    CAPTURE(round.id);
    CHECK(round.untouched == (round.id == "in line"));
    if (round.id == "started") CHECK(outcomes_of(round) == "ann unknown");
    if (round.id == "announced") CHECK(outcomes_of(round) == "ann unavailable");
  }
  CHECK(pool.warnings.empty());
  pool.turn();
  CHECK(pool.rounds.size() == 3);
}

TEST_CASE(
    "a message that cannot be rendered is not tried, and every problem "
    "is told") {
  Pool pool;
  pool.render_error =
      Error{Error::Kind::bad_data,
            "template 'welcome'",
            {},
            {{"name", "has no value", {}}, {"shop", "has no value", {}}}};
  const auto round = pool.deliver(a_delivery());
  CHECK(round.not_tried ==
        "template 'welcome'; name: has no value; shop: has no value");
  CHECK(pool.events.empty());
  CHECK_FALSE(round.untouched);
  CHECK(pool.dispatcher.room() == 10);
}

TEST_CASE("a message that names a pool that there is not is not tried") {
  Pool pool;
  auto delivery = a_delivery();
  delivery->message.pool = "gone";
  const auto round = pool.deliver(delivery);
  CHECK(round.not_tried == "there is no pool 'gone' in the configuration");
  CHECK(pool.main.started.empty());
}

TEST_CASE(
    "the pool is the one named, else the sender's domain's, else default") {
  Pool pool;
  auto of_domain = a_delivery("1");
  of_domain->message.from = Address{"", "team@c.example"};
  (void)pool.deliver(of_domain);
  CHECK(pool.second.started.size() == 1);

  auto named = a_delivery("2");
  named->message.from = Address{"", "team@c.example"};
  named->message.pool = "default";
  (void)pool.deliver(named);
  CHECK(pool.main.started.size() == 1);

  (void)pool.deliver(a_delivery("3"));
  CHECK(pool.main.started.size() == 2);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
