"""What is known of a company while it is read, asked once and shared by all of its partitions."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from source_codat import timestamps
from source_codat.client import Answer, CodatClient
from source_codat.company import RUNNING, WAITING, Company, DataTypeStatus, StatusReport, SyncEntry
from source_codat.errors import MalformedAnswer, PartitionFailed, PartitionSkipped
from source_codat.state import Entry

_HISTORY_PAGE = 500
_HISTORY_PAGES = 40  # more than that can't be told from an endless answer: then it is in doubt


class _History(msgspec.Struct):
    results: list[SyncEntry] | None
    totalResults: int | None = None  # noqa: N815 - Codat's name


_HISTORY = msgspec.json.Decoder(_History)


@dataclass
class CompanyContext:
    """A company's syncs before and after its partitions are read.

    shared: the data types that several of its connections can hold; dataStatus merges those, so
    the sync history is asked too, from `history_since` (an ISO date) on.
    """

    client: CodatClient
    company: Company
    shared: frozenset[str] = frozenset()
    history_since: str | None = None
    report: StatusReport | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Ask for the syncs as they are before anything is read; raises what the client raises."""
        self.report = self._ask()

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
        return replace(report, history=self._ask_history(path)) if self.shared else report

    def _ask_history(self, path: str) -> Sequence[SyncEntry] | None:
        """The syncs under way, and those since `history_since`; None where Codat won't tell."""
        query = "||".join(f"status={status}" for status in sorted(RUNNING))
        if self.history_since:
            query += f"||requested>={self.history_since}"
        params = {"pageSize": _HISTORY_PAGE, "orderBy": "-requested", "query": query}
        found: list[SyncEntry] = []
        for page in range(1, _HISTORY_PAGES + 1):
            try:
                answer = self.client.get(f"{path}/data/history", {**params, "page": page}, _history)
            except (PartitionFailed, PartitionSkipped):
                return None
            found += answer.results or []
            if not answer.results or (answer.totalResults is not None and len(found) >= answer.totalResults):
                return found
        return None


def _history(answer: Answer) -> _History:
    try:
        return _HISTORY.decode(answer.body)
    except msgspec.MsgspecError as error:
        raise MalformedAnswer(f"the sync history wasn't the JSON that was expected ({error})") from None


@dataclass(frozen=True)
class DataTypeView:
    """What one report says of one partition's data type."""

    report: StatusReport
    data_type: str
    connection_id: str | None
    shared: bool

    @property
    def status(self) -> DataTypeStatus | None:
        """What dataStatus says of the data type, None where it doesn't name it."""
        return self.report.types.get(self.data_type)

    @property
    def _entries(self) -> list[SyncEntry]:
        return self.report.entries(self.data_type, self.connection_id)

    @property
    def settled(self) -> bool:
        """Whether it is sure that no sync is writing."""
        if self.status is None or not self.status.settled:
            return False
        if not self.shared:
            return True
        return self.report.history is not None and not any(one.status in RUNNING for one in self._entries)

    @property
    def safe_point(self) -> int | None:
        """The instant up to which everything stamped can be seen; None where nothing is sure."""
        if self.shared and self.report.history is None:
            return None
        return self.report.safe_point(self.data_type, self.connection_id)

    @property
    def sync_id(self) -> str | None:
        """The sync that what can be read now comes from; None where that is in doubt."""
        status = self.status
        if status is None or not self.settled:
            return None
        if self._entries:
            return max(self._entries, key=lambda one: one.requested or "").id
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
        since = [
            one for one in self._entries if (timestamps.instant(one.requested or "") or 0) >= entry.cursor
        ]
        return all(one.id == entry.sync_id for one in since)

    def same_syncs(self, other: DataTypeView) -> bool:
        """Whether nothing was synced between two reports, and nothing was under way in either."""
        mine, others = self.status, other.status
        return (
            self.settled
            and other.settled
            and mine is not None
            and others is not None
            and mine.latestSyncId == others.latestSyncId
            and mine.latestSuccessfulSyncId == others.latestSuccessfulSyncId
            and {one.id for one in self._entries} == {one.id for one in other._entries}
        )
