// Numbers, money and dates in a language's form. tests/locale_icu_test.sh
// compares all languages with ICU; with PONY_LOCALE_REQUESTS=FILE the last
// test here answers the requests in FILE, to FILE.answers.
#include "core/template/locale_format.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/template/locale_table.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

// "…" → the answer, or "refused".
std::string shown(const Result<std::string>& answer) {
  if (answer) return *answer;
  CHECK(answer.error().kind == Error::Kind::bad_data);
  CHECK_FALSE(answer.error().hint.empty());
  return "refused";
}

std::string number(std::string_view lang, std::string_view text) {
  return shown(format_number(lang, text));
}
std::string money(std::string_view lang, std::string_view text) {
  return shown(format_money(lang, text));
}
std::string date(std::string_view lang, std::string_view text,
                 DateForm form = DateForm::long_form) {
  return shown(format_date(lang, text, form));
}
std::string time_of_day(std::string_view lang, std::string_view text) {
  return shown(format_time(lang, text));
}
std::string datetime(std::string_view lang, std::string_view text,
                     DateForm form = DateForm::long_form) {
  return shown(format_datetime(lang, text, form));
}

// What a receipt says, a line each.
std::string receipt(std::string_view lang) {
  return date(lang, "2026-11-21") + "\n" + number(lang, "12345") + "\n" +
         money(lang, "1234.5 EUR") + "\n" + money(lang, "-19.90 USD") + "\n" +
         money(lang, "JPY 12345") + "\n" +
         datetime(lang, "2026-11-21T15:04:00Z") + "\n";
}

TEST_SUITE_BEGIN("template");

TEST_CASE("a receipt reads in German as Germans write it") {
  CHECK(receipt("de") ==
        "21. November 2026\n"
        "12.345\n"
        "1.234,50\u00a0€\n"
        "-19,90\u00a0$\n"
        "12.345\u00a0¥\n"
        "21. November 2026 um 15:04\n");
}

TEST_CASE("a receipt reads in English as Americans write it") {
  CHECK(receipt("en") ==
        "November 21, 2026\n"
        "12,345\n"
        "€1,234.50\n"
        "-$19.90\n"
        "¥12,345\n"
        "November 21, 2026 at 3:04\u202fPM\n");
}

TEST_CASE("a receipt reads in Spanish as Spaniards write it") {
  CHECK(receipt("es") ==
        "21 de noviembre de 2026\n"
        "12.345\n"
        "1234,50\u00a0€\n"
        "-19,90\u00a0US$\n"
        "12.345\u00a0JPY\n"
        "21 de noviembre de 2026, 15:04\n");
}

TEST_CASE("a receipt reads in Japanese as Japanese write it") {
  CHECK(receipt("ja") ==
        "2026年11月21日\n"
        "12,345\n"
        "€1,234.50\n"
        "-$19.90\n"
        "￥12,345\n"
        "2026年11月21日 15:04\n");
}

TEST_CASE("a region has its own form where it differs") {
  CHECK(date("en-GB", "2026-11-21") == "21 November 2026");
  CHECK(money("de-CH", "1234.50 CHF") == "CHF\u00a01’234.50");
  CHECK(money("de-CH", "-1234.50 CHF") == "CHF-1’234.50");
  CHECK(money("de-AT", "1234.50 EUR") == "€\u00a01.234,50");
  CHECK(number("de-AT", "1234.50") == "1\u00a0234,50");
  CHECK(money("es-MX", "1234.50 MXN") == "$1,234.50");
  CHECK(money("en", "1234.50 MXN") == "MX$1,234.50");
  CHECK(money("en-DE", "1234.50 USD") == "1.234,50\u00a0US$");
  CHECK(money("en-DE", "1234.50 EUR") == "€1,234.50");
  CHECK(money("pt-PT", "12345.50 EUR") == "12\u00a0345,50\u00a0€");
  CHECK(number("en-IN", "1234567.5") == "12,34,567.5");
}

