"""The dates that reports are asked for: fixed when the read starts, in UTC."""

from __future__ import annotations

import re
from typing import Any

import pendulum

_DAY_FIRST = re.compile(r"(\d{2})-(\d{2})-(\d{4})")


class SyncDates:
    """Fills the manifest's placeholders: {today} and {last_month_end}, with a strftime format."""

    def __init__(self) -> None:
        today = pendulum.now("UTC")
        self._known = {"today": today, "last_month_end": today.start_of("month").subtract(days=1)}

    def filled(self, value: str) -> str:
        """A request parameter with its dates: "{today:%d-%m-%Y}" becomes 21-11-2026."""
        return value.format_map(self._known) if "{" in value else value

    @staticmethod
    def as_field(value: str) -> Any:
        """A request parameter as a record's field: numbers as such, dates as ISO 8601."""
        if value.isdigit():
            return int(value)
        day_first = _DAY_FIRST.fullmatch(value)
        return "{2}-{1}-{0}".format(*day_first.groups()) if day_first else value
