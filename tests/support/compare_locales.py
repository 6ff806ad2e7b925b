"""Compares pony's numbers, money and dates with ICU's.

    compare_locales.py write FILE            requests for every language
    compare_locales.py compare FILE ANSWERS  ICU's answers to FILE and ours

A request is a line: what is asked, the language, the value.
"""

import datetime
import functools
import random
import re
import sys

import icu

# Beside every tag that the table has a row for.
MORE_TAGS = """de-DE en-US es-PE fr-FR it-IT nb-NO nl-NL pl-PL pt-BR sv-SE
    uk-UA zh-Hans-CN zh-Hant-TW""".split()
NUMBERS = """0 -0 3 -3 12 999 1000 -1234 1234.5 9999.99 10000 12345.678
    -99999 100000.0 1234567 12345678.90 -1234567890123.45 0.5 -0.05 19.90
    123456789012345678901234567890.12345""".split()
AMOUNTS = ["0", "5", "-5", "19.9", "1234.5", "-1234", "12345.25",
           "-1234567.89", "9999999"]
DATES = ["2026-11-21", "2026-01-02", "1999-12-31", "2028-02-29", "2005-05-05",
         "2030-03-09", "2001-04-10", "2002-06-30", "2003-07-01", "2004-08-15",
         "2026-09-03", "2026-10-26"]
TIMES = ["%02d:%02d" % (hour, minute)
         for hour in range(24) for minute in (0, 5, 59)]


def tags_and_currencies(source):
    """Read from core/template, so that nothing of it goes untested."""
    with open(source + "/locale_rows.cc", encoding="utf-8") as rows:
        tags = re.findall(r'^    \{"([^"]+)", \d+, \d+\},$', rows.read(), re.M)
    with open(source + "/locale_rows.py", encoding="utf-8") as script:
        listed = re.search(r'CURRENCIES = """(.*?)"""', script.read(), re.S)
    assert len(tags) > 200 and listed, "the table is not where it was"
    return tags, listed.group(1).split()


def write(file, source):
    tags, currencies = tags_and_currencies(source)
    chance = random.Random(1)
    with open(file, "w", encoding="utf-8") as out:
        for tag in tags + MORE_TAGS:
            def ask(kind, values):
                for value in values:
                    out.write("%s\t%s\t%s\n" % (kind, tag, value))
            ask("number", NUMBERS)
            ask("money", [chance.choice(AMOUNTS) + " " + code
                          for code in currencies
                          if (tag, code) != ("pt-CV", "CVE")])
            ask("money", [amount + " " + code for amount in AMOUNTS
                          for code in ("EUR", "USD", "JPY", "CHF", "KWD")])
            ask("date", DATES)
            ask("short_date", DATES)
            ask("time", TIMES)
            ask("datetime", [day + "T15:04:05Z" for day in DATES])
            ask("short_datetime", [day + " 03:04" for day in DATES])


@functools.lru_cache(None)
def usual_digits(code):
    form = icu.NumberFormat.createCurrencyInstance(icu.Locale("en_US"))
    form.setCurrency(code)
    return form.getMaximumFractionDigits()


class Icu:
    """ICU's answers for one language."""

    def __init__(self, tag):
        self.name = tag.replace("-", "_") + "@calendar=gregorian;numbers=latn"
        self.locale = icu.Locale(self.name)
        form, where = icu.DateFormat, self.locale
        self.forms = {
            "date": form.createDateInstance(form.LONG, where),
            "short_date": form.createDateInstance(form.SHORT, where),
            "time": form.createTimeInstance(form.SHORT, where),
            "datetime":
                form.createDateTimeInstance(form.LONG, form.SHORT, where),
            "short_datetime":
                form.createDateTimeInstance(form.SHORT, form.SHORT, where)}
        for date_form in self.forms.values():
            date_form.setTimeZone(icu.TimeZone.getGMT())

    def number(self, text):
        digits = len(text.partition(".")[2])
        form = icu.NumberFormatter.withLocale(self.locale).precision(
            icu.Precision.fixedFraction(digits))
        return form.formatDecimal(text.encode())

    def money(self, amount, code):
        # Without the locale's word for it, ICU writes every currency as that
        # of the country.
        where = icu.Locale(self.name + ";currency=" + code)
        digits = max(usual_digits(code), len(amount.partition(".")[2]))
        form = icu.NumberFormatter.withLocale(where).precision(
            icu.Precision.fixedFraction(digits)).unit(icu.CurrencyUnit(code))
        return form.formatDecimal(amount.encode())

    def answer(self, kind, text):
        if kind == "number":
            return self.number(text)
        if kind == "money":
            return self.money(*text.split())
        if kind == "time":
            text = "2026-11-21T" + text
        when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        when = when.replace(tzinfo=datetime.timezone.utc)
        return self.forms[kind].format(when.timestamp())


def compare(requests, answers):
    languages, count, wrong = {}, 0, 0
    with open(requests, encoding="utf-8") as asked, \
            open(answers, encoding="utf-8") as given:
        ours = given.read().split("\n")
        for count, line in enumerate(asked, 1):
            kind, tag, text = line.rstrip("\n").split("\t")
            if tag not in languages:
                languages[tag] = Icu(tag)
            theirs = languages[tag].answer(kind, text)
            if theirs != ours[count - 1]:
                wrong += 1
                if wrong <= 40:
                    print("%s %s %s: ICU %a, pony %a" %
                          (kind, tag, text, theirs, ours[count - 1]))
    print("%d values in %d languages compared, %d differ" %
          (count, len(languages), wrong))
    return 1 if wrong or not count else 0


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3])
else:
    sys.exit(compare(sys.argv[2], sys.argv[3]))
