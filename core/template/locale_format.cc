// A value is read as what it is, then written by the language's form; see
// locale_format.h. Without a form, a form of ISO's spellings does.
#include "core/template/locale_format.h"

#include <chrono>
#include <cstddef>
#include <optional>

#include "core/json.h"
#include "core/template/locale_table.h"
#include "core/trimmed.h"

namespace pony {
namespace {

// For languages that the table doesn't have.
LocaleForm iso_form() {
  LocaleForm form;
  form.decimal = form.money_decimal = ".";
  form.sizes = form.money_sizes = "000";
  form.minus = "-";
  form.money = "# ¤¤";
  form.negative_money = "-# ¤¤";
  form.long_date = form.short_date = "yyyy-MM-dd";
  form.time = "HH:mm";
  form.join_long = form.join_short = "D T";
  return form;
}

LocaleForm form_of(std::string_view lang) {
  const auto known = find_locale(lang);
  return known ? *known : iso_form();
}

LocaleForm money_form_of(std::string_view lang, std::string_view currency) {
  const LocaleForm form = form_of(lang);
  const auto other = form.exception(currency);
  return other.empty() ? form : form_of(other);
}

tl::unexpected<Error> refused(std::string_view text, std::string_view why,
                              std::string_view hint) {
  return fail(Error::Kind::bad_data,
              "'" + printable(text, 100) + "' " + std::string(why),
              std::string(hint));
}

constexpr std::string_view k_blank = " \t\r\n";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front of `text`.
std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// Takes `wanted` from the front of `text`, if it is there.
bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// ---- numbers and money

struct Decimal {
  bool negative = false;
  std::string_view whole;     // at least one digit
  std::string_view fraction;  // without its point; may be empty
  std::size_t zeros = 0;      // to be written behind the fraction
};

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal number;
  number.negative = take(text, '-');
  number.whole = take_digits(text);
  if (number.whole.empty()) return std::nullopt;
  if (take(text, '.')) {
    number.fraction = take_digits(text);
    if (number.fraction.empty()) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  const auto first = number.whole.find_first_not_of('0');
  number.whole.remove_prefix(
      first == std::string_view::npos ? number.whole.size() - 1 : first);
  return number;
}

struct Money {
  Decimal amount;
  std::string_view currency;
};

bool is_currency_code(std::string_view text) {
  return text.size() == 3 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
             std::string_view::npos;
}

std::optional<Money> read_money(std::string_view text) {
  const auto gap = text.find_first_of(k_blank);
  if (gap == std::string_view::npos) return std::nullopt;
  std::string_view amount = text.substr(0, gap);
  std::string_view currency = trimmed(text.substr(gap));
  if (is_currency_code(amount)) std::swap(amount, currency);
  const auto number = read_decimal(amount);
  if (!number || !is_currency_code(currency)) return std::nullopt;
  return Money{*number, currency};
}

// How digits are written: with which signs, in groups of which size.
struct DigitForm {
  std::string_view decimal;
  std::string_view group;
  std::string_view sizes;  // as in LocaleForm
};

// Does a grouping sign stand before the last `left` of a number's digits?
bool is_group_end(std::size_t left, std::size_t first, std::size_t others) {
  return left == first || (left > first && (left - first) % others == 0);
}

void append_whole(std::string& out, std::string_view digits,
                  const DigitForm& form) {
  const auto size = [&](std::size_t i) {
    return static_cast<std::size_t>(form.sizes[i] - '0');
  };
  const std::size_t first = size(0);
  if (first == 0 || digits.size() < first + size(2)) {
    out += digits;
    return;
  }
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && is_group_end(digits.size() - i, first, size(1)))
      out += form.group;
    out += digits[i];
  }
}

void append_decimal(std::string& out, const Decimal& number,
                    const DigitForm& form) {
  append_whole(out, number.whole, form);
  if (number.fraction.empty() && number.zeros == 0) return;
  out += form.decimal;
  out += number.fraction;
  out.append(number.zeros, '0');
}

// Gives `amount` its currency's `usual` number of digits, but loses none that
// says something.
void set_digits(Decimal& amount, std::size_t usual) {
  if (amount.fraction.size() <= usual) {
    amount.zeros = usual - amount.fraction.size();
  } else if (amount.fraction.find_first_not_of('0', usual) ==
             std::string_view::npos) {
    amount.fraction = amount.fraction.substr(0, usual);
  }
}

