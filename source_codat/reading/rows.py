"""Rows on their way out: Codat's bytes, wrapped into Airbyte's messages without being parsed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_codat.reading.pages import Page

_SLICE = 4 << 20  # bytes
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


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
    stream: str, page: Page, ids: Mapping[str, bytes], beside: Mapping[str, msgspec.Raw | bytes]
) -> RowBatch:
    """The rows of a page as they leave, with fields added at top level; values are encoded JSON.

    ids: the partition's own, which win over what a row says; beside: what a row may say better.
    """
    added = {**beside, **ids}
    now = time.time_ns() // 1_000_000
    bare = any(
        identifier is None and bytes(row)[1:].lstrip()[:1] == b"}"
        for row, identifier in zip(page.rows, page.ids, strict=True)
    )
    if added and (page.clashing or bare):
        # A row that has such a field already, or none at all, is put together anew; its other
        # values stay the bytes they are.
        rows = [_merged(row, ids, beside) for row in page.rows]
        return RowBatch(stream, rows, b"", now, sum(map(len, rows)))
    joined = b"".join(b"%s:%s," % (msgspec.json.encode(name), bytes(value)) for name, value in added.items())
    return RowBatch(stream, page.rows, joined, now, page.size)


def _merged(
    row: msgspec.Raw | bytes, ids: Mapping[str, bytes], beside: Mapping[str, msgspec.Raw | bytes]
) -> bytes:
    own = {name: value for name, value in _OBJECT.decode(row).items() if name not in ids}
    added = {name: value for name, value in beside.items() if bytes(own.get(name, b"null")) == b"null"}
    first = {name: msgspec.Raw(bytes(value)) for name, value in {**ids, **added}.items()}
    return msgspec.json.encode({**first, **{name: own[name] for name in own if name not in added}})
