// Tests spool/health_files.cc.
#include "spool/health_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("health files");

namespace pony {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const Time k_now = parse_time("2026-11-21T10:00:00Z").value();

struct Files {
  TempSpool spool;
  HealthFiles files{spool->folders()};
  const std::string path = spool / "state/providers/main.json";

  // One more failure; how many there are then.
  int fail_once(HealthFiles& who) {
    auto updated =
        who.update("main", [](ProviderHealth& health) { ++health.failures; });
    REQUIRE_OK(updated);
    return updated->failures;
  }
  int fail_once() { return fail_once(files); }
  int failures() {
    auto health = files.read("main");
    REQUIRE_OK(health);
    return health->failures;
  }
};

// Does `work` in this many other processes at once; how many said no.
int in_processes(int count, const std::function<bool()>& work) {
  std::vector<pid_t> pids;
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::close(gate[1]);
      char none = 0;
      const bool is_open = ::read(gate[0], &none, 1) == 0;
      ::_exit(is_open && work() ? 0 : 1);
    }
    pids.push_back(pid);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  int bad = 0;
  for (const pid_t pid : pids) {
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    bad += status != 0;
  }
  return bad;
}

TEST_CASE("what is not known is fresh, and to read it makes nothing") {
  Files a;
  CHECK(a.failures() == 0);
  CHECK_FALSE(fs::exists(a.spool / "state/providers"));
}

TEST_CASE("what one learns the other knows, and the next process too") {
  Files a;
  CHECK(a.fail_once() == 1);
  Folders again = Folders::open(a.spool.path(), {}).value();
  HealthFiles other(again);
  CHECK(a.fail_once(other) == 2);
  CHECK(a.fail_once() == 3);
  CHECK(a.failures() == 3);
  CHECK(other.read("main").value().failures == 3);
  CHECK(other.read("second").value().failures == 0);
}

TEST_CASE("a value that became shorter leaves nothing of the longer one") {
  Files a;
  REQUIRE_OK(a.files.update("main", [](ProviderHealth& health) {
    health.last_error.assign(300, 'x');
    health.failures = 1;
  }));
  REQUIRE_OK(a.files.update(
      "main", [](ProviderHealth& health) { health.last_error.clear(); }));
  CHECK(a.failures() == 1);
  CHECK(text_in(a.path).find('x') == std::string::npos);
}

