"""Partitions that come from another stream's rows: bank accounts, bills, generated reports."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec
from airbyte_cdk.models import FailureType

from source_codat.config.settings import DeletedRecords, Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer, PartitionFailed, PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.foundation.wording import counted
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.reading.reader import Finished, StreamReader
from source_codat.reading.requests import Partition
from source_codat.reading.row_keys import is_made_up
from source_codat.reading.rows import RowBatch
from source_codat.streams.definition import CodatRetriever
from source_codat.trust.evidence import Evidence
from source_codat.trust.statuses import Stage, stage_of

logger = logging.getLogger("airbyte")
_ROW = msgspec.json.Decoder(dict[str, Any])
_BUCKETS = 64


@dataclass(frozen=True)
class Children:
    """The partitions that a list of parents makes.

    ids: yields the further ids of each. count: how many there are. is_complete: whether the list of parents
    is known to be complete.
    """

    ids: Callable[[], Iterator[dict[str, str]]]
    count: int
    is_complete: bool


class _PackedRows:
    """Rows as text, a line each, in no order: as dictionaries a hundred thousand of them take 30 MB.

    Rows that are alike come out once. They lie in one bucket, so that few have to be compared at a time.
    """

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(_BUCKETS)]

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row, which may be there already."""
        text = msgspec.json.encode(row)
        self._buckets[zlib.crc32(text) % _BUCKETS] += text + b"\n"

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return map(_ROW.decode, self._lines())

    def sorted_by(self, key: Callable[[Mapping[str, Any]], int]) -> Iterator[Mapping[str, Any]]:
        """The rows in an order."""
        return map(_ROW.decode, sorted(self._lines(), key=lambda line: key(_ROW.decode(line))))

    def _lines(self) -> Iterator[bytes]:
        for bucket in self._buckets:
            yield from dict.fromkeys(bytes(bucket).splitlines())


@dataclass(frozen=True)
class _ParentRows:
    """What a read of a parent stream's rows found: of each row, the columns that are needed."""

    rows: Iterable[Mapping[str, Any]]
    is_complete: bool


class _Missing(NamedTuple):
    """What couldn't be read of one parent: the parent's instant, why, and how many were read before it."""

    date: int
    why: PartitionSkipped | PartitionFailed
    read_before: int


@dataclass(frozen=True)
class Parents:
    """Reads a parent stream's rows for the ids of a child's partitions.

    All parents are asked for, whatever the child's state: children change without their parent.
    """

    client: CodatClient
    child: CodatRetriever
    parent: CodatRetriever
    settings: Settings
    stats: RequestStats | None = None

    def ids(self, above: Partition) -> Children:
        """The partitions below one whose parents are asked for.

        Raises PartitionSkipped where Codat has no parents, and what else the client raises.
        """
        if above.context is None:
            raise ValueError(self.child.name)
        wanted = {name: value for name, value in above.ids.items() if name in self.parent.scope}
        columns = {*self.child.parent_ids.values(), *(_OF_REPORTS if self.child.latest else ())}
        found: _ParentRows = above.context.remembered(
            f"{self.parent.name}{sorted(wanted.items())}{sorted(columns)}",
            lambda: self._rows(above, wanted, columns),
        )
        rows = found.rows
        if self.child.latest:
            rows = latest = _latest(rows, self.child.latest)
            if not latest and found.is_complete:
                raise PartitionSkipped(SkipReason.NOT_GENERATED)

        def ids() -> Iterator[dict[str, str]]:
            return (found for found in map(self._child_ids, rows) if found is not None)

        count, without = sum(1 for _ in ids()), sum(self._child_ids(row) is None for row in rows)
        if without:
            logger.warning(
                "%s: %s of %s without an id, so their %s can't be asked for.",
                self.parent.name,
                counted(without, "row"),
                above.context.company.label,
                self.child.name,
            )
        return Children(ids, count, found.is_complete)

    def read_new(self, above: Partition, reader: StreamReader) -> Finished:
        """Read what each parent since the last read holds, and move on as far as all of it came.

        One parent's trouble keeps no other from being asked. Raises PartitionSkipped where all that were
        asked were refused alike, PartitionFailed where some are missing, as far as it was read then.
        """
        if above.context is None:
            raise ValueError(self.child.name)
        date = self.parent.cursor_field
        found, done = self._read(above, above.since, {*self.child.parent_ids.values(), "status", date})
        count, is_complete = 0, done.is_complete
        missing: list[_Missing] = []
        # The oldest first: what is missing then holds back as little as it can.
        for row in found.sorted_by(self._requested):
            ids = self._child_ids(row)
            if ids is None or row.get("status") not in self.parent.finished:
                continue
            dated = {date: msgspec.json.encode(row.get(date))}
            child = Partition({**above.ids, **ids}, context=above.context, extra_fields=dated)
            why: PartitionSkipped | PartitionFailed
            try:
                is_complete &= reader.read(child).is_complete
                count += 1
                continue
            except PartitionSkipped as skipped:
                if _is_nothing_there(skipped, row):
                    continue
                why = skipped
            except PartitionFailed as failed:
                why = failed
            except MalformedAnswer as malformed:
                why = PartitionFailed(f"Codat's answer can't be read: {malformed}.")
            missing.append(_Missing(self._requested(row), why, count))
            if _is_hopeless(missing):
                break
        done = replace(done, is_complete=is_complete)
        if missing:
            raise _what_is_missing(missing, done, is_any_read=count > 0)
        return done

    def _requested(self, row: Mapping[str, Any]) -> int:
        """The instant of a parent's date; 0 where it has none that can be used."""
        return timestamps.instant(str(row.get(self.parent.cursor_field) or "")) or 0

    def evidence(self, above: Partition) -> Evidence | None:
        """What was known of the parents' data types before the parents were listed."""
        look = above.context.last_look if above.context else None
        if look is None or not self.parent.data_types:
            return None
        connection_id = above.ids.get("connectionId") if self.parent.per_connection else None
        return Evidence(above.source.look if above.source else look, self.parent.data_types, connection_id)

    def _child_ids(self, row: Mapping[str, Any]) -> dict[str, str] | None:
        """The ids that a parent's row gives its children; None where it lacks one."""
        found = {name: row.get(column) for name, column in self.child.parent_ids.items()}
        ids = {name: str(value) for name, value in found.items() if value not in (None, "")}
        return None if len(ids) < len(found) or any(map(is_made_up, ids.values())) else ids

    def _rows(self, above: Partition, wanted: Mapping[str, str], columns: set[str]) -> _ParentRows:
        rows, done = self._read(replace(above, ids=wanted), None, columns)
        return _ParentRows(rows, done.is_complete)

    def _read(
        self, above: Partition, since: int | None, columns: Collection[str]
    ) -> tuple[_PackedRows, Finished]:
        """Read the parents; of each row the columns that are asked for, rows that are alike once."""
        names = sorted(columns)
        found = _PackedRows()

        def collect(batch: RowBatch) -> None:
            for row in batch.rows:
                fields = _ROW.decode(row)
                found.add({name: fields[name] for name in names if name in fields})

        # A parent's filters and start date are about what is sent, not about which children exist.
        settings = replace(self.settings, filters={}, deleted_records=DeletedRecords.KEEP, start=None)
        reader = StreamReader(self.client, self.parent, settings, collect, self.stats)
        above_all = Partition(above.ids, since, context=above.context, source=self.evidence(above))
        done = reader.read(above_all)
        return found, done


