"""When a record was deleted at its source, in the column by which Airbyte's destinations delete a row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from source_codat.foundation import timestamps
from source_codat.reading.pages import Page
from source_codat.reading.row_fields import fields_of, row_of
from source_codat.streams.definition import DELETED_AT

_START = b'{"%s":' % DELETED_AT.encode()


class _Metadata(msgspec.Struct):
    isDeleted: bool | None = None  # noqa: N815 - Codat's name


class _Head(msgspec.Struct):
    """What is read of a row; a row that has the column already, or anything odd, doesn't decode."""

    metadata: _Metadata | None = None
    modifiedDate: str | None = None  # noqa: N815 - Codat's name
    sent: msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name=DELETED_AT)


_HEAD = msgspec.json.Decoder(_Head)


def with_deletion_dates(page: Page) -> Page:
    """A page whose rows have the column first: the row's modifiedDate where it was deleted, else null.

    The rows must have an id. A deleted row without a usable modifiedDate gets Codat's time of the answer,
    as only a value that isn't null says that it was deleted.
    """
    rows = [_dated(row, page) for row in page.rows]
    return replace(page, rows=rows, size=sum(map(len, rows)))


def _dated(row: msgspec.Raw | bytes, page: Page) -> bytes:
    try:
        head = _HEAD.decode(row)
    except msgspec.ValidationError:
        return _rebuilt(row, page)
    is_deleted = head.metadata is not None and head.metadata.isDeleted is True
    value = _deleted_at(head.modifiedDate, page) if is_deleted else b"null"
    return b"".join((_START, value, b",", memoryview(row)[1:]))


def _rebuilt(row: msgspec.Raw | bytes, page: Page) -> bytes:
    fields = fields_of(row)
    metadata, date = (_value(fields.get(name)) for name in ("metadata", "modifiedDate"))
    is_deleted = isinstance(metadata, dict) and metadata.get("isDeleted") is True
    value = _deleted_at(date if isinstance(date, str) else None, page) if is_deleted else b"null"
    return row_of({**fields, DELETED_AT: msgspec.Raw(value)})


def _value(raw: msgspec.Raw | None) -> Any:
    return msgspec.json.decode(raw) if raw is not None else None


def _deleted_at(date: str | None, page: Page) -> bytes:
    """The date of a deletion as a JSON text, in the form in which Codat sent it."""
    ticks = timestamps.instant(date) if date else None
    if ticks is None or ticks < timestamps.FIRST_USABLE_DATE:
        date = timestamps.iso(page.server_time or timestamps.now())
    return msgspec.json.encode(date)
