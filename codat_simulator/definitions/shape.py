"""What Codat knows of a record type: the properties that a query can name, and their kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"\s*([A-Za-z_][\w]*)(:[ndbs]|\[\]|\*)?|\s*([{}])")

STRING, NUMBER, DATE, BOOLEAN, CLOSED = "s", "n", "d", "b", "closed"


@dataclass(frozen=True)
class Shape:
    """A record type by Codat's name for it, with the kind of each property by dotted name."""

    name: str
    kinds: dict[str, str] = field(default_factory=dict)

    def kind(self, path: str) -> str | None:
        """Return the kind of a property that can be queried, None for an unknown one."""
        kind = self.kinds.get(path)
        return None if kind == CLOSED else kind


def shape(name: str, text: str) -> Shape:
    """Read a shape written as `id issueDate:d total:n supplierRef{id} lines[] content*`.

    A bare name is a string, `:n` a number, `:d` a date, `:b` a boolean; `[]` and `*` mark what queries can't
    look into.
    """
    kinds: dict[str, str] = {}
    above: list[str] = []
    last, at = "", 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"shape {name}: can't read {text[at : at + 20]!r}")
        at = found.end()
        word, mark, brace = found.groups()
        if brace == "{":
            above.append(last)
            kinds[".".join(above)] = CLOSED
        elif brace == "}":
            above.pop()
        else:
            last = word
            kinds[".".join([*above, word])] = (
                mark[1] if mark and mark[0] == ":" else (CLOSED if mark else STRING)
            )
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
