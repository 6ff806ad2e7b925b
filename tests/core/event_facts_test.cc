// Tests core/report/event_facts.cc: how reasons are called as rows. Its facts
// are tests/core/event_scanner_test.cc's.
#include "core/report/event_facts.h"

#include <doctest/doctest.h>

#include <string>

#include "core/report/tally.h"

TEST_SUITE_BEGIN("report");

namespace pony {
namespace {

TEST_CASE("what is said of many recipients is one row") {
  CHECK(reason_key("ann@example.com: 550 no such user") == "550 no such user");
  CHECK(reason_key("nobody is left to be sent to: ann@example.com bounced") ==
        "nobody is left to be sent to: bounced");
  CHECK(reason_key("a@example.com: 550 no; b@example.com: 551 away") ==
        "550 no; 551 away");
  CHECK(reason_key("550 <a@example.com>: Recipient refused (b@example.com)") ==
        "550 <…>: Recipient refused (…)");
  CHECK(reason_key("<a@example.com>: refused") == "refused");
  Tally tally({TallyBy::reason});
  for (int i = 0; i < 10; ++i) {
    Event event;
    event.event = "failed";
    event.reason = "r" + std::to_string(i) + "@example.com: 550 no such user";
    tally.add(event);
  }
  REQUIRE(tally.rows().size() == 1);
  CHECK(tally.rows().begin()->first[0] == "550 no such user");
  CHECK(tally.rows().begin()->second.failed == 10);
}

TEST_CASE("a reason without an address is told as it is") {
  for (const char* why :
       {"", " ", "550 no such user", "main: 450 busy @ 10:00", "@", "a@", "@b",
        "two  spaces ", "<>: 550 no", "<@>: 550 no"})
    CHECK(reason_key(why) == why);
}

TEST_CASE("an address alone leaves a trace") {
  CHECK(reason_key("ann@example.com") == "…");
  CHECK(reason_key("ann@example.com:") == "…:");
}

TEST_CASE("a long reason is cut where no character is, and that is seen") {
  CHECK(reason_key(std::string(80, 'x')) == std::string(80, 'x'));
  CHECK(reason_key(std::string(81, 'x')) == std::string(80, 'x') + "…");
  CHECK(reason_key(std::string(79, 'x') + "äx") == std::string(79, 'x') + "…");
  // The address does not count.
  CHECK(reason_key("ann@example.com: " + std::string(80, 'x')) ==
        std::string(80, 'x'));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
