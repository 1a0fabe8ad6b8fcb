"""Financial statements as rows: one per line, from which the tree can be built again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from source_codat.reading.row_fields import NULL, fields_of

_PERIOD = ("date", "fromDate", "toDate")


class _Line(msgspec.Struct):
    name: str | None = None
    accountId: str | None = None  # noqa: N815 - Codat's name
    value: msgspec.Raw = NULL
    items: list[_Line] | None = None


_LINE = msgspec.json.Decoder(_Line)


@dataclass(frozen=True)
class _Place:
    """Where a line stands: section, keys and names from the root, depth, number among siblings."""

    section: str
    keys: Sequence[str]
    names: Sequence[str | None]
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
        if raw[:1] == b"{":
            line = _LINE.decode(raw)
        elif raw[:1] in b"-0123456789" or raw == b"null":
            line = _Line(value=value)
        else:
            continue  # currency and the like stand beside the tree
        place = _Place(section, (section,), (), position)
        yield from _rows(line, place, period)
        position += 1


def _rows(line: _Line, place: _Place, period: Mapping[str, msgspec.Raw]) -> Iterator[bytes]:
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
    for position, item in enumerate(line.items or ()):
        # Restated statements reorder lines: what tells them apart is the account, or the name.
        key = quote(item.accountId or item.name or "", safe=" ")
        seen[key] += 1
        unique = key if seen[key] == 1 else f"{key}#{seen[key]}"
        child = _Place(place.section, (*place.keys, unique), names, position)
        yield from _rows(item, child, period)
