// Tests spool/policy.cc: each rule of its header, and their order.
#include "spool/policy.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

using namespace std::chrono_literals;

const Time k_accepted = parse_time("2026-11-21T10:00:00Z").value();
const std::string k_ann = "ann@b.example";
const std::string k_bob = "bob@b.example";

// A round over the providers, and the message it was about.
struct ARound {
  Delivery delivery;
  Round round;
  Policy policy;
  Time now = k_accepted + 1min;

  ARound() {
    delivery.id = "01ARYZ6S41TSV4RRFFQ69G5FAV";
    delivery.accepted_at = k_accepted;
    delivery.message.to = {{"", k_ann}, {"", k_bob}};
    delivery.history.last_provider = "main";
    round.id = delivery.id;
    round.provider = "main";
    round.attempt = 2;
    policy.retry = {60s, 2, 4h, 0, 120h};
  }
  // What a recipient's outcome was; the settled ones as their event left it.
  ARound& with(const std::string& email, Outcome outcome,
               const std::string& error = "says no") {
    Verdict verdict;
    verdict.outcome = outcome;
    if (outcome != Outcome::accepted) verdict.error = error;
    if (outcome == Outcome::accepted) {
      verdict.provider_id = "its-id";
      verdict.status = 250;
    }
    round.verdicts.push_back({email, verdict});
    if (outcome == Outcome::accepted || outcome == Outcome::rejected)
      delivery.history.settled[email] = outcome;
    return *this;
  }
  ARound& settled(const std::string& email, Outcome outcome) {
    delivery.history.settled[email] = outcome;
    return *this;
  }
  Event follows() const { return what_follows(delivery, round, policy, now); }
};

TEST_CASE("everybody accepted: sent, with what the provider said") {
  const auto event = ARound()
                         .with(k_ann, Outcome::accepted)
                         .with(k_bob, Outcome::accepted)
                         .follows();
  CHECK(event.event == "sent");
  CHECK(event.provider == "main");
  CHECK(event.provider_id == "its-id");
  CHECK(event.status == 250);
  CHECK(event.attempt == 2);
  CHECK(event.recipients.empty());
  CHECK(event.reason.empty());
}

TEST_CASE("one accepted and one rejected: sent, naming who was refused") {
  const auto event = ARound()
                         .with(k_ann, Outcome::accepted)
                         .with(k_bob, Outcome::rejected, "no such user")
                         .follows();
  CHECK(event.event == "sent");
  REQUIRE(event.recipients.size() == 1);
  CHECK(event.recipients[0].email == k_bob);
  CHECK(event.recipients[0].outcome == Outcome::rejected);
  CHECK(event.recipients[0].error == "no such user");
}

TEST_CASE("one accepted in an earlier round, the rest rejected now: sent") {
  const auto event = ARound()
                         .settled(k_ann, Outcome::accepted)
                         .with(k_bob, Outcome::rejected)
                         .follows();
  CHECK(event.event == "sent");
  CHECK(event.recipients.size() == 1);
}

TEST_CASE("all rejected: failed, with each reason") {
  const auto event = ARound()
                         .with(k_ann, Outcome::rejected, "no such user")
                         .with(k_bob, Outcome::rejected, "mailbox full")
                         .follows();
  CHECK(event.event == "failed");
  CHECK(event.reason == k_ann + ": no such user; " + k_bob + ": mailbox full");
}

TEST_CASE("the reasons of very many are cut") {
  ARound round;
  for (int i = 0; i < 1000; ++i)
    round.with(std::to_string(i) + "@b.example", Outcome::rejected);
  CHECK(round.follows().reason.size() < 600);
}

TEST_CASE("nobody was left to be reached: sent if anyone has it, else failed") {
  CHECK(ARound()
            .settled(k_ann, Outcome::accepted)
            .settled(k_bob, Outcome::rejected)
            .follows()
            .event == "sent");
  CHECK(ARound().settled(k_ann, Outcome::rejected).follows().event == "failed");
}

