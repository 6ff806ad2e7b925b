#include "spool/relocate.h"

#include <string>
#include <vector>

#include "spool/recovery.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

namespace pony {
namespace {

using DryRun = Relocation::DryRun;

Relocated moved(TempSpool& spool, Move move, const std::string& id,
                std::vector<Address> new_recipients = {}) {
  Relocation relocation(*spool, move, DryRun::no);
  relocation.replace_recipients(std::move(new_recipients));
  auto results = relocation.move(std::vector{id});
  REQUIRE_OK(results);
  REQUIRE(results->size() == 1);
  return results->front();
}

Event attempted(TempSpool& spool, const std::string& id, int attempt,
                std::vector<RecipientOutcome> recipients) {
  Event event = spool.event("attempted", id);
  event.attempt = attempt;
  event.provider = "main";
  event.outcome = recipients.front().outcome;
  event.recipients = std::move(recipients);
  return event;
}

Event deferred(TempSpool& spool, const std::string& id) {
  Event event = spool.event("deferred", id);
  event.next_at = spool.clock.now() + std::chrono::hours(1);
  return event;
}

TEST_SUITE_BEGIN("spool");

TEST_CASE("what is released or retried for a moment to come is deferred") {
  Event event;
  event.event = "released";
  CHECK(state_after(event) == State::fresh);
  event.next_at = Time(Milliseconds(1));
  CHECK(state_after(event) == State::deferred);

  History history;
  history.add(event, {});
  CHECK(history.state == State::deferred);
  CHECK(history.next_at == event.next_at);
  CHECK_MESSAGE(history.rounds == 0, "nobody tried and failed");
}

TEST_CASE("retrying a deferred message makes it due, with a fresh backoff") {
  TempSpool spool;
  const auto id = spool.accept();
  spool.happen(id, {deferred(spool, id)});
  REQUIRE(spool.load(id).state == State::deferred);

  const auto result = moved(spool, Move::retry, id);

  CHECK_FALSE(result.refused);
  const auto located = spool.load(id);
  CHECK(located.state == State::fresh);
  CHECK(located.file.history.rounds == 0);
  CHECK(located.file.history.reason.empty());
}

TEST_CASE("who lists while it moves moves no message twice") {
  TempSpool spool;
  const auto id = spool.accept();
  const auto fail_it = [&] {
    spool.happen(id, {spool.event("failed", id)});
    REQUIRE(spool.load(id).state == State::failed);
  };
  const auto state_after_move = [&](Relocation& relocation) {
    auto results = relocation.move(std::vector{id});
    REQUIRE_OK(results);
    CHECK_FALSE(results->front().refused);
    return spool.load(id).state;
  };
  fail_it();
  // Somebody's retry of before is no matter of ours.
  CHECK(moved(spool, Move::retry, id).moved);
  fail_it();
  spool.clock.advance(std::chrono::seconds(1));

  Relocation relocation(*spool, Move::retry, DryRun::no);
  relocation.move_none_twice();
  CHECK(state_after_move(relocation) == State::fresh);
  fail_it();
  CHECK(state_after_move(relocation) == State::failed);

  // Unless it was asked to: an id that is given again is meant.
  Relocation by_hand(*spool, Move::retry, DryRun::no);
  CHECK(state_after_move(by_hand) == State::fresh);
}

TEST_CASE("each state allows what the manual says, and nothing else") {
  struct Case {
    const char* event;  // nullptr: the message is new
    Move move;
    bool allowed;
  };
  for (const auto& [event, move, allowed] :
       std::vector<Case>{{nullptr, Move::hold, true},
                         {nullptr, Move::cancel, true},
                         {nullptr, Move::release, false},
                         {"held", Move::cancel, true},
                         {"held", Move::retry, true},
                         {"held", Move::release, true},
                         {"failed", Move::retry, true},
                         {"failed", Move::cancel, false},
                         {"failed", Move::hold, false},
                         {"failed", Move::release, false},
                         {"sent", Move::retry, false},
                         {"sent", Move::cancel, false},
                         {"sent", Move::hold, false},
                         {"sent", Move::release, false}}) {
    CAPTURE(event);
    CAPTURE(static_cast<int>(move));
    TempSpool spool;
    const auto id = spool.accept();
    if (event != nullptr) spool.happen(id, {spool.event(event, id)});
    const auto before = spool.load(id);

    const auto result = moved(spool, move, id);

    CHECK(result.refused.has_value() != allowed);
    const auto after = spool.load(id);
    CHECK(after.state == result.state);
    CHECK(after.file.events.size() ==
          before.file.events.size() + (allowed ? 1 : 0));
  }
}

TEST_CASE("the tail decides, not the folder in which a message is found") {
  TempSpool spool;
  const auto id = spool.accept();
  spool.happen(id, {spool.event("sent", id)});
  const auto located = spool.load(id);
  REQUIRE_OK(spool->folders().move(located.folder, message_file_name(id),
                                   "failed", message_file_name(id)));

  // A crash's leftover; failed/ itself is no place, failed/<day>/ is.
  REQUIRE_OK(spool->folders().folder("failed/2026-11-21"));
  REQUIRE_OK(spool->folders().move("failed", message_file_name(id),
                                   "failed/2026-11-21", message_file_name(id)));
  const auto result = moved(spool, Move::retry, id);

  REQUIRE(result.refused);
  CHECK(result.refused->kind == Error::Kind::refused);
  CHECK(result.state == State::sent);
  CHECK(spool.load(id).folder == "failed/2026-11-21");
}

TEST_CASE("a mover that dies after deciding has its decision carried out") {
  TempSpool spool;
  const auto id = spool.accept();
  const auto name = message_file_name(id);
  {
    auto runner = RunnerFolder::create(spool->folders());
    REQUIRE_OK(runner);
    REQUIRE_OK(runner->claim("new", name, name));
    runner->note(spool.event("held", id));
    REQUIRE_OK(runner->commit());
  }

  REQUIRE_OK(recover(*spool, {}, {}));

  const auto located = spool.load(id);
  CHECK(located.state == State::held);
  CHECK(located.file.events.back().event == "held");
  CHECK(spool.logged("\"event\":\"held\"") == 1);
}

TEST_CASE("a mover that dies before deciding leaves the message as it was") {
  TempSpool spool;
  const auto id = spool.accept();
  const auto name = message_file_name(id);
  spool.happen(id, {spool.event("failed", id)});
  const auto before = spool.load(id);
  {
    auto runner = RunnerFolder::create(spool->folders());
    REQUIRE_OK(runner);
    REQUIRE_OK(runner->claim(before.folder, name, name));
  }

  REQUIRE_OK(recover(*spool, {}, {}));

  const auto after = spool.load(id);
  CHECK(after.folder == before.folder);
  CHECK(after.file.events.size() == before.file.events.size());
}

TEST_CASE("a bad recipient is replaced, and who has the message is not") {
  TempSpool spool;
  const auto id =
      spool.accept({"has@example.com", "bad@example.com", "waits@example.com"});
  spool.happen(
      id, {attempted(spool, id, 1,
                     {{"has@example.com", Outcome::accepted, {}},
                      {"bad@example.com", Outcome::rejected, "no such user"},
                      {"waits@example.com", Outcome::unavailable, {}}}),
           deferred(spool, id)});
  const std::string before =
      text_in(spool / (spool.load(id).folder + "/" + message_file_name(id)));

  const auto result =
      moved(spool, Move::retry, id, {{"New", "new@example.com"}});

  CHECK_FALSE(result.refused);
  const auto located = spool.load(id);
  CHECK(located.state == State::fresh);
  std::vector<std::string> emails;
  for (const auto& address : located.file.message.to)
    emails.push_back(address.email);
  CHECK(emails == std::vector<std::string>{"has@example.com", "new@example.com",
                                           "waits@example.com"});
  CHECK(located.file.history.settled.at("has@example.com") ==
        Outcome::accepted);
  CHECK_FALSE(located.file.history.settled.contains("new@example.com"));
  CHECK(located.file.events.back().reason ==
        "to: bad@example.com → new@example.com");
  // All that was in the file is there still, but for its first line.
  const std::string after =
      text_in(spool / (located.folder + "/" + message_file_name(id)));
  const std::string events = before.substr(before.find('\n'));
  CHECK(after.find(events) == after.find('\n'));
}

TEST_CASE("with nobody rejected all that were not reached are replaced") {
  TempSpool spool;
  const auto id = spool.accept({"a@example.com", "b@example.com"});
  spool.happen(id, {spool.event("failed", id)});

  moved(spool, Move::retry, id, {{{}, "c@example.com"}, {{}, "d@example.com"}});

  const auto message = spool.load(id).file.message;
  REQUIRE(message.to.size() == 2);
  CHECK(message.to[0].email == "c@example.com");
  CHECK(message.to[1].email == "d@example.com");
}

TEST_CASE("an id that is given twice is moved once and answered twice") {
  TempSpool spool;
  const auto id = spool.accept();
  Relocation relocation(*spool, Move::hold, DryRun::no);

  auto results = relocation.move(std::vector{id, id});

  REQUIRE_OK(results);
  REQUIRE(results->size() == 2);
  CHECK_FALSE((*results)[1].refused);
  CHECK(spool.load(id).file.events.size() == 2);
}

TEST_CASE("a file that is no message is not moved, and stays where it was") {
  TempSpool spool;
  const std::string id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  write_text(spool / ("held/" + id + ".jsonl"), "nonsense\n");

  const auto result = moved(spool, Move::release, id);

  REQUIRE(result.refused);
  CHECK(result.refused->kind == Error::Kind::bad_data);
  CHECK(text_in(spool / ("held/" + id + ".jsonl")) == "nonsense\n");
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
