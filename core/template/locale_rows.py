#!/usr/bin/python3
"""Prints core/template/locale_rows.cc: how languages write numbers, money and
dates, as CLDR says it, read from the ICU that python3-icu is built with.

    core/template/locale_rows.py > core/template/locale_rows.cc

Needs nothing else. locale_table.h says what a row's lines mean. Two decisions
are made here: digits are Latin everywhere and the calendar is the Gregorian
one. Left out are languages that CLDR gives another calendar (th, fa).
"""

import re
import sys
import unicodedata

import icu

LANGUAGES = """
    af ar az be bg bs ca cs cy da de el en es et eu fi fil fr ga gl he hi hr hu
    hy id is it ja ka kk ko lb lt lv mk ms mt nb nl nn no pl pt ro ru sk sl sq
    sr sv sw tr uk vi zh""".split()

# Beside the shorter tags: whose children regions may be.
PARENTS = ["en-001", "en-150", "es-419", "fr-CA", "pt-PT"]

# Tags that people write, without the script that CLDR's tags have.
WITHOUT_SCRIPT = {
    "sr-BA": "sr-Cyrl-BA", "sr-ME": "sr-Latn-ME", "zh-HK": "zh-Hant-HK",
    "zh-MO": "zh-Hant-MO", "zh-SG": "zh-Hans-SG", "zh-TW": "zh-Hant"}

# What ISO 4217 lists, and what left it not long ago. Without funds, metals,
# units of account and codes for tests.
CURRENCIES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB
    BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP
    DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG
    HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR
    MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SYP SZL THB TJS TMT
    TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF
    YER ZAR ZMW ZWL""".split()

# CLDR writes 5$00 and nothing else, which needs a form for one currency in one
# country; "5,00 CVE" does.
NOT_TAKEN = ("pt-CV", "CVE")

MONEY_GROUP = 17  # UNUM_MONETARY_GROUPING_SEPARATOR_SYMBOL; PyICU has no name


def locale(tag, more=""):
    return icu.Locale(tag.replace("-", "_") +
                      "@calendar=gregorian;numbers=latn" + more)


def sizes(pattern, formatter):
    """Three digits: the first group's size, the others', and how many digits
    must stand before the first group."""
    positive = pattern.split(";")[0]
    if "," not in positive:
        return "000"
    groups = re.sub(r"[^#0,.]", "", positive).split(".")[0].split(",")
    first = len(groups[-1])
    others = len(groups[-2]) if len(groups) > 2 else first
    for least in range(1, 5):
        shown = formatter.formatInt(10 ** (first + least - 1))
        if not re.search(r"\d{%d}" % (first + least), shown):
            return "%d%d%d" % (first, others, least)
    raise AssertionError("%s never groups" % pattern)


def around_number(pattern):
    """A money pattern with # for the whole number: "¤#"."""
    found = re.sub(r"[#0][#0,.]*", "#", pattern)
    # The space between a number and what follows must stand in the pattern.
    assert "'" not in pattern and "#¤" not in found, pattern
    return found


def day_periods(tag):
    """What CLDR calls each hour of the day."""
    form = icu.SimpleDateFormat("B", locale(tag))
    form.setTimeZone(icu.TimeZone.getGMT())
    return "|".join(form.format(hour * 3600.0 + 1800) for hour in range(24))


def checked(pattern, letters):
    """`pattern`, in which only those letters stand for something."""
    bare = re.sub(r"'[^']*'", "", pattern)
    runs = {m.group() for m in re.finditer(r"([A-Za-z])\1*", bare)}
    assert runs <= letters, (pattern, runs)
    return pattern


def joined(both, date, time):
    """How a date (D) and a time (T) are joined; other letters are quoted."""
    assert date in both and time in both, both
    glue = both.replace(date, "\0", 1).replace(time, "\1", 1)
    checked(glue, set())
    glue = glue.replace("'", "")
    assert not set(glue) & {"D", "T"}, glue
    return glue.replace("\0", "D").replace("\1", "T")


