// Tests spool/recovery.cc on dead runners' folders that are built by hand.
#include "spool/recovery.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

const std::string k_dead = "cur/host.1.dead";
const std::string k_ann = "ann@example.com";
const std::string k_bob = "bob@example.com";

// A spool with a runner that died: its folder, its lock that nobody holds.
struct Dead {
  TempSpool spool;
  Policy policy;

  Dead() {
    policy.retry.jitter = 0;
    fs::create_directory(spool / k_dead);
    write_text(spool / (k_dead + "/.lock"), {});
  }
  // A message that it had claimed.
  std::string claimed(const Words& to = {k_ann}) {
    const auto id = spool.accept(to);
    fs::rename(spool / ("new/" + message_file_name(id)), path_of(id));
    return id;
  }
  // A message that `pony send` had accepted into the folder.
  std::string claimed_by_send(const Words& to = {k_ann}) {
    std::string id;
    {
      auto runner = RunnerFolder::create(spool->folders());
      REQUIRE_OK(runner);
      auto accepted = spool->accept_into(*runner, a_message(to), Mode::send);
      REQUIRE_OK(accepted);
      id = accepted->id;
      fs::rename(spool / (runner->path() + "/" + message_file_name(id)),
                 path_of(id));
    }
    return id;
  }
  std::string path_of(const std::string& id) const {
    return spool / (k_dead + "/" + message_file_name(id));
  }
  Event attempting(const std::string& id, int number = 1) {
    Event event = spool.event("attempting", id);
    event.attempt = number;
    event.provider = "main";
    event.pool = "default";
    return event;
  }
  Event attempted(const std::string& id, Outcome outcome,
                  std::vector<RecipientOutcome> recipients = {}) {
    Event event = attempting(id);
    event.event = "attempted";
    event.outcome = outcome;
    event.recipients = std::move(recipients);
    return event;
  }
  Event ended(const std::string& id, std::string_view kind) {
    Event event = spool.event(kind, id);
    event.attempt = 1;
    event.provider = "main";
    return event;
  }
  static std::string lines(const std::vector<Event>& events) {
    std::string text;
    for (const auto& event : events) append_line(text, event);
    return text;
  }
  void journal(const std::vector<Event>& events) {
    write_text(spool / (k_dead + "/journal.000000"), lines(events));
  }
  void append(const std::string& path, std::string_view text) {
    write_text(path, text_in(path) + std::string(text));
  }
  Recovered recover_all(bool dry_run = false) {
    auto recovered = recover(*spool, policy, {}, dry_run);
    REQUIRE_OK(recovered);
    return *recovered;
  }
  // Recovers, and sees that this was all there was to do.
  Recovered recovered() {
    auto first = recover_all();
    CHECK(fs::is_empty(spool / "cur"));
    std::vector<std::pair<std::string, std::string>> before = files();
    CHECK(recover_all().messages == 0);
    CHECK_MESSAGE((files() == before), "a second recovery changes nothing");
    return first;
  }
  std::vector<std::pair<std::string, std::string>> files() {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& entry : fs::recursive_directory_iterator(spool.path()))
      if (entry.is_regular_file())
        all.emplace_back(entry.path().string(), text_in(entry.path().string()));
    std::sort(all.begin(), all.end());
    return all;
  }
  Words events_of(const std::string& id) {
    Words kinds;
    for (const auto& event : spool.load(id).file.events)
      kinds.push_back(event.event);
    return kinds;
  }
  // Of the log, in its order, about this message.
  Words logged(const std::string& id) {
    Words kinds;
    REQUIRE_OK(spool->log().read({}, {}, [&](std::string_view line) {
      if (auto event = parse_event(line); event && event->id == id)
        kinds.push_back(event->event);
      return true;
    }));
    return kinds;
  }
};

TEST_CASE("without dead runners there is nothing to recover") {
  TempSpool spool;
  const auto recovered = recover(*spool, {}, {});
  REQUIRE_OK(recovered);
  CHECK(recovered->messages == 0);
  CHECK(recovered->warnings.empty());
}

