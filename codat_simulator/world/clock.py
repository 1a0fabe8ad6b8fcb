"""The simulator's own clock: every stamp and every `Date` header comes from it."""

from __future__ import annotations

import random
import threading
import time
from datetime import datetime, timezone
from email.utils import format_datetime

from codat_simulator.instants import TICKS, instant, of_datetime, render, to_datetime

# (digits, zone) with the weights seen in Codat's own examples: mostly whole seconds with a Z.
_FORMS = [((0, "Z"), 70), ((0, ""), 6), ((3, "Z"), 6), ((7, "Z"), 12), ((6, "Z"), 3), ((1, ""), 3)]


class Clock:
    """A clock that runs with real time, can be moved, and never stamps two events alike."""

    def __init__(
        self, start: datetime | None = None, seed: int = 0, lock: threading.RLock | None = None
    ) -> None:
        """Start at `start` (now when left out)."""
        self._lock = lock or threading.RLock()
        self._random = random.Random(f"clock/{seed}")
        self._offset = of_datetime(start) - self._real() if start else 0
        self._stamped = 0

    @staticmethod
    def _real() -> int:
        return time.time_ns() // 100

    def ticks(self) -> int:
        """Return the present instant."""
        with self._lock:
            return self._real() + self._offset

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return to_datetime(self.ticks())

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back, with a negative number)."""
        with self._lock:
            self._offset += int(seconds * TICKS)

    def set(self, moment: datetime) -> None:
        """Put the clock at a moment, earlier ones included; stamps start afresh from there."""
        with self._lock:
            self._offset = of_datetime(moment) - self._real()
            self._stamped = 0

    def stamp(self, form: str | int | None = None) -> str:
        """Return a stamp later than every earlier one, as Codat would write it.

        `form` is the number of fractional digits: `3` and `"3Z"` end in Z, `"3"` has no zone. Left out, the
        seeded mix decides. The clock jumps to the stamp where the form can't hold the present exactly, so
        that a short form is never earlier than a long one written before it.
        """
        with self._lock:
            digits, zone = self._form(form)
            step = 10 ** (7 - digits)
            wanted = max(self.ticks(), self._stamped + 1)
            ticks = -(-wanted // step) * step
            self._stamped = ticks
            self._offset += max(0, ticks - self.ticks())
            return render(ticks, digits, zone)

    def pass_by(self, stamp: str | None) -> None:
        """Make later stamps later than this one too, when it isn't in the future."""
        ticks = instant(stamp) if stamp else None
        with self._lock:
            if ticks is not None and ticks <= self.ticks():
                self._stamped = max(self._stamped, ticks)

    def date_header(self) -> str:
        """Return the present as an HTTP date."""
        return format_datetime(self.now().replace(microsecond=0, tzinfo=timezone.utc), usegmt=True)

    def _form(self, form: str | int | None) -> tuple[int, str]:
        if form is None:
            return self._random.choices([f for f, _ in _FORMS], [w for _, w in _FORMS])[0]
        if isinstance(form, int):
            return form, "Z"
        zone = "Z" if form.upper().endswith("Z") else ""
        return int(form.rstrip("Zz") or 0), zone
