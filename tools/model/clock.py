"""The stories' time: it moves when something is asked, and nobody sleeps."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from random import Random
from types import ModuleType
from typing import Any

from source_codat.foundation import timestamps

SECOND = 1_000_000  # of this clock, which counts microseconds
_BEGIN = datetime(2024, 4, 1, tzinfo=timezone.utc)
_STEPS = (1_000, 20_000, 300_000, SECOND, 1_500_000, 4 * SECOND)


class Clock:
    """The time of one story: `now` in microseconds since its beginning."""

    def __init__(self) -> None:
        self.now = 0
        self._looks = 0

    def step(self, rng: Random) -> None:
        """Let as much time pass as a request takes."""
        self.now += rng.choice(_STEPS) + rng.randrange(1000)

    def monotonic(self) -> float:
        """This machine's clock, which differs at every look."""
        self._looks += 1
        return self.now / SECOND + self._looks * 1e-7


@lru_cache(maxsize=4096)
def _second(number: int) -> str:
    return (_BEGIN + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)
def _header(number: int) -> str:
    return (_BEGIN + timedelta(seconds=number)).strftime("%a, %d %b %Y %H:%M:%S GMT")


def render(moment: int, digits: int = 7, zone: str = "Z") -> str:
    """A moment as Codat writes it: cut to so many fractional digits."""
    seconds, fraction = divmod(moment, SECOND)
    return _second(seconds) + (f".{fraction:06d}0"[: digits + 1] if digits else "") + zone


def http_date(moment: int) -> str:
    """A moment as a Date header: cut to the second."""
    return _header(moment // SECOND)


class VirtualTime:
    """Stands in for the module `time` in the connector's modules."""

    def __init__(self) -> None:
        self.clock = Clock()

    def monotonic(self) -> float:
        """The story's clock in seconds."""
        return self.clock.monotonic()

    def time_ns(self) -> int:
        """The story's moment as nanoseconds since 1970."""
        return int(_BEGIN.timestamp()) * 1_000_000_000 + self.clock.now * 1000

    def time(self) -> float:
        """The story's moment as seconds since 1970."""
        return self.time_ns() / 1e9

    def instant(self) -> int:
        """The story's moment as the connector counts instants."""
        return timestamps.from_datetime(_BEGIN + timedelta(microseconds=self.clock.now))

    def sleep(self, seconds: float) -> None:
        """Nobody may sleep in a story."""
        raise AssertionError(f"something sleeps for {seconds} s")

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


VIRTUAL = VirtualTime()


def looking_at_it() -> Iterator[ModuleType]:
    """The connector's modules, of those that are loaded, that look at a clock."""
    for name, module in list(sys.modules.items()):
        if name.startswith("source_codat") and module.__dict__.get("time") is time:
            yield module
