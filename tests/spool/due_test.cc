// Tests spool/due.cc.
#include "spool/due.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "spool/message_file.h"
#include "spool/message_id.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

struct Queue {
  TempSpool spool;
  Due due{spool->folders()};
  // A whole minute to come, so that a test can say which second of it it is.
  Time minute = std::chrono::ceil<std::chrono::minutes>(spool.clock.now()) + 1h;

  std::string accept(Priority priority, std::optional<Time> send_at = {}) {
    Message message = a_message();
    message.priority = priority;
    message.send_at = send_at;
    spool.clock.advance(1ms);
    return message_file_name(spool.accept(message));
  }
  std::string accept_for(Time send_at) {
    return accept(Priority::normal, send_at);
  }
  void look(std::optional<Time> now = {}) {
    REQUIRE_OK(due.look(now.value_or(spool.clock.now())));
  }
  Words rest() {
    Words names;
    while (auto file = due.next()) names.push_back(file->name);
    return names;
  }
  // What is due at `now`.
  Words due_at(Time now) {
    look(now);
    return rest();
  }
};

TEST_CASE("an empty spool has nothing due") {
  Queue a;
  a.look();
  CHECK_FALSE(a.due.next().has_value());
  CHECK_FALSE(a.due.next_due().has_value());
}

TEST_CASE("a lane is served in order of acceptance") {
  Queue a;
  Words names;
  for (int i = 0; i < 100; ++i) names.push_back(a.accept(Priority::normal));
  a.look();
  CHECK(a.rest() == names);
  CHECK_MESSAGE(a.rest().empty(), "each is given once");
  a.look();
  CHECK_MESSAGE(a.rest() == names, "nobody took them");
}

TEST_CASE("high goes before normal before bulk, and none starves") {
  Queue a;
  for (int i = 0; i < 42; ++i)
    for (const auto priority :
         {Priority::bulk, Priority::normal, Priority::high})
      a.accept(priority);
  a.look();
  CHECK(a.due.next()->priority == Priority::high);
  std::map<Priority, int> taken = {{Priority::high, 1}};
  for (int i = 1; i < 42; ++i) ++taken[a.due.next()->priority];
  CHECK(taken[Priority::high] == 32);
  CHECK(taken[Priority::normal] == 8);
  CHECK(taken[Priority::bulk] == 2);
  CHECK_MESSAGE(a.rest().size() == 84, "and all are served in the end");
}

TEST_CASE("a lane that waits alone is served at once") {
  Queue a;
  a.accept(Priority::bulk);
  a.look();
  const auto file = a.due.next();
  REQUIRE(file.has_value());
  CHECK(file->folder == "new/bulk");
  CHECK(file->priority == Priority::bulk);
}

TEST_CASE("a deferred message is due to the second, not to the minute") {
  Queue a;
  const auto early = a.accept_for(a.minute + 10s);
  const auto late = a.accept_for(a.minute + 50s + 500ms);
  CHECK(a.due_at(a.minute - 1ms).empty());
  CHECK_MESSAGE(a.due.next_due() == a.minute, "then the bucket is read");
  CHECK(a.due_at(a.minute + 5s).empty());
  CHECK(a.due.next_due() == a.minute + 10s);
  CHECK(a.due_at(a.minute + 10s) == Words{early});
  CHECK(a.due.next_due() == a.minute + 50s + 500ms);
  CHECK(a.due_at(a.minute + 50s + 499ms) == Words{early});
  CHECK(a.due_at(a.minute + 50s + 500ms) == Words{early, late});
  CHECK_FALSE(a.due.next_due().has_value());
  CHECK(a.due_at(a.minute + 5min) == Words{early, late});
}

TEST_CASE("what is deferred again within the minute waits for its new second") {
  Queue a;
  const auto name = a.accept_for(a.minute + 10s);
  REQUIRE(a.due_at(a.minute + 20s) == Words{name});
  const std::string id(id_of_file_name(name));
  Event deferred = a.spool.event("deferred", id);
  deferred.next_at = a.minute + 40s;
  a.spool.happen(id, {deferred});
  CHECK(a.due_at(a.minute + 30s).empty());
  CHECK(a.due_at(a.minute + 40s) == Words{name});
}

