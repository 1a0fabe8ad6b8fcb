"""What has arrived, held against what could be seen: the promises that no story may break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.planning.planner import PartitionEnd
from source_codat.reading.reader import Finished
from source_codat.reading.rows import RowBatch
from tools.model.streams import Place, StreamKind
from tools.model.world import World

Key = tuple[str | None, ...]


class _Record(msgspec.Struct):
    uid: int
    v: int
    companyId: str  # noqa: N815 - Codat's name
    connectionId: str | None = None  # noqa: N815 - Codat's name
    accountId: str | None = None  # noqa: N815 - Codat's name
    invoiceId: str | None = None  # noqa: N815 - Codat's name
    id: str | int | None = None
    rowKey: str | None = None  # noqa: N815 - Codat's name
    syncedAt: str | None = None  # noqa: N815 - the connector's


_RECORD = msgspec.json.Decoder(_Record)


_NOTHING_WRITTEN = ("Complete", "Queued", "Initial")  # the latest Codat sync has written all, or nothing yet


class Broken(AssertionError):
    """A promise that was broken, in words."""


class Idle(Broken):
    """A quiet world isn't found quiet: cursors that don't move, partitions that are read for ever."""


@dataclass
class Table:
    """One stream's table: the last version by key; what no state has sealed yet is set apart.

    dates: by key, the Codat sync that a row carries where it does; a row gives way to one of no earlier date.
    sure: of those, the keys whose Codat sync was noted with them. sent: of each record that the present read
    has sent, kept or not, the latest version.
    """

    rows: dict[Key, tuple[int, int]] = field(default_factory=dict)
    pending: dict[Key, tuple[int, int]] = field(default_factory=dict)
    dates: dict[Key, int] = field(default_factory=dict)
    sure: set[Key] = field(default_factory=set)
    sent: dict[int, int] = field(default_factory=dict)
    _pending_dates: dict[Key, int] = field(default_factory=dict)

    def take(self, batch: RowBatch, *, row_key: bool) -> None:
        """Take rows in that may be lost until a state follows them."""
        head = b"{" + batch.added
        for row in batch.rows:
            one = _RECORD.decode(head + bytes(row)[1:])
            # An id that the connector shows wins the place; `rowKey` is what the stream's key is.
            last = one.rowKey if row_key else one.id
            if last in (None, ""):
                raise Broken(f"{batch.stream}: a record without its key: {bytes(row)[:200]!r}")
            key = (one.companyId, one.connectionId, one.accountId, one.invoiceId, str(last))
            self.sent[one.uid] = max(one.v, self.sent.get(one.uid, 0))
            if self._is_current(key, one.syncedAt):
                self.pending[key] = (one.uid, one.v)

    def _is_current(self, key: Key, text: str | None) -> bool:
        """Whether a row takes the place of the one that the table has, by Airbyte's rule for a cursor."""
        if text is None:
            return True
        date = timestamps.instant(text)
        if date is None:
            raise Broken(f"a row is dated {text}")
        if date < max(self._pending_dates.get(key, 0), self.dates.get(key, 0)):
            return False
        self._pending_dates[key] = date
        return True

    def current(self, partition: Key) -> set[int]:
        """The records of a partition that are current by the guide's query, of those that came for sure."""
        here = {key: date for key, date in self.dates.items() if key[: len(partition)] == partition}
        newest = max(here.values(), default=None)
        return {self.rows[key][0] for key, date in here.items() if date == newest and key in self.sure}

    def seal(self, noted: Collection[Key] = ()) -> None:
        """A state has come: what was sent before it stays.

        noted: the partitions of which the state says from which Codat sync they were read.
        """
        for key in self.pending:
            (self.sure.add if any(key[: len(one)] == one for one in noted) else self.sure.discard)(key)
        self.rows.update(self.pending)
        self.dates.update(self._pending_dates)
        self.drop()

    def drop(self) -> None:
        """The read was killed: what no state followed is gone."""
        self.pending, self._pending_dates = {}, {}

    def held(self) -> Counter[tuple[int, int]]:
        """The versions that the table holds, how often each."""
        return Counter(self.rows.values())


@dataclass
class Snapshot:
    """What could be seen when a read began."""

    places: dict[str, list[tuple[Place, int]]]

    @classmethod
    def of(cls, world: World, streams: Iterable[StreamKind]) -> Snapshot:
        """Note every row's version."""
        return cls({one.name: [(place, place.row.version) for place in one.places(world)] for one in streams})

    def stayed(
        self, world: World, stream: StreamKind, promised: Callable[[Place], bool]
    ) -> Iterator[tuple[Place, int]]:
        """The rows that were promised and are still to be seen, with the version that they began with."""
        now = {(place.partition, place.row.uid): place for place in stream.places(world)}
        for place, version in self.places[stream.name]:
            still = now.get((place.partition, place.row.uid))
            has_blinked = place.row.uid in world.blinked and still is not None and still.row is not place.row
            if still is not None and not has_blinked and promised(place):
                yield still, version


