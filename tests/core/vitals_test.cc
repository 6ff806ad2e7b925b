// What is wrong, and how it is said.
#include "core/vitals.h"

#include <doctest/doctest.h>

#include "core/alert.h"

namespace pony {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Time k_now{seconds(1'800'000'000)};

Threshold limit(std::string_view text, LimitUnit unit) {
  auto threshold = parse_threshold(text, unit);
  REQUIRE(threshold.has_value());
  return *threshold;
}

Vitals quiet() {
  Vitals vitals;
  vitals.now = k_now;
  vitals.fresh = {0, 3, 0};
  vitals.oldest_since = k_now - minutes(2);
  return vitals;
}

CheckFinding judge_one(const Vitals& vitals, const VitalLimits& limits) {
  auto findings = judge(vitals, limits);
  REQUIRE(findings.size() == 1);
  return findings.front();
}

TEST_CASE("a limit is passed by being more than it") {
  VitalLimits limits;
  limits.oldest = limit("2m:5m", LimitUnit::seconds);
  Vitals vitals = quiet();
  CHECK(judge_one(vitals, limits).severity == CheckStatus::ok);
  vitals.oldest_since = k_now - minutes(2) - seconds(1);
  CHECK(judge_one(vitals, limits).severity == CheckStatus::warning);
  vitals.oldest_since = k_now - minutes(6);
  const auto finding = judge_one(vitals, limits);
  CHECK(finding.severity == CheckStatus::critical);
  CHECK(finding.sentence ==
        "the oldest message has waited 6m (critical above 5m)");
}

TEST_CASE("nothing that waits is not old, and a clock set back makes none") {
  VitalLimits limits;
  limits.oldest = limit("0s", LimitUnit::seconds);
  Vitals vitals;
  vitals.now = k_now;
  CHECK(judge_one(vitals, limits).sentence == "no message waits");
  vitals.oldest_since = k_now + hours(1);
  CHECK(judge_one(vitals, limits).severity == CheckStatus::ok);
}

TEST_CASE("of the disk less is worse, and inodes count") {
  VitalLimits limits;
  limits.disk = limit("10%:5%", LimitUnit::percent);
  Vitals vitals = quiet();
  vitals.free_space = 10;
  CHECK(judge_one(vitals, limits).severity == CheckStatus::ok);
  vitals.free_space = 9.9;
  CHECK(judge_one(vitals, limits).severity == CheckStatus::warning);
  vitals.free_inodes = 1;
  const auto finding = judge_one(vitals, limits);
  CHECK(finding.severity == CheckStatus::critical);
  CHECK(finding.sentence ==
        "1.0% of the disk's inodes are free (critical below 5%)");
}

TEST_CASE("a run that nobody knows of is as bad as its limit says") {
  VitalLimits limits;
  limits.last_run = limit("10m", LimitUnit::seconds);
  Vitals vitals = quiet();
  CHECK(judge_one(vitals, limits).severity == CheckStatus::critical);
  limits.last_run = limit("10m:", LimitUnit::seconds);
  CHECK(judge_one(vitals, limits).severity == CheckStatus::warning);
  vitals.last_run = k_now - minutes(1);
  CHECK(judge_one(vitals, limits).severity == CheckStatus::ok);
}

struct TwoProviders {
  Vitals vitals = quiet();
  VitalLimits limits;

  TwoProviders() {
    vitals.pools.push_back({"default", {"main", "second"}});
    vitals.providers.resize(2);
    vitals.providers[0].name = "main";
    vitals.providers[1].name = "second";
    limits.degraded = true;
  }
  ProviderVitals& main() { return vitals.providers[0]; }
  ProviderVitals& second() { return vitals.providers[1]; }
  CheckFinding finding() const { return judge_one(vitals, limits); }
};

TEST_CASE("a pool on its last provider is a warning, on none critical") {
  TwoProviders two;
  CHECK(two.finding().severity == CheckStatus::ok);
  two.main().breaker = BreakerState::open;
  two.main().why = "breaker open after 5 failures: 503";
  CHECK(two.finding().severity == CheckStatus::warning);
  CHECK(two.finding().sentence ==
        "pool 'default' is on its last provider, 'second'; provider 'main': "
        "breaker open after 5 failures: 503");
  two.second().paused = true;
  two.second().why = "paused";
  CHECK(two.finding().severity == CheckStatus::critical);
  CHECK(two.finding().sentence.starts_with(
      "no provider of pool 'default' takes mail; "));
}

TEST_CASE(
    "a breaker that is half open is trusted when its failure is long ago") {
  TwoProviders two;
  two.main().breaker = BreakerState::half_open;
  two.main().last_error_at = k_now - hours(1);
  CHECK(two.finding().severity == CheckStatus::warning);
  CHECK(two.finding().sentence.ends_with("provider 'main': half-open"));
  two.main().last_error_at = k_now - hours(7);
  CHECK(two.finding().severity == CheckStatus::ok);
}

TEST_CASE("a pool of one provider is not on its last") {
  TwoProviders two;
  two.vitals.pools.front().members = {"second"};
  CHECK(two.finding().severity == CheckStatus::ok);
}

TEST_CASE(
    "a provider that fails while others carry its mail is told, though "
    "its breaker is closed") {
  TwoProviders two;
  two.main().attempts = 20;
  two.main().failed_attempts = 20;
  CHECK(two.finding().severity == CheckStatus::ok);  // nobody carried anything
  two.main().carried_by = {{"second", 412}};
  CHECK(two.finding().severity == CheckStatus::warning);
  CHECK(two.finding().sentence ==
        "provider 'main' failed 100% of 20 attempts in 6h; 412 messages left "
        "by 'second'");
}

TEST_CASE("a few failures do not make a provider fail") {
  TwoProviders two;
  two.main().carried_by = {{"second", 412}};
  two.main().attempts = two.main().failed_attempts = 9;
  CHECK(two.finding().severity == CheckStatus::ok);
  two.main().attempts = 100;
  two.main().failed_attempts = 89;
  CHECK(two.finding().severity == CheckStatus::ok);
  two.main().failed_attempts = 90;
  CHECK(two.finding().severity == CheckStatus::warning);
}

TEST_CASE("the line is as monitoring plug-ins write theirs") {
  VitalLimits limits;
  limits.oldest = limit("15m", LimitUnit::seconds);
  limits.queue = limit("1000", LimitUnit::count);
  limits.disk = limit("10%:5%", LimitUnit::percent);
  Vitals vitals = quiet();
  vitals.free_space = 42.19;
  CHECK(in_one_line(vitals, limits, judge(vitals, limits)) ==
        "PONY OK - 3 waiting, oldest 2m | queue=3;;1000;0 oldest=120s;;900;0 "
        "held=0;;;0 disk=42.1%;10:;5:;0;100 inodes=100%;10:;5:;0;100\n");
}

TEST_CASE("the worst comes first, and no word of a provider's ends the line") {
  TwoProviders two;
  two.limits.oldest = limit("1m:", LimitUnit::seconds);
  two.limits.queue = limit("1", LimitUnit::count);
  two.main().breaker = BreakerState::open;
  two.main().why = "a|b\nc";
  const auto line =
      in_one_line(two.vitals, two.limits, judge(two.vitals, two.limits));
  CHECK(
      line.starts_with("PONY CRITICAL - 3 messages wait (critical above 1); "
                       "the oldest message has waited 2m"));
  CHECK(line.find('|') == line.rfind('|'));
  CHECK(line.find('\n') == line.size() - 1);
}

// --- alerts

TEST_CASE("what stays wrong is told once in a while") {
  AlertState state;
  CHECK(note_alert(state, CheckStatus::critical, k_now, hours(1)));
  CHECK(
      !note_alert(state, CheckStatus::critical, k_now + minutes(59), hours(1)));
  CHECK(
      note_alert(state, CheckStatus::critical, k_now + minutes(60), hours(1)));
  CHECK(*state.since == k_now);
}

TEST_CASE("what gets worse is told at once, what gets better is not") {
  AlertState state;
  CHECK(note_alert(state, CheckStatus::warning, k_now, hours(1)));
  CHECK(note_alert(state, CheckStatus::critical, k_now + minutes(1), hours(1)));
  CHECK(!note_alert(state, CheckStatus::warning, k_now + minutes(2), hours(1)));
}

TEST_CASE("that it is over is told once, and only to who was told of it") {
  AlertState state;
  CHECK(!note_alert(state, CheckStatus::ok, k_now, hours(1)));
  CHECK(note_alert(state, CheckStatus::critical, k_now, hours(1)));
  CHECK(note_alert(state, CheckStatus::ok, k_now + minutes(1), hours(1)));
  CHECK(!note_alert(state, CheckStatus::ok, k_now + minutes(2), hours(1)));
  // It comes and goes: told once in the time.
  CHECK(
      !note_alert(state, CheckStatus::critical, k_now + minutes(3), hours(1)));
  CHECK(!note_alert(state, CheckStatus::ok, k_now + minutes(4), hours(1)));
  CHECK(
      note_alert(state, CheckStatus::critical, k_now + minutes(61), hours(1)));
}

TEST_CASE("who could not be told is told by the next look") {
  AlertState state;
  CHECK(note_alert(state, CheckStatus::critical, k_now, hours(1)));
  alert_was_not_told(state);
  CHECK(note_alert(state, CheckStatus::critical, k_now + minutes(1), hours(1)));
  CHECK(note_alert(state, CheckStatus::ok, k_now + minutes(2), hours(1)));
  alert_was_not_told(state);
  CHECK(note_alert(state, CheckStatus::ok, k_now + minutes(3), hours(1)));
}

TEST_CASE("a clock that was set back keeps no alert quiet") {
  AlertState state;
  CHECK(note_alert(state, CheckStatus::critical, k_now, hours(1)));
  CHECK(note_alert(state, CheckStatus::critical, k_now - hours(5), hours(1)));
}

TEST_CASE("what is remembered of an alert survives being written") {
  AlertState state;
  (void)note_alert(state, CheckStatus::critical, k_now, hours(1));
  const AlertState read = alert_from(to_json_text(state));
  CHECK(read.severity == CheckStatus::critical);
  CHECK(read.since == state.since);
  CHECK(read.told_at == state.told_at);
  CHECK(read.told == CheckStatus::critical);
  CHECK(read.open);
  for (const char* text : {"", "{", "[]", "{\"severity\":7}", "\xff"})
    CHECK(!alert_from(text).open);
}

}  // namespace
}  // namespace pony
