"""Date-times as Codat writes them, compared as instants.

An instant is an integer count of 100-nanosecond ticks since 1970-01-01 UTC: Codat sends up to seven
fractional digits, one more than Python's datetime holds.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

TICKS = 10_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|z|[+-]\d\d:?\d\d)?)?\Z"
)


@lru_cache(maxsize=262_144)
def instant(text: str) -> int | None:
    """Return the instant a text names, reading one without a zone as UTC; None when it names none."""
    found = _FORM.match(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    ticks = (days * 86_400 + hours * 3_600 + minutes * 60 + seconds) * TICKS
    ticks += int((fraction or "0").ljust(7, "0")[:7])
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        ticks -= sign * (int(zone[1:3]) * 60 + int(zone[-2:])) * 60 * TICKS
    return ticks


def known(text: str) -> int:
    """Return the instant a text names; ValueError when it names none."""
    found = instant(text)
    if found is None:
        raise ValueError(f"no date-time: {text!r}")
    return found


def render(ticks: int, digits: int = 7, zone: str = "Z") -> str:
    """Write an instant with so many fractional digits, cutting what doesn't fit."""
    seconds, fraction = divmod(ticks, TICKS)
    days, rest = divmod(seconds, 86_400)
    day = date.fromordinal(days + _EPOCH_DAY)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    text = f"{day.isoformat()}T{clock}"
    if digits:
        text += f".{fraction:07d}"[: digits + 1]
    return text + zone


def of_datetime(moment: datetime) -> int:
    """Return the instant of a datetime, reading a naive one as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    gap = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (gap.days * 86_400 + gap.seconds) * TICKS + gap.microseconds * 10


def to_datetime(ticks: int) -> datetime:
    """Return an instant as an aware UTC datetime, cut to microseconds."""
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=ticks // 10)