def money_fields(tag, currency):
    where = locale(tag, ";currency=" + currency)
    money = icu.NumberFormat.createCurrencyInstance(where)
    signs = money.getDecimalFormatSymbols()
    patterns = money.toPattern().split(";")
    if len(patterns) == 1:
        patterns.append("-" + patterns[0])
    # Unlike `money` it knows that Spanish writes 1234 and 12.345.
    formatter = icu.NumberFormatter.withLocale(where).unit(
        icu.CurrencyUnit(currency))
    return {
        ":": signs.getSymbol(icu.DecimalFormatSymbols.kMonetarySeparatorSymbol),
        ";": signs.getSymbol(MONEY_GROUP),
        "$": sizes(money.toPattern(), formatter),
        "p": around_number(patterns[0]),
        "n": around_number(patterns[1]),
    }


def number_fields(tag):
    number = icu.NumberFormat.createInstance(locale(tag))
    signs = number.getDecimalFormatSymbols()
    kind = icu.DecimalFormatSymbols
    return {
        ".": signs.getSymbol(kind.kDecimalSeparatorSymbol),
        ",": signs.getSymbol(kind.kGroupingSeparatorSymbol),
        "-": signs.getSymbol(kind.kMinusSignSymbol),
        "#": sizes(number.toPattern(),
                   icu.NumberFormatter.withLocale(locale(tag))),
    }


def date_fields(tag):
    where = locale(tag)
    style = icu.DateFormat
    time = style.createTimeInstance(style.SHORT, where).toPattern()
    long_date, short_date = (
        style.createDateInstance(s, where).toPattern()
        for s in (style.LONG, style.SHORT))
    long_both, short_both = (
        style.createDateTimeInstance(s, style.SHORT, where).toPattern()
        for s in (style.LONG, style.SHORT))
    words = icu.DateFormatSymbols(where)
    months = words.getMonths(words.FORMAT, words.WIDE)[:12]
    date_letters = {"d", "dd", "M", "MM", "MMMM", "y", "yy"}
    found = {
        "l": checked(long_date, date_letters),
        "s": checked(short_date, date_letters),
        "t": checked(time, {"h", "hh", "H", "HH", "mm", "a", "B"}),
        "j": joined(long_both, long_date, time),
        "k": joined(short_both, short_date, time),
        "m": "|".join(months),
        "a": "|".join(words.getAmPmStrings()),
    }
    if "B" in time:
        found["b"] = day_periods(tag)
    return found


def exceptions(tag, usual):
    """The currencies that the language writes as another one does."""
    found = {}
    for code in CURRENCIES:
        if (tag, code) != NOT_TAKEN and money_fields(tag, code) != usual:
            # All that there is: euros in the English of the continent.
            assert money_fields(tag, code) == money_fields("en-001", code)
            found[code] = "en-001"
    return {"x": symbol_list(found)} if found else {}


def fields(tag):
    """The lines of a language, whole: {mark: text}."""
    # XTS, a code for tests, has no form of its own anywhere.
    money = money_fields(tag, "XTS")
    return (number_fields(tag) | money | date_fields(tag) |
            exceptions(tag, money))


def currency_symbols(tag):
    """{code: sign}, or {code: code} where there is none."""
    form = icu.NumberFormat.createCurrencyInstance(locale(tag))
    found = {}
    for code in CURRENCIES:
        form.setCurrency(code)
        signs = form.getDecimalFormatSymbols()
        found[code] = signs.getSymbol(
            icu.DecimalFormatSymbols.kCurrencySymbol)
        if (tag, code) == NOT_TAKEN:
            found[code] = code
        assert found[code].strip("\u200b"), "an amount of nothing"
    return found


def digits_by_count():
    """{count: codes} of the currencies that don't have two digits."""
    found = {}
    for code in CURRENCIES:
        form = icu.NumberFormat.createCurrencyInstance(icu.Locale("en_US"))
        form.setCurrency(code)
        count = form.getMaximumFractionDigits()
        if count != 2:
            found.setdefault(count, []).append(code)
    return found


def difference(whole, parent):
    return {mark: text for mark, text in whole.items()
            if parent.get(mark) != text}


