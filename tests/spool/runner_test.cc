// Tests spool/runner.cc with a Deliverer whose answers are scripted.
#include "spool/runner.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "spool/relocate.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

const std::string k_ann = "ann@example.com";
const std::string k_bob = "bob@example.com";

// Announces an attempt for each message, starts it when that is confirmed,
// and then says of each recipient what `answer` says.
class ScriptedDeliverer : public Deliverer {
 public:
  std::function<Outcome(const std::string& email)> answer =
      [](const std::string&) { return Outcome::accepted; };
  std::function<void(const Delivery&)> on_start = [](const Delivery&) {};
  int places = 100;
  bool rests = false;  // taken, it finds out that every provider rests
  std::string not_tried;
  std::vector<std::string> taken;
  bool gave_up = false;

  int room() const override {
    return rests && !taken.empty()
               ? 0
               : places - static_cast<int>(waiting_.size() + running_.size());
  }
  void take(std::shared_ptr<const Delivery> delivery) override {
    taken.push_back(delivery->id);
    if (rests || !not_tried.empty()) {
      Round round;
      round.id = delivery->id;
      round.untouched = rests;
      round.not_tried = not_tried;
      happenings_.rounds.push_back(round);
      return;
    }
    Event event;
    event.event = "attempting";
    event.id = delivery->id;
    event.attempt = delivery->history.attempts + 1;
    event.provider = "main";
    event.pool = "default";
    happenings_.events.push_back(event);
    waiting_.push_back(std::move(delivery));
  }
  Happenings poll(Milliseconds) override {
    for (const auto& delivery : std::exchange(running_, {})) end(*delivery);
    return std::exchange(happenings_, {});
  }
  void confirmed() override {
    for (auto& delivery : std::exchange(waiting_, {})) {
      on_start(*delivery);
      running_.push_back(std::move(delivery));
    }
  }
  std::string stalled() const override {
    return rests ? "every provider rests: 'main'" : "";
  }
  void give_up() override { gave_up = true; }

 private:
  void end(const Delivery& delivery) {
    Round round;
    round.id = delivery.id;
    round.provider = "main";
    round.attempt = delivery.history.attempts + 1;
    Event event;
    event.event = "attempted";
    event.id = delivery.id;
    event.attempt = round.attempt;
    event.provider = "main";
    event.latency_ms = 12;
    for (const auto& to : delivery.message.recipients()) {
      if (delivery.history.settled.contains(to.email)) continue;
      Verdict verdict;
      verdict.outcome = answer(to.email);
      if (verdict.outcome != Outcome::accepted) verdict.error = "says no";
      event.outcome =
          better(event.outcome.value_or(verdict.outcome), verdict.outcome);
      event.recipients.push_back({to.email, verdict.outcome, verdict.error});
      round.verdicts.push_back({to.email, verdict});
    }
    happenings_.events.push_back(std::move(event));
    happenings_.rounds.push_back(std::move(round));
  }

  std::vector<std::shared_ptr<const Delivery>> waiting_;
  std::vector<std::shared_ptr<const Delivery>> running_;
  Happenings happenings_;
};

struct Run {
  TempSpool spool;
  ScriptedDeliverer deliverer;
  RunOptions options;
  Words warnings;
  Words settled;
  std::string folder;  // of the last runner