TEST_CASE("a runner that lives is left alone") {
  Dead a;
  auto alive = RunnerFolder::create(a.spool->folders());
  REQUIRE_OK(alive);
  const auto id = a.spool.accept();
  REQUIRE_OK(alive->claim("new", message_file_name(id), message_file_name(id)));
  CHECK(a.recover_all().messages == 0);
  CHECK(a.spool.load(id).folder == alive->path());
}

TEST_CASE("a runner does not recover itself") {
  Dead a;
  const auto id = a.claimed();
  const auto recovered = recover(*a.spool, a.policy, k_dead);
  REQUIRE_OK(recovered);
  CHECK(recovered->messages == 0);
  CHECK(a.spool.load(id).folder == k_dead);
}

TEST_CASE("nothing was started: the message is back in new/, and it is told") {
  Dead a;
  const auto id = a.claimed();
  a.journal({});
  const auto recovered = a.recovered();
  CHECK(recovered.messages == 1);
  REQUIRE(recovered.warnings.size() == 1);
  CHECK(recovered.warnings[0].find(id) == 0);
  CHECK(a.spool.load(id).folder == "new");
  CHECK(a.events_of(id) == Words{"queued", "recovered"});
  CHECK(a.logged(id) == Words{"queued", "recovered"});
}

TEST_CASE("a runner without a lock or a journal is as dead as any") {
  Dead a;
  const auto id = a.claimed();
  fs::remove(a.spool / (k_dead + "/.lock"));
  (void)a.recovered();
  CHECK(a.spool.load(id).folder == "new");
}

TEST_CASE("each priority goes back to its lane") {
  Dead a;
  Message message = a_message();
  message.priority = Priority::high;
  const auto id = a.spool.accept(message);
  fs::rename(a.spool / ("new/high/" + message_file_name(id)), a.path_of(id));
  (void)a.recovered();
  CHECK(a.spool.load(id).folder == "new/high");
}

TEST_CASE(
    "an attempt had started: it may have been delivered, and on_unknown "
    "decides") {
  for (const auto& [on_unknown, state, kind] :
       std::vector<std::tuple<OnUnknown, State, std::string>>{
           {OnUnknown::retry, State::deferred, "deferred"},
           {OnUnknown::hold, State::held, "held"},
           {OnUnknown::fail, State::failed, "failed"}}) {
    CAPTURE(kind);
    Dead a;
    a.policy.on_unknown = on_unknown;
    const auto id = a.claimed();
    a.journal({a.attempting(id)});
    (void)a.recovered();
    const auto located = a.spool.load(id);
    CHECK(located.state == state);
    CHECK(a.events_of(id) == Words{"queued", "attempted", "recovered", kind});
    CHECK(a.logged(id) == a.events_of(id));
    const auto& attempted = located.file.events.at(1);
    CHECK(attempted.outcome == Outcome::unknown);
    CHECK(attempted.provider == "main");
    CHECK(attempted.attempt == 1);
    CHECK_MESSAGE(located.file.history.unknown_at == "main",
                  "it is asked first");
    CHECK(located.file.events.at(3).pool == "default");
    if (state == State::deferred)
      CHECK(located.file.history.next_at == a.spool.clock.now() + 60s);
  }
}

TEST_CASE(
    "the second attempt of a round had started: the first keeps its "
    "outcome") {
  Dead a;
  const auto id = a.claimed();
  a.journal({a.attempting(id, 1), a.attempted(id, Outcome::unavailable),
             a.attempting(id, 2)});
  (void)a.recovered();
  const auto file = a.spool.load(id).file;
  CHECK(a.events_of(id) ==
        Words{"queued", "attempted", "attempted", "recovered", "deferred"});
  CHECK(file.events.at(1).outcome == Outcome::unavailable);
  CHECK(file.events.at(2).outcome == Outcome::unknown);
  CHECK(file.history.attempts == 2);
}

