"""Weekdays, months, leap years, dates and times of day, in the Gregorian calendar."""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

from envs.chance import pick
from envs.families.cldr import locale_data, month_names, weekday_names
from envs.families.lookup import Computed, Fact, Facts, lookup
from envs.family import Family
from envs.languages import CODES

YEARS = range(2000, 2100)
EPOCH = date(2000, 1, 1)
# whose long dates have no era and are written in the digits 0 to 9
DATE_LANGUAGES = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "no",
    "fi",
    "pl",
    "cs",
    "hu",
    "ro",
    "el",
    "bg",
    "ru",
    "uk",
    "id",
    "tr",
    "ja",
    "zh",
)


def long_date(language: str, day: date) -> str:
    """The date in words, after CLDR's long pattern: "24. November 2026" in German."""
    pattern = str(locale_data(language)["date_formats"]["long"])
    names = locale_data(language)["months"]["format"]["wide"]
    parts = {"y": str(day.year), "MMMM": names[day.month], "M": str(day.month), "d": str(day.day)}
    return re.sub(r"'([^']*)'|MMMM|[yMd]", lambda found: found[1] or parts[found[0]], pattern)


@cache
def next_days(language: str) -> tuple[Fact, ...]:
    names = weekday_names(language)
    return tuple(Fact("next_day", name, names[(number + 1) % 7]) for number, name in enumerate(names))


def days_after(language: str) -> Facts:
    names = weekday_names(language)

    def fact(number: int) -> Fact:
        count, start = divmod(number, 7)
        return Fact("day_after", names[start], names[(start + count + 2) % 7], y=str(count + 2))

    return Computed(7 * 29, fact)