  Run() {
    options.on_warning = [this](const std::string& text) {
      warnings.push_back(text);
    };
    options.on_settled = [this](const Delivery&, const Event& event) {
      settled.push_back(event.event);
    };
  }
  RunSummary run() {
    auto runner = RunnerFolder::create(spool->folders());
    REQUIRE_OK(runner);
    folder = runner->path();
    auto summary = Runner(*spool, *runner, deliverer, options).run();
    REQUIRE_OK(summary);
    return *summary;
  }
  // As `pony send` does it.
  RunSummary send(const Message& message, std::string& id) {
    options.no_retry = true;
    auto runner = RunnerFolder::create(spool->folders());
    REQUIRE_OK(runner);
    auto accepted = spool->accept_into(*runner, message, Mode::send);
    REQUIRE_OK(accepted);
    id = accepted->id;
    auto summary = Runner(*spool, *runner, deliverer, options).run_one(id);
    REQUIRE_OK(summary);
    return *summary;
  }
  void suppress(const std::string& address) {
    Suppressions list(spool->folders());
    REQUIRE_OK(list.add(std::vector{Suppression{
        address, SuppressedFor::bounced, spool.clock.now(), "main", "", ""}}));
  }
  void lift(const std::string& address) {
    REQUIRE_OK(Suppressions(spool->folders()).remove(std::vector{address}));
  }
  void answer(Outcome outcome) {
    deliverer.answer = [outcome](const std::string&) { return outcome; };
  }
  // What the message's file says happened.
  Words events_of(const std::string& id) {
    Words kinds;
    for (const auto& event : spool.load(id).file.events)
      kinds.push_back(event.event);
    return kinds;
  }
  Event last_event_of(const std::string& id) {
    return spool.load(id).file.events.back();
  }
  // The only file with this suffix below failed/.
  std::string failed_file(const std::string& suffix) {
    std::string found;
    for (const auto& entry :
         fs::recursive_directory_iterator(spool / "failed")) {
      if (entry.is_directory() && !entry.path().string().ends_with(suffix))
        continue;
      if (!entry.path().string().ends_with(suffix)) continue;
      CHECK(found.empty());
      found = entry.path().string();
    }
    REQUIRE_FALSE(found.empty());
    return found;
  }
};

TEST_CASE("an empty queue is processed at once") {
  Run a;
  const auto summary = a.run();
  CHECK(summary.processed == 0);
  CHECK(summary.stalled.empty());
  CHECK_MESSAGE(fs::is_empty(a.spool / "cur"), "the runner leaves nothing");
}

TEST_CASE("what a delivery came to decides where the message goes") {
  for (const auto& [outcome, state, kind] :
       std::vector<std::tuple<Outcome, State, std::string>>{
           {Outcome::accepted, State::sent, "sent"},
           {Outcome::rejected, State::failed, "failed"},
           {Outcome::unavailable, State::deferred, "deferred"},
           {Outcome::throttled, State::deferred, "deferred"},
           {Outcome::unknown, State::deferred, "deferred"}}) {
    CAPTURE(to_text(outcome));
    Run a;
    a.answer(outcome);
    const auto id = a.spool.accept();
    const auto summary = a.run();
    CHECK(summary.processed == 1);
    CHECK(summary.sent == (kind == "sent"));
    CHECK(summary.failed == (kind == "failed"));
    CHECK(summary.deferred == (kind == "deferred"));
    CHECK(a.spool.load(id).state == state);
    CHECK(a.events_of(id) == Words{"queued", "attempted", kind});
    CHECK(a.settled == Words{kind});
    CHECK_MESSAGE(a.spool.logged(id) == 3, "the log has each event once");
    CHECK(fs::is_empty(a.spool / "cur"));
  }
}

TEST_CASE("an event says when, where and about what") {
  Run a;
  Message message = a_message();
  message.tags = {"signup"};
  const auto id = a.spool.accept(message);
  a.spool.clock.advance(3s);
  (void)a.run();
  const auto event = a.last_event_of(id);
  CHECK(event.event == "sent");
  CHECK(event.ts == a.spool.clock.now());
  CHECK(event.queue_ms == 3000);
  CHECK(event.latency_ms == 12);
  CHECK(event.provider == "main");
  CHECK(event.pool == "default");
  CHECK(event.tags == Words{"signup"});
  CHECK(event.domain == "example.com");
  CHECK(event.attempt == 1);
}

TEST_CASE("what may have been delivered follows on_unknown") {
  for (const auto& [policy, state] : std::vector<std::pair<OnUnknown, State>>{
           {OnUnknown::retry, State::deferred},
           {OnUnknown::hold, State::held},
           {OnUnknown::fail, State::failed}}) {
    Run a;
    a.answer(Outcome::unknown);
    a.options.policy.on_unknown = policy;
    const auto id = a.spool.accept();
    const auto summary = a.run();
    CHECK(a.spool.load(id).state == state);
    CHECK(summary.held == (state == State::held));
  }
}