@dataclass(frozen=True)
class Asked:
    """The options that decide which rows a read has to bring."""

    start: int | None
    deleted: bool
    marks_deleted: bool

    def wants(self, place: Place) -> bool:
        """Whether a row has to be brought."""
        row = place.row
        if self.marks_deleted and not self.deleted and row.deleted:
            return False
        if self.start is None:
            return True
        moment = timestamps.instant(row.text or "")
        return moment is not None and moment >= self.start


def good_ends(ends: Iterable[PartitionEnd]) -> dict[str, set[tuple[str, ...]]]:
    """By stream, the partitions that were read completely or called unchanged; groups by what they share."""
    found: dict[str, set[tuple[str, ...]]] = {}
    spoiled: dict[str, set[tuple[str, ...]]] = {}
    for end in ends:
        name = end.partition.stream.outcome.name
        good = (isinstance(end.result, Finished) and end.result.is_complete) or is_unchanged(end)
        (found if good else spoiled).setdefault(name, set()).add(end.partition.key)
    return {name: keys - spoiled.get(name, set()) for name, keys in found.items()}


def is_unchanged(end: PartitionEnd) -> bool:
    """Whether a partition was skipped because nothing had changed."""
    return isinstance(end.result, PartitionSkipped) and end.result.reason is SkipReason.UNCHANGED


def covers(keys: set[tuple[str, ...]], partition: tuple[str, ...]) -> bool:
    """Whether a partition, or a group that it is in, is among keys."""
    return any(partition[:length] in keys for length in range(1, len(partition) + 1))


def unsafe_cursor(ends: Iterable[PartitionEnd], world: World) -> str:
    """A cursor that a read moved past the last success while the latest Codat sync ran or had failed.

    Of a company without a connection that it had, the last success may be an earlier one than was seen.
    """
    for end in ends:
        result, partition = end.result, end.partition
        if not isinstance(result, Finished) or result.cursor is None or partition.source is None:
            continue
        if partition.stream.retriever.by_codat_sync:
            continue  # that is no instant up to which rows were read
        if world.companies[partition.company.id].has_lost_one:
            continue
        latest = partition.context and partition.context.last_look
        if latest is not partition.source.look:
            continue  # of several looks one between may have shown more
        for name in partition.source.data_types:
            status = latest.types.get(name)
            success = timestamps.second(status.lastSuccessfulSync) if status else None
            if status is None or success is None or status.currentStatus in _NOTHING_WRITTEN:
                continue
            if result.cursor > success + timestamps.TICKS_PER_SECOND:
                return f"{partition.stream.outcome.name} {partition.key}: the cursor is past {status}"
    return ""


def gone_but_current(ends: Iterable[PartitionEnd], stream: StreamKind, table: Table, world: World) -> str:
    """A record that isn't there any more and passes for current, where a read was sure of what it saw."""
    there: dict[Key, set[int]] = {}
    for place in stream.places(world):
        there.setdefault(place.partition, set()).add(place.row.uid)
    for end in ends:
        partition = end.partition
        entry = partition.stream.entry(partition.key)
        if partition.stream.outcome.name != stream.name or entry is None or not entry.synced_at:
            continue
        seen = there.get(partition.key, set())
        gone = table.current(partition.key) - seen
        if gone and seen:  # where nothing is there any more, nothing newer is either
            return f"{stream.name} {partition.key}: gone, but current: records {sorted(gone)}"
    return ""


def own_errors(ends: Iterable[PartitionEnd]) -> str:
    """What failed by a fault of the connector's own."""
    for end in ends:
        if isinstance(end.result, PartitionFailed) and "error of its own" in end.result.message:
            return end.result.message
    return ""


def missing(
    expected: Iterable[tuple[Place, int]],
    table: Table,
    wanted: Callable[[Place], bool],
    *,
    or_sent: bool = False,
) -> list[tuple[Place, int]]:
    """The rows that a table lacks in the version given or a later one.

    or_sent: what the present read has sent counts, although a row of a later cursor may have kept its place.
    """
    held = table.held()
    latest: dict[int, int] = dict(table.sent) if or_sent else {}
    for uid, version in held:
        latest[uid] = max(version, latest.get(uid, 0))
    return [
        (place, version)
        for place, version in expected
        if latest.get(place.row.uid, -1) < version and wanted(place)
    ]


def told(stream: str, lost: Sequence[tuple[Place, int]]) -> str:
    """What was lost, in words."""
    lines = []
    for place, version in lost[:4]:
        row = place.row
        lines.append(
            f"{stream} {place.company[:8]} {place.connection} record {row.uid} (id {row.id}), "
            f"version {version}, dated {row.text}, seen since {row.since}"
        )
    more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
    return "; ".join(lines) + more