def walk_on(num_steps: int, steps: tuple[int, ...]) -> Callable[[str, Fact, int], tuple[Fact, ...]]:
    """From the opening's answer to a neighbouring day, and on from there: `steps` are 1 (next) and -1 (before)."""

    def follow_ups(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
        names = weekday_names(language)
        position, facts = names.index(opening.answer), []
        for number in range(num_steps):
            step = pick(steps, seed, number, "step")
            position = (position + step) % 7
            facts.append(Fact("and_next_day" if step > 0 else "and_day_before", "", names[position]))
        return tuple(facts)

    return follow_ups


@cache
def next_months(language: str) -> tuple[Fact, ...]:
    names = month_names(language)
    return tuple(Fact("next_month", name, names[(number + 1) % 12]) for number, name in enumerate(names))


@cache
def month_numbers(language: str) -> tuple[Fact, ...]:
    names = enumerate(month_names(language), start=1)
    return tuple(Fact("month_number", name, str(number), kind="integer") for number, name in names)


def month_lengths(language: str) -> Facts:
    """The months of one common year, named alone. February is only asked with its year, in `dated_month_lengths`."""
    names = month_names(language)
    lengths = [calendar.monthrange(2025, month)[1] for month in range(1, 13)]
    rows = [(name, length) for name, length in zip(names, lengths, strict=True) if length != 28]
    return tuple(Fact("how_many_days", name, str(length), kind="integer") for name, length in rows)


def dated_month_lengths(language: str) -> Facts:
    def fact(number: int) -> Fact:
        year, month = divmod(number, 12)
        length = calendar.monthrange(YEARS[year], month + 1)[1]
        return Fact("how_many_days", f"{YEARS[year]}-{month + 1:02}", str(length), kind="integer")

    return Computed(12 * len(YEARS), fact)


def year_lengths(years: range) -> Computed:
    def fact(number: int) -> Fact:
        return Fact("how_many_days", str(years[number]), str(365 + calendar.isleap(years[number])), kind="integer")

    return Computed(len(years), fact)


def next_leap_years(years: range) -> Computed:
    def fact(number: int) -> Fact:
        later = next(year for year in range(years[number] + 1, years[number] + 9) if calendar.isleap(year))
        return Fact("next_leap_year", str(years[number]), str(later), kind="integer")

    return Computed(len(years), fact)


def weekdays_of(first: date, num_days: int, language: str) -> Facts:
    names = weekday_names(language)

    def fact(number: int) -> Fact:
        day = first + timedelta(days=number)
        return Fact("weekday_of", day.isoformat(), names[day.weekday()])

    return Computed(num_days, fact)


def written_dates(first: date, num_days: int, language: str) -> Facts:
    def fact(number: int) -> Fact:
        day = first + timedelta(days=number)
        return Fact("iso_date", long_date(language, day), day.isoformat(), kind="exact")

    return Computed(num_days, fact)


def date_sums(num_days: int, largest: int) -> Computed:
    """Dates from 2000 on plus 2 to `largest` days."""

    def fact(number: int) -> Fact:
        start, count = divmod(number, largest - 1)
        day = EPOCH + timedelta(days=start)
        due = day + timedelta(days=count + 2)
        return Fact("date_plus", day.isoformat(), due.isoformat(), y=str(count + 2), kind="exact")

    return Computed(num_days * (largest - 1), fact)


def days_later(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
    day, facts = date.fromisoformat(opening.answer), []
    for step in range(2):
        count = pick(range(2, 31), seed, step, "days")
        day += timedelta(days=count)
        facts.append(Fact("and_days_later", "", day.isoformat(), y=str(count), kind="exact"))
    return tuple(facts)


def clock(minutes: int) -> str:
    """The time of day at so many minutes after midnight: `clock(65)` is "01:05"."""
    hours, rest = divmod(minutes % 1440, 60)
    return f"{hours:02}:{rest:02}"


def minutes_between(step: int, longest: int, starts: range) -> Computed:
    """From each time in `starts` (minutes after midnight) to one up to `longest` later, in steps of `step`."""
    lengths = range(step, longest + 1, step)

    def fact(number: int) -> Fact:
        start, length = divmod(number, len(lengths))
        begin, minutes = starts[start], lengths[length]
        return Fact("minutes_between", clock(begin), str(minutes), y=clock(begin + minutes), kind="integer")

    return Computed(len(starts) * len(lengths), fact)


def time_sums(step: int, longest: int, starts: range) -> Computed:
    lengths = range(step, longest + 1, step)

    def fact(number: int) -> Fact:
        start, length = divmod(number, len(lengths))
        begin, minutes = starts[start], lengths[length]
        return Fact("time_plus", clock(begin), clock(begin + minutes), y=str(minutes), kind="exact")

    return Computed(len(starts) * len(lengths), fact)


def minutes_later(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
    hours, minutes = opening.answer.split(":")
    time, facts = 60 * int(hours) + int(minutes), []
    for step in range(2):
        more = pick(range(5, 60, 5), seed, step, "minutes")
        time += more
        facts.append(Fact("and_minutes_later", "", clock(time), y=str(more), kind="exact"))
    return tuple(facts)


SCENARIOS: tuple[Family, ...] = (
    Family(
        "weekdays",
        "dates-numbers",
        "The weekday some days later.",
        (lookup(next_days), lookup(days_after)),
        CODES,
    ),
    Family(
        "weekday-dialog",
        "dates-numbers",
        "The next weekday, then its neighbours.",
        (lookup(next_days, walk_on(1, (1,)), num_wordings=1), lookup(next_days, walk_on(4, (1, -1)))),
        CODES,
    ),
    Family(
        "months",
        "dates-numbers",
        "The next month, and the number of a month.",
        (lookup(next_months, num_wordings=1), lookup(month_numbers)),
        CODES,
    ),
    Family(
        "days-in-month",
        "dates-numbers",
        "How many days a month has, then in a given year.",
        (lookup(month_lengths), lookup(dated_month_lengths)),
        CODES,
    ),
    Family(
        "leap-years",
        "dates-numbers",
        "How many days a year has, and which leap year comes next.",
        (
            lookup(lambda language: year_lengths(range(2000, 2040)), num_wordings=1),
            lookup(lambda language: next_leap_years(range(2000, 2100))),
            lookup(lambda language: next_leap_years(range(1600, 2400))),
        ),
        CODES,
    ),
    Family(
        "weekday-of-date",
        "dates-numbers",
        "The weekday of a date: of one month, one year, one century.",
        (
            lookup(lambda language: weekdays_of(date(2026, 11, 1), 30, language), num_wordings=1),
            lookup(lambda language: weekdays_of(date(2026, 1, 1), 365, language)),
            lookup(lambda language: weekdays_of(EPOCH, 36525, language)),
        ),
        CODES,
    ),
    Family(
        "written-dates",
        "dates-numbers",
        "A date in words, to be written with digits.",
        (
            lookup(lambda language: written_dates(date(2026, 1, 1), 31, language), num_wordings=1),
            lookup(lambda language: written_dates(date(2026, 1, 1), 365, language)),
            lookup(lambda language: written_dates(EPOCH, 36525, language)),
        ),
        DATE_LANGUAGES,
    ),
    Family(
        "date-sums",
        "dates-numbers",
        "The date some days later, and follow-ups that count on.",
        (
            lookup(lambda language: date_sums(31, 9), num_wordings=1),
            lookup(lambda language: date_sums(366, 30), days_later),
            lookup(lambda language: date_sums(9000, 99), days_later),
        ),
        CODES,
    ),
    Family(
        "time-differences",
        "dates-numbers",
        "The minutes between two times of day.",
        (
            lookup(lambda language: minutes_between(10, 50, range(480, 720, 15)), num_wordings=1),
            lookup(lambda language: minutes_between(5, 180, range(360, 1200, 5))),
            lookup(lambda language: minutes_between(1, 719, range(720))),
        ),
        CODES,
    ),
    Family(
        "clock-dialog",
        "dates-numbers",
        "The time of day some minutes later, and follow-ups that count on.",
        (
            lookup(lambda language: time_sums(10, 50, range(480, 720, 15)), num_wordings=1),
            lookup(lambda language: time_sums(5, 180, range(360, 1200, 5)), minutes_later),
        ),
        CODES,
    ),
)