TEST_CASE(
    "unavailable or throttled: deferred with backoff, and the last words") {
  for (const auto outcome : {Outcome::unavailable, Outcome::throttled}) {
    CAPTURE(to_text(outcome));
    ARound round;
    round.with(k_ann, Outcome::accepted).with(k_bob, outcome, "try later");
    const auto event = round.follows();
    CHECK(event.event == "deferred");
    CHECK(event.reason == "main: try later");
    CHECK(event.next_at == round.now + 1min);
    CHECK(event.attempt == 2);
    CHECK(event.provider == "main");
    CHECK(event.recipients.empty());

    round.delivery.history.rounds = 3;
    CHECK(round.follows().next_at == round.now + 8min);
  }
}

TEST_CASE(
    "a round that could not be tried at all is deferred with the reason") {
  ARound round;
  round.round.not_tried = "there is no pool 'gone' in the configuration";
  const auto event = round.follows();
  CHECK(event.event == "deferred");
  CHECK(event.reason == round.round.not_tried);
}

TEST_CASE("a round in which everybody rested waits for the first to return") {
  ARound round;
  round.round.not_tried = "every provider of pool 'default' rests";
  round.round.next_at = round.now + 17min;
  CHECK(round.follows().next_at == round.now + 17min);
  round.round.next_at = round.now;
  CHECK(round.follows().next_at == round.now + 1s);
}

TEST_CASE(
    "unknown: the message's on_unknown decides, else the configuration's") {
  for (const auto& [policy, kind] :
       std::vector<std::pair<OnUnknown, std::string>>{
           {OnUnknown::retry, "deferred"},
           {OnUnknown::hold, "held"},
           {OnUnknown::fail, "failed"}}) {
    CAPTURE(kind);
    ARound round;
    round.with(k_ann, Outcome::unknown, "the line broke");
    round.policy.on_unknown = policy;
    const auto event = round.follows();
    CHECK(event.event == kind);
    CHECK(event.reason.find("main: the line broke") != std::string::npos);
    CHECK((event.reason.find("it may have been delivered") == 0) ==
          (policy != OnUnknown::retry));
    CHECK(event.provider == "main");
    CHECK(event.attempt == 2);

    ARound own;
    own.with(k_ann, Outcome::unknown);
    own.delivery.message.on_unknown = policy;
    own.policy.on_unknown =
        policy == OnUnknown::fail ? OnUnknown::retry : OnUnknown::fail;
    CHECK(own.follows().event == kind);
  }
}

TEST_CASE(
    "unknown for one and accepted for another: held is held, failed is "
    "sent and names who is in doubt, a retry is for the one") {
  ARound round;
  round.with(k_ann, Outcome::accepted).with(k_bob, Outcome::unknown, "lost");
  round.policy.on_unknown = OnUnknown::hold;
  CHECK(round.follows().event == "held");
  round.policy.on_unknown = OnUnknown::retry;
  CHECK(round.follows().event == "deferred");
  round.policy.on_unknown = OnUnknown::fail;
  const auto event = round.follows();
  CHECK(event.event == "sent");
  REQUIRE(event.recipients.size() == 1);
  CHECK(event.recipients[0].email == k_bob);
  CHECK(event.recipients[0].outcome == Outcome::unknown);
}

TEST_CASE(
    "with on_unknown fail who is in doubt is not sent to again while "
    "others are") {
  ARound round;
  round.with(k_ann, Outcome::unknown, "lost").with(k_bob, Outcome::unavailable);
  round.policy.on_unknown = OnUnknown::fail;
  const auto deferred = round.follows();
  CHECK(deferred.event == "deferred");
  REQUIRE(deferred.recipients.size() == 1);
  CHECK(deferred.recipients[0].email == k_ann);
  CHECK(deferred.recipients[0].outcome == Outcome::unknown);

  // The next round: Ann is settled, Bob is accepted.
  ARound next;
  next.delivery.history.add(deferred, {k_ann, k_bob});
  CHECK(next.delivery.history.settled.count(k_ann) == 1);
  next.with(k_bob, Outcome::accepted);
  const auto event = next.follows();
  CHECK(event.event == "sent");
  REQUIRE(event.recipients.size() == 1);
  CHECK(event.recipients[0].email == k_ann);
  CHECK(event.recipients[0].outcome == Outcome::unknown);
}

