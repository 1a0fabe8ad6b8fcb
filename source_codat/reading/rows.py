"""Rows on their way out: Codat's bytes, wrapped into Airbyte's messages without being parsed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_codat.reading.pages import Page
from source_codat.reading.row_fields import NULL, as_sent, fields_of, row_of
from source_codat.streams.columns import Columns

_SLICE = 4 << 20  # bytes
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
    if page.irregular or empty:
        rows = [_rebuilt(row, fixed, extra, columns) for row in page.rows]
        return RowBatch(stream, rows, b"", now, sum(map(len, rows)))
    added = {**extra, **fixed}
    joined = b"".join(b"%s:%s," % (msgspec.json.encode(name), bytes(value)) for name, value in added.items())
    return RowBatch(stream, page.rows, joined, now, page.size)


def _rebuilt(
    row: msgspec.Raw | bytes,
    fixed: Mapping[str, bytes],
    extra: Mapping[str, msgspec.Raw | bytes],
    columns: Columns,
) -> bytes:
    """A row put together anew from its fields; what they say stays the bytes that Codat sent.

    A field that differs in case alone from one that is added, or from a key, goes on under the name
    that `as_sent` gives it: in a warehouse that doesn't tell the two apart it would replace the key.
    """
    reserved = {name.lower(): name for name in (*columns.key, columns.cursor, *fixed, *extra)}
    own: dict[str, msgspec.Raw] = {}
    for name, value in fields_of(row).items():
        if name in fixed:
            continue
        if reserved.get(name.lower(), name) != name:
            own[as_sent(name)] = value
        else:
            own.update(_fitted(name, value, columns))
    added = {name: value for name, value in extra.items() if bytes(own.get(name, NULL)) == b"null"}
    first = {name: msgspec.Raw(bytes(value)) for name, value in {**fixed, **added}.items()}
    return row_of({**first, **{name: own[name] for name in own if name not in added}})


def _fitted(name: str, value: msgspec.Raw, columns: Columns) -> dict[str, msgspec.Raw]:
    """A field that a warehouse can load: a text where a number, a date or a boolean belongs can't be.

    An empty text says nothing and becomes null. The text of a number or boolean loses its quotes.
    Any other text in such a column stays in the row under the name that `as_sent` gives it.
    """
    raw = bytes(value)
    is_plain = name in columns.numbers or name in columns.booleans
    if raw[:1] != b'"' or not (is_plain or name in columns.dates):
        return {name: value}
    if raw == b'""':
        return {name: NULL}
    text = msgspec.json.decode(raw, type=str)
    if not is_plain:
        return {name: value}
    if _NUMBER.fullmatch(text) if name in columns.numbers else text in ("true", "false"):
        return {name: msgspec.Raw(text.encode())}
    return {as_sent(name): value}
