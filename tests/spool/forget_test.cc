// Tests spool/forget.cc.
#include "spool/forget.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/compressed_file.h"
#include "spool/health_files.h"
#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;
using DryRun = ForgetOptions::DryRun;

const std::string k_ann = "ann@example.com";
const std::string k_bob = "bob@example.com";

struct Person {
  TempSpool spool;
  ForgetOptions options;

  Forgotten forget(const Words& addresses = {k_ann}) {
    auto done = pony::forget(*spool, addresses, options);
    REQUIRE_OK(done);
    return *done;
  }
  // A message to these that has come to `kind`, with an attempt that names
  // each of them.
  std::string ended(const Words& to, std::string_view kind = "sent") {
    const auto id = spool.accept(to);
    Event attempted = spool.event("attempted", id);
    attempted.attempt = 1;
    attempted.provider = "main";
    attempted.outcome = Outcome::rejected;
    for (const auto& email : to)
      attempted.recipients.push_back(
          {email, Outcome::rejected, "550 <" + email + ">: no"});
    Event last = spool.event(kind, id);
    last.reason = "it was for " + to.front();
    spool.happen(id, {attempted, last});
    return id;
  }
  bool is_there(const std::string& id) { return spool->load(id).has_value(); }
  // Every file of the spool in which `text` is, whatever it is.
  Words files_with(const std::string& text) {
    Words found;
    for (const auto& entry : fs::recursive_directory_iterator(spool.path()))
      if (entry.is_regular_file() &&
          text_in(entry.path().string()).find(text) != std::string::npos)
        found.push_back(entry.path().string());
    return found;
  }
  std::vector<std::pair<std::string, std::string>> everything() {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& entry : fs::recursive_directory_iterator(spool.path()))
      if (entry.is_regular_file())
        all.emplace_back(entry.path().string(), text_in(entry.path().string()));
    std::sort(all.begin(), all.end());
    return all;
  }
  std::string log_path() {
    return spool / ("log/events-" + format_day(spool.clock.now()) + ".jsonl");
  }
};

TEST_CASE("nobody is forgotten where nobody is known") {
  Person a;
  const auto id = a.ended({k_bob});
  const auto before = a.everything();
  const auto done = a.forget();
  CHECK(done.removed.empty());
  CHECK(done.log_lines == 0);
  CHECK((a.everything() == before));
  CHECK(a.is_there(id));
}

TEST_CASE(
    "messages to a person alone go, wherever they are, and leave no trace") {
  Person a;
  const auto sent = a.ended({k_ann});
  const auto failed = a.ended({"Ann@EXAMPLE.com", k_ann}, "failed");
  const auto waiting = a.spool.accept({k_ann});
  const auto deferred = a.spool.accept({k_ann}, a.spool.clock.now() + 48h);
  Message held = a_message({k_ann});
  held.idempotency_key = "welcome-ann";
  const auto held_id = a.spool->accept_held(held, "for " + k_ann).value().id;
  const auto done = a.forget();
  CHECK(done.removed == Words{sent, failed});
  Words cancelled = done.cancelled;
  std::sort(cancelled.begin(), cancelled.end());
  CHECK(cancelled == Words{waiting, deferred, held_id});
  CHECK(done.struck.empty());
  CHECK(done.keys == 1);
  for (const auto& id : {sent, failed, waiting, deferred, held_id})
    CHECK_FALSE(a.is_there(id));
  CHECK(a.files_with("nn@").empty());
  CHECK(a.files_with("nn@EXAMPLE").empty());
  CHECK(a.files_with("welcome-ann").empty());
  // The log adds up, and has all its lines.
  CHECK(a.spool.logged("\"queued\"") == 5);
  CHECK(a.spool.logged("\"cancelled\"") == 3);
  CHECK(a.spool.logged("forgotten......") == 5);
  CHECK(fs::is_empty(a.spool / "cur"));
  CHECK(fs::is_empty(a.spool / "tmp"));
  const auto before = a.everything();
  CHECK(a.forget().removed.empty());
  CHECK_MESSAGE((a.everything() == before), "a second time changes nothing");
}

TEST_CASE("a message with other recipients stays theirs") {
  Person a;
  const auto sent = a.ended({k_ann, k_bob});
  const auto waiting = a.spool.accept({k_bob, k_ann});
  const auto done = a.forget();
  CHECK(done.removed.empty());
  CHECK(done.struck == Words{waiting, sent});
  for (const auto& id : {sent, waiting}) {
    const auto located = a.spool.load(id);
    REQUIRE(located.file.message.to.size() == 1);
    CHECK(located.file.message.to[0].email == k_bob);
    CHECK(located.file.unreadable_lines == 0);
  }
  CHECK(a.spool.load(sent).state == State::sent);
  CHECK(a.spool.load(waiting).state == State::fresh);
  const auto events = a.spool.load(sent).file.events;
  CHECK(events.at(1).recipients.at(0).email == "forgotten......");
  CHECK(events.at(1).recipients.at(0).error == "550 <forgotten......>: no");
  CHECK(events.at(1).recipients.at(1).email == k_bob);
  CHECK(a.files_with(k_ann).empty());
  // The log spells them as the file does: they are one event still.
  const auto keys = a.spool->log().keys_of({sent}, {});
  REQUIRE_OK(keys);
  CHECK(keys->at(1) == events.at(1).natural_key());
}

