"""Codat's timestamps: 0 to 7 fractional digits, with or without a zone (UTC then).

An *instant* is an int: ticks of 100 ns since 0001-01-01T00:00:00Z, the resolution of the
seven-digit form, so that nothing is ever rounded. Source: Codat's documented date forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache

import pendulum

TICKS_PER_SECOND = 10_000_000
_TICKS_PER_MILLISECOND = 10_000
_FIRST = datetime(1, 1, 1, tzinfo=timezone.utc)
_FORM = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?"
    r"\s*(Z|z|[+-]\d{2}:?\d{2})?"
)


@lru_cache(maxsize=4096)
def instant(text: str) -> int | None:
    """The instant a Codat timestamp names, or None where the text is no timestamp."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - 1
    except ValueError:
        return None
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 24 or minutes > 59 or seconds > 60:  # 24:00 and leap seconds are valid ISO 8601
        return None
    # An eighth digit and beyond is cut: a cursor must never be rounded up.
    ticks = int((fraction or "0")[:7].ljust(7, "0"))
    ticks += (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * TICKS_PER_SECOND
    if zone and zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        ticks -= (offset if zone[0] == "+" else -offset) * TICKS_PER_SECOND
    return ticks


def second(text: str | None) -> int | None:
    """The instant a timestamp names, cut to the second: a row's own stamp may be cut as well."""
    ticks = instant(text or "")
    return None if ticks is None else ticks - ticks % TICKS_PER_SECOND


def latest(texts: Iterable[str | None]) -> int | None:
    """The latest instant among timestamps, of those that are one."""
    # A whole sync often carries one value: parse each distinct text once.
    found = [ticks for text in set(texts) if text and (ticks := instant(text)) is not None]
    return max(found, default=None)


def iso(ticks: int) -> str:
    """An instant in full, UTC: 2024-05-01T10:22:43.6464237Z, trailing zeros cut."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    moment = _FIRST + timedelta(seconds=seconds)
    digits = f"{fraction:07d}".rstrip("0")
    return _text(moment) + (f".{digits}" if digits else "") + "Z"


def query_date(ticks: int) -> str:
    """An instant as a literal for Codat's query language: milliseconds, rounded down."""
    ticks -= ticks % _TICKS_PER_MILLISECOND
    seconds, fraction = divmod(max(ticks, 0), TICKS_PER_SECOND)
    moment = _FIRST + timedelta(seconds=seconds)
    return f"{_text(moment)}.{fraction // _TICKS_PER_MILLISECOND:03d}Z"


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


def from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime."""
    delta = moment.astimezone(timezone.utc) - _FIRST
    return (delta.days * 86_400 + delta.seconds) * TICKS_PER_SECOND + delta.microseconds * 10


def now() -> int:
    """The present instant by this machine's own clock."""
    return from_datetime(datetime.now(timezone.utc))


def from_http_date(text: str | None) -> int | None:
    """The instant of an HTTP date header, or None where it is missing or no date."""
    if not text:
        return None
    try:
        return from_datetime(parsedate_to_datetime(text))
    except (TypeError, ValueError):
        return None


def from_start_date(text: str) -> int:
    """The instant of a configured start date; raises ValueError where it is no date."""
    parsed = pendulum.parse(text, tz="UTC", exact=False, strict=True)
    if not isinstance(parsed, pendulum.DateTime):
        raise ValueError(text)
    return from_datetime(parsed)
