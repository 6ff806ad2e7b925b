// Numbers, money, dates and times as a language writes them, for the helpers
// of `engine: mustache`: {{#money}}1234.5 EUR{{/money}}.
//
// Promises: pure functions of their two texts, that allocate only the answer
// and take about half a microsecond. Forms are CLDR's (locale_table.h), with
// its no-break spaces, Latin digits and the Gregorian calendar. A language is
// looked up with its base ("es-MX" → "es"); one without a form gets ISO's,
// which each function names. Spaces and line breaks around a value don't
// matter. Doesn't know: time zones, and what a currency is worth.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

enum class DateForm {
  long_form,   // "November 21, 2026"
  short_form,  // "11/21/26"
};

// Is there a form for `lang` or its base?
bool knows_locale(std::string_view lang);

// A decimal number ("1234.5", "-3") → "1.234,5". Its fraction digits are kept
// as they are; zeros in front go. Without a form: "1234.5".
// bad_data for anything else, "1e3" and "1,5" too.
Result<std::string> format_number(std::string_view lang, std::string_view text);

// "1234.5 EUR" or "EUR 1234.5" (ISO 4217, in capitals) → "1.234,50 €": filled
// up to the currency's usual digits. Digits behind those go if all of them are
// zero; nothing is rounded. Without a form: "1234.50 EUR".
// bad_data for anything else; a code that ISO doesn't know is shown as it is.
Result<std::string> format_money(std::string_view lang, std::string_view text);

// In the three that follow, `text` is RFC 3339's date or date and time, or
// "2026-11-21 10:00": a space is as good as T, seconds and offset may be
// missing. What is shown is the date and the time of day that the text says;
// nothing is converted, an offset is neither applied nor shown, seconds are
// not shown. bad_data also for days that don't exist.

// "2026-11-21" → "21. November 2026"; a time is left out. Without a form:
// "2026-11-21".
Result<std::string> format_date(std::string_view lang, std::string_view text,
                                DateForm form = DateForm::long_form);
// "2026-11-21T22:00:00Z" or only "22:00" → "10:00 PM". Without a form:
// "22:00".
Result<std::string> format_time(std::string_view lang, std::string_view text);
// "2026-11-21T10:00:00Z" → "21. November 2026 um 10:00"; bad_data without a
// time. Without a form: "2026-11-21 10:00".
Result<std::string> format_datetime(std::string_view lang,
                                    std::string_view text,
                                    DateForm form = DateForm::long_form);

}  // namespace pony
