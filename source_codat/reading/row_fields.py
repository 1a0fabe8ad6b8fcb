"""The top-level fields of a row, each value still the bytes that Codat sent."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from source_codat.foundation.errors import MalformedAnswer

RawFields = dict[str, msgspec.Raw]

NULL = msgspec.Raw(b"null")
_OBJECT = msgspec.json.Decoder(RawFields)
_NOTHING = (b"", b"null", b'""')


def fields_of(row: msgspec.Raw | bytes) -> RawFields:
    """The fields of a row by name; raises MalformedAnswer where the row isn't an object."""
    try:
        return _OBJECT.decode(row)
    except msgspec.ValidationError:
        raise MalformedAnswer("the answer has a row that isn't an object") from None


def row_of(fields: Mapping[str, msgspec.Raw | str]) -> bytes:
    """The row that has these fields, in this order."""
    return msgspec.json.encode(fields)


def identifier(value: msgspec.Raw | bytes | None) -> str | None:
    """A value as a text that tells rows apart; None where it is missing, null, empty, or no plain value."""
    raw = b"" if value is None else bytes(value)
    if raw in _NOTHING or raw[:1] in b"{[":
        return None
    return str(msgspec.json.decode(raw)) if raw[:1] == b'"' else raw.decode()


def without(fields: RawFields, name: str) -> dict[str, msgspec.Raw]:
    """The fields but one, whose value stays under another name, unless it says nothing."""
    return {
        (as_sent(name) if field == name else field): value
        for field, value in fields.items()
        if field != name or bytes(value) not in _NOTHING
    }


def as_sent(name: str) -> str:
    """The name under which a value stays in its row that can't stand in the column it was sent for."""
    return f"{name}_as_sent"
