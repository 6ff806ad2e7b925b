// Whose mail it is: patterns, rules for tags, and the program that called.
#include "cmd/local_submission.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace pony {
namespace {

namespace fs = std::filesystem;
using List = std::vector<std::string>;

// A /proc with processes of these names, each the next one's parent.
class FakeProc {
 public:
  explicit FakeProc(const List& names) {
    std::string pattern = (fs::temp_directory_path() / "pony-proc-XXXXXX");
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    for (const auto& name : names) {
      const std::string folder = root_ + "/" + std::to_string(++last_);
      fs::create_directory(folder);
      std::ofstream(folder + "/stat")
          << last_ << " (" << name << ") S " << last_ - 1 << " 1 1 0\n";
    }
  }
  ~FakeProc() { fs::remove_all(root_); }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;

  // Who called the last of them.
  std::string caller() const { return calling_program(root_, last_); }

 private:
  std::string root_;
  int last_ = 0;
};

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("the caller is the first process above us that is no shell") {
  CHECK(FakeProc({"init", "cron", "cron", "sh", "dash", "bash", "pony"})
            .caller() == "cron");
  CHECK(FakeProc({"init", "odd) S 1 (name", "pony"}).caller() ==
        "odd) S 1 (name");
  CHECK(FakeProc({"sh", "pony"}).caller() == "");
  CHECK(FakeProc({"pony"}).caller() == "");
  CHECK(calling_program("/nowhere", 7) == "");
  CHECK(FakeProc(List(100, "sh")).caller() == "");
}

TEST_CASE("a mail gets the tags of every rule that fits it, each once") {
  const std::vector<SendmailTagRule> rules = {{"cron*", "", {"cron", "x"}},
                                              {"", "root@*", {"root", "x"}},
                                              {"cron", "root@*", {"both"}},
                                              {"", "", {"all"}}};
  CHECK(tags_by_rule(rules, "cron", "Root@web1.example") ==
        List{"cron", "x", "root", "both", "all"});
  CHECK(tags_by_rule(rules, "crond", "ann@example.com") ==
        List{"cron", "x", "all"});
  CHECK(tags_by_rule(rules, "php", "root@example.com") ==
        List{"root", "x", "all"});
  CHECK(tags_by_rule(rules, "", "") == List{"all"});
}

TEST_CASE("a pattern fits whole addresses, in any case") {
  CHECK(fits_pattern("*@widgets.example", "Ann@Widgets.Example"));
  CHECK(fits_pattern("*", ""));
  CHECK(!fits_pattern("*@widgets.example", "ann@widgets.example.org"));
  CHECK(!fits_pattern("ann", "ann@widgets.example"));
}

TEST_SUITE_END();

}  // namespace pony