TEST_CASE(
    "a deferred message is tried again when it is due, and only those "
    "who have not got it") {
  Run a;
  a.deliverer.answer = [](const std::string& email) {
    return email == k_ann ? Outcome::accepted : Outcome::unavailable;
  };
  const auto id = a.spool.accept({k_ann, k_bob});
  (void)a.run();
  REQUIRE(a.spool.load(id).state == State::deferred);
  CHECK_MESSAGE(a.run().processed == 0, "not before");

  Words asked;
  a.deliverer.answer = [&](const std::string& email) {
    asked.push_back(email);
    return Outcome::accepted;
  };
  a.spool.clock.advance(10min);
  CHECK(a.run().sent == 1);
  CHECK(asked == Words{k_bob});
  CHECK(a.last_event_of(id).recipients.empty());
  CHECK(a.last_event_of(id).attempt == 2);
}

TEST_CASE("a message past its time is expired without a try") {
  Run a;
  Message message = a_message();
  message.expires_at = a.spool.clock.now() + 1h;
  const auto id = a.spool.accept(message);
  a.spool.clock.advance(1h);
  CHECK(a.run().failed == 1);
  CHECK(a.deliverer.taken.empty());
  CHECK(a.events_of(id) == Words{"queued", "expired"});
  CHECK(a.spool.load(id).state == State::failed);
}

TEST_CASE("a suppressed recipient is dropped, and the others get it") {
  Run a;
  a.suppress("BOB@example.com");
  Words asked;
  a.deliverer.answer = [&](const std::string& email) {
    asked.push_back(email);
    return Outcome::accepted;
  };
  const auto id = a.spool.accept({k_ann, k_bob});
  CHECK(a.run().sent == 1);
  CHECK(asked == Words{k_ann});
  CHECK(a.events_of(id) == Words{"queued", "suppressed", "attempted", "sent"});
  CHECK(a.spool.logged("\"suppressed\"") == 1);
  const Event suppressed = a.spool.load(id).file.events[1];
  CHECK(suppressed.recipient == k_bob);
  CHECK(suppressed.reason.starts_with("bounced on 20"));
  CHECK(suppressed.reason.ends_with("(main)"));
  const Event sent = a.last_event_of(id);
  REQUIRE(sent.recipients.size() == 1);
  CHECK(sent.recipients[0].email == k_bob);
  CHECK(sent.recipients[0].outcome == Outcome::rejected);
  CHECK(sent.recipients[0].error == suppressed.reason);
}

TEST_CASE("a message to nobody but suppressed ones fails, untried") {
  Run a;
  a.suppress(k_ann);
  a.suppress(k_bob);
  const auto id = a.spool.accept({k_ann, k_bob});
  CHECK(a.run().failed == 1);
  CHECK(a.deliverer.taken.empty());
  CHECK(a.events_of(id) ==
        Words{"queued", "suppressed", "suppressed", "failed"});
  const Event failed = a.last_event_of(id);
  CHECK(failed.reason.find(k_ann + " bounced on") != std::string::npos);
  CHECK(failed.reason.find("pony suppress") == std::string::npos);
  CHECK(failed.attempt == 0);
}

TEST_CASE("who was suppressed while others waited is dropped, too") {
  Run a;
  a.deliverer.answer = [](const std::string& email) {
    return email == k_ann ? Outcome::accepted : Outcome::unavailable;
  };
  const auto id = a.spool.accept({k_ann, k_bob});
  CHECK(a.run().deferred == 1);
  a.suppress(k_bob);
  a.spool.clock.advance(10min);
  CHECK(a.run().sent == 1);
  CHECK(a.deliverer.taken.size() == 1);
  const Event sent = a.last_event_of(id);
  CHECK(sent.attempt == 1);
  REQUIRE(sent.recipients.size() == 1);
  CHECK(sent.recipients[0].email == k_bob);
}

TEST_CASE(
    "what is suppressed while a run goes on is dropped by its next turn") {
  Run a;
  a.deliverer.places = 1;
  const auto first = a.spool.accept({k_ann});
  a.spool.clock.advance(1s);
  const auto second = a.spool.accept({k_bob});
  a.deliverer.on_start = [&](const Delivery&) { a.suppress(k_bob); };
  (void)a.run();
  CHECK(a.spool.load(first).state == State::sent);
  CHECK(a.spool.load(second).state == State::failed);
}