// Does `symbol` end with a sign like $ or €? Then a digit may follow at once;
// behind a letter or a full stop there must be a space (CLDR's rule).
bool ends_with_sign(std::string_view symbol) {
  if (symbol.ends_with('$')) return true;
  if (symbol.size() >= 2) {
    const auto two = symbol.substr(symbol.size() - 2);
    if (two == "£" || two == "¥" || two == "¢" || two == "¤") return true;
  }
  if (symbol.size() < 3) return false;
  const auto three = symbol.substr(symbol.size() - 3);
  // U+20A0 to U+20CF are currency signs, U+FFE0 to U+FFE6 East Asia's wide
  // ones.
  const auto last = static_cast<unsigned char>(three[2]);
  return (three.starts_with("\xe2\x82") && last >= 0xa0) ||
         (three.starts_with("\xe2\x83") && last <= 0x8f) ||
         (three.starts_with("\xef\xbf") && last >= 0xa0 && last <= 0xa6) ||
         three == "฿";
}

// Takes CLDR's mark for a currency from the front of `pattern`: ¤ stands for
// its sign, ¤¤ for its code. Answers with what it stands for.
std::string_view take_currency(std::string_view& pattern,
                               std::string_view currency,
                               const LocaleForm& form) {
  constexpr std::string_view k_mark = "¤";
  pattern.remove_prefix(k_mark.size());
  if (!pattern.starts_with(k_mark)) return form.symbol(currency);
  pattern.remove_prefix(k_mark.size());
  return currency;
}

void append_money(std::string& out, const Money& money,
                  const LocaleForm& form) {
  std::string_view pattern =
      money.amount.negative ? form.negative_money : form.money;
  while (!pattern.empty()) {
    if (pattern.starts_with("¤")) {
      const auto symbol = take_currency(pattern, money.currency, form);
      out += symbol;
      if (pattern.starts_with('#') && !ends_with_sign(symbol)) out += "\u00a0";
      continue;
    }
    if (pattern[0] == '#') {
      append_decimal(out, money.amount,
                     {form.money_decimal, form.money_group, form.money_sizes});
    } else if (pattern[0] == '-') {
      out += form.minus;
    } else {
      out += pattern[0];
    }
    pattern.remove_prefix(1);
  }
}

// ---- dates and times

struct Date {
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
};

struct TimeOfDay {
  unsigned hour = 0;
  unsigned minute = 0;
};

struct Moment {
  Date date;
  std::optional<TimeOfDay> time;
};

// Takes exactly `count` digits.
std::optional<unsigned> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(count);
  return value;
}

std::optional<Date> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
      std::chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  return Date{*year, *month, *day};
}

// Seconds with their fraction. 60 is RFC 3339's leap second.
bool take_seconds(std::string_view& text) {
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return false;
  return !take(text, '.') || !take_digits(text).empty();
}

std::optional<TimeOfDay> take_time(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  if (take(text, ':') && !take_seconds(text)) return std::nullopt;
  return TimeOfDay{*hour, *minute};
}

// Z, +02:00, or as databases write it: +0200, +02.
bool take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return true;
  if (!take(text, '+') && !take(text, '-')) return false;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23) return false;
  if (!take(text, ':') && text.empty()) return true;
  const auto minute = take_number(text, 2);
  return minute && *minute <= 59;
}

// Nothing of `text` may be left but an offset.
bool is_at_end(std::string_view text) {
  return text.empty() || (take_offset(text) && text.empty());
}

std::optional<Moment> read_date_and_time(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  Moment moment{*date, std::nullopt};
  if (text.empty()) return moment;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' '))
    return std::nullopt;
  moment.time = take_time(text);
  if (!moment.time || !is_at_end(text)) return std::nullopt;
  return moment;
}

std::optional<TimeOfDay> read_time(std::string_view text) {
  if (const auto moment = read_date_and_time(text)) return moment->time;
  const auto time = take_time(text);
  if (!time || !is_at_end(text)) return std::nullopt;
  return time;
}

