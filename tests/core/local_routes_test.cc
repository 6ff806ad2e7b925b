// Where mail goes that a local program hands over.
#include "core/local_routes.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

using List = std::vector<std::string>;

// "ann@example.com", "held root@web1.example" or "no address: x", one a route.
List routes(const List& recipients, std::string_view aliases = "",
            std::string local_recipient = "") {
  const Aliases read = Aliases::parse(aliases, "aliases");
  const auto found =
      local_routes(recipients, {&read, std::move(local_recipient),
                                "widgets.example", "web1.widgets.example"});
  REQUIRE_OK(found);
  List words;
  for (const LocalRoute& route : *found) {
    CHECK(route.reason.empty() == route.hint.empty());
    words.push_back(route.is_no_address    ? "no address: " + route.recipient
                    : route.reason.empty() ? route.email
                                           : "held " + route.email);
  }
  return words;
}

std::string reason(const std::string& recipient, std::string_view aliases) {
  const Aliases read = Aliases::parse(aliases, "aliases");
  const auto found = local_routes(std::vector{recipient},
                                  {&read, "", "widgets.example", "web1"});
  REQUIRE_OK(found);
  REQUIRE(found->size() == 1);
  return found->front().reason;
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("recipients with a domain go out, each once") {
  CHECK(routes({"ann@example.com", "bob@Example.org", "bob@example.org",
                "Bob@example.org"}) ==
        List{"ann@example.com", "bob@Example.org", "Bob@example.org"});
}

TEST_CASE("a local name goes where its alias says") {
  CHECK(routes({"root", "www"},
               "root: ann@example.com, ops\nops: bob@example.org\nwww: ROOT\n",
               "all@example.com") ==
        List{"ann@example.com", "bob@example.org"});
}

TEST_CASE(
    "without an alias it goes to the one for all, to local_recipient, "
    "or is held") {
  CHECK(routes({"root", "bob"}, "*: all@example.com\nbob: x@example.com") ==
        List{"all@example.com", "x@example.com"});
  CHECK(routes({"root", "bob"}, "", "ops@example.com") ==
        List{"ops@example.com"});
  CHECK(routes({"root", "ann@example.com"}) ==
        List{"held root@widgets.example", "ann@example.com"});
  CHECK(reason("root", "") ==
        "'root' is a local name: no alias and no local_recipient says who "
        "gets its mail");
}

TEST_CASE(
    "localhost is always local, the origin only for names with an alias") {
  CHECK(routes({"root@localhost", "x@LOCALHOST.localdomain"}) ==
        List{"held root@widgets.example", "held x@widgets.example"});
  CHECK(routes({"root@widgets.example", "ann@widgets.example",
                "root@web1.widgets.example", "ann@web1.widgets.example"},
               "root: ops@example.com", "all@example.com") ==
        List{"ops@example.com", "ann@widgets.example",
             "ann@web1.widgets.example"});
}

TEST_CASE("a host name without a dot is nobody's outside") {
  const Aliases none;
  const auto found =
      local_routes(List{"root@web1", "ann@other"},
                   {&none, "ops@example.com", "widgets.example", "web1"});
  REQUIRE_OK(found);
  REQUIRE(found->size() == 2);
  CHECK(found->front().email == "ops@example.com");
  CHECK(found->back().email == "ann@other");
}

TEST_CASE("aliases that lead back to themselves end") {
  CHECK(routes({"root"}, "root: root, ann@example.com") ==
        List{"held root@widgets.example", "ann@example.com"});
  CHECK(routes({"root"}, "root: root", "ops@example.com") ==
        List{"ops@example.com"});
  CHECK(routes({"a"}, "a: b\nb: c\nc: a@localhost, x@example.com\n") ==
        List{"held a@widgets.example", "x@example.com"});
  CHECK(routes({"root"}, "root: root@widgets.example") ==
        List{"root@widgets.example"});
  CHECK(routes({"root"}, "root: \\root") == List{"held root@widgets.example"});
  CHECK(routes({"me"}, "me: \\root\nroot: ann@example.com") ==
        List{"held root@widgets.example"});
  CHECK(routes({"x"}, "*: y") == List{"held y@widgets.example"});
  CHECK(reason("root", "root: root") ==
        "'root' is a local name: its aliases lead back to it, and there is no "
        "local_recipient");
}

TEST_CASE("aliases nested without end are held") {
  std::string chain;
  for (int i = 0; i < 1000; ++i)
    chain += "a" + std::to_string(i) + ": a" + std::to_string(i + 1) + "\n";
  CHECK(routes({"a0"}, chain) == List{"held a0@widgets.example"});
  std::string tree;
  for (int i = 0; i < 19; ++i) {
    const std::string next = std::to_string(i + 1);
    const std::string both = "t" + next + ",u" + next;
    tree += "t" + std::to_string(i) + ": " + both + "\n";
    tree += "u" + std::to_string(i) + ": " + both + "," + both + "\n";
  }
  CHECK(routes({"t0"}, tree + "t19: x@example.com\nu19: x@example.com\n") ==
        List{"x@example.com"});
}

TEST_CASE("a program, a file or a list of an alias is held, its people go on") {
  CHECK(routes({"ops"}, "ops: |/bin/sh, /etc/passwd, ann@example.com\n") ==
        List{"held ops@widgets.example", "ann@example.com"});
  CHECK(reason("ops", "ops: \":include:/etc/list\"") ==
        "an alias names a list, ':include:/etc/list', which pony never runs, "
        "opens or writes");
  CHECK(reason("ops", "ops: a@@b").starts_with("of an alias, 'a@@b' is no "));
  CHECK(reason("x", "*: |/bin/sh").starts_with("an alias names a program"));
}

TEST_CASE("whom the alias for all leaves to a person is held by his own name") {
  CHECK(routes({"x", "y"}, "*: |/bin/sh, ann@example.com\n") ==
        List{"held x@widgets.example", "ann@example.com",
             "held y@widgets.example"});
}

TEST_CASE("what is no recipient is told, not routed") {
  CHECK(routes({"a b", "a@@b", "|/bin/sh", "/etc/passwd", "a@example.com\nx",
                "", "x@[127.0.0.1]"}) ==
        List{"no address: a b", "no address: a@@b", "no address: |/bin/sh",
             "no address: /etc/passwd", "no address: a@example.com\nx",
             "no address: ", "no address: x@[127.0.0.1]"});
}

TEST_CASE("more than 10,000 recipients are refused, however they come about") {
  std::string list = "all: ";
  for (int i = 0; i < 10'001; ++i)
    list += "a" + std::to_string(i) + "@example.com,\n ";
  const Aliases aliases = Aliases::parse(list, "aliases");
  const auto refused =
      local_routes(List{"all"}, {&aliases, "", "widgets.example", "web1"});
  CHECK_FAILS(refused, bad_data);
}

TEST_SUITE_END();

}  // namespace pony
