"""What a stream's key and schema say of its columns: what can't stand in them as Codat may send it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


@dataclass
class Columns:
    """A stream's columns.

    key: the columns of its primary key. cursor: what it is incremental by, or "". load: gives its JSON
    schema, which is read when it is needed. moved: the fields of rows, seen so far, that can't stand in
    the column of their name.
    """

    key: Sequence[str] = ()
    cursor: str = ""
    load: Callable[[], Mapping[str, Any]] = field(default=dict, repr=False)  # it has the configuration in it
    moved: set[str] = field(default_factory=set, init=False)

    @property
    def numbers(self) -> frozenset[str]:
        """The columns that hold a number."""
        return self._kinds[0]

    @property
    def booleans(self) -> frozenset[str]:
        """The columns that hold true or false."""
        return self._kinds[1]

    @property
    def dates(self) -> frozenset[str]:
        """The columns that hold a date, with or without a time."""
        return self._kinds[2]

    @cached_property
    def _kinds(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Numbers, booleans and dates, of one look at the schema: to load it takes milliseconds."""
        properties: Mapping[str, Any] = self.load().get("properties", {})

        def of(wanted: set[str]) -> frozenset[str]:
            return frozenset(
                name
                for name, schema in properties.items()
                if (types := set(schema.get("type", ())) - {"null"}) and types <= wanted
            )

        dates = frozenset(
            name
            for name, schema in properties.items()
            if schema.get("format") == "date-time"
            or str(schema.get("airbyte_type", "")).startswith("timestamp")
        )
        return of({"integer", "number"}), of({"boolean"}), dates


def other_spellings(name: str) -> set[str]:
    """The ways of writing a name that differ in case alone, as far as anybody would write it so.

    A short name's are all there are; of a longer one each word is small, capital or capitalised.
    """
    if len(name) <= 3:
        found = {
            "".join(letters) for letters in product(*((letter.lower(), letter.upper()) for letter in name))
        }
    else:
        words = [(word.lower(), word.upper(), word.capitalize()) for word in _WORD.findall(name)]
        found = {"".join(choice) for choice in product(*words)} | {name.swapcase()}
    return found - {name}
