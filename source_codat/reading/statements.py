"""Financial statements as rows: one per line, from which the tree can be built again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from source_codat.foundation.errors import MalformedAnswer
from source_codat.reading.row_fields import NULL, RawFields, fields_of, identifier

_PERIOD = ("date", "fromDate", "toDate")


class _Line(msgspec.Struct):
    name: str | msgspec.Raw | None = None
    accountId: str | msgspec.Raw | None = None  # noqa: N815 - Codat's name
    value: msgspec.Raw = NULL
    items: list[_Line] | None = None


class _DocumentedLine(msgspec.Struct):
    """A line whose values all have the types that Codat documents, as nearly every one has."""

    name: str | None = None
    accountId: str | None = None  # noqa: N815 - Codat's name
    value: msgspec.Raw = NULL
    items: list[_DocumentedLine] | None = None


_LINE = msgspec.json.Decoder(_DocumentedLine)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True)
class _Place:
    """Where a line stands: section, keys and names from the root, depth, number among siblings."""

    section: str
    keys: Sequence[str]
    names: Sequence[str | msgspec.Raw | None]
    position: int


def statement_lines(report: msgspec.Raw | bytes) -> Iterator[bytes]:
    """The lines of one statement, sections first, each with what places it; values keep their digits.

    A total that Codat gives as a bare number (netAssets, grossProfit) is a line of depth 0 too.
    """
    fields = fields_of(report)
    period = {name: fields[name] for name in _PERIOD if name in fields}
    position = 0
    for section, value in fields.items():
        if section in _PERIOD:
            continue
        raw = bytes(value)
        line: _DocumentedLine | _Line
        if raw[:1] == b"{":
            line = _line_of(raw)
        elif raw[:1] in b"-0123456789" or raw == b"null":
            line = _Line(value=value)
        else:
            continue  # currency and the like stand beside the tree
        place = _Place(section, (section,), (), position)
        yield from _rows(line, place, period)
        position += 1


def _line_of(raw: bytes) -> _DocumentedLine | _Line:
    """A line with those below it; raises MalformedAnswer where it can't have any such."""
    try:
        return _LINE.decode(raw)
    except msgspec.ValidationError:
        return _odd_line_of(fields_of(raw))


def _odd_line_of(fields: RawFields) -> _Line:
    """A line that has values of types that Codat doesn't document: they stay the bytes that they are."""
    items = bytes(fields.get("items", NULL))
    if items[:1] == b"[":
        below = list(map(bytes, _ITEMS.decode(items)))
    elif items[:1] == b"{" or items == b"null":
        below = [items]
    else:
        raise MalformedAnswer("the statement has a line whose items aren't a list")
    return _Line(
        name=_as_sent(fields.get("name")),
        accountId=_as_sent(fields.get("accountId")),
        value=fields.get("value", NULL),
        items=[_odd_line_of(fields_of(item)) for item in below if item != b"null"],
    )


def _as_sent(value: msgspec.Raw | None) -> str | msgspec.Raw | None:
    """A text as such, anything else as its bytes; None for null."""
    raw = b"null" if value is None else bytes(value)
    if raw[:1] == b'"':
        return msgspec.json.decode(raw, type=str)
    return None if raw == b"null" else msgspec.Raw(raw)


def _key_text(value: str | msgspec.Raw | None) -> str:
    """A value as part of a key: what it is as text, "" where it is missing."""
    if isinstance(value, msgspec.Raw):
        return identifier(value) or bytes(value).decode()
    return value or ""


def _rows(line: _DocumentedLine | _Line, place: _Place, period: Mapping[str, msgspec.Raw]) -> Iterator[bytes]:
    names = [*place.names, line.name]
    yield msgspec.json.encode(
        {
            **period,
            "section": place.section,
            "lineKey": "/".join(place.keys),
            "parentLineKey": "/".join(place.keys[:-1]) or None,
            "depth": len(place.keys) - 1,
            "path": [name for name in names if name is not None],
            "accountId": line.accountId,
            "name": line.name,
            "value": line.value if bytes(line.value) != b'""' else NULL,
            "position": place.position,
        }
    )
    seen: Counter[str] = Counter()
    items: Sequence[_DocumentedLine | _Line] = line.items or ()
    for position, item in enumerate(items):
        # Restated statements reorder lines: what tells them apart is the account, or the name.
        key = quote(_key_text(item.accountId) or _key_text(item.name), safe=" ")
        seen[key] += 1
        unique = key if seen[key] == 1 else f"{key}#{seen[key]}"
        child = _Place(place.section, (*place.keys, unique), names, position)
        yield from _rows(item, child, period)
