"""What is known of a company while it is read, asked once and shared by all of its partitions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from source_codat.companies.company import (
    COMPLETE,
    RUNNING,
    WAITING,
    Company,
    DataTypeStatus,
    StatusReport,
    SyncEntry,
)
from source_codat.companies.sync_history import ask_history
from source_codat.foundation import timestamps
from source_codat.http.client import CodatClient
from source_codat.trust.entry import Entry

T = TypeVar("T")
_FRESH_SECONDS = 60.0  # a report so young needn't be asked for again


@dataclass
class CompanyContext:
    """A company's syncs before and after its partitions are read.

    listed_at: Codat's clock when the companies were listed, an instant.
    shared: the data types that several of its connections can hold; dataStatus merges those, so
    the sync history is asked too, from `history_since` (an ISO date) on.
    """

    client: CodatClient
    company: Company
    shared: frozenset[str] = frozenset()
    history_since: str | None = None
    listed_at: int | None = None
    report: StatusReport | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answers: dict[str, tuple[threading.Lock, list[Any]]] = field(default_factory=dict)

    def remembered(self, question: str, ask: Callable[[], T]) -> T:
        """What came of a question that several streams put: it is asked once for the company."""
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
        return self.report.taken_at if self.report else self.listed_at

    def open(self, data_types: Iterable[str]) -> None:
        """Ask for the syncs as they are before anything is read; raises what the client raises.

        Where something was synced since the companies were listed, or waits, a connection may hold
        the data type that the list didn't know of.
        """
        self.report = self.refreshed(time.monotonic() - _FRESH_SECONDS)
        doubtful = {name for name in data_types if self.report.in_doubt(name, self.listed_at)}
        if doubtful - self.shared:
            self.shared |= doubtful
            self.report = replace(self.report, history=self._ask_history())

    def look(self) -> StatusReport:
        """Ask for the syncs as they are now; raises what the client raises."""
        return self.refreshed(time.monotonic())

    def refreshed(self, since: float) -> StatusReport:
        """A report asked for after `since` (monotonic): one question serves all who wait for it."""
        with self._lock:
            if self.report is None or self.report.asked_at < since:
                self.report = self._ask()
            return self.report

    def _ask(self) -> StatusReport:
        asked_at = time.monotonic()
        path = f"/companies/{self.company.id}"
        report = self.client.get(
            f"{path}/dataStatus", None, lambda answer: StatusReport.from_answer(answer, asked_at)
        )
        return replace(report, history=self._ask_history()) if self.shared else report

    def _ask_history(self) -> Sequence[SyncEntry] | None:
        return ask_history(self.client, f"/companies/{self.company.id}", self.history_since)


@dataclass(frozen=True)
class DataTypeView:
    """What one report says of the data types that a partition's rows come from.

    shared: whether several connections can hold them, so that dataStatus alone can't tell.
    """

    report: StatusReport
    data_types: tuple[str, ...]
    connection_id: str | None = None
    shared: bool = False

    @property
    def statuses(self) -> list[DataTypeStatus | None]:
        """What dataStatus says of each data type, None where it doesn't name it."""
        return [self.report.types.get(name) for name in self.data_types]

    @property
    def has_data(self) -> bool:
        """Whether every data type was synced well before."""
        return all(status is not None and status.has_data for status in self.statuses)

    @property
    def _entries(self) -> list[SyncEntry]:
        return [one for name in self.data_types for one in self.report.entries(name, self.connection_id)]

    @property
    def settled(self) -> bool:
        """Whether it is sure that all that was stamped can be seen."""
        return self.quiet and all(status is not None and status.settled for status in self.statuses)

    @property
    def quiet(self) -> bool:
        """Whether it is sure that no sync is writing."""
        if not all(status is not None and status.quiet for status in self.statuses):
            return False
        return not self.shared or (self.report.history is not None and not self.running)

    @property
    def running(self) -> bool:
        """Whether the sync history shows a sync under way."""
        return any(one.status in RUNNING for one in self._entries)

    @property
    def safe_point(self) -> int | None:
        """The instant up to which everything stamped can be seen; None where nothing is sure."""
        if self.shared and self.report.history is None:
            return None
        points = [self.report.safe_point(name, self.connection_id) for name in self.data_types]
        known = [point for point in points if point is not None]
        return min(known) if known and len(known) == len(points) else None

    @property
    def sync_id(self) -> str | None:
        """The sync (or syncs, one a data type) that what can be read comes from; None in doubt."""
        if len(self.data_types) > 1:
            syncs = [replace(self, data_types=(name,)).sync_id for name in self.data_types]
            return "+".join(one for one in syncs if one) if all(syncs) else None
        status = self.statuses[0]
        if status is None or not self.settled:
            return None
        if self._entries:
            # One that waits, however early it was requested, will bring what nobody has read.
            newest = max(self._entries, key=lambda one: timestamps.instant(one.requested or "") or 0)
            waits = any(one.status in WAITING for one in self._entries)
            return newest.id if newest.status == COMPLETE and not waits else None
        if status.latestSyncId == status.latestSuccessfulSyncId or status.currentStatus in WAITING:
            return status.latestSuccessfulSyncId
        return None

    def unchanged_since(self, entry: Entry | None) -> bool:
        """Whether nothing was synced since a partition was read completely; in doubt it isn't."""
        if entry is None or entry.sync_id is None or not self.settled:
            return False
        if not self.shared:
            return self.sync_id == entry.sync_id
        if entry.cursor is None:
            return False
        if len(self.data_types) > 1:
            return False  # which of several syncs are new, the history doesn't tell
        instants = ((one, timestamps.instant(one.requested or "") or 0) for one in self._entries)
        return all(one.id == entry.sync_id for one, requested in instants if requested >= entry.cursor)

    def same_syncs(self, other: DataTypeView) -> bool:
        """Whether nothing was synced between two reports, and nothing was under way in either."""
        return self.quiet and other.quiet and self._signature() == other._signature()

    def moved_since(self, earlier: DataTypeView) -> bool:
        """Whether a sync runs, or anything was synced since an earlier report; in doubt that, too."""
        known = self.report.history is not None
        return not known or self.running or self._signature() != earlier._signature()

    def _signature(self) -> Any:
        statuses = [
            status and (status.currentStatus, status.latestSyncId, status.latestSuccessfulSyncId)
            for status in self.statuses
        ]
        return statuses, {(one.id, one.status) for one in self._entries}
