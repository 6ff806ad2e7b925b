// Events that are told from outside: they reach their message wherever it
// rests, once, and lose nothing that others write.
#include "spool/attach_events.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "spool/recovery.h"
#include "spool/relocate.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("attach");

namespace pony {
namespace {

ToldEvent told(const TempSpool& spool, std::string_view kind,
               const std::string& id) {
  ToldEvent one;
  one.event.ts = spool.clock.now();
  one.event.event = kind;
  one.event.provider = "main";
  one.event.recipient = "ann@example.com";
  one.message_id = id;
  return one;
}

std::vector<Attached> attach(TempSpool& spool, std::vector<ToldEvent> events,
                             Milliseconds patience = Milliseconds(0)) {
  auto became = attach_events(*spool, events, {Time{}, patience});
  REQUIRE_OK(became);
  return std::move(*became);
}

Attached attach(TempSpool& spool, const ToldEvent& event) {
  return attach(spool, std::vector<ToldEvent>{event}).front();
}

std::size_t events_called(TempSpool& spool, const std::string& id,
                          std::string_view kind) {
  std::size_t count = 0;
  for (const Event& event : spool.load(id).file.events)
    count += event.event == kind;
  return count;
}

// A message that was sent, with what the provider called it.
std::string sent(TempSpool& spool, const std::string& provider_id = {}) {
  Message message = a_message();
  message.tags = {"signup"};
  const auto id = spool.accept(message);
  auto attempted = spool->event("attempted", id, message);
  attempted.attempt = 1;
  attempted.provider = "main";
  attempted.provider_id = provider_id;
  attempted.outcome = Outcome::accepted;
  auto event = spool->event("sent", id, message);
  event.provider_id = provider_id;
  event.provider = "main";
  spool.happen(id, {attempted, event});
  return id;
}

}  // namespace

TEST_CASE("an event reaches its message in each state, and moves it nowhere") {
  TempSpool spool;
  const auto fresh = spool.accept();
  const auto deferred = spool.accept({"ann@example.com"},
                                     spool.clock.now() + std::chrono::hours(1));
  const auto done = sent(spool);
  const auto failed = spool.accept();
  spool.happen(failed, {spool.event("failed", failed)});
  const auto held = spool.accept();
  spool.happen(held, {spool.event("held", held)});
  for (const auto& id : {fresh, deferred, done, failed, held}) {
    const auto before = spool.load(id);
    CHECK(attach(spool, told(spool, "bounced", id)) == Attached::added);
    const auto after = spool.load(id);
    CHECK(after.folder == before.folder);
    CHECK(after.file.history.state == before.file.history.state);
    CHECK(after.file.events.size() == before.file.events.size() + 1);
    CHECK(after.file.events.back().event == "bounced");
    CHECK(after.file.unreadable_lines == 0);
  }
  CHECK(spool.logged("\"bounced\"") == 5);
}

TEST_CASE("an attached event says what the log wants to know of its message") {
  TempSpool spool;
  const auto id = sent(spool);
  auto event = told(spool, "opened", id);
  event.event.recipient = "bob@other.example";
  CHECK(attach(spool, event) == Attached::added);
  const auto written = spool.load(id).file.events.back();
  CHECK(written.tags == std::vector<std::string>{"signup"});
  CHECK(written.domain == "other.example");
  CHECK(written.by == spool->by());
  CHECK(spool.logged("other.example") == 1);
}

TEST_CASE("an event that is told twice is written once") {
  TempSpool spool;
  const auto id = sent(spool);
  const auto event = told(spool, "opened", id);
  CHECK(attach(spool, event) == Attached::added);
  CHECK(attach(spool, event) == Attached::known);
  CHECK(attach(spool, std::vector<ToldEvent>{event, event}) ==
        std::vector<Attached>{Attached::known, Attached::known});
  CHECK(events_called(spool, id, "opened") == 1);
  CHECK(spool.logged("\"opened\"") == 1);
  auto later = event;
  later.event.ts += Milliseconds(1);
  auto other = event;
  other.event.recipient = "bob@example.com";
  CHECK(
      attach(spool, std::vector<ToldEvent>{later, other, later}) ==
      std::vector<Attached>{Attached::added, Attached::added, Attached::known});
  CHECK(events_called(spool, id, "opened") == 3);
}

TEST_CASE("an event of no message here is counted, and written nowhere") {
  TempSpool spool;
  CHECK(attach(spool, told(spool, "opened", "01JD7Z3N8QW2E4R6T8Y0A1B2C3")) ==
        Attached::no_message);
  CHECK(attach(spool, told(spool, "opened", "../../etc/passwd")) ==
        Attached::no_message);
  CHECK(attach(spool, told(spool, "opened", "")) == Attached::no_message);
  CHECK(spool.logged("opened") == 0);
}

TEST_CASE("a message is found by its Message-ID, and by its provider's id") {
  TempSpool spool;
  const auto id = sent(spool, "<abc@relay.example>");
  auto by_mail_id = told(spool, "opened", "");
  by_mail_id.mail_id = id + "@widgets.example";
  CHECK(attach(spool, by_mail_id) == Attached::added);
  auto by_provider = told(spool, "clicked", "");
  by_provider.provider_id = "abc@relay.example";
  CHECK(attach(spool, by_provider) == Attached::added);
  CHECK(events_called(spool, id, "clicked") == 1);
  // Another provider may call another message so.
  auto another = told(spool, "bounced", "");
  another.event.provider = "second";
  another.provider_id = "abc@relay.example";
  CHECK(attach(spool, another) == Attached::no_message);
  // What is told of another spool's message is not looked for.
  auto foreign = by_provider;
  foreign.message_id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
  CHECK(attach(spool, foreign) == Attached::no_message);
}

TEST_CASE("a torn line is ended before an event is added") {
  TempSpool spool;
  const auto id = sent(spool);
  const auto path = spool / (spool.load(id).folder + "/" + id + ".jsonl");
  write_text(path, text_in(path) + "{\"ts\":\"20");
  CHECK(attach(spool, told(spool, "opened", id)) == Attached::added);
  const auto file = spool.load(id).file;
  CHECK(file.events.back().event == "opened");
  CHECK(file.unreadable_lines == 1);
}

TEST_CASE("a message that a runner keeps has the event in its file, too") {
  TempSpool spool;
  const auto id = spool.accept();
  auto runner = RunnerFolder::create(spool->folders());
  REQUIRE_OK(runner);
  const auto name = message_file_name(id);
  REQUIRE_OK(runner->claim(spool.load(id).folder, name, name));
  auto claimed = runner->read(id);
  REQUIRE_OK(claimed);
  CHECK(attach(spool, told(spool, "delivered", id)) == Attached::added);
  std::vector<Settled> settled;
  settled.push_back({id,
                     Priority::normal,
                     {spool.event("sent", id)},
                     std::move(claimed->file)});
  REQUIRE_OK(runner->file(settled, spool->log(), spool.clock.now(), {}));
  const auto after = spool.load(id);
  CHECK(after.state == State::sent);
  CHECK(events_called(spool, id, "delivered") == 1);
  CHECK(events_called(spool, id, "sent") == 1);
}

TEST_CASE("a message of a dead runner is recovered with the event") {
  TempSpool spool;
  const auto id = spool.accept();
  {
    auto runner = RunnerFolder::create(spool->folders());
    REQUIRE_OK(runner);
    const auto name = message_file_name(id);
    REQUIRE_OK(runner->claim(spool.load(id).folder, name, name));
  }
  CHECK(attach(spool, told(spool, "delivered", id)) == Attached::added);
  REQUIRE_OK(recover(*spool, {}, {}));
  CHECK(spool.load(id).state == State::fresh);
  CHECK(events_called(spool, id, "delivered") == 1);
}

TEST_CASE(
    "a message that moves all the time loses no event and gets none "
    "twice") {
  TempSpool spool;
  const auto id = spool.accept();
  std::atomic<bool> done{false};
  // Held and released by somebody else, with recipients replaced on the way:
  // the file is another one then.
  std::thread mover([&] {
    auto other = Spool::open({spool.path(), {}}, spool.clock);
    for (int i = 0; !done; ++i) {
      const std::vector<std::string> ids = {id};
      Relocation hold(**other, Move::hold, Relocation::DryRun::no);
      (void)hold.move(ids);
      Relocation retry(**other, Move::retry, Relocation::DryRun::no);
      retry.replace_recipients(
          {{{}, "ann" + std::to_string(i) + "@example.com"}});
      (void)retry.move(ids);
    }
  });
  constexpr int k_events = 60;
  for (int i = 0; i < k_events; ++i) {
    auto event = told(spool, "opened", id);
    event.event.ts += Milliseconds(i);
    const auto became = attach(spool, {event}, std::chrono::seconds(10));
    CHECK(became.front() == Attached::added);
  }
  done = true;
  mover.join();
  CHECK(events_called(spool, id, "opened") == k_events);
  CHECK(spool.load(id).file.unreadable_lines == 0);
}

TEST_CASE("two that tell the same at the same time write it once") {
  TempSpool spool;
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(sent(spool));
  const auto all = [&](bool backwards) {
    std::vector<ToldEvent> events;
    for (const auto& id : ids) events.push_back(told(spool, "opened", id));
    if (backwards) std::reverse(events.begin(), events.end());
    auto other = Spool::open({spool.path(), {}}, spool.clock);
    auto became = attach_events(**other, events, {});
    return became.has_value();
  };
  bool first = false;
  bool second = false;
  std::thread one([&] { first = all(false); });
  std::thread two([&] { second = all(true); });
  one.join();
  two.join();
  CHECK(first);
  CHECK(second);
  for (const auto& id : ids) CHECK(events_called(spool, id, "opened") == 1);
}

TEST_CASE("a message has no events without end") {
  TempSpool spool;
  const auto id = sent(spool);
  std::vector<ToldEvent> events(10'010, told(spool, "opened", id));
  for (std::size_t i = 0; i < events.size(); ++i)
    events[i].event.ts += Milliseconds(i);
  const auto became = attach(spool, events);
  CHECK(became.front() == Attached::added);
  CHECK(became.back() == Attached::too_many);
  CHECK(spool.load(id).file.events.size() == 10'000);
}

TEST_CASE("to try writes nothing") {
  TempSpool spool;
  const auto id = sent(spool);
  const auto path = spool / (spool.load(id).folder + "/" + id + ".jsonl");
  const auto before = text_in(path);
  std::vector<ToldEvent> events = {told(spool, "opened", id)};
  auto became = try_to_attach(*spool, events, {});
  REQUIRE_OK(became);
  CHECK(became->front() == Attached::added);
  CHECK(text_in(path) == before);
  CHECK(spool.logged("opened") == 0);
}

TEST_CASE("a link where a message should be is not followed") {
  TempSpool spool;
  const std::string id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
  write_text(spool / "outside", "");
  REQUIRE(::symlink((spool / "outside").c_str(),
                    (spool / ("held/" + id + ".jsonl")).c_str()) == 0);
  std::vector<ToldEvent> events = {told(spool, "opened", id)};
  CHECK_FALSE(attach_events(*spool, events, {}).has_value());
  CHECK(text_in(spool / "outside").empty());
}

TEST_SUITE_END();

}  // namespace pony