TEST_CASE("only whole addresses are overwritten, and in every spelling") {
  Person a;
  const auto other = a.ended({"joann@example.com", "ann@example.com.au"});
  Event event = a.spool.event("bounced", other);
  event.error =
      "for\n" + k_ann + "\tor 'ANN@Example.com', ann@b\u00fccher.example";
  std::string line;
  append_line(line, event);
  REQUIRE_OK(a.spool->log().append(line, a.spool.clock.now()));
  const auto size = fs::file_size(a.log_path());
  const auto done = a.forget({k_ann, "ann@xn--bcher-kva.example"});
  CHECK(done.log_lines == 1);
  CHECK(fs::file_size(a.log_path()) == size);
  CHECK(a.spool.logged("joann@example.com") == 2);
  CHECK(a.spool.logged("ann@example.com.au") == 1);
  const std::string text = text_in(a.log_path());
  CHECK(text.find("ANN@") == std::string::npos);
  CHECK(text.find("\\nforgotten......\\t") != std::string::npos);
  CHECK(text.find("cher.example") == std::string::npos);
}

TEST_CASE("whoever appends to the log meanwhile loses nothing") {
  Person a;
  a.ended({k_ann});
  auto other = Spool::open({a.spool.path(), {}}, a.spool.clock);
  REQUIRE_OK(other);
  REQUIRE_OK((*other)->log().append("{\"one\":1}\n", a.spool.clock.now()));
  a.forget();
  REQUIRE_OK((*other)->log().append("{\"two\":2}\n", a.spool.clock.now()));
  CHECK(text_in(a.log_path()).ends_with("{\"one\":1}\n{\"two\":2}\n"));
}

TEST_CASE("a torn line of the log is no hiding place") {
  Person a;
  a.ended({k_bob});
  write_text(a.log_path(), text_in(a.log_path()) + "{\"error\":\"" + k_ann);
  CHECK(a.forget().log_lines == 1);
  CHECK(text_in(a.log_path()).ends_with("{\"error\":\"forgotten......"));
}

TEST_CASE("compressed logs are written anew, and stay readable") {
  Person a;
  a.ended({k_ann});
  const std::string plain = text_in(a.log_path());
  const std::string gzip = a.spool / "log/events-2026-11-01.jsonl.gz";
  {
    const Fd from(::open(a.log_path().c_str(), O_RDONLY));
    const Fd to(::open(gzip.c_str(), O_CREAT | O_WRONLY, 0600));
    REQUIRE_OK(compress_file(from.get(), to.get()));
  }
  const auto done = a.forget();
  CHECK(done.log_files == 2);
  const Fd fd(::open(gzip.c_str(), O_RDONLY));
  auto source = open_source(fd.get(), Compression::gzip, 0);
  REQUIRE_OK(source);
  std::string text(plain.size() + 1, '\0');
  CHECK((*source)->read(text.data(), text.size()).value() == plain.size());
  text.pop_back();
  CHECK(text.find("ann@") == std::string::npos);
  CHECK(text.find("<forgotten......>") != std::string::npos);
  CHECK(fs::is_empty(a.spool / "tmp"));
}

TEST_CASE("what is being delivered is said, and left alone") {
  Person a;
  const auto id = a.spool.accept({k_ann});
  auto runner = RunnerFolder::create(a.spool->folders());
  REQUIRE_OK(runner);
  REQUIRE_OK(
      runner->claim("new", message_file_name(id), message_file_name(id)));
  CHECK(a.forget().busy == Words{id});
  CHECK(a.is_there(id));
}

TEST_CASE("what was dropped and not taken in yet is said, and left alone") {
  Person a;
  write_text(a.spool / "new/order-7.json", "{\"to\":\"" + k_ann + "\"}");
  CHECK(a.forget().busy == Words{"order-7.json"});
  CHECK(text_in(a.spool / "new/order-7.json").find(k_ann) != std::string::npos);
}

TEST_CASE("who is only mentioned, or the sender, is said") {
  Person a;
  Message message = a_message({k_bob});
  message.from = Address{{}, k_ann};
  const auto from = a.spool.accept(message);
  message = a_message({k_bob, k_ann});
  message.text = "Ask " + k_ann;
  const auto body = a.spool.accept(message);
  const auto done = a.forget();
  CHECK(done.mentioned == Words{from, body});
  CHECK(done.struck == Words{body});
  CHECK(a.spool.load(from).file.message.from->email == k_ann);
}

