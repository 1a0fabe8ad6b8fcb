"""What is known of a company while it is read, asked once and shared by all of its partitions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from source_codat.companies.company import Company, look_of
from source_codat.companies.sync_history import ask_history
from source_codat.foundation import timestamps
from source_codat.foundation.paths import path_segment
from source_codat.http.client import CodatClient
from source_codat.trust.evidence import Entry, History, Look
from source_codat.trust.judge import is_latest_read, needs_history, read_at
from source_codat.trust.statuses import Stage

T = TypeVar("T")
_FRESH_SECONDS = 60.0  # a look so young needn't be repeated when the company is opened
_DAY = timestamps.TICKS_PER_DAY
_LONGEST_SYNC = _DAY  # one that ended just now was hardly requested earlier
_FARTHEST = 30 * _DAY  # the history isn't asked for what is longer ago


@dataclass(frozen=True)
class WantedDataType:
    """A data type of the selected streams, and what is known of it for one company before it is asked.

    is_shared: whether several connections may hold it. entries: those that the state has for it, each with
    the data types that it is of.
    """

    is_shared: bool
    entries: tuple[tuple[tuple[str, ...], Entry], ...] = ()


@dataclass
class CompanyContext:
    """A company's Codat syncs before and after its partitions are read.

    wanted: by name, the data types that are looked at. listed_at: Codat's clock when the companies were
    listed, an instant. last_look: None before the first.
    """

    client: CodatClient
    company: Company
    wanted: Mapping[str, WantedDataType] = field(default_factory=dict)
    listed_at: int | None = None
    last_look: Look | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answers: dict[str, tuple[threading.Lock, list[Any]]] = field(default_factory=dict)

    def remembered(self, question: str, ask: Callable[[], T]) -> T:
        """The result of `ask`, called once for each `question` whichever stream puts it first."""
        with self._lock:
            lock, answer = self._answers.setdefault(question, (threading.Lock(), []))
        with lock:
            if not answer:
                answer.append(ask())
            found: T = answer[0]
            return found

    @property
    def now(self) -> int | None:
        """Codat's clock, as far as it is known: an instant."""
        return self.last_look.taken_at if self.last_look else self.listed_at

    def recent_look(self) -> Look:
        """A look that is at most a minute old; raises what the client raises."""
        return self.look_taken_after(time.monotonic() - _FRESH_SECONDS)

    def new_look(self) -> Look:
        """A look that is taken now; raises what the client raises."""
        return self.look_taken_after(time.monotonic())

    def look_taken_after(self, since: float) -> Look:
        """A look taken after `since` (this machine's monotonic clock); one serves all who wait for it."""
        with self._lock:
            if self.last_look is None or self.last_look.asked_at < since:
                self.last_look = self._ask()
            return self.last_look

    def _ask(self) -> Look:
        """Ask all that the judgement needs: dataStatus, and the history where that can't tell."""
        asked_at = time.monotonic()
        path = f"/companies/{path_segment(self.company.id)}"
        look = self.client.get(f"{path}/dataStatus", None, lambda answer: look_of(answer, asked_at))
        doubtful = frozenset(
            name
            for name, wanted in self.wanted.items()
            if needs_history(
                look.types.get(name), self.listed_at, several=wanted.is_shared, now=look.taken_at
            )
        )
        if not doubtful:
            return look
        return replace(look, needs_history=doubtful, history=self._history(path, look, doubtful))

    def _history(self, path: str, look: Look, doubtful: Iterable[str]) -> History:
        """The history from the moment on that tells of every data type what is new in it."""
        now = look.taken_at if look.taken_at is not None else timestamps.now()
        since = [now + 2 * timestamps.TICKS_PER_SECOND]  # nothing that has finished yet
        known: list[int] = []
        for name in doubtful:
            status, entries = look.types.get(name), self.wanted[name].entries
            synced = timestamps.second(status.lastSuccessfulSync) if status else None
            moved = [entry for types, entry in entries if not is_latest_read(status, name, types, entry)]
            # Behind one that waits, others may have ended since the last success, and not well.
            is_waiting = status is not None and status.stage is Stage.WAITING
            if synced is None:
                continue
            if entries and not moved and not is_waiting:
                known.append(synced)  # nothing new: only what hasn't finished matters
                continue
            since.append(synced - _LONGEST_SYNC)
            read = [read_at(entry) for entry in moved]
            since += [instant - timestamps.TICKS_PER_SECOND for instant in read if instant is not None]
        earliest = min(since)
        for synced in sorted(known, reverse=True):
            # Asked from before its end on, the history would be in doubt without the sync that is known.
            if synced + timestamps.TICKS_PER_SECOND >= earliest:
                earliest = min(earliest, synced - _LONGEST_SYNC)
        return ask_history(self.client, path, max(earliest, now - _FARTHEST))