void append_number(std::string& out, unsigned value, std::size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

// The entry `index` of "January|February|…".
std::string_view entry(std::string_view list, unsigned index) {
  for (; index > 0; --index) list.remove_prefix(list.find('|') + 1);
  return list.substr(0, list.find('|'));
}

// A letter of a date's or time's pattern, `count` times: "MMMM".
struct PatternField {
  char letter = '\0';
  std::size_t count = 0;
};

void append_field(std::string& out, PatternField field, const Date& date,
                  const LocaleForm& form) {
  switch (field.letter) {
    case 'd':
      return append_number(out, date.day, field.count);
    case 'y':
      return field.count == 2 ? append_number(out, date.year % 100, 2)
                              : append_number(out, date.year, field.count);
    default:
      if (field.count < 4) return append_number(out, date.month, field.count);
      out += entry(form.months, date.month - 1);
  }
}

void append_field(std::string& out, PatternField field, const TimeOfDay& time,
                  const LocaleForm& form) {
  const unsigned half_day = time.hour % 12 == 0 ? 12 : time.hour % 12;
  switch (field.letter) {
    case 'H':
      return append_number(out, time.hour, field.count);
    case 'h':
      return append_number(out, half_day, field.count);
    case 'm':
      return append_number(out, time.minute, field.count);
    case 'B':
      out += entry(form.day_periods, time.hour);
      return;
    default:
      out += entry(form.am_pm, time.hour / 12);
  }
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// `pattern` as CLDR writes it, "d 'de' MMMM", filled in with `value`.
template <class Value>
void append_pattern(std::string& out, std::string_view pattern,
                    const Value& value, const LocaleForm& form) {
  bool quoted = false;
  while (!pattern.empty()) {
    const char c = pattern[0];
    std::size_t count = 1;
    if (c == '\'') {
      quoted = !quoted;
    } else if (quoted || !is_letter(c)) {
      out += c;
    } else {
      while (count < pattern.size() && pattern[count] == c) ++count;
      append_field(out, {c, count}, value, form);
    }
    pattern.remove_prefix(count);
  }
}

std::string_view pattern_of(const LocaleForm& form, DateForm date_form) {
  return date_form == DateForm::long_form ? form.long_date : form.short_date;
}

constexpr std::string_view k_date_hint =
    "write it like 2026-11-21 or 2026-11-21T10:00:00Z (RFC 3339)";
constexpr std::string_view k_time_hint =
    "write it like 10:00 or 2026-11-21T10:00:00Z (RFC 3339)";

}  // namespace

bool knows_locale(std::string_view lang) {
  return find_locale(lang).has_value();
}

Result<std::string> format_number(std::string_view lang,
                                  std::string_view text) {
  const auto number = read_decimal(trimmed(text));
  if (!number)
    return refused(text, "is no decimal number", "write it like 1234.50");
  const LocaleForm form = form_of(lang);
  std::string out;
  if (number->negative) out += form.minus;
  append_decimal(out, *number, {form.decimal, form.group, form.sizes});
  return out;
}

Result<std::string> format_money(std::string_view lang, std::string_view text) {
  auto money = read_money(trimmed(text));
  if (!money) {
    return refused(text, "is no amount of money",
                   "write it like 1234.50 EUR (ISO 4217, in capitals)");
  }
  set_digits(money->amount, usual_digits(money->currency));
  std::string out;
  append_money(out, *money, money_form_of(lang, money->currency));
  return out;
}

Result<std::string> format_date(std::string_view lang, std::string_view text,
                                DateForm form) {
  const auto moment = read_date_and_time(trimmed(text));
  if (!moment) return refused(text, "is no date", k_date_hint);
  const LocaleForm locale = form_of(lang);
  std::string out;
  append_pattern(out, pattern_of(locale, form), moment->date, locale);
  return out;
}

Result<std::string> format_time(std::string_view lang, std::string_view text) {
  const auto time = read_time(trimmed(text));
  if (!time) return refused(text, "is no time", k_time_hint);
  const LocaleForm locale = form_of(lang);
  std::string out;
  append_pattern(out, locale.time, *time, locale);
  return out;
}

Result<std::string> format_datetime(std::string_view lang,
                                    std::string_view text, DateForm form) {
  const auto moment = read_date_and_time(trimmed(text));
  if (!moment || !moment->time)
    return refused(text, "is no date and time", k_date_hint);
  const LocaleForm locale = form_of(lang);
  std::string out;
  for (const char c :
       form == DateForm::long_form ? locale.join_long : locale.join_short) {
    if (c == 'D') {
      append_pattern(out, pattern_of(locale, form), moment->date, locale);
    } else if (c == 'T') {
      append_pattern(out, locale.time, *moment->time, locale);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace pony
