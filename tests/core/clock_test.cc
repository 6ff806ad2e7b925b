// Times and durations: what is written, what is read, what is refused.
#include "core/clock.h"

#include <doctest/doctest.h>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// 2026-11-21T10:00:00.123Z, a Saturday.
constexpr Time k_time{Milliseconds(1'795'255'200'123)};

TEST_SUITE_BEGIN("core");

TEST_CASE("a time is written with milliseconds and Z") {
  CHECK(format_time(k_time) == "2026-11-21T10:00:00.123Z");
  CHECK(format_time(Time{}) == "1970-01-01T00:00:00.000Z");
  CHECK(format_time(Time{Milliseconds(-1)}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a time that RFC 3339 cannot spell is written as the nearest") {
  CHECK(format_time(Time::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(format_time(Time::min()) == "0000-01-01T00:00:00.000Z");
}

TEST_CASE("day, minute and mail date have their own spellings") {
  CHECK(format_day(k_time) == "2026-11-21");
  CHECK(format_minute(k_time) == "2026-11-21T10:00Z");
  CHECK(format_rfc5322(k_time) == "Sat, 21 Nov 2026 10:00:00 +0000");
  CHECK(format_rfc5322(Time{}) == "Thu, 01 Jan 1970 00:00:00 +0000");
}

TEST_CASE("what was written is read back") {
  for (const std::int64_t ms :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{951'782'400'001},
        k_time.time_since_epoch().count()}) {
    const Time time{Milliseconds(ms)};
    const auto read = parse_time(format_time(time));
    REQUIRE_OK(read);
    CHECK(*read == time);
  }
  const auto minute = parse_minute("2026-11-21T10:00Z");
  REQUIRE_OK(minute);
  CHECK(*minute == k_time - Milliseconds(123));
  const auto day = parse_day("2026-11-21");
  REQUIRE_OK(day);
  CHECK(*day == k_time - Milliseconds(123) - hours(10));
}

TEST_CASE("offsets and fractions of any length are understood") {
  for (const std::string_view text :
       {"2026-11-21T10:00:00.123Z", "2026-11-21t10:00:00.1239z",
        "2026-11-21T12:00:00.123+02:00", "2026-11-21T04:30:00.123-05:30",
        "2026-11-22T09:59:00.123456789+23:59"}) {
    CAPTURE(text);
    const auto time = parse_time(text);
    REQUIRE_OK(time);
    CHECK(*time == k_time);
  }
  CHECK(*parse_time("2026-11-21T10:00:00Z") == k_time - Milliseconds(123));
  CHECK(*parse_time("2026-11-21T10:00:00.1Z") == k_time - Milliseconds(23));
}

TEST_CASE("what is no RFC 3339 time is refused") {
  for (const std::string_view text : {"",
                                      "2026",
                                      "2026-11-21",
                                      "2026-11-21T10:00Z",
                                      "2026-11-21T10:00:00",
                                      "2026-11-21 10:00:00Z",
                                      "2026-11-21T10:00:60Z",
                                      "2026-11-21T24:00:00Z",
                                      "2026-11-21T10:60:00Z",
                                      "2026-02-29T10:00:00Z",
                                      "2026-13-01T10:00:00Z",
                                      "2026-00-01T10:00:00Z",
                                      "2026-11-31T10:00:00Z",
                                      "2026-11-21T10:00:00.Z",
                                      "2026-11-21T10:00:00Z ",
                                      " 2026-11-21T10:00:00Z",
                                      "2026-11-21T10:00:00Zx",
                                      "2026-11-21T10:00:00+0200",
                                      "2026-11-21T10:00:00+24:00",
                                      "2026-1-21T10:00:00Z",
                                      "+026-11-21T10:00:00Z",
                                      "0000-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01"}) {
    CAPTURE(text);
    CHECK_FAILS(parse_time(text), bad_data);
  }
  CHECK(parse_time("2028-02-29T10:00:00Z"));
}

TEST_CASE("days and minutes are read whole or refused") {
  for (const std::string_view text :
       {"", "2026-02-30", "2026-11-21T", "2026-11-21T10:00Z", "26-11-21"}) {
    CHECK_FAILS(parse_day(text), bad_data);
  }
  for (const std::string_view text :
       {"", "2026-11-21", "2026-11-21T10:00", "2026-11-21T10:00:00Z",
        "2026-11-21t10:00z", "2026-11-21T10:60Z", "2026-02-30T10:00Z"}) {
    CHECK_FAILS(parse_minute(text), bad_data);
  }
}

TEST_CASE("a duration is a number and its unit") {
  CHECK(*parse_duration("250ms") == Milliseconds(250));
  CHECK(*parse_duration("30s") == seconds(30));
  CHECK(*parse_duration("1m") == minutes(1));
  CHECK(*parse_duration("4h") == hours(4));
  CHECK(*parse_duration("5d") == days(5));
  CHECK(*parse_duration("2w") == days(14));
  CHECK(*parse_duration("0s") == seconds(0));
  CHECK(*parse_duration("36500d") == days(36'500));
}

TEST_CASE("what is no duration is refused") {
  for (const std::string_view text :
       {"", "s", "30", "-30s", "+30s", "1.5h", "30 s", " 30s", "30s ", "30S",
        "30sec", "1h30m", "36501d", "99999999999999999999999999s",
        "9223372036854775807ms"}) {
    CAPTURE(text);
    CHECK_FAILS(parse_duration(text), bad_data);
  }
  CHECK(parse_duration("30").error().what == "'30' has no unit");
}

TEST_CASE("a duration is written in the largest unit that is exact") {
  CHECK(format_duration(seconds(90)) == "90s");
  CHECK(format_duration(seconds(120)) == "2m");
  CHECK(format_duration(Milliseconds(1'500)) == "1500ms");
  CHECK(format_duration(Milliseconds(0)) == "0s");
  CHECK(format_duration(days(5)) == "5d");
  CHECK(format_duration(days(14)) == "2w");
  CHECK(format_duration(hours(36)) == "36h");
}

TEST_CASE("an age is for people and never negative") {
  CHECK(format_age(Milliseconds(-5'000)) == "0s");
  CHECK(format_age(Milliseconds(59'999)) == "59s");
  CHECK(format_age(minutes(3)) == "3m");
  CHECK(format_age(minutes(119)) == "1h");
  CHECK(format_age(hours(47)) == "1d");
  CHECK(format_age(days(5)) == "5d");
}

TEST_CASE("a moment is what a person types") {
  const Time midnight = k_time - Milliseconds(123) - hours(10);
  CHECK(*parse_moment("now", k_time) == k_time);
  CHECK(*parse_moment("today", k_time) == midnight);
  CHECK(*parse_moment("yesterday", k_time) == midnight - days(1));
  CHECK(*parse_moment("2026-11-21", k_time) == midnight);
  CHECK(*parse_moment("2026-11-21T10:00:00.123Z", Time{}) == k_time);
  CHECK(*parse_moment("7d", k_time) == k_time - days(7));
  CHECK(*parse_moment("+30m", k_time) == k_time + minutes(30));
  for (const std::string_view text :
       {"", "soon", "+", "-7d", "7", "++7d", "Now"}) {
    CHECK_FAILS(parse_moment(text, k_time), bad_data);
  }
}

TEST_CASE("the system's clock has passed the year of its making") {
  CHECK(SystemClock().now() > *parse_day("2023-01-01"));
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