TEST_CASE("a lifted suppression and a retry reach who was dropped") {
  Run a;
  a.suppress(k_ann);
  const auto id = a.spool.accept({k_ann});
  (void)a.run();
  REQUIRE(a.spool.load(id).state == State::failed);
  const auto retry = [&] {
    Relocation retrying(*a.spool, Move::retry, Relocation::DryRun::no);
    REQUIRE_OK(retrying.move(std::vector{id}));
  };
  retry();
  CHECK_MESSAGE(a.run().failed == 1, "it is suppressed still");
  a.lift(k_ann);
  retry();
  CHECK(a.run().sent == 1);
  CHECK(a.last_event_of(id).recipients.empty());
}

TEST_CASE(
    "a message that is put back untried has no trace of who is suppressed") {
  Run a;
  a.suppress(k_bob);
  a.deliverer.rests = true;
  const auto id = a.spool.accept({k_ann, k_bob});
  (void)a.run();
  CHECK(a.events_of(id) == Words{"queued"});
  CHECK(a.spool.logged("\"suppressed\"") == 0);
  a.lift(k_bob);
  a.deliverer.rests = false;
  CHECK(a.run().sent == 1);
  CHECK(a.events_of(id) == Words{"queued", "attempted", "sent"});
}

TEST_CASE("`send` drops suppressed recipients as a run does") {
  Run a;
  a.suppress(k_ann);
  std::string id;
  const auto summary = a.send(a_message({k_ann}), id);
  CHECK(summary.failed == 1);
  CHECK_FALSE(summary.temporary);
  CHECK(a.events_of(id) == Words{"queued", "suppressed", "failed"});
}

TEST_CASE("a list that cannot be read stops the run before it claims") {
  Run a;
  const auto id = a.spool.accept();
  fs::create_symlink("elsewhere", a.spool / "state/suppressions.jsonl");
  {
    auto runner = RunnerFolder::create(a.spool->folders());
    REQUIRE_OK(runner);
    CHECK_FAILS(Runner(*a.spool, *runner, a.deliverer, a.options).run(),
                bad_data);
  }
  CHECK(a.spool.load(id).state == State::fresh);
  CHECK(fs::is_empty(a.spool / "cur"));
}

TEST_CASE("no attempt starts before its journal line is on disk") {
  Run a;
  const auto id = a.spool.accept();
  int started = 0;
  a.deliverer.on_start = [&](const Delivery& delivery) {
    ++started;
    const auto journal = text_in(a.spool / (a.folder + "/journal.000000"));
    CHECK(journal.find("\"event\":\"attempting\",\"id\":\"" + delivery.id) !=
          std::string::npos);
  };
  (void)a.run();
  CHECK(started == 1);
}

TEST_CASE("an event is told as durable once it is in the journal") {
  Run a;
  const auto in_journal = [&](const Event& event) {
    const auto journal = text_in(a.spool / (a.folder + "/journal.000000"));
    return journal.find("\"event\":\"" + event.event + "\",\"id\":\"" +
                        event.id) != std::string::npos;
  };
  Words durable;
  a.options.on_settled = [&](const Delivery&, const Event& event) {
    CHECK_FALSE(in_journal(event));
  };
  a.options.on_durable = [&](const Event& event) {
    CHECK(in_journal(event));
    durable.push_back(event.event + " " + event.id);
  };
  const auto sent = a.spool.accept();
  (void)a.run();
  a.answer(Outcome::rejected);
  const auto failed = a.spool.accept();
  (void)a.run();
  CHECK(durable == Words{"sent " + sent, "failed " + failed});
}

TEST_CASE(
    "what an attempt came to is in the file and the log before the "
    "message is in sent/") {
  Run a;
  const auto id = a.spool.accept();
  (void)a.run();
  CHECK(a.events_of(id).size() == 3);
  CHECK(a.spool.logged("\"sent\"") == 1);
  CHECK(a.spool.logged("\"attempting\"") == 0);
}

TEST_CASE("at most as many are taken as may be, and as there is room for") {
  Run a;
  for (int i = 0; i < 5; ++i) (void)a.spool.accept();
  SUBCASE("--limit") {
    a.options.limit = 2;
    CHECK(a.run().processed == 2);
    CHECK(a.deliverer.taken.size() == 2);
  }
  SUBCASE("room") {
    a.deliverer.places = 1;
    std::size_t running = 0;
    a.deliverer.on_start = [&](const Delivery&) { ++running; };
    a.deliverer.answer = [&](const std::string&) {
      CHECK(running == 1);
      --running;
      return Outcome::accepted;
    };
    CHECK(a.run().sent == 5);
  }
}