TEST_CASE(
    "it had ended, and only the journal knew: filed, with every event "
    "in the file and once in the log") {
  Dead a;
  const auto id = a.claimed();
  const std::vector<Event> events = {a.attempted(id, Outcome::accepted),
                                     a.ended(id, "sent")};
  a.journal({a.attempting(id), events[0], events[1]});
  SUBCASE("the log had none of it") {}
  SUBCASE("the log had all of it") {
    REQUIRE_OK(a.spool->log().append(Dead::lines(events), a.spool.clock.now()));
  }
  SUBCASE("the log had some of it") {
    REQUIRE_OK(
        a.spool->log().append(Dead::lines({events[0]}), a.spool.clock.now()));
  }
  SUBCASE("the file had some of it, and a torn line") {
    a.append(a.path_of(id),
             Dead::lines({events[0]}) + Dead::lines({events[1]}).substr(0, 30));
    REQUIRE_OK(a.spool->log().append(Dead::lines(events), a.spool.clock.now()));
  }
  SUBCASE("file and log had all: only the rename was left") {
    a.append(a.path_of(id), Dead::lines(events));
    REQUIRE_OK(a.spool->log().append(Dead::lines(events), a.spool.clock.now()));
  }
  (void)a.recovered();
  CHECK(a.spool.load(id).state == State::sent);
  CHECK(a.events_of(id) == Words{"queued", "attempted", "sent"});
  CHECK(a.logged(id) == Words{"queued", "attempted", "sent"});
}

TEST_CASE(
    "accepted, and it died before it could say sent: nobody is sent to "
    "again") {
  Dead a;
  const auto id = a.claimed({k_ann, k_bob});
  a.journal({a.attempting(id),
             a.attempted(id, Outcome::accepted,
                         {{k_ann, Outcome::accepted, {}},
                          {k_bob, Outcome::unavailable, "later"}})});
  (void)a.recovered();
  const auto located = a.spool.load(id);
  CHECK(located.state == State::fresh);
  CHECK(located.file.history.settled ==
        std::map<std::string, Outcome>{{k_ann, Outcome::accepted}});
}

TEST_CASE(
    "a dropped recipient stays dropped, whatever was filed when it died") {
  Dead a;
  const auto id = a.claimed({k_ann, k_bob});
  Event suppressed = a.spool.event("suppressed", id);
  suppressed.recipient = k_ann;
  suppressed.reason = "bounced on 2026-11-20 (main)";
  std::vector<Event> events = {suppressed};
  SUBCASE("nothing else") {
    a.journal(events);
  }
  SUBCASE("file and log had it") {
    a.journal(events);
    a.append(a.path_of(id), Dead::lines(events));
    REQUIRE_OK(a.spool->log().append(Dead::lines(events), a.spool.clock.now()));
  }
  SUBCASE("an attempt had started") {
    events.push_back(a.attempting(id));
    a.journal(events);
  }
  (void)a.recovered();
  const auto file = a.spool.load(id).file;
  CHECK(file.history.settled ==
        std::map<std::string, Outcome>{{k_ann, Outcome::rejected}});
  CHECK(a.logged(id) == a.events_of(id));
  CHECK(a.events_of(id).at(1) == "suppressed");
}

TEST_CASE("what the log spells otherwise is not logged twice") {
  for (const auto how : {LogAddresses::masked, LogAddresses::hash}) {
    Dead a;
    auto masking = Spool::open({a.spool.path(), {}, std::chrono::hours(1), how},
                               a.spool.clock);
    REQUIRE_OK(masking);
    const auto id = a.claimed({k_ann, k_bob});
    Event suppressed = a.spool.event("suppressed", id);
    suppressed.recipient = k_ann;
    Event deferred = a.ended(id, "deferred");
    deferred.attempt = 0;
    deferred.next_at = a.spool.clock.now() + 1h;
    deferred.recipients = {{k_bob, Outcome::unknown, "no word of " + k_bob}};
    const std::vector<Event> events = {suppressed, deferred};
    a.journal(events);
    REQUIRE_OK(
        (*masking)->log().append(Dead::lines(events), a.spool.clock.now()));
    CHECK(a.spool.logged("@") == a.spool.logged("***@") + a.spool.logged("h:"));
    // log_addresses was changed meanwhile, or not.
    Spool& spool = how == LogAddresses::masked ? **masking : *a.spool;
    REQUIRE_OK(recover(spool, a.policy, {}));
    CHECK(a.events_of(id) == Words{"queued", "suppressed", "deferred"});
    CHECK(a.logged(id) == a.events_of(id));
  }
}

