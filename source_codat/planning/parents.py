"""Partitions that come from another stream's rows: bank accounts, bills, generated reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from source_codat.companies.context import DataTypeView
from source_codat.config.settings import Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.reading.reader import Finished, StreamReader
from source_codat.reading.requests import Partition
from source_codat.reading.rows import RowBatch
from source_codat.streams.definition import CodatRetriever

_ROW = msgspec.json.Decoder(dict[str, Any])


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

    def ids(self, group: Partition) -> list[dict[str, str]]:
        """The further ids of each child partition of a group.

        Raises PartitionFailed where the parents can't be read completely: a parent missed here
        would hide its children. Raises PartitionSkipped where Codat has none.
        """
        if group.context is None:
            raise ValueError(self.child.name)
        wanted = {name: value for name, value in group.ids.items() if name in self.parent.scope}
        rows: list[dict[str, Any]] = group.context.remembered(
            f"{self.parent.name}{sorted(wanted.items())}", lambda: self._rows(group, wanted)
        )
        if self.child.latest:
            rows = _latest(rows, self.child.latest)
            if not rows:
                raise PartitionSkipped(SkipReason.NOT_GENERATED)
        found = [
            {name: str(row[column]) for name, column in self.child.parent_ids.items()}
            for row in rows
            if all(row.get(column) not in (None, "") for column in self.child.parent_ids.values())
        ]
        return list({tuple(one.values()): one for one in found}.values())

    def read_new(self, group: Partition, reader: StreamReader) -> Finished:
        """Read what each parent since the last read holds, and move on as far as the parents go."""
        if group.context is None:
            raise ValueError(self.child.name)
        date = self.parent.cursor_field
        rows: list[dict[str, Any]] = []
        done = self._read(group, group.since, {*self.child.parent_ids.values(), "status", date}, rows.append)
        if not done.complete:
            return done
        for row in rows:
            if row.get("status") in self.parent.finished:
                ids = {name: str(row[column]) for name, column in self.child.parent_ids.items()}
                dated = {date: msgspec.json.encode(row.get(date))}
                try:
                    reader.read(Partition({**group.ids, **ids}, context=group.context, extra_fields=dated))
                except PartitionSkipped as skipped:
                    if skipped.reason is not SkipReason.NOT_SUPPORTED:  # which is: nothing to say of this one
                        raise
        return done

    def _rows(self, group: Partition, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        columns = {*self.child.parent_ids.values(), "status", "type", *_UPDATED}
        if not self._read(replace(group, ids=wanted), None, columns, rows.append).complete:
            raise PartitionFailed(
                f"The {self.parent.name} that its rows belong to kept changing while they were read."
            )
        return rows

    def _read(
        self,
        group: Partition,
        since: int | None,
        columns: set[str],
        keep: Callable[[dict[str, Any]], None],
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
        settings = replace(self.settings, filters={}, include_deleted=True, start=None)
        reader = StreamReader(self.client, self.parent, settings, collect, self.stats)
        return reader.read(Partition(group.ids, since, context=group.context, source=self.source(group)))

    def source(self, group: Partition) -> DataTypeView | None:
        """What was known of the parents' data types before the parents were listed."""
        if group.source is None or not self.parent.data_types:
            return None
        return replace(group.source, data_types=self.parent.data_types)


_UPDATED = ("updatedDate", "updated", "requestedDate", "requested")


def _latest(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The complete report of a type that was updated last, if there is one."""
    complete = [row for row in rows if row.get("type") == kind and row.get("status") == "Complete"]

    def updated(row: Mapping[str, Any]) -> int:
        return max((timestamps.instant(str(row.get(name) or "")) or 0 for name in _UPDATED), default=0)

    return [max(complete, key=updated)] if complete else []
