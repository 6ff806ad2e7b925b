// Tests core/history.cc.
#include "core/history.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

const std::vector<std::string> k_recipients = {"ann@b.example",
                                               "bob@b.example"};

Event event_of(std::string_view kind) {
  Event event;
  event.event = kind;
  event.id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
  event.ts = Time(Milliseconds(1000));
  return event;
}

Event attempted(int number, std::string provider, Outcome outcome,
                std::vector<RecipientOutcome> recipients = {}) {
  Event event = event_of("attempted");
  event.attempt = number;
  event.provider = std::move(provider);
  event.outcome = outcome;
  event.error = "says no";
  event.recipients = std::move(recipients);
  return event;
}

History after(const std::vector<Event>& events) {
  History history;
  for (const auto& event : events) history.add(event, k_recipients);
  return history;
}

TEST_CASE("a state's name and the state are one") {
  for (const auto state : {State::fresh, State::deferred, State::held,
                           State::claimed, State::sent, State::failed}) {
    const auto text = to_text(state);
    CAPTURE(text);
    CHECK(state_from(text) == state);
  }
  CHECK_FALSE(state_from("gone").has_value());
  CHECK_FALSE(state_from("").has_value());
}

TEST_CASE("the last event that moved the message says its state") {
  const std::vector<std::pair<std::string, State>> moves = {
      {"queued", State::fresh},    {"released", State::fresh},
      {"retried", State::fresh},   {"deferred", State::deferred},
      {"held", State::held},       {"sent", State::sent},
      {"failed", State::failed},   {"expired", State::failed},
      {"cancelled", State::failed}};
  for (const auto& [kind, state] : moves) {
    CAPTURE(kind);
    CHECK(after({event_of("held"), event_of(kind)}).state == state);
    CHECK(after({event_of(kind), event_of("attempted"), event_of("skipped"),
                 event_of("recovered"), event_of("delivered")})
              .state == state);
  }
}

TEST_CASE("an accepted and a rejected recipient are settled, others are not") {
  for (const auto& [outcome, settled] :
       std::vector<std::pair<Outcome, bool>>{{Outcome::accepted, true},
                                             {Outcome::rejected, true},
                                             {Outcome::unavailable, false},
                                             {Outcome::throttled, false},
                                             {Outcome::unknown, false}}) {
    CAPTURE(to_text(outcome));
    const auto history = after({attempted(1, "main", outcome)});
    CHECK(history.settled.size() == (settled ? 2 : 0));
    CHECK(history.attempts == 1);
    CHECK(history.last_provider == "main");
    CHECK(history.last_error == "says no");
  }
}

TEST_CASE("outcomes are each recipient's own where the event lists them") {
  const auto history =
      after({attempted(1, "main", Outcome::accepted,
                       {{"ann@b.example", Outcome::accepted, {}},
                        {"bob@b.example", Outcome::unavailable, "later"}})});
  CHECK(history.settled ==
        std::map<std::string, Outcome>{{"ann@b.example", Outcome::accepted}});
}

TEST_CASE("who has been accepted stays so, whatever a later attempt came to") {
  const auto history =
      after({attempted(1, "main", Outcome::accepted,
                       {{"ann@b.example", Outcome::accepted, {}},
                        {"bob@b.example", Outcome::unavailable, "later"}}),
             attempted(2, "second", Outcome::rejected)});
  CHECK(history.settled.at("ann@b.example") == Outcome::accepted);
  CHECK(history.settled.at("bob@b.example") == Outcome::rejected);
}

TEST_CASE("the provider whose answer was lost is remembered until it answers") {
  CHECK(after({attempted(1, "main", Outcome::unknown)}).unknown_at == "main");
  CHECK(after({attempted(1, "main", Outcome::unknown),
               attempted(2, "main", Outcome::accepted)})
            .unknown_at.empty());

  // Asked again in vain: it may have it since the first time.
  auto first = attempted(1, "main", Outcome::unknown);
  auto again = attempted(2, "main", Outcome::unknown);
  first.ts = Time(std::chrono::hours(1));
  again.ts = Time(std::chrono::hours(2));
  CHECK(after({first, again}).unknown_since == first.ts);

  // The other recipient went on to another provider meanwhile.
  CHECK(after({attempted(1, "main", Outcome::unknown,
                         {{"ann@b.example", Outcome::unknown, "lost"},
                          {"bob@b.example", Outcome::unavailable, "later"}}),
               attempted(2, "second", Outcome::accepted,
                         {{"bob@b.example", Outcome::accepted, {}}})})
            .unknown_at == "main");
}