TEST_CASE("many messages are all delivered, in their order, once") {
  Run a;
  a.deliverer.places = 50;
  const std::vector<Message> messages(1000, a_message());
  Words ids;
  for (auto& result : a.spool->accept(messages)) ids.push_back(result->id);
  CHECK(a.run().sent == 1000);
  CHECK(a.deliverer.taken == ids);
  CHECK(a.spool.logged("\"sent\"") == 1000);
  CHECK(fs::is_empty(a.spool / "cur"));
}

TEST_CASE(
    "when every provider rests the queue is left as it was, and it is "
    "said") {
  Run a;
  a.deliverer.rests = true;
  const auto id = a.spool.accept();
  const auto before = text_in(a.spool / ("new/" + message_file_name(id)));
  const auto summary = a.run();
  CHECK(summary.stalled == "every provider rests: 'main'");
  CHECK(summary.processed == 0);
  CHECK(text_in(a.spool / ("new/" + message_file_name(id))) == before);
  CHECK(a.spool.logged(id) == 1);
  CHECK(fs::is_empty(a.spool / "cur"));
}

TEST_CASE("nothing is stalled when nothing is due") {
  Run a;
  a.deliverer.rests = true;
  CHECK(a.run().stalled.empty());
}

TEST_CASE("a message that could not be tried waits, with the reason") {
  Run a;
  a.deliverer.not_tried = "there is no pool 'gone' in the configuration";
  const auto id = a.spool.accept();
  CHECK(a.run().deferred == 1);
  CHECK(a.last_event_of(id).reason == a.deliverer.not_tried);
}

TEST_CASE("a runner that is told to stop takes no more") {
  Run a;
  const auto id = a.spool.accept();
  a.options.stop = [] { return true; };
  CHECK(a.run().processed == 0);
  CHECK(a.spool.load(id).state == State::fresh);
}

TEST_CASE("messages that are not ours to deliver stay where they are") {
  Run a;
  Message other = a_message();
  other.pool = "other";
  const auto theirs = a.spool.accept(other);
  const auto ours = a.spool.accept();
  a.options.wanted = [](const Message& message) {
    return message.pool.empty();
  };
  CHECK(a.run().sent == 1);
  CHECK(a.deliverer.taken == Words{ours});
  CHECK(a.spool.load(theirs).state == State::fresh);
  CHECK(a.events_of(theirs) == Words{"queued"});
}

TEST_CASE("messages that are not wanted by their id are not even claimed") {
  Run a;
  const auto theirs = a.spool.accept();
  const auto ours = a.spool.accept();
  a.options.wanted_id = [&](std::string_view id) { return id == ours; };
  CHECK(a.run().sent == 1);
  CHECK(a.deliverer.taken == Words{ours});
  CHECK(a.spool.load(theirs).state == State::fresh);
}

TEST_CASE("a dropped file is a message like any other") {
  Run a;
  write_text(a.spool / "new/order 1.json",
             R"({"to":"ann@example.com","subject":"Hi","text":"Hi"})");
  a.options.check = [](Message& message) {
    message.tags = {"from its template"};
    return Result<>{};
  };
  CHECK(a.run().sent == 1);
  REQUIRE(a.deliverer.taken.size() == 1);
  const auto& id = a.deliverer.taken[0];
  CHECK(a.events_of(id) == Words{"queued", "attempted", "sent"});
  CHECK(a.spool.load(id).file.message.tags == Words{"from its template"});
  CHECK(fs::is_empty(a.spool / "new/high"));
  CHECK(a.spool.logged("\"queued\"") == 1);
  CHECK(fs::is_empty(a.spool / "cur"));
  CHECK(fs::is_empty(a.spool / "tmp"));
}

TEST_CASE("a dropped file for later waits for its time") {
  Run a;
  const Time later = a.spool.clock.now() + 2h;
  write_text(a.spool / "new/x.json",
             R"({"to":"ann@example.com","subject":"Hi","text":"Hi",)"
             R"("send_at":")" +
                 format_time(later) + "\"}");
  CHECK(a.run().processed == 0);
  CHECK(a.deliverer.taken.empty());
  a.spool.clock.advance(3h);
  CHECK(a.run().sent == 1);
}

