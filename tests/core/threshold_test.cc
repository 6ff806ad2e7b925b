// Limits as people write them.
#include "core/threshold.h"

#include <doctest/doctest.h>

namespace pony {
namespace {

Threshold read(std::string_view text, LimitUnit unit) {
  auto threshold = parse_threshold(text, unit);
  REQUIRE_MESSAGE(threshold.has_value(), text);
  return *threshold;
}

TEST_CASE("a single value is critical") {
  const auto threshold = read("15m", LimitUnit::seconds);
  CHECK(!threshold.warning);
  CHECK(*threshold.critical == 900);
  CHECK(*read("1000", LimitUnit::count).critical == 1000);
  CHECK(*read("0", LimitUnit::count).critical == 0);
  CHECK(*read("5%", LimitUnit::percent).critical == 5);
  CHECK(*read("2.5", LimitUnit::percent).critical == 2.5);
}

TEST_CASE("of two values the first is the warning") {
  const auto threshold = read("15m:1h", LimitUnit::seconds);
  CHECK(*threshold.warning == 900);
  CHECK(*threshold.critical == 3600);
  const auto disk = read("10%:5%", LimitUnit::percent);
  CHECK(*disk.warning == 10);
  CHECK(*disk.critical == 5);
}

TEST_CASE("one of the two may be left out") {
  CHECK(!read("15m:", LimitUnit::seconds).critical);
  CHECK(*read("15m:", LimitUnit::seconds).warning == 900);
  CHECK(!read(":15m", LimitUnit::seconds).warning);
  CHECK(*read(":15m", LimitUnit::seconds).critical == 900);
}

TEST_CASE("what is no threshold is refused") {
  for (const char* text : {"", ":", "15", "15m:1h:2h", "m", "-5m", "15m:x"})
    CHECK_MESSAGE(!parse_threshold(text, LimitUnit::seconds), text);
  for (const char* text :
       {"", ":", "1.5", "-1", "1e3", "nan", "inf", "5%", "1000:x", " 5"})
    CHECK_MESSAGE(!parse_threshold(text, LimitUnit::count), text);
  for (const char* text : {"101%", "-1%", "%", "5%%", "nan%"})
    CHECK_MESSAGE(!parse_threshold(text, LimitUnit::percent), text);
}

TEST_CASE("a warning that comes after it is critical is refused") {
  CHECK(!parse_threshold("1h:15m", LimitUnit::seconds));
  CHECK(!parse_threshold("1000:500", LimitUnit::count));
  // Of what is free, less is worse.
  CHECK(!parse_threshold("5%:10%", LimitUnit::percent));
}

TEST_CASE("a threshold is written as it is read") {
  for (const char* text : {"15m:1h", "15m", "90s:"})
    CHECK(to_text(read(text, LimitUnit::seconds)) == text);
  CHECK(to_text(read("500:1000000", LimitUnit::count)) == "500:1000000");
  CHECK(to_text(read("10%:2.5%", LimitUnit::percent)) == "10%:2.5%");
}

}  // namespace
}  // namespace pony
