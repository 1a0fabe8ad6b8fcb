"""Codat's query language, read strictly: what it can't parse or resolve is refused.

    condition = property operator value
    query     = conditions joined by && (binds tighter) and ||, grouped with { }

Operators: = != on everything, ~ (contains) on strings, > < >= <= on numbers and dates.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from codat_simulator.definitions.shape import Kind, Shape, lookup
from codat_simulator.instants import instant

Predicate = Callable[[Any], bool]
LONGEST = 2048
_CONDITION = re.compile(r"([A-Za-z_][\w\-]*(?:\.[\w\-]+)*)\s*(!=|>=|<=|=|~|>|<)\s*([^&|{}]*)")
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


class QueryError(Exception):
    """A query that Codat refuses, with its words."""

    @classmethod
    def malformed(cls) -> QueryError:
        """Return the error for a query that can't be parsed."""
        return cls("Error parsing query - Malformed query.")

    @classmethod
    def unresolved(cls, name: str, owner: str) -> QueryError:
        """Return the error for a property that the record type doesn't have."""
        return cls(f"Error parsing query - Could not resolve property {name} on {owner}")


def compile_query(text: str, shape: Shape | None) -> Predicate:
    """Turn a query into a test of one record; no shape means free names, as in the `tags` parameter."""
    if len(text) >= LONGEST:
        raise QueryError(f"Error parsing query - Query must be shorter than {LONGEST} characters.")
    return _Reader(text, shape).read()


def properties(text: str) -> set[str]:
    """Return the names that the conditions of a query start with."""
    return {found.group(1) for found in _CONDITION.finditer(text)}


class _Reader:
    def __init__(self, text: str, shape: Shape | None) -> None:
        self.text, self.shape, self.at = text, shape, 0

    def read(self) -> Predicate:
        test = self._either()
        if self._rest():
            raise QueryError.malformed()
        return test

    def _rest(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at :]

    def _take(self, mark: str) -> bool:
        if not self._rest().startswith(mark):
            return False
        self.at += len(mark)
        return True

    def _either(self) -> Predicate:
        tests = [self._all()]
        while self._take("||"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _all(self) -> Predicate:
        tests = [self._one()]
        while self._take("&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _one(self) -> Predicate:
        if self._take("{"):
            test = self._either()
            if not self._take("}"):
                raise QueryError.malformed()
            return test
        self._rest()
        found = _CONDITION.match(self.text, self.at)
        if found is None:
            raise QueryError.malformed()
        self.at = found.end()
        name, sign, value = found.groups()
        return self._condition(name, sign, value.strip())

    def _condition(self, name: str, sign: str, value: str) -> Predicate:
        if self.shape is None:
            return self._tag(name, sign, value)
        kind = self.shape.kind(name)
        if kind is None:
            raise QueryError.unresolved(name, self.shape.name)
        if (
            value == ""
            or (sign == "~") > (kind is Kind.STRING)
            or (sign in _ORDERED and kind not in (Kind.NUMBER, Kind.DATE))
        ):
            raise QueryError.malformed()
        return _test(tuple(name.split(".")), sign, _literal(kind, value), kind)

    def _tag(self, name: str, sign: str, value: str) -> Predicate:
        if sign in _ORDERED or value == "":
            raise QueryError.malformed()
        return _test((name,), sign, value, Kind.STRING)


def _literal(kind: Kind, value: str) -> Any:
    literal: Any = value
    if kind is Kind.DATE:
        literal = instant(value)
    elif kind is Kind.NUMBER:
        try:
            literal = Decimal(value)
        except InvalidOperation:
            literal = None
        if literal is not None and not literal.is_finite():
            literal = None
    elif kind is Kind.BOOLEAN:
        literal = {"true": True, "false": False}.get(value.lower())
    if literal is None:
        raise QueryError.malformed()
    return literal


def _seen(kind: Kind, value: Any) -> Any:
    """Return a record's value in the terms of its kind, None where it can't be."""
    if kind is Kind.DATE:
        return instant(value) if isinstance(value, str) else None
    if kind is Kind.NUMBER:
        is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
        return Decimal(str(value)) if is_number else None
    if kind is Kind.BOOLEAN:
        return value if isinstance(value, bool) else None
    return value if isinstance(value, str) else None


def _test(path: tuple[str, ...], sign: str, literal: Any, kind: Kind) -> Predicate:
    if sign == "~":
        compare: Callable[[Any, Any], bool] = lambda seen, wanted: wanted in seen  # noqa: E731
    else:
        compare = _ORDERED.get(sign, operator.eq)

    def holds(value: Any) -> bool:
        seen = _seen(kind, value)
        return seen is not None and compare(seen, literal)

    def test(record: Any) -> bool:
        value = lookup(record, path)
        # A list is met only below `dataConnections` of a company: any item may satisfy the condition.
        held = any(map(holds, value)) if isinstance(value, list) else holds(value)
        return held != (sign == "!=")

    return test
