"""Rows on their way out: as their stream has them, wrapped into Airbyte's messages without being parsed."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_codat.reading.pages import Page
from source_codat.reading.row_fields import NULL, as_sent, fields_of, row_of
from source_codat.reading.statements import statement_lines
from source_codat.streams.columns import Columns
from source_codat.streams.definition import CodatRetriever, Shape

_SLICE = 4 << 20  # bytes
logger = logging.getLogger("airbyte")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class RowBatch:
    """Rows of one stream that leave together.

    rows: one JSON object each, from its first brace to its last, without line breaks.
    added: what goes in after the first brace of each: `"companyId":"…",` or nothing.
    emitted_at: milliseconds since 1970. size: bytes held while the batch waits.
    total: how many rows Codat announced, with the first of them only. company_id: whose they are.
    """

    stream: str
    rows: Sequence[msgspec.Raw | bytes]
    added: bytes
    emitted_at: int
    size: int
    total: int | None = None
    company_id: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def slices(self) -> Iterator[RowBatch]:
        """The batch in parts whose lines take little memory beside it."""
        rows = max(1, len(self.rows) * _SLICE // max(1, self.size))
        if rows >= len(self.rows):
            yield self
        else:
            for start in range(0, len(self.rows), rows):
                yield replace(self, rows=self.rows[start : start + rows])

    def lines(self) -> bytes:
        """The batch as lines of Airbyte's protocol, each a RECORD message."""
        prefix = b'{"type":"RECORD","record":{"stream":"%s","data":{%s' % (
            self.stream.encode(),
            self.added,
        )
        suffix = b',"emitted_at":%d}}\n' % self.emitted_at
        bodies: Iterable[memoryview] = (memoryview(row)[1:] for row in self.rows)
        return b"".join((prefix, (suffix + prefix).join(bodies), suffix))

    def messages(self) -> Iterator[AirbyteMessage]:
        """The batch as ordinary Airbyte messages, equal as JSON to its lines."""
        for row in self.rows:
            data = json.loads(b"{" + self.added + bytes(row)[1:])
            record = AirbyteRecordMessage(stream=self.stream, data=data, emitted_at=self.emitted_at)
            yield AirbyteMessage(type=Type.RECORD, record=record)


def shaped(retriever: CodatRetriever, page: Page) -> Page:
    """A page with the rows that its stream has: the lines of statements, and columns from nested ids."""
    if retriever.shape is Shape.LINES:
        rows = [line for report in page.rows for line in statement_lines(report)]
        return replace(page, rows=rows, ids=[True] * len(rows), size=sum(map(len, rows)))
    if retriever.from_nested:
        return replace(page, rows=[_with_nested(row, retriever.from_nested) for row in page.rows])
    return page


def _with_nested(row: msgspec.Raw | bytes, paths: Mapping[str, str]) -> bytes:
    """A row with fields added at top level from nested ones, as far as it has those."""
    fields = fields_of(row)
    for name, path in paths.items():
        value: msgspec.Raw | None = msgspec.Raw(bytes(row))
        for part in path.split("."):
            inner = fields_of(value) if value is not None and bytes(value)[:1] == b"{" else {}
            value = inner.get(part)
        if value is not None:
            fields[name] = value
    return row_of(fields)


def batch(
    stream: str,
    page: Page,
    fixed: Mapping[str, bytes],
    extra: Mapping[str, msgspec.Raw | bytes],
    columns: Columns,
) -> RowBatch:
    """The rows of a page as they leave, with fields added at top level; values are encoded JSON.

    fixed: what wins over what a row says, the ids of its partition; extra: what a row may say better.
    """
    now = time.time_ns() // 1_000_000
    empty = None in page.ids and any(bytes(row)[1:].lstrip()[:1] == b"}" for row in page.rows)
    if page.is_irregular or empty:
        moved: set[str] = set()
        rows = [_rebuilt(row, fixed, extra, columns, moved) for row in page.rows]
        for name in sorted(moved - columns.moved):
            logger.warning(
                "%s: a row has '%s' with what can't stand in the column of that name; it goes on as '%s'.",
                stream,
                name,
                as_sent(name),
            )
        columns.moved |= moved
        return RowBatch(stream, rows, b"", now, sum(map(len, rows)))
    added = {**extra, **fixed}
    joined = b"".join(b"%s:%s," % (msgspec.json.encode(name), bytes(value)) for name, value in added.items())
    return RowBatch(stream, page.rows, joined, now, page.size)


def _rebuilt(
    row: msgspec.Raw | bytes,
    fixed: Mapping[str, bytes],
    extra: Mapping[str, msgspec.Raw | bytes],
    columns: Columns,
    moved: set[str],
) -> bytes:
    """A row put together anew from its fields; what they say stays the bytes that Codat sent.

    A field that differs in case alone from one that is added, or from a key, goes on under the name
    that `as_sent` gives it: in a warehouse that doesn't tell the two apart it would replace the key.
    So does what `_fitted` refuses. moved: gets the names of such fields.
    """
    reserved = {name.lower(): name for name in (*columns.key, columns.cursor, *fixed, *extra)}
    own: dict[str, msgspec.Raw] = {}
    for name, value in fields_of(row).items():
        if name in fixed:
            continue
        is_other_spelling = reserved.get(name.lower(), name) != name
        fitted = None if is_other_spelling else _fitted(name, value, columns)
        if fitted is None:
            moved.add(name)
            own[as_sent(name)] = value
        else:
            own[name] = fitted
    added = {name: value for name, value in extra.items() if bytes(own.get(name, NULL)) == b"null"}
    first = {name: msgspec.Raw(bytes(value)) for name, value in {**fixed, **added}.items()}
    return row_of({**first, **{name: own[name] for name in own if name not in added}})


def _fitted(name: str, value: msgspec.Raw, columns: Columns) -> msgspec.Raw | None:
    """A field's value as its column can hold it; None where it can't, a text where a number belongs.

    An empty text says nothing and becomes null, the text of a number or boolean loses its quotes.
    """
    raw = bytes(value)
    is_number, is_boolean = name in columns.numbers, name in columns.booleans
    if raw[:1] != b'"' or not (is_number or is_boolean or name in columns.dates):
        return value
    if raw == b'""':
        return NULL
    if not (is_number or is_boolean):
        return value
    text = msgspec.json.decode(raw, type=str)
    is_fit = _NUMBER.fullmatch(text) if is_number else text in ("true", "false")
    return msgspec.Raw(text.encode()) if is_fit else None