TEST_CASE("buckets have lanes too, and the next one to come is known") {
  Queue a;
  const auto bulk = a.accept(Priority::bulk, a.minute + 1s);
  const auto high = a.accept(Priority::high, a.minute + 2s);
  (void)a.accept_for(a.minute + 7min + 3s);
  (void)a.accept_for(a.minute + 8min);
  CHECK(a.due_at(a.minute + 1min) == Words{high, bulk});
  CHECK(a.due.next_due() == a.minute + 7min);
}

TEST_CASE("a bucket that is over and empty goes, one with messages stays") {
  Queue a;
  const auto name = a.accept(Priority::high, a.minute + 1s);
  const std::string bucket = a.spool / ("deferred/" + format_minute(a.minute));
  (void)a.due_at(a.minute + 30s);
  (void)a.due_at(a.minute + 2min);
  CHECK(fs::exists(bucket + "/high/" + name));
  fs::remove(bucket + "/high/" + name);
  (void)a.due_at(a.minute + 2min);
  CHECK_FALSE(fs::exists(bucket));
}

TEST_CASE("the sub-folders of a bucket are read, and go with it") {
  Queue a;
  const auto name = a.accept_for(a.minute + 1s);
  const std::string bucket = a.spool / ("deferred/" + format_minute(a.minute));
  fs::create_directory(bucket + "/K");
  fs::rename(bucket + "/" + name, bucket + "/K/" + name);
  REQUIRE(a.due_at(a.minute + 2min) == Words{name});
  const auto watched = a.due.watched_folders();
  CHECK(std::count(watched.begin(), watched.end(),
                   "deferred/" + format_minute(a.minute) + "/K") == 1);
  fs::remove(bucket + "/K/" + name);
  (void)a.due_at(a.minute + 2min);
  CHECK_FALSE(fs::exists(bucket));
}

TEST_CASE(
    "a bucket that another process emptied and removed can be used again") {
  Queue a;
  Folders& folders = a.spool->folders();
  Folders others = Folders::open(a.spool.path(), {}).value();
  const std::string bucket = "deferred/" + format_minute(a.minute);
  const auto first = a.accept_for(a.minute);
  const auto second = a.accept(Priority::normal);
  // Ours is open now.
  REQUIRE_OK(folders.move(bucket, first, "held", first));
  Due theirs(others);
  REQUIRE_OK(theirs.look(a.minute + 2min));
  REQUIRE_FALSE(fs::exists(a.spool / bucket));

  REQUIRE_OK(others.move("new", second, bucket, second));
  CHECK_MESSAGE(folders.move(bucket, second, "held", second).has_value(),
                "as a source");
  REQUIRE_OK(theirs.look(a.minute + 2min));
  REQUIRE_FALSE(fs::exists(a.spool / bucket));
  CHECK_MESSAGE(folders.move("held", first, bucket, first).has_value(),
                "as a target");
}

TEST_CASE(
    "dropped files are due, whatever they are called; other names are "
    "not ours") {
  Queue a;
  for (const char* name : {"new/b.json", "new/a\nb.json", "new/high/c.json",
                           "new/d.txt", "new/e.jsonl", "new/f", "new/.json~"})
    write_text(a.spool / name, "{}");
  auto names = a.due_at(a.spool.clock.now());
  std::sort(names.begin(), names.end());
  CHECK(names == Words{"a\nb.json", "b.json", "c.json"});
}

TEST_CASE("what is to be ignored is not given again") {
  Queue a;
  const auto one = a.accept(Priority::normal);
  const auto other = a.accept(Priority::normal);
  a.due.ignore(one);
  CHECK(a.due_at(a.spool.clock.now()) == Words{other});
}

TEST_CASE(
    "of a very long lane the oldest are known, and no more than a "
    "window of them") {
  Queue a;
  Words names;
  for (std::size_t i = 0; i < k_lane_window + 1000; ++i)
    names.push_back(message_file_name(new_message_id(a.spool.clock.now())));
  for (const auto& name : names) write_text(a.spool / ("new/" + name), {});
  a.look();
  const auto known = a.rest();
  REQUIRE(known.size() == k_lane_window);
  CHECK(std::equal(known.begin(), known.end(), names.begin()));
}

TEST_CASE("the watch is told where work may appear") {
  Queue a;
  (void)a.accept_for(a.minute);
  a.look();
  const auto folders = a.due.watched_folders();
  for (const std::string& folder :
       {std::string("new"), std::string("new/high"), std::string("new/bulk"),
        std::string("deferred"), "deferred/" + format_minute(a.minute)}) {
    CAPTURE(folder);
    CHECK(std::count(folders.begin(), folders.end(), folder) == 1);
  }
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