TEST_CASE(
    "a dropped file that is no message goes to failed/ as it came, with "
    "the reason, and the queue goes on") {
  Run a;
  const auto good = a.spool.accept();
  std::string content;
  std::string reason;
  SUBCASE("no JSON") {
    content = "{\"to\":\n\"torn";
    reason = "line ";
  }
  SUBCASE("no message: every problem is named") {
    content = R"({"to":"nobody","subject":"x"})";
    reason = "to";
  }
  SUBCASE("empty") {
    reason = "is not a valid message";
  }
  SUBCASE("refused by the checks of enqueue") {
    content = R"({"to":"ann@example.com","subject":"Hi","text":"Hi"})";
    reason = "there is no sender";
    a.options.check = [](Message&) -> Result<> {
      return fail(Error::Kind::bad_data, "there is no sender");
    };
  }
  write_text(a.spool / "new/0 first.json", content);

  const auto summary = a.run();

  CHECK(summary.failed == 1);
  CHECK(summary.sent == 1);
  CHECK(a.spool.load(good).state == State::sent);
  CHECK(text_in(a.failed_file(".json")) == content);
  const auto told = text_in(a.failed_file(".error"));
  const auto event =
      parse_event(std::string_view(told).substr(0, told.size() - 1));
  REQUIRE_OK(event);
  CHECK(event->event == "failed");
  CHECK(event->reason.find("'0 first.json'") == 0);
  CHECK(event->reason.find(reason) != std::string::npos);
  CHECK(a.spool.logged("is not a valid message") == 1);
  CHECK(a.warnings.size() == 1);
  CHECK(fs::is_empty(a.spool / "cur"));
}

TEST_CASE(
    "a symbolic link or a folder among the dropped files is not followed "
    "or read, and the queue goes on") {
  Run a;
  const auto good = a.spool.accept();
  const std::string secret = a.spool.path() + "-secret";
  write_text(secret, R"({"to":"ann@example.com","subject":"s","text":"s"})");
  SUBCASE("link") {
    fs::create_symlink(secret, a.spool / "new/0.json");
  }
  SUBCASE("folder") {
    fs::create_directories(a.spool / "new/0.json/below");
  }
  SUBCASE("fifo") {
    REQUIRE(::mkfifo((a.spool / "new/0.json").c_str(), 0600) == 0);
  }
  const auto summary = a.run();
  CHECK(summary.failed == 1);
  CHECK(summary.sent == 1);
  CHECK(a.deliverer.taken == Words{good});
  CHECK(text_in(a.failed_file(".error")).find("not a regular file") !=
        std::string::npos);
  CHECK(fs::symlink_status(a.failed_file(".json")).type() !=
        fs::file_type::regular);
  fs::remove(secret);
}

TEST_CASE("a dropped file that grows to six times its size stops nothing") {
  Run a;
  const auto good = a.spool.accept();
  // Each of these bytes takes six as JSON says it.
  write_text(a.spool / "new/0.json",
             R"({"to":"ann@example.com","subject":"x","text":")" +
                 std::string(std::size_t{12} << 20, '\x7f') + "\"}");
  const auto summary = a.run();
  CHECK(summary.sent == 2);
  CHECK(a.spool.load(good).state == State::sent);
  CHECK(fs::is_empty(a.spool / "cur"));
}

TEST_CASE("a message's file that cannot be read goes to failed/ as it is") {
  Run a;
  const auto id = a.spool.accept();
  const auto good = a.spool.accept();
  const std::string name = message_file_name(id);
  write_text(a.spool / ("new/" + name), "{\"pony\":1}\n");
  const auto summary = a.run();
  CHECK(summary.failed == 1);
  CHECK(summary.sent == 1);
  CHECK(text_in(a.failed_file(name)) == "{\"pony\":1}\n");
  CHECK(text_in(a.failed_file(".error")).find("another id") !=
        std::string::npos);

  // A person put it back as it was.
  write_text(a.spool / ("new/" + name), "{\"pony\":1}\n");
  const auto last = a.spool.accept();
  CHECK(a.run().sent == 1);
  CHECK(a.spool.load(last).state == State::sent);
}