TEST_CASE("a language is found without regard to case, _ and region") {
  CHECK(date("de-DE", "2026-11-21") == "21. November 2026");
  CHECK(date("DE_at", "2026-01-21") == "21. Jänner 2026");
  CHECK(date("zh-TW", "2026-11-21") == date("zh-Hant", "2026-11-21"));
  CHECK(date("zh-Hant-TW", "2026-11-21") == "2026年11月21日");
  CHECK(knows_locale("es-MX"));
  CHECK(knows_locale("es-ZZ"));
  CHECK_FALSE(knows_locale("tlh"));
  CHECK_FALSE(knows_locale("d"));
  CHECK_FALSE(knows_locale("den"));
  CHECK_FALSE(knows_locale(""));
  CHECK_FALSE(knows_locale("-"));
  CHECK_FALSE(knows_locale(std::string(100'000, '-')));
}

TEST_CASE("a language without a form gets ISO's") {
  CHECK(number("tlh", "1234.5") == "1234.5");
  CHECK(money("tlh", "-1234.5 EUR") == "-1234.50 EUR");
  CHECK(date("tlh", "2026-11-21T10:00:00Z") == "2026-11-21");
  CHECK(date("", "2026-11-21", DateForm::short_form) == "2026-11-21");
  CHECK(date("tlh", "0026-01-02") == "0026-01-02");
  CHECK(time_of_day("tlh", "22:05") == "22:05");
  CHECK(datetime("tlh", "2026-11-21T10:00:00Z") == "2026-11-21 10:00");
}

TEST_CASE("a number keeps its digits behind the point") {
  CHECK(number("en", "19.90") == "19.90");
  CHECK(number("en", "0.000") == "0.000");
  CHECK(number("en", "-3") == "-3");
  CHECK(number("sv", "-3") == "−3");
  CHECK(number("en", "007.10") == "7.10");
  CHECK(number("en", "000") == "0");
  CHECK(number("en", " 1234.5\n") == "1,234.5");
  CHECK(number("en", "123456789012345678901234567890.123456789012345") ==
        "123,456,789,012,345,678,901,234,567,890.123456789012345");
}

TEST_CASE("small numbers stay ungrouped where a language wants it") {
  CHECK(number("es", "1234") == "1234");
  CHECK(number("es", "12345") == "12.345");
  CHECK(number("de", "1234") == "1.234");
  CHECK(number("de", "123") == "123");
}

TEST_CASE("what is no decimal number is refused, and named") {
  for (const std::string_view text :
       {"", " ", "-", "+1", "1e3", "1,5", "1.", ".5", "1.2.3", "--1", "1 2",
        "0x10", "NaN", "١", "−3", "1\u00a0234"}) {
    CAPTURE(text);
    CHECK(number("en", text) == "refused");
  }
  CHECK(format_number("en", "1e3").error().what ==
        "'1e3' is no decimal number");
  CHECK(format_number("en", std::string(100'000, 'x')).error().what.size() <
        200);
}

TEST_CASE("an amount has its currency's digits, and loses none that counts") {
  CHECK(money("en", "5 EUR") == "€5.00");
  CHECK(money("en", "5.5000 EUR") == "€5.50");
  CHECK(money("en", "5.505 EUR") == "€5.505");
  CHECK(money("en", "5.5050 EUR") == "€5.5050");
  CHECK(money("en", "19.00 JPY") == "¥19");
  CHECK(money("en", "19.90 JPY") == "¥19.90");
  CHECK(money("en", "5 KWD") == "KWD\u00a05.000");
}

TEST_CASE("the currency may stand on either side of the amount") {
  CHECK(money("en", "EUR 5") == "€5.00");
  CHECK(money("en", "  EUR   -5 \r\n") == "-€5.00");
  CHECK(money("en", "\n5\n\tEUR\n") == "€5.00");
}

TEST_CASE("a currency without a sign is shown by its code") {
  CHECK(money("en", "5 CHF") == "CHF\u00a05.00");
  CHECK(money("de", "5 CHF") == "5,00\u00a0CHF");
  CHECK(money("en", "5 QQQ") == "QQQ\u00a05.00");
  CHECK(money("ja", "5 KRW") == "₩5");
  CHECK(money("zh", "5 KRW") == "￦5");
}

TEST_CASE("what is no amount of money is refused") {
  for (const std::string_view text :
       {"", "5", "EUR", "5EUR", "5 eur", "5 EU", "5 EURO", "5 €", "EUR EUR",
        "5 6", "5 EUR 6", "5 E\xc3\x84", "1e3 EUR", "EUR 1,5"}) {
    CAPTURE(text);
    CHECK(money("en", text) == "refused");
  }
}

TEST_CASE("a date is long, or short") {
  CHECK(date("de", "2026-11-21", DateForm::short_form) == "21.11.26");
  CHECK(date("en", "2026-01-02", DateForm::short_form) == "1/2/26");
  CHECK(date("sv", "2026-01-02", DateForm::short_form) == "2026-01-02");
  CHECK(date("pt-BR", "2026-01-02") == "2 de janeiro de 2026");
  CHECK(datetime("de", "2026-11-21 10:00", DateForm::short_form) ==
        "21.11.26, 10:00");
}

TEST_CASE("the time that is shown is the one in the text") {
  for (const std::string_view text :
       {"2026-11-21T23:30:00Z", "2026-11-21t23:30:00z", "2026-11-21 23:30",
        "2026-11-21T23:30:59.999-08:00", "2026-11-21 23:30:00+02",
        "2026-11-21T23:30:60+0200", " 2026-11-21T23:30Z\n"}) {
    CAPTURE(text);
    CHECK(datetime("de", text) == "21. November 2026 um 23:30");
    CHECK(date("de", text) == "21. November 2026");
    CHECK(time_of_day("de", text) == "23:30");
  }
}

TEST_CASE("a time of day needs no date") {
  CHECK(time_of_day("en", "00:05") == "12:05\u202fAM");
  CHECK(time_of_day("en", "12:05:30") == "12:05\u202fPM");
  CHECK(time_of_day("zh-Hant", "15:00") == "下午3:00");
}

TEST_CASE("what is no date is refused, and so are days that don't exist") {
  for (const std::string_view text : {"",
                                      "2026-02-30",
                                      "2026-02-29",
                                      "2026-13-01",
                                      "2026-00-01",
                                      "2026-01-00",
                                      "26-01-01",
                                      "2026-1-1",
                                      "20260101",
                                      "21.11.2026",
                                      "2026-11-21T",
                                      "2026-11-21T24:00",
                                      "2026-11-21T10:60",
                                      "2026-11-21T10:00:61",
                                      "2026-11-21T10:00:00.Z",
                                      "2026-11-21T10:00:00Zx",
                                      "2026-11-21T10:00:00+2",
                                      "2026-11-21T10:00:00+02:",
                                      "2026-11-21T10:00:00+24:00",
                                      "2026-11-21x",
                                      "2026-11-21  10:00",
                                      "10:00"}) {
    CAPTURE(text);
    CHECK(date("en", text) == "refused");
    CHECK(datetime("en", text) == "refused");
  }
  CHECK(date("en", "2028-02-29") == "February 29, 2028");
  CHECK(datetime("en", "2026-11-21") == "refused");
  CHECK(time_of_day("en", "2026-11-21") == "refused");
  CHECK(time_of_day("en", "2026-02-30T10:00") == "refused");
  CHECK(time_of_day("en", "24:00") == "refused");
}

TEST_CASE("every row of the table is whole, and rests on one that is there") {
  const auto rows = locale_rows();
  const auto lower = [](std::string_view tag) {
    std::string out(tag);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return out;
  };
  std::string before;
  for (const LocaleRow& row : rows) {
    const std::string_view tag = row.tag.data();
    CAPTURE(tag);
    CHECK(before < lower(tag));
    before = lower(tag);
    CHECK(locale_row_text(row).ends_with('\n'));
    const auto found = find_locale(tag);
    REQUIRE(found);
    for (const std::string_view field :
         {found->decimal, found->group, found->money_decimal,
          found->money_group, found->minus, found->money, found->negative_money,
          found->long_date, found->short_date, found->time, found->join_long,
          found->join_short})
      CHECK_FALSE(field.empty());
    CHECK(found->sizes.size() == 3);
    CHECK(found->money_sizes.size() == 3);
    CHECK(std::count(found->months.begin(), found->months.end(), '|') == 11);
    CHECK(std::count(found->am_pm.begin(), found->am_pm.end(), '|') == 1);
    if (found->time.find('B') != std::string_view::npos)
      CHECK(std::count(found->day_periods.begin(), found->day_periods.end(),
                       '|') == 23);
  }
}

// "money\tde\t5 EUR" → the answer.
std::string answer_to(const std::string& request) {
  const auto first = request.find('\t');
  const auto second = request.find('\t', first + 1);
  const std::string kind = request.substr(0, first);
  const std::string lang = request.substr(first + 1, second - first - 1);
  const std::string text = request.substr(second + 1);
  if (kind == "number") return number(lang, text);
  if (kind == "money") return money(lang, text);
  if (kind == "date") return date(lang, text);
  if (kind == "short_date") return date(lang, text, DateForm::short_form);
  if (kind == "time") return time_of_day(lang, text);
  if (kind == "datetime") return datetime(lang, text);
  return datetime(lang, text, DateForm::short_form);
}

TEST_CASE("requests from a file are answered") {
  const char* file = std::getenv("PONY_LOCALE_REQUESTS");
  if (file == nullptr) return;
  std::ifstream requests(file);
  std::ofstream answers(std::string(file) + ".answers");
  for (std::string line; std::getline(requests, line);)
    answers << answer_to(line) << '\n';
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
