// Tests spool/idempotency.cc.
#include "spool/idempotency.h"

#include <sys/time.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const std::string k_key = "order-1";
const std::string k_digest = content_digest(a_message());

struct Keys {
  TempSpool spool;
  IdempotencyKeys keys{spool->folders(), 24h};

  Keys() { REQUIRE_OK(keys.lock(k_key)); }
  void record(const std::string& id) {
    REQUIRE_OK(keys.record(k_key, id, k_digest, spool.clock.now()));
    REQUIRE_OK(keys.sync());
  }
  Result<std::string> find(const std::string& digest = k_digest) {
    return keys.find(k_key, digest, spool.clock.now());
  }
  // The only record of the spool.
  std::string record_path() {
    std::vector<std::string> files;
    for (const auto& entry :
         fs::recursive_directory_iterator(spool / "state/keys"))
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    REQUIRE(files.size() == 1);
    return files.front();
  }
};

TEST_CASE("a key that was never used stands for nothing") {
  Keys a;
  CHECK(a.find().value().empty());
}

TEST_CASE("a key stands for its message as long as the window is open") {
  Keys a;
  const auto id = a.spool.accept();
  a.record(id);
  CHECK(a.find().value() == id);
  a.spool.clock.advance(24h - 1ms);
  CHECK(a.find().value() == id);
  a.spool.clock.advance(1ms);
  CHECK(a.find().value().empty());
}

TEST_CASE("the same key with other content is refused, naming the first") {
  Keys a;
  const auto id = a.spool.accept();
  a.record(id);
  const auto found = a.find(content_digest(a_message({"bob@b.example"})));
  CHECK_FAILS(found, bad_data);
  CHECK(found.error().what.find(id) != std::string::npos);
}

TEST_CASE("a key stands for its message wherever that has moved") {
  Keys a;
  const auto id = a.spool.accept();
  a.record(id);
  a.spool.happen(id, {a.spool.event("sent", id)});
  CHECK(a.find().value() == id);
}

TEST_CASE("a record whose message is nowhere is void") {
  Keys a;
  const auto id = a.spool.accept();
  a.record(id);
  fs::remove(a.spool / ("new/" + message_file_name(id)));
  CHECK(a.find().value().empty());
}

TEST_CASE("a record that makes no sense is void") {
  Keys a;
  const auto id = a.spool.accept();
  a.record(id);
  const auto path = a.record_path();
  const auto whole = text_in(path);
  for (const std::string& content :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("{}"),
        std::string(200, '\0'),
        R"({"key":"order-1","id":"","content":")" + k_digest + R"(","at":")" +
            format_time(a.spool.clock.now()) + "\"}",
        R"({"key":"order-1","id":"../../x","content":")" + k_digest +
            R"(","at":")" + format_time(a.spool.clock.now()) + "\"}",
        R"({"key":"order-2","id":")" + id + R"(","content":")" + k_digest +
            R"(","at":")" + format_time(a.spool.clock.now()) + "\"}"}) {
    CAPTURE(content);
    write_text(path, content);
    const auto found = a.find();
    REQUIRE_OK(found);
    CHECK(found->empty());
  }
}

TEST_CASE("a key of any bytes is as good as another, and leaves no folder") {
  TempSpool spool;
  for (const std::string& key :
       {std::string("../../../etc/passwd"), std::string(255, 'k'),
        std::string("ключ \"\\"), std::string(" ")}) {
    CAPTURE(key);
    IdempotencyKeys keys(spool->folders(), 24h);
    const auto id = spool.accept();
    REQUIRE_OK(keys.lock(key));
    REQUIRE_OK(keys.record(key, id, k_digest, spool.clock.now()));
    CHECK(keys.find(key, k_digest, spool.clock.now()).value() == id);
  }
  CHECK(fs::is_empty(spool / "tmp"));
}

TEST_CASE("messages are the same mail by what they say") {
  Message message = a_message();
  CHECK(content_digest(message) == k_digest);
  CHECK(k_digest.size() == 32);
  for (int i = 0; i < 3; ++i) {
    Message other = a_message();
    if (i == 0) other.text = "Ho";
    if (i == 1) other.to.push_back({"", "bob@b.example"});
    if (i == 2) other.priority = Priority::bulk;
    CHECK(content_digest(other) != k_digest);
  }
}

TEST_CASE("two who use one key take turns") {
  Keys first;
  Folders again = Folders::open(first.spool.path(), {}).value();
  IdempotencyKeys second(again, 24h);
  // flock(2) belongs to the open file, so a second taker in this process
  // would wait like another process; a sweep only tries.
  first.record(first.spool.accept());
  const auto path = first.record_path();
  const timeval long_ago[2] = {{1, 0}, {1, 0}};
  REQUIRE(::utimes(path.c_str(), long_ago) == 0);
  REQUIRE_OK(second.sweep(first.spool.clock.now()));
  CHECK_MESSAGE(fs::exists(path), "its folder is locked");

  first.keys.release_locks();
  REQUIRE_OK(second.lock(k_key));
  second.release_locks();
  REQUIRE_OK(second.sweep(first.spool.clock.now()));
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a sweep leaves what the window still covers") {
  Keys a;
  a.record(a.spool.accept());
  a.keys.release_locks();
  REQUIRE_OK(a.keys.sweep(a.spool.clock.now() + 24h));
  CHECK(fs::exists(a.record_path()));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