TEST_CASE("files that are no messages lose the address alone") {
  Person a;
  const std::string day =
      a.spool / ("failed/" + format_day(a.spool.clock.now()));
  fs::create_directory(day);
  write_text(day + "/x.json", "{\"to\":\"" + k_ann + "\",}");
  CHECK(a.forget().files == 1);
  CHECK(text_in(day + "/x.json") == "{\"to\":\"forgotten......\",}");
}

TEST_CASE("a suppression goes, or stays as a hash that still counts") {
  Person a;
  Suppressions list(a.spool->folders());
  REQUIRE_OK(list.add(std::vector<Suppression>{
      {k_ann, SuppressedFor::complained, a.spool.clock.now(), "main",
       "01M80AF8HPGVAFR7E7ZWHMSPC0", "said ann"},
      {k_bob, SuppressedFor::bounced, a.spool.clock.now(), "main", "", ""}}));
  const auto is_suppressed = [&](const std::string& address) {
    REQUIRE_OK(list.refresh());
    return list.find(address).value().has_value();
  };
  SUBCASE("it goes") {
    CHECK(a.forget().suppressions.size() == 1);
    CHECK_FALSE(is_suppressed(k_ann));
  }
  SUBCASE("it stays") {
    a.options.suppressed = ForgetOptions::Suppressed::keep_hashed;
    CHECK(a.forget().suppressions.size() == 1);
    CHECK(a.files_with("ann").empty());
    CHECK(is_suppressed("ANN@example.com"));
    CHECK(list.find(k_ann).value()->reason == SuppressedFor::complained);
    CHECK(list.find(k_ann).value()->id.empty());
    CHECK(a.forget().suppressions.size() == 1);
    CHECK(is_suppressed(k_ann));
    CHECK_MESSAGE(list.add(std::vector<Suppression>{
                               {k_ann, SuppressedFor::bounced, {}, "", "", ""}})
                          .value() == 0,
                  "it is there already");
    SUBCASE("until it is lifted") {
      REQUIRE_OK(list.remove(Words{k_ann}));
    }
    SUBCASE("until the person is forgotten altogether") {
      a.options.suppressed = ForgetOptions::Suppressed::remove;
      CHECK(a.forget().suppressions.size() == 1);
    }
    CHECK_FALSE(is_suppressed(k_ann));
  }
  CHECK(is_suppressed(k_bob));
}

TEST_CASE("masked and hashed addresses in the log go, too") {
  for (const auto how : {LogAddresses::masked, LogAddresses::hash}) {
    Person a;
    auto masking = Spool::open({a.spool.path(), {}, 1h, how}, a.spool.clock);
    REQUIRE_OK(masking);
    const auto id = a.spool.accept({k_ann});
    const auto of_alice = a.spool.accept({"alice@example.com"});
    for (const auto& [one, email] :
         {std::pair(id, k_ann), {of_alice, "alice@example.com"}}) {
      Event event = a.spool.event("bounced", one);
      event.recipient = email;
      std::string line;
      append_line(line, event);
      REQUIRE_OK((*masking)->log().append(line, a.spool.clock.now()));
    }
    CHECK(a.forget().log_lines == 1);
    CHECK(a.spool.logged("forgotten") == 2);  // and cancelled, in words
    CHECK(a.spool.logged("@example.com\"") == 1);
  }
}

TEST_CASE("a provider's last error and the reports' digests do not remember") {
  Person a;
  HealthFiles store(a.spool->folders());
  REQUIRE_OK(store.update("main", [](ProviderHealth& health) {
    health.last_error = "450 <" + k_ann + "> later";
  }));
  a.ended({k_ann});
  fs::create_directory(a.spool / "state/report");
  write_text(a.spool / "state/report/day", "digest");
  const auto done = a.forget();
  CHECK(done.providers == 1);
  CHECK(store.read("main").value().last_error == "450 <forgotten......> later");
  CHECK(fs::is_empty(a.spool / "state/report"));
}

TEST_CASE("a dry run tells the same and changes nothing") {
  Person a;
  a.ended({k_ann});
  a.ended({k_ann, k_bob});
  Message keyed = a_message({k_ann});
  keyed.idempotency_key = k_ann;
  a.spool.accept(keyed);
  a.options.dry_run = DryRun::yes;
  const auto before = a.everything();
  const auto would = a.forget();
  CHECK((a.everything() == before));
  a.options.dry_run = DryRun::no;
  const auto done = a.forget();
  CHECK(would.removed == done.removed);
  CHECK(would.cancelled == done.cancelled);
  CHECK(would.struck == done.struck);
  CHECK(would.log_lines == done.log_lines);
  CHECK(would.keys == done.keys);
}

}  // namespace

TEST_SUITE_END();

}  // namespace pony