def _is_nothing_there(skipped: PartitionSkipped, row: Mapping[str, Any]) -> bool:
    """Whether a refusal says that one parent has nothing, now and later.

    404 does. 409 says that its Codat sync isn't complete: one that ended in another way never will be.
    """
    if skipped.reason is SkipReason.NOT_SYNCED:
        return stage_of(row.get("status")) is not Stage.COMPLETE
    return skipped.reason is SkipReason.NOT_SUPPORTED


def _is_hopeless(missing: Sequence[_Missing]) -> bool:
    """Whether the rest needn't be asked: the last ones failed, or all were refused as not allowed."""
    read_before = missing[-1].read_before
    last = [one.why for one in missing[-_MOST_REFUSED:] if one.read_before == read_before]
    failed = sum(isinstance(why, PartitionFailed) for why in last)
    refused = sum(isinstance(why, PartitionSkipped) and why.reason in _OF_ALL_PARENTS for why in last)
    return failed >= _MOST_FAILED or (not read_before and refused >= _MOST_REFUSED)


def _what_is_missing(
    missing: Sequence[_Missing], done: Finished, *, is_any_read: bool
) -> PartitionSkipped | PartitionFailed:
    """What a partition amounts to of which some is missing: the state may move up to the first of that."""
    first = missing[0]
    reasons = {one.why.reason if isinstance(one.why, PartitionSkipped) else None for one in missing}
    if not is_any_read and None not in reasons and len(reasons) == 1:
        return first.why
    until = min(done.cursor, first.date) if done.is_complete and done.cursor and first.date else None
    failures = [one.why for one in missing if isinstance(one.why, PartitionFailed)]
    worst = failures[0] if failures else first.why
    words = worst.message if isinstance(worst, PartitionFailed) else f"Codat refused it: {worst.detail}"
    return PartitionFailed(
        f"{counted(len(missing), 'answer')} of it didn't come, and will be asked for again. {words}",
        failures[0].failure_type if failures else FailureType.transient_error,
        status=failures[0].status if failures else 0,
        read_until=until,
    )


# Refusals that are about what the key may have, not about one parent.
_OF_ALL_PARENTS = frozenset({SkipReason.NOT_ALLOWED, SkipReason.BLOCKED})
_MOST_REFUSED, _MOST_FAILED = 10, 3
_UPDATED = ("updatedDate", "updated", "requestedDate", "requested")
_OF_REPORTS = ("status", "type", *_UPDATED)


def _latest(rows: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The complete report of a type that was updated last, if there is one."""
    complete = [row for row in rows if row.get("type") == kind and row.get("status") == "Complete"]

    def updated(row: Mapping[str, Any]) -> int:
        return max((timestamps.instant(str(row.get(name) or "")) or 0 for name in _UPDATED), default=0)

    return [max(complete, key=updated)] if complete else []
