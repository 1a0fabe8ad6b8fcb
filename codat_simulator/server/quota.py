"""How many requests a client may make, and what each response says of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

from codat_simulator.http.answers import Refusal
from codat_simulator.world.clock import Clock

_FORMS: dict[str, Callable[[datetime], str]] = {
    "iso": lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "http": lambda moment: format_datetime(moment, usegmt=True),
    "epoch": lambda moment: str(int(moment.timestamp())),
}


class Quota:
    """The daily quota: a limit, what is left of it, and when it starts afresh."""

    def __init__(self, clock: Clock) -> None:
        """Allow a million requests a day; tests set `limit` and `remaining` to run out sooner."""
        self._clock = clock
        self.limit = 1_000_000
        self.remaining = 1_000_000
        self.reset_form = "iso"
        """How dates are written in headers: iso, http or epoch."""
        self.retry_form = "seconds"
        """How `Retry-After` is written: seconds, iso, http, epoch, or none to leave it out."""
        self.resets_at = self._midnight()

    def _midnight(self) -> datetime:
        today = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return today + timedelta(days=1)

    def as_codat(self, active_companies: int) -> None:
        """Allow what Codat does: a thousand requests a day, and as many for each active company."""
        self.limit = self.remaining = 1_000 * (1 + active_companies)

    def spend(self) -> None:
        """Count one request; refuse it with 429 where none is left."""
        if self._clock.now() >= self.resets_at:
            self.remaining, self.resets_at = self.limit, self._midnight()
        if self.remaining <= 0:
            raise Refusal(429, "You have exceeded your daily quota.", self._retry())
        self.remaining -= 1

    def headers(self) -> dict[str, str]:
        """Return what every response says of the quota."""
        return {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(max(0, self.remaining)),
            "X-Rate-Limit-Reset": _FORMS[self.reset_form](self.resets_at),
        }

    def _retry(self) -> dict[str, str]:
        if self.retry_form == "none":
            return {}
        if self.retry_form == "seconds":
            return {"Retry-After": str(int((self.resets_at - self._clock.now()).total_seconds()) + 1)}
        return {"Retry-After": _FORMS[self.retry_form](self.resets_at)}