TEST_CASE(
    "no provider can ever carry it: failed with the reasons, or sent if "
    "anyone has it") {
  ARound round;
  round.round.cannot_be_carried = "main: too large";
  CHECK(round.follows().event == "failed");
  CHECK(round.follows().reason == "main: too large");
  round.settled(k_ann, Outcome::accepted);
  CHECK(round.follows().event == "sent");
}

TEST_CASE(
    "a next try that would come too late ends it: expired, or sent if "
    "anyone has it") {
  ARound round;
  round.with(k_ann, Outcome::unavailable, "try later");
  SUBCASE("past expires_at") {
    round.delivery.message.expires_at = round.now + 1min;
    CHECK_MESSAGE(round.follows().event == "expired", "then is too late");
    CHECK(round.follows().reason.find("main: try later") != std::string::npos);
    round.delivery.message.expires_at = round.now + 1min + 1ms;
    CHECK(round.follows().event == "deferred");
    round.delivery.message.expires_at = round.now + 30s;
  }
  SUBCASE("past give_up_after, since it was accepted") {
    round.now = k_accepted + 120h - 1min;
    CHECK(round.follows().event == "deferred");
    round.now += 1ms;
    CHECK(round.follows().event == "expired");
    CHECK(round.follows().reason ==
          "gave up after 5d; last error: main: try later");
  }
  CHECK(round.follows().event == "expired");
  round.settled(k_bob, Outcome::accepted);
  const auto event = round.follows();
  CHECK(event.event == "sent");
  REQUIRE(event.recipients.size() == 1);
  CHECK(event.recipients[0].email == k_ann);
  CHECK(event.recipients[0].error == "try later");
}

TEST_CASE("giving up counts from send_at, and from when a person let it go") {
  ARound round;
  round.with(k_ann, Outcome::unavailable);
  round.now = k_accepted + 130h;
  REQUIRE(round.follows().event == "expired");
  SUBCASE("send_at") {
    round.delivery.message.send_at = k_accepted + 20h;
  }
  SUBCASE("retried") {
    round.delivery.history.restarted_at = k_accepted + 20h;
  }
  CHECK(round.follows().event == "deferred");
}

TEST_CASE("a person's word comes before expires_at: held") {
  ARound round;
  round.with(k_ann, Outcome::unknown);
  round.delivery.message.expires_at = round.now;
  round.policy.on_unknown = OnUnknown::hold;
  CHECK(round.follows().event == "held");
}

TEST_CASE("a message past its expires_at is not tried") {
  ARound round;
  CHECK_FALSE(expired_before_try(round.delivery, round.now).has_value());
  round.delivery.message.expires_at = round.now + 1ms;
  CHECK_FALSE(expired_before_try(round.delivery, round.now).has_value());
  round.delivery.message.expires_at = round.now;
  round.delivery.history.last_error = "try later";
  const auto event = expired_before_try(round.delivery, round.now);
  REQUIRE(event.has_value());
  CHECK(event->event == "expired");
  CHECK(event->reason ==
        "past its expires_at, 2026-11-21T10:01:00.000Z; last error: try later");
}

TEST_CASE(
    "a message that somebody has is sent, not expired, whoever was not "
    "reached in time") {
  ARound round;
  round.settled(k_ann, Outcome::accepted);
  round.delivery.message.expires_at = round.now;
  const auto event = expired_before_try(round.delivery, round.now);
  REQUIRE(event.has_value());
  CHECK(event->event == "sent");
  CHECK(event->provider == "main");
  REQUIRE(event->recipients.size() == 1);
  CHECK(event->recipients[0].email == k_bob);
  CHECK(event->recipients[0].outcome == Outcome::unavailable);
  CHECK(event->recipients[0].error.find("past its expires_at") == 0);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
