"""Records made up from nothing but the shape of their type, for what has no generator of its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from codat_simulator.definitions.shape import Kind, Shape
from codat_simulator.generators.maker import Record, amount, note, person, roughen
from codat_simulator.generators.words import CITIES, COMPANY_NAMES, CURRENCIES
from codat_simulator.instants import TICKS, render

_DAY = 86_400 * TICKS
# Forms of a date: fractional digits and zone. Codat's own stamps mostly have one, dates of business none.
_STAMPS = ((0, "Z"), (0, "Z"), (0, ""), (3, "Z"), (7, "Z"))
_BUSINESS_DATES = ((0, ""), (0, ""), (7, ""))
_STAMPED = re.compile(
    r"(modified|updated|requested|imported)(Date|$)|Utc$|lastSync|uploaded|generated", re.IGNORECASE
)
_PLAIN: dict[Kind, Callable[[Random], Any]] = {
    Kind.NUMBER: amount,
    Kind.INTEGER: lambda rng: rng.randrange(100),
    Kind.BOOLEAN: lambda rng: rng.random() < 0.5,
    Kind.ANYTHING: lambda rng: {"Größe/1": amount(rng), "lines": [{"n": 1}, None]},
}
# By what a property's name ends with.
_TEXTS: dict[str, Callable[[Random], str]] = {
    "id": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "contactname": person,
    "name": lambda rng: rng.choice(COMPANY_NAMES),
    "description": note,
    "note": note,
    "message": note,
    "currency": lambda rng: rng.choice(CURRENCIES),
    "country": lambda rng: rng.choice(CITIES)[2],
    "email": lambda rng: f"user+{rng.randrange(100)}@example.com",
    "url": lambda rng: f"https://example.com/{rng.randrange(10**6)}",
}
Values = Mapping[str, Sequence[Any]]
"""By dotted name, the values that a property takes at random."""
_NO_VALUES: Values = {}
_NEVER_LEFT_OUT = frozenset({"id"})


def made_up(
    shape: Shape, seed: str, until: int, always: frozenset[str] = _NEVER_LEFT_OUT, values: Values = _NO_VALUES
) -> Record:
    """Return a record of a shape, the same for the same seed, dated in the year before `until`, an instant.

    Some properties are missing or null, but for those in `always`.
    """
    rng = Random(seed)
    record = _Author(shape, rng, until, values).an_object("")
    return roughen(rng, record, always)


class _Author:
    """Makes up the values of one record."""

    def __init__(self, shape: Shape, rng: Random, until: int, values: Values) -> None:
        self._shape, self._rng, self._until, self._values = shape, rng, until, values

    def an_object(self, prefix: str) -> Record:
        """Return an object of all properties directly below a prefix as `supplierRef.`."""
        below = (path for path in self._shape.kinds if path.startswith(prefix))
        names = [path.removeprefix(prefix) for path in below]
        return {name: self._value(prefix + name) for name in names if "." not in name}

    def _value(self, path: str) -> Any:
        if path in self._values:
            return self._rng.choice(self._values[path])
        kind = self._shape.kinds[path]
        if kind is Kind.OBJECT:
            return self.an_object(f"{path}.")
        if kind is Kind.LIST:
            return self._items(path)
        if kind is Kind.DATE:
            digits, zone = self._rng.choice(
                _STAMPS if _STAMPED.search(path.rpartition(".")[2]) else _BUSINESS_DATES
            )
            return render(self._until - self._rng.randrange(1, 365 * _DAY), digits, zone)
        if kind is Kind.STRING:
            return self._text(path.rpartition(".")[2])
        return _PLAIN[kind](self._rng)

    def _items(self, path: str) -> list[Any]:
        count = self._rng.randrange(3)
        if any(name.startswith(f"{path}[].") for name in self._shape.kinds):
            return [self.an_object(f"{path}[].") for _ in range(count)]
        return [note(self._rng) for _ in range(count)]

    def _text(self, name: str) -> str:
        """Return a text that fits a property's name."""
        for ending, text in _TEXTS.items():
            if name.lower().endswith(ending):
                return text(self._rng)
        return f"{name} №{self._rng.randrange(10**4)}"
