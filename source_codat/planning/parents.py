"""Partitions that come from another stream's rows: bank accounts, bills, generated reports."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from source_codat.config.settings import DeletedRecords, Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.foundation.wording import counted
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.reading.reader import Finished, StreamReader
from source_codat.reading.requests import Partition
from source_codat.reading.row_keys import is_made_up
from source_codat.reading.rows import RowBatch
from source_codat.state.store import Siblings
from source_codat.streams.definition import CodatRetriever
from source_codat.trust.evidence import Evidence

logger = logging.getLogger("airbyte")
_ROW = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True)
class Children:
    """The partitions that a list of parents makes.

    ids: the further ids of each. is_complete: whether the list of parents is known to be complete.
    """

    ids: Sequence[Mapping[str, str]]
    is_complete: bool

    def siblings(self) -> Siblings:
        """What the entries of these partitions are noted together in."""
        return Siblings(len(self.ids), is_whole=self.is_complete)


@dataclass(frozen=True)
class _ParentRows:
    """What a read of a parent stream's rows found: of each row, the columns that are needed."""

    rows: Sequence[Mapping[str, Any]]
    is_complete: bool


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
        found: _ParentRows = above.context.remembered(
            f"{self.parent.name}{sorted(wanted.items())}", lambda: self._rows(above, wanted)
        )
        rows = found.rows
        if self.child.latest:
            rows = _latest(rows, self.child.latest)
            if not rows and found.is_complete:
                raise PartitionSkipped(SkipReason.NOT_GENERATED)
        ids = [self._child_ids(row) for row in rows]
        known = list(
            {tuple(child_ids.values()): child_ids for child_ids in ids if child_ids is not None}.values()
        )
        if None in ids:
            logger.warning(
                "%s: %s of %s without an id, so their %s can't be asked for.",
                self.parent.name,
                counted(ids.count(None), "row"),
                above.context.company.label,
                self.child.name,
            )
        return Children(known, found.is_complete)

    def read_new(self, above: Partition, reader: StreamReader) -> Finished:
        """Read what each parent since the last read holds, and move on as far as the parents go."""
        if above.context is None:
            raise ValueError(self.child.name)
        date = self.parent.cursor_field
        rows: list[Mapping[str, Any]] = []
        read: list[Finished] = []
        done = self._read(above, above.since, {*self.child.parent_ids.values(), "status", date}, rows.append)
        for row in rows:
            ids = self._child_ids(row)
            if ids is None or row.get("status") not in self.parent.finished:
                continue
            dated = {date: msgspec.json.encode(row.get(date))}
            child = Partition({**above.ids, **ids}, context=above.context, extra_fields=dated)
            try:
                read.append(reader.read(child))
            except PartitionSkipped as skipped:
                if skipped.reason is SkipReason.NOT_SUPPORTED:  # which is: nothing to say of this one
                    continue
                if not read:
                    raise
                raise PartitionFailed(
                    f"Codat refused some of it after it gave some: {skipped.detail}"
                ) from None
        return replace(done, is_complete=done.is_complete and all(finished.is_complete for finished in read))

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

    def _rows(self, above: Partition, wanted: Mapping[str, str]) -> _ParentRows:
        rows: list[Mapping[str, Any]] = []
        columns = {*self.child.parent_ids.values(), "status", "type", *_UPDATED}
        done = self._read(replace(above, ids=wanted), None, columns, rows.append)
        return _ParentRows(rows, done.is_complete)

    def _read(
        self,
        above: Partition,
        since: int | None,
        columns: set[str],
        keep: Callable[[Mapping[str, Any]], None],
    ) -> Finished:
        seen: set[bytes] = set()

        def collect(batch: RowBatch) -> None:
            for row in batch.rows:
                fields = _ROW.decode(row)
                kept = {name: fields[name] for name in columns if name in fields}
                text = msgspec.json.encode(kept)
                if text not in seen:
                    seen.add(text)
                    keep(kept)

        # A parent's filters and start date are about what is sent, not about which children exist.
        settings = replace(self.settings, filters={}, deleted_records=DeletedRecords.KEEP, start=None)
        reader = StreamReader(self.client, self.parent, settings, collect, self.stats)
        return reader.read(Partition(above.ids, since, context=above.context, source=self.evidence(above)))


_UPDATED = ("updatedDate", "updated", "requestedDate", "requested")


def _latest(rows: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The complete report of a type that was updated last, if there is one."""
    complete = [row for row in rows if row.get("type") == kind and row.get("status") == "Complete"]

    def updated(row: Mapping[str, Any]) -> int:
        return max((timestamps.instant(str(row.get(name) or "")) or 0 for name in _UPDATED), default=0)

    return [max(complete, key=updated)] if complete else []