TEST_CASE(
    "a deferred message goes to its bucket, or to new/ when that time "
    "has come") {
  Dead a;
  const auto id = a.claimed();
  Event deferred = a.ended(id, "deferred");
  deferred.next_at = a.spool.clock.now() + 1h;
  a.journal(
      {a.attempting(id), a.attempted(id, Outcome::unavailable), deferred});
  SUBCASE("to its bucket") {
    (void)a.recovered();
    CHECK(a.spool.load(id).folder ==
          "deferred/" + format_minute(*deferred.next_at));
  }
  SUBCASE("to new/") {
    a.spool.clock.advance(2h);
    (void)a.recovered();
    CHECK(a.spool.load(id).folder == "new");
  }
}

TEST_CASE("zeros ahead in a journal, and what was torn, are not believed") {
  Dead a;
  const auto id = a.claimed();
  const auto whole = Dead::lines({a.attempting(id)});
  const auto torn = Dead::lines({a.attempted(id, Outcome::accepted)});
  const std::string zeros(8192, '\0');
  const std::string path = a.spool / (k_dead + "/journal.000000");
  SUBCASE("zeros") {
    write_text(path, whole + zeros);
  }
  SUBCASE("a torn line, then zeros") {
    write_text(path, whole + torn.substr(0, torn.size() / 2) + zeros);
  }
  SUBCASE("a torn line at the end") {
    write_text(path, whole + torn.substr(0, torn.size() - 1));
  }
  (void)a.recovered();
  CHECK(a.events_of(id) ==
        Words{"queued", "attempted", "recovered", "deferred"});
  CHECK(a.spool.load(id).file.events.at(1).outcome == Outcome::unknown);
}

TEST_CASE("a journal that was being rewritten counts with the one before") {
  Dead a;
  const auto first = a.claimed();
  const auto second = a.claimed();
  a.journal({a.attempting(first), a.attempted(first, Outcome::accepted),
             a.ended(first, "sent"), a.attempting(second)});
  write_text(a.spool / (k_dead + "/journal.000001"),
             Dead::lines({a.attempting(second)}));
  (void)a.recovered();
  CHECK(a.spool.load(first).state == State::sent);
  CHECK(a.spool.load(second).state == State::deferred);
}

TEST_CASE(
    "what pony send held and did not start is failed: its caller may try "
    "again") {
  Dead a;
  const auto id = a.claimed_by_send();
  (void)a.recovered();
  CHECK(a.spool.load(id).state == State::failed);
  CHECK(a.events_of(id) == Words{"queued", "recovered", "failed"});
  CHECK(a.spool.load(id).file.history.reason ==
        "pony send was interrupted before it was delivered");
}

TEST_CASE("what pony send had started is failed, not tried again by itself") {
  Dead a;
  const auto id = a.claimed_by_send();
  a.journal({a.attempting(id)});
  (void)a.recovered();
  CHECK(a.events_of(id) == Words{"queued", "attempted", "recovered", "failed"});
  CHECK(a.spool.load(id).file.history.reason ==
        "pony send was interrupted: it may have been delivered");
}

TEST_CASE("what pony send held is queued when a person asked for a retry") {
  Dead a;
  const auto id = a.claimed_by_send();
  a.append(a.path_of(id), Dead::lines({a.spool.event("failed", id),
                                       a.spool.event("retried", id)}));
  (void)a.recovered();
  CHECK(a.spool.load(id).folder == "new");
}

