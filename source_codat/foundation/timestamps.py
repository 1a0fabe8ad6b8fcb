"""Codat's timestamps: 0 to 7 fractional digits, with or without a zone (UTC then).

An *instant* is an int: ticks of 100 ns since 0001-01-01T00:00:00Z, the resolution of the
seven-digit form, so that nothing is ever rounded. Source: Codat's documented date forms.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

import pendulum

TICKS_PER_SECOND = 10_000_000
FIRST = 0
# Codat's clock has never shown an earlier time (2000-01-01): such a date is a way to say that there is none.
FIRST_USABLE_DATE = 730_119 * 86_400 * TICKS_PER_SECOND
LAST = 3_652_059 * 86_400 * TICKS_PER_SECOND - 1  # 9999-12-31T23:59:59.9999999Z
_TICKS_PER_MILLISECOND = 10_000
TICKS_PER_MICROSECOND = 10
TICKS_PER_DAY = 86_400 * TICKS_PER_SECOND
_YEAR_ONE = datetime(1, 1, 1)  # noqa: DTZ001 - naive datetimes are added to without a zone's arithmetic
_LONGEST = 100  # characters; no date that anybody means is longer
_FORM = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?"
    r"\s*(?:[Zz]|([+-])(\d{2}):?(\d{2}))?",
    re.ASCII,
)


class Span(NamedTuple):
    """The first and the last instant that a timestamp can stand for, as its precision leaves it open."""

    first: int
    last: int


def instant(text: str) -> int | None:
    """The instant a Codat timestamp names, from year 1 to 9999 in UTC; None where the text names none."""
    found = span(text)
    return found.first if found else None


def span(text: str) -> Span | None:
    """All instants that a Codat timestamp can stand for; None where the text is no timestamp.

    A value cut to the second stands for the whole second, one without a time for the whole day.
    Zeros at a fraction's end may stand for digits that were cut.
    """
    return _span(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _span(text: str) -> Span | None:
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - 1
    except ValueError:
        return None
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 24 or minutes > 59 or seconds > 60:  # 24:00 and leap seconds are valid ISO 8601
        return None
    # An eighth digit and beyond is cut: a cursor must never be rounded up.
    digits = (fraction or "")[:7]
    first = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if sign:
        offset = int(zone_hours) * 3600 + int(zone_minutes) * 60
        first -= offset if sign == "+" else -offset
    first = first * TICKS_PER_SECOND + int(digits.ljust(7, "0"))
    if hour is None:
        width = TICKS_PER_DAY
    elif second is None:
        width = 60 * TICKS_PER_SECOND
    else:
        width = 10 ** (7 - len(digits.rstrip("0")))
    return Span(first, min(first + width - 1, LAST)) if FIRST <= first <= LAST else None


def second(text: str | None) -> int | None:
    """The instant a timestamp names, cut to the second: a row's own stamp may be cut as well."""
    ticks = instant(text or "")
    return None if ticks is None else ticks - ticks % TICKS_PER_SECOND


def iso(ticks: int) -> str:
    """An instant in full, UTC: 2024-05-01T10:22:43.6464237Z, trailing zeros cut.

    What lies before year 1 or after 9999 is written as the nearest instant that can be.
    """
    seconds, fraction = divmod(_within(ticks), TICKS_PER_SECOND)
    digits = f"{fraction:07d}".rstrip("0")
    return _text(seconds) + (f".{digits}" if digits else "") + "Z"


def iso_to_the_microsecond(ticks: int) -> str:
    """An instant with six digits of its second, UTC, cut: as texts they sort like the instants."""
    seconds, fraction = divmod(_within(ticks), TICKS_PER_SECOND)
    return f"{_text(seconds)}.{fraction // TICKS_PER_MICROSECOND:06d}Z"


def query_date(ticks: int) -> str:
    """An instant as a literal for Codat's query language: milliseconds, rounded down; bounded like `iso`."""
    seconds, fraction = divmod(_within(ticks), TICKS_PER_SECOND)
    return f"{_text(seconds)}.{fraction // _TICKS_PER_MILLISECOND:03d}Z"


def _within(ticks: int) -> int:
    return min(max(ticks, FIRST), LAST)


def _text(seconds: int) -> str:
    return (_YEAR_ONE + timedelta(seconds=seconds)).isoformat()


def from_datetime(moment: datetime) -> int:
    """The instant of a datetime, which is in UTC where it names no zone.

    At the ends of the calendar a zone can make that less than FIRST or more than LAST.
    """
    delta = moment.replace(tzinfo=None) - _YEAR_ONE - (moment.utcoffset() or timedelta())
    return (delta.days * 86_400 + delta.seconds) * TICKS_PER_SECOND + delta.microseconds * 10


def now() -> int:
    """The present instant by this machine's own clock."""
    return from_datetime(datetime.now(timezone.utc))


def from_http_date(text: str | None) -> int | None:
    """The instant of an HTTP date header, or None where it is missing or no date."""
    if not text or len(text) > _LONGEST:
        return None
    try:
        ticks = from_datetime(parsedate_to_datetime(text))
    except Exception:  # noqa: BLE001 - the parser trusts what it is given, and raises errors of many kinds
        return None
    return ticks if FIRST <= ticks <= LAST else None


def from_start_date(text: str) -> int:
    """The instant of a configured start date; raises ValueError where it is no date."""
    ticks = _parsed_by_pendulum(text)
    if not FIRST <= ticks <= LAST:
        raise ValueError(text)
    return ticks


def from_human_date(text: str) -> int | None:
    """The instant of a date in any form that people and servers write; None where it is none.

    What a zone puts before year 1 or after 9999 is the nearest instant that can be.
    """
    found = instant(text)
    if found is None:
        found = from_http_date(text)
    if found is not None or len(text) > _LONGEST:
        return found
    try:
        return _within(_parsed_by_pendulum(text))
    except ValueError:
        return None


def _parsed_by_pendulum(text: str) -> int:
    try:
        parsed = pendulum.parse(text, tz="UTC", exact=False, strict=True)
        if not isinstance(parsed, pendulum.DateTime):
            raise ValueError(text)
        return from_datetime(parsed)
    except Exception as error:  # the parser raises errors of many kinds
        raise ValueError(text) from error
