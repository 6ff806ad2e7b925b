// Who is named in a header or an argument, however oddly it is written.
#include "core/mime/address_list.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace pony {
namespace {

using List = std::vector<std::string>;

List read(std::string_view text, std::size_t limit = 100) {
  List addresses;
  for (const ListedAddress& one : read_address_list(text, limit)) {
    REQUIRE(one.end <= text.size());
    addresses.push_back(one.address);
  }
  return addresses;
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("addresses are found among names, comments, groups and quotes") {
  CHECK(read("ann@example.com") == List{"ann@example.com"});
  CHECK(read(" Ann <ann@example.com> , root,bob@example.org\r\n\t,") ==
        List{"ann@example.com", "root", "bob@example.org"});
  CHECK(read("\"Doe, Ann <x@y>\" <ann@example.com>") ==
        List{"ann@example.com"});
  CHECK(read("ann@example.com (Ann, (the \\) one)), bob(x)@example.org") ==
        List{"ann@example.com", "bob@example.org"});
  CHECK(read("Team: ann@example.com, Bob <bob@example.org>; eve@example.net") ==
        List{"ann@example.com", "bob@example.org", "eve@example.net"});
  CHECK(read("undisclosed-recipients:;") == List{});
  CHECK(read("Dr. Ann M. Smith <ann @ example . com>") ==
        List{"ann@example.com"});
  CHECK(read("<@a.example,@b.example:ann@example.com>") ==
        List{"ann@example.com"});
  CHECK(read("\"ann\"@example.com, \"a b\"@example.com") ==
        List{"ann@example.com", "\"a b\"@example.com"});
  CHECK(read("<>, ,;") == List{});
}

TEST_CASE("an encoded-word is one word of a name, whatever is in it") {
  CHECK(read("=?utf-8?Q?Doe,_Ann_<x@y>?= <ann@example.com>") ==
        List{"ann@example.com"});
  CHECK(read("=?utf-8?B?QW5u?= =?utf-8?Q?(a;b:c)?= <ann@example.com>, bob") ==
        List{"ann@example.com", "bob"});
}

TEST_CASE("two words are no address, and stay two") {
  CHECK(read("ann bob") == List{"ann bob"});
  CHECK(read("ann@example.com bob@example.com") ==
        List{"ann@example.com bob@example.com"});
}

TEST_CASE("what stands in a list oddly is still bounded and apart") {
  CHECK(read("a,b,c,d", 2) == List{"a", "b"});
  CHECK(read("\"never closed, ann@example.com").size() == 1);
  CHECK(read("(never closed, ann@example.com") == List{});
  CHECK(read("<ann@example.com, bob@example.com") ==
        List{"ann@example.com", "bob@example.com"});
  CHECK(read("<<ann@example.com>>").size() == 1);
  CHECK(read(std::string(100'000, '(')) == List{});
  CHECK(read(std::string(100'000, '<')).size() <= 100);
  std::string brackets;
  for (int i = 0; i < 100'000; ++i) brackets += "<@,";
  CHECK(read(brackets, 1'000'000).size() <= 100'000);
}

TEST_CASE("the end of a bare name is where a domain fits in") {
  const std::string text = "\"The, root\" <root> (root), bob (x)";
  const auto listed = read_address_list(text, 10);
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].is_local_name());
  CHECK(text.substr(0, listed[0].end) == "\"The, root\" <root");
  CHECK(text.substr(0, listed[1].end) == "\"The, root\" <root> (root), bob");
}

TEST_SUITE_END();

}  // namespace pony
