"""The evidence that verdicts are made from: what was seen of Codat's syncs, and what an earlier read left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from source_codat.trust.statuses import COMPLETE, FAILED, Stage, stage_of

PartitionKey = tuple[str, ...]


def hash_of_links(connections: Iterable[tuple[str, str]]) -> str:
    """A hash of connections, of which each is given by id and status, in whatever order."""
    links = "|".join(sorted(f"{connection_id}:{status}" for connection_id, status in connections))
    return hashlib.sha256(links.encode("utf-8", "replace")).hexdigest()[:16]


def is_spelled(text: str, name: str) -> bool:
    """Whether a text of Codat's may mean a name: in whatever case, and with blanks around it."""
    return text.strip().casefold() == name.casefold()


NOTHING_THERE = "none:"  # before a syncId: no Codat sync's id, but the note that there was nothing to read
JOIN = "|"  # between what is noted of several data types; it stands in no id and in no form of a date


class Entry(NamedTuple):
    """Where one partition stands.

    cursor: the instant up to which its rows were read; None where no date was reached.
    sync_id, synced_at: the latest successful Codat sync when the partition was last read completely, by id
    and by the date that Codat gave it; None where that was in doubt. A partition of several data types has
    both for each, joined by `|`.
    """

    cursor: int | None
    sync_id: str | None = None
    synced_at: str | None = None

    @property
    def is_of_nothing(self) -> bool:
        """Whether it only notes that there was nothing to read."""
        return self.sync_id is not None and self.sync_id.startswith(NOTHING_THERE)

    @property
    def read_from(self) -> list[tuple[str, str]]:
        """The Codat syncs that it was read from, id and date for each data type; none where in doubt."""
        if not self.sync_id or not self.synced_at or self.is_of_nothing:
            return []
        ids, dates = self.sync_id.split(JOIN), self.synced_at.split(JOIN)
        return list(zip(ids, dates, strict=True)) if len(ids) == len(dates) else []


class DataTypeStatus(NamedTuple):
    """What one answer of dataStatus says of one data type; each value as Codat spelled it."""

    lastSuccessfulSync: str | None = None  # noqa: N815 - Codat's name
    currentStatus: str | None = None  # noqa: N815 - Codat's name
    latestSyncId: str | None = None  # noqa: N815 - Codat's name
    latestSuccessfulSyncId: str | None = None  # noqa: N815 - Codat's name

    @property
    def stage(self) -> Stage:
        """How far the Codat sync is that was requested last."""
        return stage_of(self.currentStatus)

    @property
    def has_data(self) -> bool:
        """Whether a Codat sync has ever ended well, by any sign of it."""
        return bool(self.lastSuccessfulSync or self.latestSuccessfulSyncId or self.currentStatus == COMPLETE)

    @property
    def may_have_data(self) -> bool:
        """Whether there is data, or a status that isn't known leaves that open."""
        return self.has_data or (self.currentStatus is not None and self.stage is Stage.UNKNOWN)

    @property
    def is_never_synced(self) -> bool:
        """Whether it is sure that there is no data: no Codat sync has ended well, and none is on its way."""
        return not self.has_data and (self.currentStatus is None or self.currentStatus in FAILED)


class HistoryEntry(NamedTuple):
    """One Codat sync of one data type of one connection, as the company's sync history lists it."""

    id: str | None = None
    connectionId: str | None = None  # noqa: N815 - Codat's name
    dataType: str | None = None  # noqa: N815 - Codat's name
    status: str | None = None
    requested: str | None = None
    completed: str | None = None

    @property
    def stage(self) -> Stage:
        """How far the Codat sync is."""
        return stage_of(self.status)


@dataclass(frozen=True)
class History:
    """What the sync history answered; `entries` is None where it didn't answer for sure.

    since: the instant from which on finished Codat syncs were asked for; unfinished ones always are.
    """

    entries: Sequence[HistoryEntry] | None
    since: int


@dataclass(frozen=True)
class Look:
    """One look at a company's Codat syncs: an answer of dataStatus, and of the history where it is needed.

    types: by data type, as dataStatus names them. taken_at: Codat's clock when it answered dataStatus, an
    instant; None where it didn't say. asked_at: this machine's monotonic clock before the question.
    body: the answer's bytes. needs_history: the data types of which dataStatus alone can't tell enough.
    history: None where no data type needed it.
    """

    types: Mapping[str, DataTypeStatus]
    taken_at: int | None
    asked_at: float = 0.0
    body: bytes = b""
    needs_history: frozenset[str] = frozenset()
    history: History | None = None

    def names(self, data_type: str) -> bool:
        """Whether dataStatus names a data type, however it spells it."""
        return data_type in self.types or any(is_spelled(name, data_type) for name in self.types)


@dataclass(frozen=True)
class Evidence:
    """What one look says of the data types that a partition's rows come from.

    connection_id: where the partition is one connection's. Codat's dataStatus merges connections.
    is_by_month: whether the rows go by the calendar, so that they are others in another month. links: where
    the rows are one's of several connections, and another's when that is gone, the hash of these; else empty.
    """

    look: Look
    data_types: tuple[str, ...]
    connection_id: str | None = None
    is_by_month: bool = False
    links: str = ""

    @property
    def statuses(self) -> list[DataTypeStatus | None]:
        """What dataStatus says of each data type, None where it doesn't name it."""
        return [self.look.types.get(name) for name in self.data_types]

    @property
    def has_data(self) -> bool:
        """Whether every data type was synced well before."""
        return all(status is not None and status.has_data for status in self.statuses)

    @property
    def is_merged(self) -> bool:
        """Whether dataStatus may speak of other connections than the partition's."""
        return bool(self.look.needs_history.intersection(self.data_types))

    def at(self, look: Look) -> Evidence:
        """The same question put to another look."""
        return replace(self, look=look)

    def of(self, data_types: tuple[str, ...]) -> Evidence:
        """What the look says of other data types."""
        return replace(self, data_types=data_types)
