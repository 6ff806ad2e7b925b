// The alias file, as people and packages write it.
#include "core/aliases.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

using List = std::vector<std::string>;

Aliases read(std::string_view text) {
  return Aliases::parse(text, "aliases");
}

List targets(const Aliases& aliases, std::string_view name) {
  const auto* found = aliases.find(name);
  return found == nullptr ? List{} : *found;
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("aliases are names and those whom they stand for") {
  const auto aliases = read(
      "# the system's\n"
      "Root:\tann@example.com, bob ,\n"
      "\n# in the middle\n"
      "   eve@example.net\n"
      "\"john doe\": \"ann@example.com\"\n"
      "ops : \"|/bin/prog a, \\\"b\\\"\", /var/log/mail, :Include:/etc/list\n"
      "me: \\me, Ann Smith <ann@example.com>\r\n"
      "*: catch@example.com\n"
      "last: one");
  CHECK(aliases.problems() == List{});
  CHECK(aliases.size() == 6);
  CHECK(targets(aliases, "ROOT") ==
        List{"ann@example.com", "bob", "eve@example.net"});
  CHECK(targets(aliases, "john doe") == List{"ann@example.com"});
  CHECK(targets(aliases, "ops") ==
        List{"|/bin/prog a, \"b\"", "/var/log/mail", ":Include:/etc/list"});
  CHECK(targets(aliases, "me") == List{"\\me", "ann@example.com"});
  CHECK(targets(aliases, "last") == List{"one"});
  REQUIRE(aliases.catch_all() != nullptr);
  CHECK(*aliases.catch_all() == List{"catch@example.com"});
  CHECK(*read("default: a@example.com").catch_all() == List{"a@example.com"});
  CHECK(read("root: a").catch_all() == nullptr);
}

TEST_CASE("a bad line is named, and the others count") {
  const auto aliases = read(
      "no colon\nroot: a@example.com\nempty:\nroot: b@example.com\n"
      "\"open: x\n: x\nodd: a b, a@@b\nfine: a@example.com\n");
  CHECK(targets(aliases, "root") == List{"a@example.com"});
  CHECK(targets(aliases, "fine") == List{"a@example.com"});
  CHECK(aliases.problems() == List{"aliases:1: there is no ':' behind the name",
                                   "aliases:3: 'empty' stands for nobody",
                                   "aliases:4: 'root' is there twice",
                                   "aliases:5: a quote is not closed",
                                   "aliases:6: the name is empty",
                                   "aliases:7: 'a b' is no address",
                                   "aliases:7: 'a@@b' is no address"});
}

TEST_CASE("any bytes are an alias file, if a bad one") {
  std::string noise;
  unsigned state = 7;
  for (int i = 0; i < 50'000; ++i) {
    state = state * 1103515245U + 12345U;
    noise += "a:,\"\\\n #@|/\t\x80\0"[(state >> 16U) % 14];
  }
  CHECK(read(noise).problems().size() <= 100);
  CHECK(read(std::string(100'000, '"')).size() == 0);
  CHECK(read("a:" + std::string(100'000, ',')).size() == 0);
}

TEST_CASE("a file that is not there has no aliases, one that is none is told") {
  CHECK(Aliases::load("/nowhere/aliases")->size() == 0);
  char folder[] = "/tmp/pony-aliases.XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  CHECK(!Aliases::load(folder));
  const std::string path = std::string(folder) + "/aliases";
  std::ofstream(path) << "root: ann@example.com\nbad\n";
  const auto aliases = Aliases::load(path);
  REQUIRE_OK(aliases);
  CHECK(aliases->size() == 1);
  CHECK(aliases->problems() ==
        List{path + ":2: there is no ':' behind the name"});
  const std::string link = std::string(folder) + "/link";
  REQUIRE(::symlink("aliases", link.c_str()) == 0);
  CHECK(Aliases::load(link)->size() == 1);
  ::unlink(link.c_str());
  ::unlink(path.c_str());
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(!Aliases::load(path));  // and does not wait
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST_SUITE_END();

}  // namespace pony
