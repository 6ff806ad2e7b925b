// Tests core/words.cc.
#include "core/words.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

TEST_CASE("only one of a thing is said in the singular") {
  CHECK(counted(0, "message") == "0 messages");
  CHECK(counted(1, "message") == "1 message");
  CHECK(counted(2, "message") == "2 messages");
  CHECK(counted(0, "address", "addresses") == "0 addresses");
  CHECK(counted(1, "address", "addresses") == "1 address");
  CHECK(counted(21, "address", "addresses") == "21 addresses");
}

TEST_CASE("a list has something between its words and nothing around them") {
  CHECK(joined({}).empty());
  CHECK(joined({"de"}) == "de");
  CHECK(joined({"de", "en", "es"}) == "de, en, es");
  CHECK(joined({"de", "en"}, "+") == "de+en");
}

TEST_CASE("an empty word of a list is seen") {
  CHECK(joined({"", "en", ""}) == ", en, ");
}

TEST_CASE("a list in short says how many it leaves out") {
  CHECK(joined_in_short({}, 3).empty());
  CHECK(joined_in_short({"a", "b", "c"}, 3) == "a, b, c");
  CHECK(joined_in_short({"a", "b", "c", "d", "e"}, 3) == "a, b, c and 2 more");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
