"""Timestamps, the labelled last resort: coarse, from clocks that step back. Equal times of two
different events are a conflict."""

from __future__ import annotations

import re

from anyorder.errors import Malformed

NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""How many of them a unit has, by the word for it."""
TIMESTAMP, BY_TIMES = "timestamp", " by times"
"""The kind, and what the name of its scope says."""
NO_TIME = (
    "not a time with a zone (RFC 3339: 2026-09-10T08:15:30Z, or with +02:00 for the Z) nor an "
    "integer, so have it sent as one of them"
)
NO_UNIT = (
    "an integer tells no unit of time, so nothing tells when it was: say which it is, "
    'unit = "s", "ms", "us" or "ns"'
)
FIRST, END = -62_135_596_800 * 10**9, 253_402_300_800 * 10**9
"""The year 1 begins, the year 9999 is over, in nanoseconds since 1970."""
BEYOND = (
    "{value!r:.30} {unit} since 1970 are no time of the years 1 to 9999: they seem to be counted "
    'in another unit; say which it is, unit = "s", "ms", "us" or "ns"'
)
DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
PATTERN = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[Tt ]"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)",
    re.ASCII,
)


def parse(value: object, unit: str = "") -> tuple[int, ...]:
    """An RFC 3339 time with its zone, or an integer of that unit, as (nanoseconds since 1970,).

    Raises Malformed for anything else, and for an integer where no unit is said.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return (_counted(value, unit),)
    found = None
    if isinstance(value, str):
        found = PATTERN.fullmatch(value)
    if found is None:
        raise Malformed(f"{NO_TIME}: {value!r:.80}")
    told = found.groupdict("0")  # a fraction may be missing
    year, month, day = int(told["year"]), int(told["month"]), int(told["day"])
    hour, minute, second = int(told["hour"]), int(told["minute"]), int(told["second"])
    is_date = 1 <= month <= 12 and 1 <= day <= _length(year, month)
    # RFC 3339 has leap seconds; they are told as the second after them.
    if not is_date or hour > 23 or minute > 59 or second > 60:
        raise Malformed(f"not a time: {value!r:.80}")
    seconds = (
        _days(year, month, day) * 86_400
        + hour * 3600
        + minute * 60
        + second
        - _offset(told["zone"])
    )
    return (seconds * 1_000_000_000 + int(told["fraction"].ljust(9, "0")),)


def _counted(value: int, unit: str) -> int:
    """An integer of a unit, in nanoseconds."""
    if unit not in NANOSECONDS:
        raise Malformed(f"{NO_UNIT}: {value!r:.80}")
    nanoseconds = value * NANOSECONDS[unit]
    # Milliseconds taken for seconds would order, until somebody corrects the unit.
    if not FIRST <= nanoseconds < END:
        raise Malformed(BEYOND.format(value=value, unit=unit))
    return nanoseconds


def _length(year: int, month: int) -> int:
    return DAYS_OF_MONTH[month - 1] + (month == 2 and _leap(year))


def _leap(year: int) -> bool:
    # Of the years that end a century, only every fourth.
    if year % 100 == 0:
        return year % 400 == 0
    return year % 4 == 0


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar."""
    before = year - 1
    return (
        before * 365
        + before // 4
        - before // 100
        + before // 400
        + DAYS_BEFORE_MONTH[month - 1]
        + (_leap(year) and month > 2)
        + day
        - 719_163
    )


def _offset(zone: str) -> int:
    if zone in "Zz":
        return 0
    # "+05:30" and "+0530" are both in use.
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    seconds = hours * 3600 + minutes * 60
    if zone[0] == "-":
        return -seconds
    return seconds


def utc(microseconds: int) -> str:
    """Microseconds since 1970 as `2026-11-24 08:15:30.123456Z`, for any year from 1 to 9999."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    days, rest = divmod(seconds, 86_400)
    year, month, day = _date(days)
    hour, minute, second = rest // 3600, rest // 60 % 60, rest % 60
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}.{fraction:06d}Z"


def moment(nanoseconds: int) -> str:
    """Nanoseconds since 1970 as `utc` has them; three digits more where they tell something."""
    microseconds, rest = divmod(nanoseconds, 1000)
    text = utc(microseconds)
    return text if rest == 0 else f"{text[:-1]}{rest:03d}Z"


def _date(days: int) -> tuple[int, int, int]:
    """Days since 1970-01-01 as a civil date (H. Hinnant, "chrono-compatible low-level date
    algorithms")."""
    # Years that begin in March, so that a leap day is their last day; eras of 400 years.
    shifted = days + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    leap_days = day_of_era // 1460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leap_days) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = (shifted_month + 2) % 12 + 1
    # January and February belong to the civil year that follows.
    return year_of_era + era * 400 + (month <= 2), month, day
