// Tests core/pool/safe_mode.cc with a Deliverer that is told what to answer.
#include "core/pool/safe_mode.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("pool");

namespace pony {
namespace {

using Words = std::vector<std::string>;

SafeModeConfig redirecting(Words allow = {"*@widgets.example"}) {
  return {Address{"", "qa@widgets.example"}, std::move(allow)};
}

Words emails(const std::vector<Address>& list) {
  Words all;
  for (const Address& address : list) all.push_back(address.email);
  return all;
}

// Keeps what it takes; answers every recipient alike, or as listed.
class Recorder : public Deliverer {
 public:
  int room() const override { return 1; }
  void take(std::shared_ptr<const Delivery> delivery) override {
    taken.push_back(std::move(delivery));
  }
  Happenings poll(Milliseconds) override { return std::exchange(next, {}); }
  void confirmed() override {}
  std::string stalled() const override { return {}; }
  void give_up() override {}

  std::vector<std::shared_ptr<const Delivery>> taken;
  Happenings next;
};

struct Staging {
  SafeModeConfig config;
  Recorder inner;
  SafeModeDeliverer deliverer{inner, config};

  explicit Staging(SafeModeConfig with) : config(std::move(with)) {}

  std::shared_ptr<Delivery> a_delivery(const Words& to) {
    auto delivery = std::make_shared<Delivery>();
    delivery->id = "1";
    for (const auto& email : to) delivery->message.to.push_back({"", email});
    return delivery;
  }
  // The round as the runner hears of it when `email` got `outcome`.
  Happenings answer(const std::string& email, Outcome outcome) {
    Event event;
    event.event = "attempted";
    event.id = "1";
    event.outcome = outcome;
    Round round;
    round.id = "1";
    round.verdicts = {{email, {outcome, 0, "its words", {}, {}, true}}};
    inner.next.events.push_back(event);
    inner.next.rounds.push_back(round);
    return deliverer.poll(Milliseconds(0));
  }
};

std::string outcomes_of(const std::vector<RecipientVerdict>& verdicts) {
  std::string text;
  for (const auto& one : verdicts)
    text += one.email + " " + std::string(to_text(one.verdict.outcome)) + "; ";
  return text;
}

TEST_CASE("a finished message gives no orders in safe mode, and is marked") {
  RenderedMessage mail;
  mail.raw =
      "To: ann@b.example\nX-SMTPAPI: {\"to\":\n [\"eve@b.example\"]}\n"
      "Subject: Hi\nX-MC-BccAddress: eve@b.example\n\nX-SMTPAPI: body\n";
  RenderedMessage kept = mail;
  mark_redirected(kept);
  CHECK(kept.raw == "To: ann@b.example\nSubject: Hi\n\nX-SMTPAPI: body\n");
  mail.headers = {{"X-Pony-Original-To", "ann@b.example"}};
  mark_redirected(mail);
  CHECK(mail.raw ==
        "X-Pony-Original-To: ann@b.example\r\nTo: ann@b.example\n"
        "Subject: [safe mode]  Hi\n\nX-SMTPAPI: body\n");
  CHECK(mail.headers.empty());
}

TEST_CASE("nobody gets mail in safe mode but whom it allows or redirects to") {
  Message message;
  message.to = {{"Ann", "ann@example.com"}, {"Me", "me@widgets.example"}};
  message.cc = {{"", "boss@example.com"}};
  message.bcc = {{"", "spy@example.com"}, {"", "log@widgets.example"}};
  const auto safe = in_safe_mode(message, redirecting());
  CHECK(emails(safe.message.to) ==
        Words{"me@widgets.example", "qa@widgets.example"});
  CHECK(safe.message.cc.empty());
  CHECK(emails(safe.message.bcc) == Words{"log@widgets.example"});
  CHECK(safe.stands_for.at("qa@widgets.example") ==
        Words{"ann@example.com", "boss@example.com", "spy@example.com"});
  REQUIRE(safe.message.headers.size() == 1);
  CHECK(safe.message.headers[0].name == "X-Pony-Original-To");
  CHECK_MESSAGE(safe.message.headers[0].value ==
                    "ann@example.com, boss@example.com and 1 more",
                "a bcc is counted, not named");
}

TEST_CASE("no header tells a relay in safe mode to write to others") {
  Message message;
  message.to = {{"", "me@widgets.example"}};
  message.headers = {{"X-SMTPAPI", R"({"to":["ann@example.com"]})"},
                     {"x-mc-bccaddress", "ann@example.com"},
                     {"X-Campaign", "spring"}};
  const auto safe = in_safe_mode(message, redirecting());
  REQUIRE(safe.message.headers.size() == 1);
  CHECK(safe.message.headers[0].name == "X-Campaign");
}

TEST_CASE("an address is compared as it goes over the wire") {
  const auto allows = [](const std::string& pattern, const std::string& email) {
    Message message;
    message.to = {{"", email}};
    return in_safe_mode(message, {std::nullopt, {pattern}}).kept_back.empty();
  };
  CHECK(allows("*@widgets.example", "Ann@WIDGETS.Example"));
  CHECK(allows("*@b\u00fccher.example", "ann@xn--bcher-kva.example"));
  CHECK(allows("ann@widgets.example", "Ann@widgets.example"));
  CHECK(allows("qa-*@widgets.example", "qa-7@widgets.example"));
  CHECK(allows("*", "anyone@anywhere.example"));
  CHECK_FALSE(allows("*@widgets.example", "ann@evil.widgets.example"));
  CHECK_FALSE(allows("*@widgets.example", "ann@widgets.example.evil.example"));
  CHECK_FALSE(allows("ann@widgets.example", "joann@widgets.example"));
  CHECK_FALSE(allows("qa-*@widgets.example", "ann@widgets.example"));
}

TEST_CASE("what became of the stand-in became of those it stands for") {
  Staging staging(redirecting());
  staging.deliverer.take(
      staging.a_delivery({"ann@example.com", "bob@example.com"}));
  REQUIRE(staging.inner.taken.size() == 1);
  CHECK(emails(staging.inner.taken[0]->message.recipients()) ==
        Words{"qa@widgets.example"});
  const auto happened = staging.answer("qa@widgets.example", Outcome::accepted);
  CHECK(outcomes_of(happened.rounds.at(0).verdicts) ==
        "ann@example.com accepted; bob@example.com accepted; ");
}

TEST_CASE("who is kept back is refused, and never counted with the others") {
  Staging staging({std::nullopt, {"*@widgets.example"}});
  staging.deliverer.take(
      staging.a_delivery({"me@widgets.example", "ann@example.com"}));
  const auto happened = staging.answer("me@widgets.example", Outcome::accepted);
  CHECK(outcomes_of(happened.rounds.at(0).verdicts) ==
        "me@widgets.example accepted; ann@example.com rejected; ");
  // A list, or the outcome would be hers too.
  const auto& event = happened.events.at(0);
  REQUIRE(event.recipients.size() == 1);
  CHECK(event.recipients[0].email == "me@widgets.example");
}

TEST_CASE("a message for nobody who is allowed is handed to no provider") {
  Staging staging({std::nullopt, {}});
  staging.deliverer.take(staging.a_delivery({"ann@example.com"}));
  CHECK(staging.inner.taken.empty());
  const auto happened = staging.deliverer.poll(Milliseconds(0));
  REQUIRE(happened.rounds.size() == 1);
  REQUIRE(happened.rounds[0].verdicts.size() == 1);
  CHECK(happened.rounds[0].verdicts[0].verdict.outcome == Outcome::rejected);
  CHECK(happened.rounds[0].verdicts[0].verdict.error ==
        "kept back by safe_mode");
}

TEST_CASE("whoever was reached in an earlier round is not reached again") {
  Staging staging(redirecting());
  auto delivery = staging.a_delivery({"ann@example.com", "me@widgets.example"});
  delivery->history.settled["ann@example.com"] = Outcome::accepted;
  staging.deliverer.take(delivery);
  REQUIRE(staging.inner.taken.size() == 1);
  const auto& settled = staging.inner.taken[0]->history.settled;
  CHECK(settled.contains("qa@widgets.example"));
  CHECK_FALSE(settled.contains("me@widgets.example"));
}

TEST_CASE("a round that could not be tried keeps nobody back for good") {
  Staging staging({std::nullopt, {"*@widgets.example"}});
  staging.deliverer.take(
      staging.a_delivery({"me@widgets.example", "ann@example.com"}));
  Round round;
  round.id = "1";
  round.untouched = true;
  staging.inner.next.rounds.push_back(round);
  CHECK(staging.deliverer.poll(Milliseconds(0)).rounds.at(0).verdicts.empty());
}

TEST_CASE("only a mail that was redirected is marked") {
  RenderedMessage mail;
  mail.subject = "Hello";
  mark_redirected(mail);
  CHECK(mail.subject == "Hello");
  mail.headers.push_back({"X-Pony-Original-To", "ann@example.com"});
  mark_redirected(mail);
  CHECK(mail.subject == "[safe mode] Hello");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
