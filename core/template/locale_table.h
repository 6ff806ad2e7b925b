// The forms in which languages write numbers, money and dates: a table that is
// looked up, never computed. Facts are CLDR's; locale_rows.py prints them as
// locale_rows.cc. Promises: constant data without a relocation, so that it
// costs a start nothing; nothing is allocated. Knows no values: what is done
// with a form is locale_format's.
//
// A row's text is lines, each a mark and what the mark says:
//
//   <  the row that has what this one doesn't   #  group sizes: the first,
//   .  decimal sign                                the others, and the digits
//   ,  grouping sign                               there must be before the
//   :  decimal sign in money                       first; "000" is ungrouped
//   ;  grouping sign in money                   $  the same in money
//   -  minus                                    p  money: # number, ¤ currency
//   l  long date    s  short date    t  time    n  the same, less than nothing
//   j  a long date (D) joined with a time (T)   k  a short date with a time
//   m  the months   a  am and pm                b  what the 24 hours are called
//   c  currencies' signs: "EUR€|USD$"
//   x  currencies that are written as another row says: "EURen-001"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pony {

// One language in the table. `tag` ends with a zero; `begin` and `size` are
// where its text is.
struct LocaleRow {
  std::array<char, 12> tag;
  std::uint16_t begin;
  std::uint16_t size;
};

// A language's form, put together from its row and those it rests on. Views
// into the table: valid for ever. What no row says is empty.
struct LocaleForm {
  std::string_view decimal, group, sizes;
  std::string_view money_decimal, money_group, money_sizes;
  std::string_view minus;
  std::string_view money, negative_money;
  std::string_view long_date, short_date, time;
  std::string_view join_long, join_short;
  std::string_view months, am_pm, day_periods;
  std::string_view exceptions;
  // The nearest row's signs first.
  std::array<std::string_view, 4> symbols;

  // The sign of `currency` ("€"), or `currency` where the language has none.
  std::string_view symbol(std::string_view currency) const;
  // The language after whose form this one writes `currency`; empty for its
  // own.
  std::string_view exception(std::string_view currency) const;
};

// The form for the language tag `lang` or, without that, for its base
// ("es-MX" → "es"), without regard to case and to "_" for "-".
std::optional<LocaleForm> find_locale(std::string_view lang);

// The table itself: rows sorted by their tags in lower case.
std::span<const LocaleRow> locale_rows();
std::string_view locale_row_text(const LocaleRow& row);
// The signs that most languages use.
std::string_view common_symbols();
// How many digits behind the decimal sign amounts of `currency` (an ISO 4217
// code) usually have: 2 for those that are not known.
unsigned usual_digits(std::string_view currency);

}  // namespace pony