TEST_CASE("who is counted as failed in doubt is not sent to again") {
  Event deferred = event_of("deferred");
  deferred.recipients = {{"ann@b.example", Outcome::unknown, "lost"}};
  auto history =
      after({attempted(1, "main", Outcome::unknown,
                       {{"ann@b.example", Outcome::unknown, "lost"},
                        {"bob@b.example", Outcome::unavailable, {}}}),
             deferred});
  CHECK(history.settled ==
        std::map<std::string, Outcome>{{"ann@b.example", Outcome::unknown}});

  history.add(event_of("retried"), k_recipients);
  CHECK_MESSAGE(history.settled.empty(),
                "a person wants it tried all the same");
}

TEST_CASE("rounds count how often all providers failed") {
  Event deferred = event_of("deferred");
  deferred.next_at = Time(Milliseconds(5000));
  deferred.reason = "main: says no";
  const auto history =
      after({attempted(1, "main", Outcome::unavailable),
             attempted(2, "second", Outcome::unavailable), deferred,
             attempted(3, "main", Outcome::unavailable), deferred});
  CHECK(history.rounds == 2);
  CHECK(history.attempts == 3);
  CHECK(history.next_at == deferred.next_at);
  CHECK(history.reason == "main: says no");
}

TEST_CASE("a retry begins anew, but for those who have it") {
  const auto history =
      after({attempted(1, "main", Outcome::accepted,
                       {{"ann@b.example", Outcome::accepted, {}},
                        {"bob@b.example", Outcome::rejected, "no such user"}}),
             event_of("deferred"), event_of("retried")});
  CHECK(history.rounds == 0);
  CHECK(history.attempts == 1);
  CHECK(history.restarted_at == Time(Milliseconds(1000)));
  CHECK(history.settled ==
        std::map<std::string, Outcome>{{"ann@b.example", Outcome::accepted}});
}

TEST_CASE("a suppressed recipient is settled until a retry") {
  Event dropped = event_of("suppressed");
  dropped.recipient = k_recipients[0];
  dropped.reason = "bounced on 2026-11-20 (main)";
  History history = after({event_of("queued"), dropped});
  CHECK(history.state == State::fresh);
  CHECK(history.settled ==
        std::map<std::string, Outcome>{{k_recipients[0], Outcome::rejected}});
  CHECK(history.suppressed.at(k_recipients[0]) == dropped.reason);
  // What is said of all is said of those who were still to be reached.
  history.add(attempted(1, "main", Outcome::accepted), k_recipients);
  CHECK(history.settled.at(k_recipients[0]) == Outcome::rejected);
  CHECK(history.settled.at(k_recipients[1]) == Outcome::accepted);
  history.add(event_of("retried"), k_recipients);
  CHECK_FALSE(history.settled.contains(k_recipients[0]));
  CHECK(history.suppressed.empty());
}

TEST_CASE("who has a message keeps it, suppressed or not") {
  Event dropped = event_of("suppressed");
  dropped.recipient = k_recipients[0];
  Event of_nobody = event_of("suppressed");
  const History history =
      after({attempted(1, "main", Outcome::accepted), dropped, of_nobody});
  CHECK(history.settled.at(k_recipients[0]) == Outcome::accepted);
  CHECK(history.settled.size() == 2);
  CHECK(history.suppressed.empty());
}

TEST_CASE("a release lets giving up count anew, and forgets nothing") {
  const auto history =
      after({attempted(1, "main", Outcome::rejected), event_of("deferred"),
             event_of("held"), event_of("released")});
  CHECK(history.restarted_at.has_value());
  CHECK(history.rounds == 1);
  CHECK(history.settled.size() == 2);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
