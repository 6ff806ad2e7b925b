// Tests cmd/provider_format.cc.
#include "cmd/provider_format.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider format");

namespace pony {
namespace {

using namespace std::chrono_literals;

const Time k_now = parse_time("2026-11-21T10:00:00Z").value();

Config a_config() {
  auto config = parse_config(
      "providers:\n"
      "  main: {type: smtp, host: a.example, rate: [2/s, 100/day]}\n"
      "  second: {type: maildir, path: /tmp/x}\n"
      "pools:\n"
      "  default: {providers: [main, second]}\n"
      "breaker: {failures: 2, cool_down: 30s, max_cool_down: 15m}\n",
      "pony.yaml", "/tmp");
  REQUIRE_OK(config);
  return std::move(*config);
}

struct AList {
  Config config = a_config();
  ProviderHealth health;

  void fails() {
    for (int i = 0; i < 2; ++i)
      note_failure(health, k_now, "503 \x1b[31mred\n", config.breaker);
  }
  ListedProvider listed(Time now) const {
    return listed_provider(config, config.providers.front(), health, now);
  }
  std::string table(Time now = k_now) const {
    return provider_table({listed(now)}, now);
  }
  Json json(Time now = k_now) const {
    auto parsed = parse_json(provider_json(listed(now), now));
    REQUIRE_OK(parsed);
    return std::move(*parsed);
  }
};

TEST_CASE("a provider that is well has one line below the heading") {
  AList a;
  for (int i = 0; i < 100; ++i) note_success(a.health, k_now, 12ms);
  CHECK(a.table() ==
        "NAME  TYPE  STATE  UNTIL   P50   P95  FAILED  FAILURES  LEFT"
        "               POOLS\n"
        "main  smtp  ok         -  12ms  12ms      0%         0  "
        "2/2 1s,100/100 1d  default\n");
}

TEST_CASE("the state is what keeps it from being tried, with until and why") {
  AList a;
  a.fails();
  CHECK(a.json().text_of("state") == "open");
  CHECK(a.json().text_of("until") == "2026-11-21T10:00:30.000Z");
  CHECK(a.json().text_of("why") ==
        "breaker open after 2 failures: 503 \x1b[31mred\n");
  CHECK(a.json(k_now + 30s).text_of("state") == "half-open");
  CHECK(a.json(k_now + 30s).find("why")->is(Json::Kind::null));
  note_success(a.health, k_now, 12ms);
  note_rest(a.health, k_now + 1h);
  CHECK(a.json().text_of("state") == "resting");
  pause(a.health, {});
  CHECK(a.json().text_of("state") == "paused");
  CHECK(a.json().find("until")->is(Json::Kind::null));
}

TEST_CASE("what a provider said cannot write on the terminal") {
  AList a;
  a.fails();
  const std::string table = a.table();
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(table.find("\n    (breaker open after 2 failures: 503 ") !=
        std::string::npos);
  CHECK(table.find(" open     30s ") != std::string::npos);
}

TEST_CASE("what is left of each rate is told") {
  AList a;
  REQUIRE_FALSE(
      take_from_rates(a.health, a.config.providers.front().rate, k_now));
  CHECK(
      to_text(*a.json().find("rates")) ==
      R"([{"per":"1s","limit":2,"left":1},{"per":"1d","limit":100,"left":99}])");
}

TEST_CASE("a name that there is not is a usage error with the nearest") {
  const Config config = a_config();
  REQUIRE_OK(provider_called(config, "second"));
  const auto near = provider_called(config, "secnd");
  CHECK_FAILS(near, usage);
  CHECK(near.error().hint == "did you mean 'second'?");
  CHECK(provider_called(config, "xyzzyxyzzy").error().hint ==
        "there are: main, second");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