def collect():
    """{tag: (parent, lines, symbols)}; each says what its parent doesn't."""
    root_symbols = currency_symbols("root")
    available = sorted(icu.Locale.getAvailableLocales())
    tags = [name.replace("_", "-") for name in available
            if name.split("_")[0] in LANGUAGES and name != "en_US_POSIX"]
    whole = {tag: fields(tag) for tag in tags}
    symbols = {tag: currency_symbols(tag) for tag in tags}
    rows = {}

    def child_of(tag, parent):
        return (parent, difference(whole[tag], whole[parent]),
                difference(symbols[tag], symbols[parent]))

    def size(row):
        return len(repr(row[1:]))

    # Parents come before their children.
    order = [t for t in tags if "-" not in t]
    order += [t for t in PARENTS if t not in order]
    order += [t for t in tags if t not in order]
    for tag in order:
        if "-" not in tag:
            rows[tag] = ("", whole[tag],
                         difference(symbols[tag], root_symbols))
            continue
        parts = tag.split("-")
        shorter = ["-".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]
        nearest = next(t for t in shorter if t in rows)
        # A child cannot take back its parent's exceptions.
        others = [t for t in rows if t in PARENTS and t != tag and
                  t.split("-")[0] == parts[0] and
                  ("x" in whole[tag] or "x" not in whole[t])]
        best = min([child_of(tag, t) for t in [nearest] + others], key=size)
        if best[0] != nearest or best[1] or best[2]:
            rows[tag] = best
    for tag, like in WITHOUT_SCRIPT.items():
        rows[tag] = (like, {}, {})
    root = {code: sign for code, sign in root_symbols.items() if sign != code}
    return rows, root


def literal(text):
    """A C++ string literal; what cannot be seen is escaped."""
    out = []
    for char in text:
        if char in "\\\"":
            out.append("\\" + char)
        elif char == "\n":
            out.append("\\n")
        elif unicodedata.category(char)[0] in "CZM" and char != " ":
            out.append("\\u%04x" % ord(char))
        else:
            out.append(char)
    return '"%s"' % "".join(out)


def symbol_list(symbols):
    return "|".join(code + sign for code, sign in sorted(symbols.items()))


def row_lines(parent, lines, symbols):
    found = ["<" + parent] if parent else []
    found += [mark + text for mark, text in lines.items()]
    if symbols:
        found.append("c" + symbol_list(symbols))
    assert not any("\n" in line for line in found)
    return [line + "\n" for line in found]


def pack(lines):
    """As few strings as fit a screen's width."""
    packed = [""]
    for line in lines:
        if packed[-1] and len(literal(packed[-1] + line)) > 74:
            packed.append("")
        packed[-1] += line
    return packed


FUNCTIONS = """
}  // namespace

std::span<const LocaleRow> locale_rows() {
  return k_rows;
}

std::string_view locale_row_text(const LocaleRow& row) {
  return {k_text + row.begin, row.size};
}

std::string_view common_symbols() {
  return k_symbols;
}

unsigned usual_digits(std::string_view currency) {
  if (k_without_digits.find(currency) != std::string_view::npos) return 0;
  if (k_with_three_digits.find(currency) != std::string_view::npos) return 3;
  return 2;
}

}  // namespace pony
"""


def main():
    rows, root = collect()
    out = sys.stdout.write
    out("// Generated by locale_rows.py from ICU %s: CLDR's forms of numbers, "
        "money and\n// dates. Don't edit; what the marks mean is said in "
        "locale_table.h. The data's\n// licence is locale_rows.LICENSE.\n"
        % icu.ICU_VERSION)
    out('#include "core/template/locale_table.h"\n\nnamespace pony {\n'
        "namespace {\n\n// clang-format off\n"
        "constexpr char k_text[] =\n")
    index = []
    position = 0
    for tag in sorted(rows, key=str.lower):
        lines = row_lines(*rows[tag])
        out("    // %s\n" % tag)
        for packed in pack(lines):
            out("    %s\n" % literal(packed))
        length = len("".join(lines).encode())
        index.append('    {"%s", %d, %d},\n' % (tag, position, length))
        position += length
    assert position < 0x10000 and max(map(len, rows)) < 12
    out("    ;\n\nconstexpr LocaleRow k_rows[] = {\n")
    out("".join(index))
    out("};\n\nconstexpr std::string_view k_symbols =\n")
    out("\n".join("    " + literal(part) for part in
                  re.findall(r".{1,60}(?:\||$)", symbol_list(root))))
    out(";\n")
    digits = digits_by_count()
    assert set(digits) == {0, 3}, digits
    for count, name in ((0, "k_without_digits"), (3, "k_with_three_digits")):
        out("\nconstexpr std::string_view %s =\n" % name)
        out("\n".join("    " + literal(part) for part in
                      re.findall(r".{1,60}(?: |$)", " ".join(digits[count]))))
        out(";\n")
    out("// clang-format on\n" + FUNCTIONS)


main()
