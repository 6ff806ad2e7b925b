// Times and durations, written and read by hand: an event line costs two of
// them, and neither strftime nor a stream is fast or free of the locale.
//
// Knows UTC only, and the years 0000 to 9999 that RFC 3339 can spell; what is
// outside is written as the nearest moment inside.
#include "core/clock.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/json.h"

namespace pony {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr Time k_first =
    sys_days(std::chrono::year(0) / std::chrono::January / 1);
constexpr Time k_last =
    sys_days(std::chrono::year(9999) / std::chrono::December / 31) +
    Milliseconds(86'400'000 - 1);
// A hundred years: so that a moment plus a duration is always a moment.
constexpr Milliseconds k_longest = days(36'500);

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
// From the largest to the smallest.
constexpr std::array<Unit, 6> k_units = {{{"w", 604'800'000},
                                          {"d", 86'400'000},
                                          {"h", 3'600'000},
                                          {"m", 60'000},
                                          {"s", 1'000},
                                          {"ms", 1}}};

struct Parts {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  unsigned ms = 0;
  unsigned weekday = 0;  // 0 is Sunday
};

Parts parts_of(Time time) {
  const Time inside = std::clamp(time, k_first, k_last);
  const auto day = std::chrono::floor<days>(inside);
  const year_month_day date(day);
  const auto rest = static_cast<unsigned>((inside - day).count());
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          rest / 3'600'000,
          rest / 60'000 % 60,
          rest / 1'000 % 60,
          rest % 1'000,
          std::chrono::weekday(day).c_encoding()};
}

// Appends `value` with `width` digits.
void append_digits(std::string& out, unsigned value, unsigned width) {
  std::array<char, 10> digits{};
  for (unsigned i = width; i > 0; --i) {
    digits[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(digits.data(), width);
}

void append_day(std::string& out, const Parts& parts) {
  append_digits(out, static_cast<unsigned>(parts.year), 4);
  out += '-';
  append_digits(out, parts.month, 2);
  out += '-';
  append_digits(out, parts.day, 2);
}

void append_hour_and_minute(std::string& out, const Parts& parts) {
  append_digits(out, parts.hour, 2);
  out += ':';
  append_digits(out, parts.minute, 2);
}

// Reads from the front of a text; once something did not fit, `ok` is false
// and stays it.
struct Reader {
  std::string_view rest;
  bool ok = true;

  unsigned digits(std::size_t count) {
    unsigned value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const unsigned digit = next_digit();
      value = value * 10 + digit;
    }
    return value;
  }

  unsigned next_digit() {
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') {
      ok = false;
      return 0;
    }
    const auto digit = static_cast<unsigned>(rest[0] - '0');
    rest.remove_prefix(1);
    return digit;
  }

  // Takes one of `wanted`; answers with it.
  char one_of(std::string_view wanted) {
    if (rest.empty() || wanted.find(rest[0]) == std::string_view::npos) {
      ok = false;
      return '\0';
    }
    const char c = rest[0];
    rest.remove_prefix(1);
    return c;
  }

  bool at_digit() const {
    return !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
  }
};

Time read_day(Reader& in) {
  const auto year = static_cast<int>(in.digits(4));
  in.one_of("-");
  const unsigned month = in.digits(2);
  in.one_of("-");
  const unsigned day = in.digits(2);
  const year_month_day date(std::chrono::year{year}, std::chrono::month{month},
                            std::chrono::day{day});
  if (!in.ok || !date.ok()) {
    in.ok = false;
    return {};
  }
  return sys_days(date);
}

Milliseconds read_hour_and_minute(Reader& in) {
  const unsigned hour = in.digits(2);
  in.one_of(":");
  const unsigned minute = in.digits(2);
  if (hour > 23 || minute > 59) in.ok = false;
  return std::chrono::hours(hour) + std::chrono::minutes(minute);
}

// ".123456": to the millisecond, what is finer is cut off.
Milliseconds read_fraction(Reader& in) {
  if (in.rest.empty() || in.rest[0] != '.') return Milliseconds(0);
  in.one_of(".");
  unsigned ms = in.next_digit() * 100;
  if (in.at_digit()) ms += in.next_digit() * 10;
  if (in.at_digit()) ms += in.next_digit();
  while (in.at_digit()) in.next_digit();
  return Milliseconds(ms);
}

Milliseconds read_offset(Reader& in) {
  const char sign = in.one_of("Zz+-");
  if (sign != '+' && sign != '-') return Milliseconds(0);
  const Milliseconds offset = read_hour_and_minute(in);
  return sign == '-' ? -offset : offset;
}

std::string quoted(std::string_view text) {
  return "'" + printable(text, 100) + "'";
}

}  // namespace

Time SystemClock::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

std::string format_time(Time time) {
  const Parts parts = parts_of(time);
  std::string out;
  out.reserve(24);
  append_day(out, parts);
  out += 'T';
  append_hour_and_minute(out, parts);
  out += ':';
  append_digits(out, parts.second, 2);
  out += '.';
  append_digits(out, parts.ms, 3);
  out += 'Z';
  return out;
}

std::string format_day(Time time) {
  std::string out;
  append_day(out, parts_of(time));
  return out;
}

std::string format_minute(Time time) {
  const Parts parts = parts_of(time);
  std::string out;
  out.reserve(17);
  append_day(out, parts);
  out += 'T';
  append_hour_and_minute(out, parts);
  out += 'Z';
  return out;
}

std::string format_rfc5322(Time time) {
  constexpr std::string_view k_weekdays = "SunMonTueWedThuFriSat";
  constexpr std::string_view k_months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const Parts parts = parts_of(time);
  std::string out;
  out.reserve(31);
  out += k_weekdays.substr(std::size_t{3} * parts.weekday, 3);
  out += ", ";
  append_digits(out, parts.day, 2);
  out += ' ';
  out += k_months.substr(std::size_t{3} * (parts.month - 1), 3);
  out += ' ';
  append_digits(out, static_cast<unsigned>(parts.year), 4);
  out += ' ';
  append_hour_and_minute(out, parts);
  out += ':';
  append_digits(out, parts.second, 2);
  out += " +0000";
  return out;
}

Result<Time> parse_time(std::string_view text) {
  Reader in{text};
  Time time = read_day(in);
  in.one_of("Tt");
  time += read_hour_and_minute(in);
  in.one_of(":");
  const unsigned second = in.digits(2);
  time += std::chrono::seconds(second) + read_fraction(in);
  time -= read_offset(in);

  // A second 60 is a leap second, which our clock cannot tell.
  const bool fits = second <= 59 && time >= k_first && time <= k_last;
  if (!in.ok || !in.rest.empty() || !fits) {
    return fail(Error::Kind::bad_data, quoted(text) + " is no time",
                "write it like 2026-12-01T09:00:00Z or "
                "2026-12-01T11:00:00+02:00 (RFC 3339)");
  }
  return time;
}

Result<Time> parse_minute(std::string_view text) {
  Reader in{text};
  Time time = read_day(in);
  in.one_of("T");
  time += read_hour_and_minute(in);
  in.one_of("Z");
  if (!in.ok || !in.rest.empty()) {
    return fail(Error::Kind::bad_data, quoted(text) + " is no minute",
                "write it like 2026-12-01T09:00Z");
  }
  return time;
}

Result<Time> parse_day(std::string_view text) {
  Reader in{text};
  const Time time = read_day(in);
  if (!in.ok || !in.rest.empty()) {
    return fail(Error::Kind::bad_data, quoted(text) + " is no day",
                "write it like 2026-12-01");
  }
  return time;
}

Result<Milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view k_hint =
      "a number and its unit: 250ms, 30s, 1m, 4h, 5d or 2w";
  const std::size_t split = text.find_first_not_of("0123456789");
  if (split == std::string_view::npos && !text.empty()) {
    return fail(Error::Kind::bad_data, quoted(text) + " has no unit",
                std::string(k_hint));
  }
  const auto no_duration = [&] {
    return fail(Error::Kind::bad_data, quoted(text) + " is no duration",
                std::string(k_hint));
  };
  if (split == 0 || text.empty()) return no_duration();

  const std::string_view unit_name = text.substr(split);
  const auto* unit =
      std::find_if(k_units.begin(), k_units.end(),
                   [&](const Unit& u) { return u.name == unit_name; });
  if (unit == k_units.end()) return no_duration();

  std::int64_t count = 0;
  for (const char digit : text.substr(0, split)) {
    count = count * 10 + (digit - '0');
    if (count > k_longest.count() / unit->ms) {
      return fail(Error::Kind::bad_data, quoted(text) + " is too long",
                  "at most 36500d");
    }
  }
  return Milliseconds(count * unit->ms);
}

std::string format_duration(Milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms == 0) return "0s";
  for (const Unit& unit : k_units) {
    if (ms % unit.ms == 0) {
      return std::to_string(ms / unit.ms) + std::string(unit.name);
    }
  }
  return {};  // not reached: everything is a number of milliseconds
}

std::string format_age(Milliseconds age) {
  const std::int64_t seconds = std::max<std::int64_t>(age.count(), 0) / 1'000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3'600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86'400) return std::to_string(seconds / 3'600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

Result<Time> parse_moment(std::string_view text, Time now) {
  if (text == "now") return now;
  const Time today = std::chrono::floor<days>(now);
  if (text == "today") return today;
  if (text == "yesterday") return today - days(1);
  if (auto time = parse_time(text)) return time;
  if (auto day = parse_day(text)) return day;

  const bool after = text.starts_with('+');
  if (auto span = parse_duration(after ? text.substr(1) : text)) {
    return after ? now + *span : now - *span;
  }
  return fail(Error::Kind::bad_data, quoted(text) + " is no moment",
              "2026-11-21T10:00:00Z, 2026-11-21, now, today, yesterday, 7d "
              "(ago) or +30m (from now)");
}

}  // namespace pony