TEST_CASE("a file is the spool's like any other, and leaves nothing in tmp") {
  Files a;
  a.fail_once();
  struct stat info {};
  REQUIRE(::lstat(a.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK(fs::is_empty(a.spool / "tmp"));
}

TEST_CASE("what is not whole is fresh, and is replaced at the next update") {
  Files a;
  REQUIRE_OK(a.files.update("main", [](ProviderHealth& health) {
    health.failures = 7;
    health.last_error = "refused";
  }));
  const std::string whole = text_in(a.path);
  std::vector<std::string> broken = {"",
                                     "{}",
                                     "\n",
                                     std::string(5000, '\0'),
                                     std::string(100'000, '['),
                                     "{\"v\":1,\"failures\":7}\n",
                                     whole + "x",
                                     whole + whole};
  for (std::size_t size = 0; size < whole.size(); size += 7)
    broken.push_back(whole.substr(0, size));
  std::string mixed = whole;
  mixed[mixed.find('7')] = '8';
  broken.push_back(mixed);
  for (const auto& content : broken) {
    CAPTURE(content);
    write_text(a.path, content);
    CHECK(a.failures() == 0);
    CHECK(a.fail_once() == 1);
    CHECK(a.failures() == 1);
    HealthFiles other(a.spool->folders());
    write_text(a.path, content);
    CHECK(a.fail_once(other) == 1);
  }
}

TEST_CASE("what stands in its place and is none of ours is replaced") {
  Files a;
  write_text(a.spool / "elsewhere", "mine");
  fs::create_directory(a.spool / "state/providers");
  const std::vector<std::function<void()>> kinds = {
      [&] { REQUIRE(::mkfifo(a.path.c_str(), 0600) == 0); },
      [&] { fs::create_symlink(a.spool / "elsewhere", a.path); },
      [&] { fs::create_symlink("/dev/zero", a.path); },
      [&] { fs::create_symlink("nowhere", a.path); },
      [&] { fs::create_directory(a.path); },
      [&] {
        write_text(a.path, "");
        fs::resize_file(a.path, std::uintmax_t{1} << 40);
      }};
  for (const auto& make : kinds) {
    make();
    HealthFiles fresh(a.spool->folders());
    CHECK(a.failures() == 0);
    CHECK(a.fail_once(fresh) == 1);
    CHECK(fs::is_regular_file(fs::symlink_status(a.path)));
    CHECK(a.failures() == 1);
    fs::remove_all(a.path);
  }
  CHECK(text_in(a.spool / "elsewhere") == "mine");
}

TEST_CASE("a folder with something in it in the file's place is an error") {
  Files a;
  fs::create_directories(a.path + "/full");
  CHECK_FALSE(a.files.update("main", [](ProviderHealth&) {}).has_value());
  CHECK(a.failures() == 0);
}

TEST_CASE("who removes the file, or all of state/, makes a fresh start") {
  Files a;
  for (const char* what :
       {"state/providers/main.json", "state/providers", "state"}) {
    CAPTURE(what);
    a.fail_once();
    CHECK(a.fail_once() > 1);
    fs::remove_all(a.spool / what);
    CHECK(a.failures() == 0);
    CHECK(a.fail_once() == 1);
    CHECK(a.failures() == 1);
  }
}

TEST_CASE("a name that no provider can have is refused") {
  Files a;
  for (const std::string& name :
       {std::string(), std::string("../main"), std::string("a/b"),
        std::string("a b"), std::string("a\0b", 3), std::string(300, 'x')}) {
    CAPTURE(name);
    CHECK_FAILS(a.files.update(name, [](ProviderHealth&) {}), bad_data);
    CHECK_FAILS(a.files.read(name), bad_data);
  }
}

TEST_CASE("who has been stopped in an update does not stop the others") {
  Files a;
  a.fail_once();
  const Fd theirs(::open(a.path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(theirs.get(), LOCK_EX) == 0);
  HealthFiles hasty(a.spool->folders(), 0ms);
  bool called = false;
  CHECK_FAILS(hasty.update("main", [&](ProviderHealth&) { called = true; }),
              temporary);
  CHECK_FALSE(called);
  const auto seen = hasty.read("main");
  REQUIRE_OK(seen);
  CHECK_MESSAGE(seen->failures == 1, "who only looks needs no lock");
  REQUIRE(::flock(theirs.get(), LOCK_UN) == 0);
  CHECK(a.fail_once(hasty) == 2);
}

TEST_CASE("of many updates by several processes none is lost") {
  Files a;
  const int bad = in_processes(4, [&] {
    auto folders = Folders::open(a.spool.path(), {});
    if (!folders) return false;
    HealthFiles files(*folders, 60s);
    for (int i = 0; i < 1'000; ++i)
      if (!files.update("main", [](ProviderHealth& one) { ++one.failures; }))
        return false;
    return true;
  });
  CHECK(bad == 0);
  CHECK(a.failures() == 4'000);
}

TEST_CASE("who race for making a file agree on one") {
  Files a;
  const auto name = [](int i) { return "p" + std::to_string(i); };
  const int bad = in_processes(4, [&] {
    auto folders = Folders::open(a.spool.path(), {});
    if (!folders) return false;
    HealthFiles files(*folders, 60s);
    for (int i = 0; i < 300; ++i)
      if (!files.update(name(i), [](ProviderHealth& one) { ++one.failures; }))
        return false;
    return true;
  });
  CHECK(bad == 0);
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    CHECK(a.files.read(name(i)).value().failures == 4);
  }
}

TEST_CASE("several processes together take no more than the limit") {
  Files a;
  const std::vector<RateLimit> limits = {{100, 60s}};
  const int bad = in_processes(4, [&] {
    auto folders = Folders::open(a.spool.path(), {});
    if (!folders) return false;
    HealthFiles files(*folders, 60s);
    for (int i = 0; i < 200; ++i) {
      auto updated = files.update("main", [&](ProviderHealth& health) {
        if (!take_from_rates(health, limits, k_now)) ++health.failures;
      });
      if (!updated) return false;
    }
    return true;
  });
  CHECK(bad == 0);
  CHECK(a.failures() == 100);
  CHECK(left_of_rates(a.files.read("main").value(), limits, k_now) ==
        std::vector<int>{0});
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
