"""What Codat knows of a record type: its properties, their kinds, and which of them a query can name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_TOKEN = re.compile(r"\s*([A-Za-z_][\w]*)(:[nidb]|\[\]|\*)?|\s*([{}])")


class Kind(Enum):
    """What a property holds; the value is the mark that `shape` reads."""

    STRING = ""
    NUMBER = ":n"
    INTEGER = ":i"
    DATE = ":d"
    BOOLEAN = ":b"
    OBJECT = "{}"
    LIST = "[]"
    ANYTHING = "*"


_CLOSED = (Kind.OBJECT, Kind.LIST, Kind.ANYTHING)


@dataclass(frozen=True)
class Shape:
    """A record type by Codat's name for it, with the kind of each property by dotted name."""

    name: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    """In the order they were written; a property of a list's items is called as in `lines[].amount`."""

    def kind(self, path: str) -> Kind | None:
        """Return the kind of a property that can be queried (an integer is a number), else None."""
        kind = self.kinds.get(path)
        if kind in _CLOSED or "[]" in path:
            return None
        return Kind.NUMBER if kind is Kind.INTEGER else kind


def shape(name: str, text: str) -> Shape:
    """Read a shape written as `id issueDate:d total:n supplierRef{id} lines[]{amount:n} tags[] content*`.

    A bare name is a string, `:n` a number, `:i` a whole number, `:d` a date, `:b` a boolean. Queries can look
    into an object, `{}`, but not into a list, `[]`, nor into free contents, `*`.
    """
    kinds: dict[str, Kind] = {}
    above: list[str] = []
    last, at = "", 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"shape {name}: can't read {text[at : at + 20]!r}")
        at = found.end()
        word, mark, brace = found.groups()
        if brace == "}":
            above.pop()
            continue
        path = ".".join([*above, word or last])
        if brace == "{":
            is_list = kinds[path] is Kind.LIST
            above.append(f"{last}[]" if is_list else last)
            if not is_list:
                kinds[path] = Kind.OBJECT
        else:
            last = word
            kinds[path] = Kind(mark or "")
    return Shape(name, kinds)


def lookup(record: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path of a record, None where there is none; a list gives its items' values."""
    for at, step in enumerate(path):
        if isinstance(record, list):
            return [lookup(item, path[at:]) for item in record]
        if not isinstance(record, dict):
            return None
        record = record.get(step)
    return record
