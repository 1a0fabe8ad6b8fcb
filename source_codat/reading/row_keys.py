"""Keys for rows without a reliable id: Codat's where a row has one, else a hash and a number.

The number tells equal rows apart. It is counted over one whole, complete read of a partition, so
the rows of a read in several pages are held back until the read is proven: docs/behaviour.md,
"Rows without an id".
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO

import msgspec
from airbyte_cdk.models import FailureType

from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionFailed
from source_codat.reading.pages import Page
from source_codat.reading.rows import RowBatch

_VOLATILE = ("modifiedDate", "sourceModifiedDate")
_ROWS_PER_BATCH = 500
_MEMORY = 4 * 1024 * 1024


@dataclass
class RowKeys:
    """Gives the rows of one pass their `rowKey`; `start` (an instant) leaves older rows out."""

    start: int | None = None

    def __post_init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self.missing = False

    def keyed(self, page: Page) -> Page:
        """A page whose rows have their keys; those that can't match the start date are gone."""
        rows = [row for row in map(self._keyed, page.rows) if row]
        return replace(page, rows=rows, ids=[True] * len(rows))

    def _keyed(self, row: msgspec.Raw | bytes) -> bytes:
        fields = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
        given = msgspec.json.decode(fields["id"]) if "id" in fields else None
        if given in (None, ""):
            self.missing = True
            key = self._hashed(row)
        else:
            key = str(given)
        if self.start is not None and not self._recent(fields):
            return b""
        return msgspec.json.encode({"rowKey": key, **fields})

    def _hashed(self, row: msgspec.Raw | bytes) -> str:
        content = msgspec.json.decode(row)
        for name in _VOLATILE:
            content.pop(name, None)
        digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:32]
        self._seen[digest] += 1
        return f"{digest}-{self._seen[digest]}"

    def _recent(self, fields: dict[str, msgspec.Raw]) -> bool:
        date = msgspec.json.decode(fields["modifiedDate"]) if "modifiedDate" in fields else None
        ticks = timestamps.instant(date) if isinstance(date, str) else None
        return ticks is not None and self.start is not None and ticks >= self.start


class HeldRows:
    """Batches that wait for a proof: in memory, and in a file where they are many."""

    def __init__(self) -> None:
        self._batches: list[RowBatch] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._first: RowBatch | None = None

    def add(self, rows: RowBatch) -> None:
        """Keep a batch; all batches must be of one partition."""
        self._first = self._first or rows
        self._batches.append(rows)
        self._bytes += rows.size
        if self._bytes > _MEMORY:
            try:
                self._write_out()
            except OSError as error:
                with suppress(OSError):  # it still tries to write what it has
                    self.drop()
                raise _no_room(error) from None

    def _write_out(self) -> None:
        self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - closed by drop()
        for held in self._batches:
            # Whole rows: which fields are still to be added differs from page to page.
            self._file.writelines(b"{%s%s\n" % (held.added, bytes(row)[1:]) for row in held.rows)
        self._file.flush()
        self._batches, self._bytes = [], 0

    def release(self, emit: Callable[[RowBatch], None]) -> None:
        """Send out everything that was kept, in order."""
        if self._file and self._first:
            self._file.seek(0)
            for rows in _chunks(self._file):
                emit(replace(self._first, rows=rows, added=b"", size=sum(map(len, rows)), total=None))
        for rows_kept in self._batches:
            emit(rows_kept)
        self.drop()

    def drop(self) -> None:
        """Forget what was kept."""
        if self._file:
            self._file.close()
        self._batches, self._bytes, self._file, self._first = [], 0, None, None


def _no_room(error: OSError) -> PartitionFailed:
    folder = tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - only named
    return PartitionFailed(
        f"The temporary folder '{folder}' doesn't take the rows that wait there until all have come "
        f"({error.strerror or error}): make room in it, or set the variable TMPDIR to another one.",
        FailureType.config_error,
    )


def _chunks(file: IO[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for line in file:
        chunk.append(line[:-1])
        if len(chunk) == _ROWS_PER_BATCH:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
