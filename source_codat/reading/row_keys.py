"""Keys for rows without a reliable id: what Codat tells a row apart by, else a hash and a number.

The number tells equal rows apart. It is counted over one whole, complete read of a partition, so
rows that have one are held back until the read is proven: docs/behaviour.md, "Rows without an id".
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import IO

import msgspec
from airbyte_cdk.models import FailureType

from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer, PartitionFailed
from source_codat.reading.pages import Page
from source_codat.reading.row_fields import RawFields, fields_of, identifier, row_of, without
from source_codat.reading.rows import RowBatch
from source_codat.streams.definition import ROW_KEY, CodatRetriever

_VOLATILE = ("modifiedDate", "sourceModifiedDate")
_ROWS_PER_BATCH = 500
_MEMORY = 4 * 1024 * 1024
_MADE_UP = re.compile(r"no-id-[0-9a-f]{32}-[0-9]+")


def is_made_up(key: str) -> bool:
    """Whether a row's id was made up here, as Codat gave it none: nothing can be asked by it."""
    return _MADE_UP.fullmatch(key) is not None


@dataclass
class RowKeys:
    """Sees to it that every row of one pass through a partition has its key.

    ids: the partition's. start: an instant, rows that changed before it are left out; None where
    Codat is asked for later ones only.
    has_rows_without_id: rows whose key is a hash were among them.
    """

    retriever: CodatRetriever
    ids: Mapping[str, str]
    start: int | None = None
    has_rows_without_id: bool = False
    _seen: Counter[str] = field(default_factory=Counter)

    def keyed(self, page: Page) -> Page:
        """A page whose rows have their keys; those that can't match the start date are gone."""
        if self.retriever.has_row_key:
            return self._with_row_keys(page)
        if self.retriever.own_key and None in page.ids:
            page = self._with_made_up_ids(page)
        if self.start is None:
            return page
        kept = [number for number, row in enumerate(page.rows) if self._recent(fields_of(row))]
        return _only(page, kept)

    def _with_row_keys(self, page: Page) -> Page:
        every = list(map(fields_of, page.rows))
        keys = [self._told_apart_by(fields) for fields in every]
        # An answer that isn't cut into pages shows whether a key stands for one row only.
        repeats = Counter(keys) if not self.retriever.has_pages else Counter()
        rows = []
        for fields, key in zip(every, keys, strict=True):
            known = key is not None and repeats[key] < 2
            row_key = key if known and key is not None else self._hashed(fields)
            rows.append(row_of({ROW_KEY: row_key, **without(fields, ROW_KEY)}))
        kept = [number for number, fields in enumerate(every) if self._recent(fields)]
        return _only(replace(page, rows=rows, ids=[True] * len(rows)), kept)

    def _told_apart_by(self, fields: RawFields) -> str | None:
        """What Codat tells a row apart by, in its partition; None where it says too little for that.

        One part is enough in an answer without pages, which shows whether others have the same.
        """
        parts = [self._part(fields, name) for name in self.retriever.key_fields or ("id",)]
        if not self.retriever.has_pages:
            return "/".join(filter(None, parts)) or None
        qualifiers = [part.replace("%", "%25").replace("/", "%2F") for part in parts[:-1]]
        return "/".join([*qualifiers, parts[-1]]) if parts[-1] else None

    def _part(self, fields: RawFields, name: str) -> str:
        text = identifier(fields.get(name)) or ""
        ticks = timestamps.instant(text) if name in self.retriever.columns.dates else None
        return text if ticks is None else timestamps.iso(ticks)

    def _with_made_up_ids(self, page: Page) -> Page:
        name = self.retriever.own_key
        if self.retriever.ids_required:
            raise MalformedAnswer(f"the list of {self.retriever.name} has a row without '{name}'")
        rows = list(page.rows)
        for number, key in enumerate(page.ids):
            if key is None:
                fields = fields_of(rows[number])
                rows[number] = row_of({name: f"no-id-{self._hashed(fields)}", **without(fields, name)})
        return replace(page, rows=rows, ids=[True if key is None else key for key in page.ids])

    def _hashed(self, fields: RawFields) -> str:
        # Without pages there is one answer, whole each time: nothing more depends on such rows.
        self.has_rows_without_id = self.has_rows_without_id or self.retriever.has_pages
        content = {name: msgspec.json.decode(raw) for name, raw in fields.items() if name not in _VOLATILE}
        # Where the key doesn't name the company, nothing else tells the rows of two companies apart.
        said = msgspec.json.encode([self.ids.get("companyId"), content], order="deterministic")
        digest = hashlib.sha256(said).hexdigest()[:32]
        self._seen[digest] += 1
        return f"{digest}-{self._seen[digest]}"

    def _recent(self, fields: RawFields) -> bool:
        if self.start is None:
            return True
        date = fields.get(self.retriever.cursor_field)
        text = identifier(date) if date is not None else None
        ticks = timestamps.instant(text) if text else None
        return ticks is not None and ticks >= self.start


def _only(page: Page, numbers: Sequence[int]) -> Page:
    if len(numbers) == len(page.rows):
        return page
    return replace(
        page, rows=[page.rows[number] for number in numbers], ids=[page.ids[number] for number in numbers]
    )


class HeldRows:
    """Batches that wait for a proof: in memory, and in a file where they are many."""

    def __init__(self) -> None:
        self._batches: list[RowBatch] = []
        self._bytes = self._count = 0
        self._file: IO[bytes] | None = None
        self._first: RowBatch | None = None

    def add(self, rows: RowBatch) -> None:
        """Keep a batch; all batches must be of one partition."""
        self._first = self._first or rows
        self._batches.append(rows)
        self._bytes += rows.size
        self._count += len(rows)
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

    def drop(self) -> int:
        """Forget what was kept; returns how many rows that were."""
        count = self._count
        if self._file:
            self._file.close()
        self._batches, self._file, self._first = [], None, None
        self._bytes = self._count = 0
        return count


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