TEST_CASE("a message whose file says that it ended is filed, not sent again") {
  for (const auto& [kind, state] :
       std::vector<std::pair<std::string, State>>{{"sent", State::sent},
                                                  {"failed", State::failed},
                                                  {"held", State::held}}) {
    CAPTURE(kind);
    Run a;
    const auto id = a.spool.accept();
    a.spool.happen(id, {a.spool.event(kind, id)});
    const auto name = message_file_name(id);
    REQUIRE_OK(
        a.spool->folders().move(a.spool.load(id).folder, name, "new", name));
    CHECK(a.run().processed == 0);
    CHECK(a.deliverer.taken.empty());
    CHECK(a.spool.load(id).state == state);
    CHECK(a.events_of(id) == Words{"queued", kind});
  }
}

TEST_CASE("a message that is not due yet, wherever it is found, waits") {
  Run a;
  const Time later = a.spool.clock.now() + 2h;
  const auto id = a.spool.accept({k_ann}, later);
  const auto name = message_file_name(id);
  REQUIRE_OK(
      a.spool->folders().move(a.spool.load(id).folder, name, "new", name));
  CHECK(a.run().processed == 0);
  CHECK(a.spool.load(id).folder == "deferred/" + format_minute(later));
}

TEST_CASE("a second file of a message that we are at work on is left alone") {
  Run a;
  const auto id = a.spool.accept();
  const auto other = a.spool.accept();
  const auto name = message_file_name(id);
  fs::copy_file(a.spool / ("new/" + name), a.spool / ("new/bulk/" + name));
  CHECK(a.run().sent == 2);
  CHECK(a.deliverer.taken == Words{id, other});
  REQUIRE(a.warnings.size() == 1);
  CHECK(a.warnings[0].find(id) == 0);
}

TEST_CASE(
    "a torn last line of a message's file is ended before more is "
    "written") {
  Run a;
  const auto id = a.spool.accept();
  const auto path = a.spool / ("new/" + message_file_name(id));
  write_text(path, text_in(path) + "{\"ts\":\"20");
  (void)a.run();
  const auto located = a.spool.load(id);
  CHECK(located.state == State::sent);
  CHECK(located.file.unreadable_lines == 1);
  CHECK(a.events_of(id) == Words{"queued", "attempted", "sent"});
}

TEST_CASE("what a dead runner held is taken up at start") {
  Run a;
  const auto id = a.spool.accept();
  fs::create_directory(a.spool / "cur/dead.1.x");
  fs::rename(a.spool / ("new/" + message_file_name(id)),
             a.spool / ("cur/dead.1.x/" + message_file_name(id)));
  CHECK(a.run().sent == 1);
  CHECK(a.events_of(id) == Words{"queued", "recovered", "attempted", "sent"});
  CHECK(a.warnings.size() == 1);
}

TEST_CASE(
    "a message that is sent now ends now: sent, or failed with the "
    "reason") {
  for (const auto& [outcome, kind, temporary] :
       std::vector<std::tuple<Outcome, std::string, bool>>{
           {Outcome::accepted, "sent", false},
           {Outcome::rejected, "failed", false},
           {Outcome::unavailable, "failed", true}}) {
    CAPTURE(to_text(outcome));
    Run a;
    a.answer(outcome);
    std::string id;
    const auto summary = a.send(a_message(), id);
    CHECK(summary.temporary == temporary);
    CHECK(summary.deferred == 0);
    const auto event = a.last_event_of(id);
    CHECK(event.event == kind);
    CHECK_FALSE(event.next_at.has_value());
    CHECK(event.provider == "main");
    CHECK(event.attempt == 1);
    if (temporary) CHECK(event.reason == "main: says no");
    CHECK(fs::is_empty(a.spool / "cur"));
  }
}

TEST_CASE(
    "a message sent now that somebody has is sent, whoever could not be "
    "reached") {
  Run a;
  a.deliverer.answer = [](const std::string& email) {
    return email == k_ann ? Outcome::accepted : Outcome::unavailable;
  };
  std::string id;
  const auto summary = a.send(a_message({k_ann, k_bob}), id);
  CHECK(summary.sent == 1);
  CHECK_FALSE(summary.temporary);
  CHECK(a.spool.load(id).state == State::sent);
  const auto event = a.last_event_of(id);
  REQUIRE(event.recipients.size() == 1);
  CHECK(event.recipients[0].email == k_bob);
  CHECK(event.recipients[0].error == "main: says no");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
