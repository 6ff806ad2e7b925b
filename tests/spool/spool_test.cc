// Tests spool/spool.cc and spool/folders.cc.
#include "spool/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "spool/message_id.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

Result<std::unique_ptr<Spool>> open_again(TempSpool& spool) {
  return Spool::open({spool.path(), {}}, spool.clock);
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

std::size_t files_below(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    count += entry.is_regular_file();
  return count;
}

Message with_key(const std::string& key, const std::string& text = "Hi") {
  Message message = a_message();
  message.idempotency_key = key;
  message.text = text;
  return message;
}

TEST_CASE("a spool is made when it is missing, for its owner alone") {
  TempSpool spool;
  for (const std::string folder :
       {"", "tmp", "new", "new/high", "new/bulk", "deferred", "held", "cur",
        "sent", "failed", "log", "state", "state/keys"}) {
    CAPTURE(folder);
    CHECK(mode_of(spool / folder) == 0700);
  }
  CHECK(text_in(spool / "version") == "1\n");
  const auto id = spool.accept();
  CHECK(mode_of(spool / ("new/" + id + ".jsonl")) == 0600);
}

TEST_CASE("a spool that strangers can write to is refused") {
  TempSpool spool;
  for (const mode_t mode : {0702, 0720, 0777}) {
    CAPTURE(mode);
    REQUIRE(::chmod(spool.path().c_str(), mode) == 0);
    const auto opened = open_again(spool);
    CHECK_FAILS(opened, no_permission);
    CHECK(opened.error().hint.find("chmod go-w") != std::string::npos);
  }
  REQUIRE(::chmod(spool.path().c_str(), 0755) == 0);
  CHECK_MESSAGE(open_again(spool).has_value(), "they may look");
}

TEST_CASE("a spool of another version is refused, and left as it is") {
  TempSpool spool;
  write_text(spool / "version", "2\n");
  const auto opened = open_again(spool);
  CHECK_FAILS(opened, config);
  CHECK(text_in(spool / "version") == "2\n");
}

TEST_CASE("a spool that is a symbolic link is refused") {
  TempSpool spool;
  const std::string link = spool.path() + "-link";
  fs::create_directory_symlink(spool.path(), link);
  CHECK_FALSE(Spool::open({link, {}}, spool.clock).has_value());
}

TEST_CASE("a folder that is a symbolic link is not entered") {
  TempSpool spool;
  const std::string outside = spool.path() + "-outside";
  fs::create_directory(outside);
  fs::remove(spool / "new/high");
  fs::create_directory_symlink(outside, spool / "new/high");
  Message message = a_message();
  message.priority = Priority::high;
  CHECK_FALSE(spool->accept(message).has_value());
  CHECK(fs::is_empty(outside));
  CHECK_MESSAGE(fs::is_empty(spool / "tmp"), "nothing is left behind");

  write_text(outside + "/x.json", "{}");
  CHECK_FALSE(spool->folders()
                  .for_each_file("new/high", [](const std::string&,
                                                const char*) { return true; })
                  .has_value());
}

TEST_CASE("an accepted message is one file, and its id finds it") {
  TempSpool spool;
  const auto id = spool.accept();
  CHECK(files_below(spool / "new") == 1);
  CHECK(fs::is_empty(spool / "tmp"));
  const auto located = spool.load(id);
  CHECK(located.folder == "new");
  CHECK(located.state == State::fresh);
  CHECK(located.file.message.subject == "Hi");
  REQUIRE(located.file.events.size() == 1);
  const auto& queued = located.file.events.at(0);
  CHECK(queued.event == "queued");
  CHECK(queued.ts == spool.clock.now());
  CHECK(queued.domain == "example.com");
  CHECK(spool.logged(id) == 1);
}

TEST_CASE("an event says of its message what the log is asked for") {
  TempSpool spool;
  Message message = a_message();
  message.template_id = "welcome";
  message.lang = "es";
  message.pool = "fast";
  message.tags = {"signup"};
  const Event event = spool->event("queued", "ID", message);
  CHECK(event.template_id == "welcome");
  CHECK(event.lang == "es");
  CHECK(event.pool == "fast");
  CHECK(event.tags == std::vector<std::string>{"signup"});
  CHECK(event.by.ends_with(":" + std::to_string(::getpid())));
  message.bcc = std::move(message.to);
  message.to.clear();
  CHECK(spool->event("queued", "ID", message).domain == "example.com");
}

TEST_CASE("each priority has its lane") {
  TempSpool spool;
  for (const auto& [priority, folder] :
       std::vector<std::pair<Priority, std::string>>{
           {Priority::high, "new/high"},
           {Priority::normal, "new"},
           {Priority::bulk, "new/bulk"}}) {
    Message message = a_message();
    message.priority = priority;
    CHECK(spool.load(spool.accept(message)).folder == folder);
  }
}

TEST_CASE("a message for later waits in its minute's bucket") {
  TempSpool spool;
  const Time later = parse_time("2099-12-01T09:00:30Z").value();
  const auto located = spool.load(spool.accept({"a@b.example"}, later));
  CHECK(located.folder == "deferred/2099-12-01T09:00Z");
  CHECK(located.state == State::deferred);
  CHECK(located.file.history.state == State::deferred);
  CHECK(located.file.history.next_at == later);

  const auto past = spool.accept({"a@b.example"}, spool.clock.now());
  CHECK_MESSAGE(spool.load(past).folder == "new", "it is due");
}

TEST_CASE("a message can be accepted into held/, with why it waits there") {
  TempSpool spool;
  Message message = a_message();
  message.send_at = parse_time("2099-12-01T09:00:30Z").value();
  const auto accepted = spool->accept_held(message, "no alias for 'root'");
  REQUIRE_OK(accepted);
  const auto located = spool.load(accepted->id);
  CHECK(located.folder == "held");
  CHECK(located.state == State::held);
  CHECK(located.file.history.state == State::held);
  CHECK(located.file.history.reason == "no alias for 'root'");
  REQUIRE(located.file.events.size() == 2);
  CHECK(located.file.events.at(0).event == "queued");
  CHECK(located.file.events.at(1).event == "held");
  CHECK_MESSAGE(files_below(spool / "new") == 0, "no runner ever sees it");
  CHECK(spool.logged("\"queued\"") == 1);
  CHECK(spool.logged("\"held\"") == 1);

  const auto unexplained = spool->accept_held(a_message(), "");
  REQUIRE_OK(unexplained);
  CHECK(spool.load(unexplained->id).folder == "held");
}

TEST_CASE("a note on a message stands in the event that queued it") {
  TempSpool spool;
  const auto queued = spool->accept(a_message(), "oddly");
  const auto held = spool->accept_held(a_message(), "why", "oddly");
  REQUIRE_OK(queued);
  REQUIRE_OK(held);
  CHECK(spool.load(queued->id).file.history.reason == "oddly");
  const auto located = spool.load(held->id);
  REQUIRE(located.file.events.size() == 2);
  CHECK(located.file.events.at(0).reason == "oddly");
  CHECK(located.file.events.at(1).reason == "why");
  CHECK(spool.logged("oddly") == 2);
}

TEST_CASE("a key is remembered for a message that was accepted into held/") {
  TempSpool spool;
  const auto first = spool->accept_held(with_key("a"), "later");
  REQUIRE_OK(first);
  const auto again = spool->accept_held(with_key("a"), "later");
  REQUIRE_OK(again);
  CHECK(again->duplicate);
  CHECK(again->id == first->id);
}

TEST_CASE("many are accepted at once, in their order") {
  TempSpool spool;
  std::vector<Message> messages(2500, a_message());
  for (std::size_t i = 0; i < messages.size(); ++i)
    messages[i].subject = std::to_string(i);
  const auto results = spool->accept(messages);
  REQUIRE(results.size() == messages.size());
  std::string last;
  for (const auto& result : results) {
    REQUIRE_OK(result);
    CHECK(result->id > last);
    last = result->id;
  }
  CHECK(files_below(spool / "new") == messages.size());
  CHECK(spool.load(results[1234]->id).file.message.subject == "1234");
  CHECK(spool.logged("\"queued\"") == messages.size());
  CHECK(spool->accept(std::vector<Message>{}).empty());
}

TEST_CASE(
    "the same key and content is the same message, in a batch as over "
    "time") {
  TempSpool spool;
  const std::vector<Message> messages = {with_key("a"), with_key("b"),
                                         with_key("a"), with_key("a", "Ho"),
                                         a_message()};
  const auto results = spool->accept(messages);
  REQUIRE_OK(results[0]);
  REQUIRE_OK(results[1]);
  REQUIRE_OK(results[2]);
  CHECK(results[2]->duplicate);
  CHECK(results[2]->id == results[0]->id);
  CHECK_FALSE(results[0]->duplicate);
  CHECK(results[1]->id != results[0]->id);
  CHECK_FAILS(results[3], bad_data);
  REQUIRE_OK(results[4]);
  CHECK(files_below(spool / "new") == 3);

  const auto again = spool->accept(with_key("a"));
  REQUIRE_OK(again);
  CHECK(again->duplicate);
  CHECK(again->id == results[0]->id);
  CHECK_FAILS(spool->accept(with_key("b", "Ho")), bad_data);
  spool.clock.advance(24h);
  CHECK_FALSE(spool->accept(with_key("a"))->duplicate);
}

TEST_CASE(
    "a batch that the disk refuses is not accepted, duplicates included, "
    "and leaves nothing") {
  TempSpool spool;
  // No file can be moved to where it belongs.
  fs::remove(spool / "new/bulk");
  write_text(spool / "new/bulk", "in the way");
  Message bulk = with_key("a");
  bulk.priority = Priority::bulk;
  const auto results =
      spool->accept(std::vector<Message>{bulk, bulk, a_message()});
  for (const auto& result : results) CHECK_FALSE(result.has_value());
  CHECK(fs::is_empty(spool / "tmp"));
  CHECK(files_below(spool / "new") == 1);

  fs::remove(spool / "new/bulk");
  const auto again = spool->accept(bulk);
  REQUIRE_OK(again);
  CHECK_FALSE(again->duplicate);
}

TEST_CASE("a message is accepted into a runner's folder, with its key") {
  TempSpool spool;
  auto runner = RunnerFolder::create(spool->folders());
  REQUIRE_OK(runner);
  const auto accepted = spool->accept_into(*runner, with_key("a"), Mode::send);
  REQUIRE_OK(accepted);
  const auto located = spool.load(accepted->id);
  CHECK(located.folder == runner->path());
  CHECK(located.state == State::claimed);
  CHECK(located.file.mode == Mode::send);
  CHECK(spool.logged("\"queued\"") == 1);

  const auto again = spool->accept_into(*runner, with_key("a"), Mode::send);
  REQUIRE_OK(again);
  CHECK(again->duplicate);
  CHECK(again->id == accepted->id);
  CHECK_FAILS(spool->accept_into(*runner, with_key("a", "Ho"), Mode::send),
              bad_data);
}

TEST_CASE("what is no id, or nobody's, is not found") {
  TempSpool spool;
  for (const std::string id :
       {"", "x", "../../etc/passwd", "01ARYZ6S41TSV4RRFFQ69G5FAV",
        "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"}) {
    CAPTURE(id);
    CHECK_FAILS(spool->load(id), not_found);
  }
}

TEST_CASE("a message is found in every state") {
  TempSpool spool;
  for (const auto& [event, state] :
       std::vector<std::pair<std::string, State>>{{"held", State::held},
                                                  {"sent", State::sent},
                                                  {"failed", State::failed}}) {
    const auto id = spool.accept();
    spool.happen(id, {spool.event(event, id)});
    CHECK(spool.load(id).state == state);
  }
}

TEST_CASE("a rename never replaces a file") {
  TempSpool spool;
  write_text(spool / "new/a", "a");
  write_text(spool / "held/a", "b");
  CHECK_FAILS(spool->folders().move("new", "a", "held", "a"), busy);
  CHECK_FAILS(spool->folders().move("new", "none", "held", "none"), not_found);
  CHECK(text_in(spool / "held/a") == "b");
}

TEST_CASE(
    "a folder that grows too large gets sub-folders, and what is in them "
    "is found") {
  TempSpool spool;
  // Long names make it large soon. Where a folder's own size says little of
  // its entries (tmpfs, btrfs) there is nothing to be gained either.
  const std::string padding(200, 'x');
  struct stat info {};
  for (int i = 0; i < 20'000 && info.st_size <= k_large_folder; ++i) {
    const std::string name = spool / ("new/" + padding + std::to_string(i));
    const Fd fd(::open(name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    REQUIRE(fd);
    REQUIRE(::stat((spool / "new").c_str(), &info) == 0);
  }
  if (info.st_size <= k_large_folder) {
    MESSAGE("this file system's folders do not grow");
    return;
  }
  const auto id = spool.accept();
  const std::string folder = std::string("new/") + id.back();
  CHECK(spool.load(id).folder == folder);
  std::set<std::string> seen;
  REQUIRE_OK(spool->folders().for_each_file(
      "new", [&](const std::string& where, const char* name) {
        if (std::string_view(name).ends_with(".jsonl"))
          seen.insert(where + "/" + name);
        return true;
      }));
  CHECK(seen == std::set<std::string>{folder + "/" + message_file_name(id)});
  spool.happen(id, {spool.event("sent", id)});
  CHECK(spool.load(id).state == State::sent);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