TEST_CASE("what pony send held and somebody has is sent") {
  Dead a;
  const auto id = a.claimed_by_send({k_ann, k_bob});
  a.journal({a.attempting(id),
             a.attempted(id, Outcome::accepted,
                         {{k_ann, Outcome::accepted, {}},
                          {k_bob, Outcome::unavailable, "later"}})});
  (void)a.recovered();
  const auto located = a.spool.load(id);
  CHECK(located.state == State::sent);
  const auto& sent = located.file.events.back();
  REQUIRE(sent.recipients.size() == 1);
  CHECK(sent.recipients[0].email == k_bob);
  CHECK(sent.recipients[0].outcome == Outcome::unavailable);
}

TEST_CASE(
    "a dropped file whose taking in was cut short is dropped again, or "
    "gone when its message is there") {
  Dead a;
  const std::string id = "01ARYZ6S41TSV4RRFFQ69G5FAV";
  write_text(a.spool / (k_dead + "/" + id + ".json"), "{\"to\":1}");
  SUBCASE("again") {
    (void)a.recovered();
    CHECK(text_in(a.spool / ("new/" + id + ".json")) == "{\"to\":1}");
  }
  SUBCASE("gone") {
    const auto message = a.claimed();
    fs::rename(a.spool / (k_dead + "/" + id + ".json"),
               a.spool / (k_dead + "/" + message + ".json"));
    (void)a.recovered();
    CHECK(a.spool.load(message).folder == "new");
    CHECK_FALSE(fs::exists(a.spool / ("new/" + message + ".json")));
  }
}

TEST_CASE("a claimed file that cannot be read goes to failed/ as it is") {
  Dead a;
  const auto id = a.claimed();
  write_text(a.path_of(id), "nonsense");
  const auto good = a.claimed();
  (void)a.recovered();
  CHECK(a.spool.load(good).folder == "new");
  const std::string day = "failed/" + format_day(a.spool.clock.now()) + "/";
  CHECK(text_in(a.spool / (day + message_file_name(id))) == "nonsense");
  CHECK(text_in(a.spool / (day + id + ".error")).find("first line") !=
        std::string::npos);
}

TEST_CASE("of a message and its twin where it belongs the longer one stays") {
  Dead a;
  const auto id = a.claimed();
  const auto name = message_file_name(id);
  const auto start = text_in(a.path_of(id));
  const auto more = start + Dead::lines({a.spool.event("recovered", id)});
  SUBCASE("ours is longer") {
    write_text(a.spool / ("new/" + name), start);
  }
  SUBCASE("the twin tells another story: both stay, and it is said") {
    write_text(a.spool / ("new/" + name),
               start + Dead::lines({a.spool.event("released", id)}));
    const auto recovered = a.recover_all();
    CHECK(recovered.warnings.size() == 1);
    CHECK(recovered.warnings[0].find("two histories") != std::string::npos);
    CHECK(fs::exists(a.path_of(id)));
    CHECK(fs::exists(a.spool / ("new/" + name)));
    return;
  }
  (void)a.recovered();
  CHECK(a.events_of(id) == Words{"queued", "recovered"});
}

TEST_CASE(
    "a symbolic link or a file in cur/ is nobody's folder, and stops "
    "nothing") {
  Dead a;
  const auto id = a.claimed();
  const std::string outside = a.spool.path() + "-outside";
  fs::create_directory(outside);
  write_text(outside + "/.lock", {});
  write_text(outside + "/mine.txt", "mine");
  fs::create_directory_symlink(outside, a.spool / "cur/a link");
  write_text(a.spool / "cur/a file", {});
  const auto recovered = a.recover_all();
  CHECK(a.spool.load(id).folder == "new");
  CHECK_MESSAGE(recovered.warnings.size() == 3, "one for each of the three");
  CHECK(text_in(outside + "/mine.txt") == "mine");
  CHECK(fs::exists(outside + "/.lock"));
}

TEST_CASE("a dry run tells and changes nothing") {
  Dead a;
  const auto id = a.claimed();
  a.journal({a.attempting(id)});
  const auto before = a.files();
  const auto recovered = a.recover_all(true);
  CHECK(recovered.messages == 1);
  REQUIRE(recovered.warnings.size() == 1);
  CHECK(recovered.warnings[0].find(id) != std::string::npos);
  CHECK((a.files() == before));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
