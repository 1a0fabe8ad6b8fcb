"""What a read tells while it runs: estimates for the platform, lines for people."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from airbyte_cdk.models import (
    AirbyteEstimateTraceMessage,
    AirbyteMessage,
    AirbyteTraceMessage,
    EstimateType,
    TraceType,
    Type,
)

from source_codat.foundation.wording import counted
from source_codat.http.stats import ClientStats, RequestStats
from source_codat.reporting.outcomes import StreamOutcome

ESTIMATE_SECONDS = 10.0
LINE_SECONDS = 30.0
_LINES = 100  # partitions that get a line each; after that one in _PACE_SECONDS does
_PACE_SECONDS = 5.0
_NAMED = 3
OPENING = ""  # in place of a stream's name: finding out what there is to read of a company
logger = logging.getLogger("airbyte")


@dataclass
class _Company:
    """How many of a company's partitions there are, and how many have ended."""

    planned: int = 0
    ended: int = 0


@dataclass
class Progress:
    """How far a read is. Workers say what they do, the writer what has left.

    companies: how many are selected, None until that is known.
    """

    outcomes: Sequence[StreamOutcome]
    stats: ClientStats
    companies: int | None = None
    done: int = 0
    _open: dict[str, _Company] = field(default_factory=dict)
    _opened: int = 0
    _to_read: Counter[str] = field(default_factory=Counter)
    _reading: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sent: dict[str, int] = field(default_factory=dict)
    _lines: int = 0

    def __post_init__(self) -> None:
        self._began = self._lined = self._paced = time.monotonic()
        self._sent_at = {outcome.name: self._began for outcome in self.outcomes}

    # --- the workers' side ------------------------------------------------------------------------

    def planned(self, company_id: str, streams: Sequence[str]) -> None:
        """Add work for a company: one partition for each of these names of streams."""
        with self._lock:
            self._open.setdefault(company_id, _Company()).planned += len(streams)
            self._to_read.update(streams)

    def ended(self, company_id: str, stream: str) -> None:
        """Note that one of a company's partitions has ended; with the last one the company has."""
        with self._lock:
            self._to_read[stream] -= 1
            self._opened += stream == OPENING
            company = self._open[company_id]
            company.ended += 1
            if company.ended == company.planned:
                del self._open[company_id]
                self.done += 1

    def reading(self, what: str, *, now: bool) -> None:
        """Note that a partition is being read now, or isn't any more."""
        with self._lock:
            self._reading[what] += 1 if now else -1
            if not self._reading[what]:
                del self._reading[what]

    # --- the writer's side ------------------------------------------------------------------------

    def estimates(self) -> Iterator[AirbyteMessage]:
        """What is due of estimates: cumulative, and no more than one a stream in ten seconds."""
        now = time.monotonic()
        for outcome in self.outcomes:
            if now - self._sent_at[outcome.name] < ESTIMATE_SECONDS:
                continue
            rows = self._rows(outcome)
            if rows and rows != self._sent.get(outcome.name):
                self._sent[outcome.name], self._sent_at[outcome.name] = rows, now
                yield _estimate(outcome, rows)

    def line(self, wait_in_words: Callable[[], str]) -> None:
        """Say how far the read is, every half a minute; wait_in_words: gives what it waits for."""
        if time.monotonic() - self._lined >= LINE_SECONDS:
            self._lined = time.monotonic()
            logger.info("Progress: %s", self.sentence(wait_in_words()))

    def partition(self, outcome: StreamOutcome, what: str, records: int) -> None:
        """Say that a partition was read: each of the first ones, then one in a few seconds."""
        now = time.monotonic()
        self._lines += 1
        loud = self._lines <= _LINES or now - self._paced >= _PACE_SECONDS
        if loud:
            self._paced = now
        level = logging.INFO if loud else logging.DEBUG
        logger.log(level, "%s: %s read, %s.", outcome.name, what, counted(records, "record"))

    def sentence(self, waiting: str = "") -> str:
        """How far the read is, what it is doing, and how long that may still take."""
        with self._lock:
            under_way, done, reading = len(self._open), self.done, list(self._reading)
        elapsed = time.monotonic() - self._began
        records = sum(outcome.records for outcome in self.outcomes)
        expected = sum(map(self._rows, self.outcomes))
        if self.companies is None:
            parts = ["listing the companies"]
        else:
            parts = [f"{done:,} of {counted(self.companies, 'company')} read, {under_way} under way"]
        about = f" of about {expected:,}" if expected > records else ""
        parts.append(f"{records:,} records{about}")
        parts.append(RequestStats.sentence(self.stats))
        left = self._left(elapsed, records, expected)
        parts.append(f"{_duration(elapsed)} so far" + (f", about {_duration(left)} left" if left else ""))
        if reading:
            more = f" and {len(reading) - _NAMED} more" if len(reading) > _NAMED else ""
            parts.append(f"reading {', '.join(reading[:_NAMED])}{more}")
        if waiting:
            parts.append(waiting)
        return "; ".join(parts) + "."

    def is_whole(self, stream: str) -> bool:
        """Whether every partition of a stream that is read by company has been read."""
        with self._lock:
            return self._opened == self.companies and not self._to_read[stream]

    def closing(self) -> str:
        """What the read came to, as a sentence: records, streams, companies, time, incomplete streams."""
        records = sum(outcome.records for outcome in self.outcomes)
        failed = [outcome.name for outcome in self.outcomes if outcome.failures]
        failures = f"; {counted(len(failed), 'stream')} incomplete: {', '.join(failed)}" if failed else ""
        return (
            f"{counted(records, 'record')} of {counted(len(self.outcomes), 'stream')} and "
            f"{counted(self.companies or 0, 'company')} in "
            f"{_duration(time.monotonic() - self._began)}{failures}."
        )

    def _rows(self, outcome: StreamOutcome) -> int:
        """How many records a stream will have brought at its end, as far as is known."""
        if not outcome.companies_seen or outcome.has_ended:
            return outcome.records
        companies = self.companies if outcome.per_company and self.companies else 1
        return max(
            outcome.records, round(outcome.expected * max(1.0, companies / len(outcome.companies_seen)))
        )

    def _left(self, elapsed: float, records: int, expected: int) -> float:
        """Seconds that the rest may take; 0 where that can't be said yet."""
        with self._lock:
            parts = sum(company.ended / company.planned for company in self._open.values() if company.planned)
            done = self.done + parts
        if not self.companies or not done:
            return 0.0
        # The slower of the two decides: many companies without news, or one with a million records.
        share = min(done / self.companies, records / expected if expected else 1.0)
        return elapsed * (1 - share) / share if share and elapsed > LINE_SECONDS / 2 else 0.0


def _estimate(outcome: StreamOutcome, rows: int) -> AirbyteMessage:
    mean = outcome.size / outcome.records if outcome.records else 0.0
    estimate = AirbyteEstimateTraceMessage(
        name=outcome.name, type=EstimateType.STREAM, row_estimate=rows, byte_estimate=round(rows * mean)
    )
    trace = AirbyteTraceMessage(type=TraceType.ESTIMATE, emitted_at=time.time() * 1000, estimate=estimate)
    return AirbyteMessage(type=Type.TRACE, trace=trace)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
