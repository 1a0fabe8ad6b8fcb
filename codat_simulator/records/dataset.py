"""The records of one data type of one connection, and the ordered, filtered views that pages are cut from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from codat_simulator.definitions.shape import Kind, Shape, lookup
from codat_simulator.instants import instant
from codat_simulator.records.query import Predicate, compile_query

Record = dict[str, Any]
Build = Callable[[], Iterable[tuple[Record, "str | None"]]]
# Decimals are written as the numbers they are: a record can carry more digits than a double holds.
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Write a value as JSON, decimals with all their digits."""
    return _ENCODER.encode(value)


class Row:
    """One record and, once asked for, its bytes."""

    __slots__ = ("_blob", "group", "key", "record")

    def __init__(self, key: str, record: Record, group: str = "", shown: Record | None = None) -> None:
        """Hold a record under its key; `group` is a bank transaction's account, `shown` what clients see."""
        self.key, self.record, self.group = key, record, group
        self._blob: bytes | None = None if shown is None else _ENCODER.encode(shown)

    @property
    def blob(self) -> bytes:
        """Return the record's JSON."""
        if self._blob is None:
            self._blob = _ENCODER.encode(self.record)
        return self._blob


class Rows(Protocol):
    """An ordered selection of rows that pages are cut from."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def blobs(self, start: int, stop: int) -> Iterable[bytes]:
        """Return the JSON of the rows from `start` to before `stop`."""


class RowList:
    """A selection held as a list."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """Hold rows in their order."""
        self.rows = rows

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def blobs(self, start: int, stop: int) -> Iterable[bytes]:
        """Return the JSON of the rows from `start` to before `stop`."""
        return [row.blob for row in self.rows[start:stop]]


class Dataset:
    """The records of one data type of one connection, made when first looked at."""

    def __init__(self, shape: Shape, build: Build | None = None) -> None:
        """Hold what `build` returns (records with their account), nothing when it is left out."""
        self.shape = shape
        self.version = 0
        self._build = build
        self._rows: dict[str, Row] = {}
        self._nameless = self._later = 0
        self._cache: dict[tuple[str, str, str], RowList] = {}

    @property
    def rows(self) -> dict[str, Row]:
        """Return the visible rows by key, in the order they came."""
        if self._build is not None:
            build, self._build = self._build, None
            for record, group in build():
                self.put(record, group)
        return self._rows

    def __len__(self) -> int:
        """Return the number of visible records."""
        return len(self.rows)

    def put(self, record: Record, group: str | None = None) -> None:
        """Add a record, or replace the one with its id in its place; a record without id is always added."""
        rows = self.rows
        if "id" in record:
            key = str(record["id"])
        else:
            self._nameless += 1
            key = f"\0{self._nameless}"
        if group is None:
            group = str(record.get("accountId") or "")
        rows[key] = Row(key, record, group)
        self.touch()

    def find(self, record_id: str | int) -> Row:
        """Return a row by id, or by position where ids are missing."""
        if isinstance(record_id, int):
            return list(self.rows.values())[record_id]
        return self.rows[record_id]

    def replace(self, row: Row, record: Record) -> None:
        """Put another version of a record in a row's place."""
        self.rows[row.key] = Row(row.key, record, row.group)
        self.touch()

    def remove(self, row: Row) -> None:
        """Take a row away."""
        del self.rows[row.key]
        self.touch()

    def touch(self) -> None:
        """Forget the views made so far."""
        self.version += 1
        self._cache.clear()

    def view(self, query: str = "", order_by: str = "", group: str = "") -> Rows:
        """Return the rows that a query selects, in the order asked for; QueryError where it can't be read."""
        key = (query, order_by, group)
        if key not in self._cache:
            self._cache[key] = RowList(select(self.rows.values(), self.shape, query, order_by, group))
        return self._cache[key]

    def shuffled(self, query: str, order_by: str, group: str, rng: random.Random) -> Rows:
        """Return a view whose ties stand in another order each time."""
        rows = list(self.rows.values())
        rng.shuffle(rows)
        return RowList(select(rows, self.shape, query, order_by, group))

    def sample(self, rng: random.Random) -> list[Row]:
        """Return a few rows at random."""
        rows = list(self.rows.values())
        return rng.sample(rows, min(len(rows), 20))

    def next_number(self) -> int:
        """Return a number that no generated record of the dataset has had."""
        self._later += 1
        return 1_000_000 + self._later

    def records(self) -> Iterator[Record]:
        """Return the records as a client sees them after `json.loads`."""
        for row in self.rows.values():
            yield msgspec.json.decode(row.blob)


class Listing(Dataset):
    """Records that exist only to be listed; ids may repeat."""

    def put(self, record: Record, group: str | None = None, shown: Record | None = None) -> None:
        """Add a record, of which clients see `shown` where it is given."""
        key = str(len(self._rows))
        self._rows[key] = Row(key, record, group or "", shown)


def listed(records: Iterable[Record], shape: Shape) -> Dataset:
    """Make a dataset of records that exist only to be listed."""
    listing = Listing(shape)
    for record in records:
        listing.put(record)
    return listing


def select(rows: Iterable[Row], shape: Shape, query: str, order_by: str, group: str = "") -> list[Row]:
    """Return the rows that match a query, ordered; ties keep the order they come in."""
    test: Predicate | None = compile_query(query, shape) if query else None
    found = [row for row in rows if (not group or row.group == group) and (test is None or test(row.record))]
    if order_by:
        key, descending = order(order_by, shape)
        found.sort(key=lambda row: key(row.record), reverse=descending)
    return found


def order(order_by: str, shape: Shape) -> tuple[Callable[[Record], Any], bool]:
    """Return the sort key of an `orderBy` and whether it descends; LookupError for an unknown property."""
    descending = order_by.startswith("-")
    name = order_by.removeprefix("-")
    kind = shape.kind(name)
    if kind is None:
        raise LookupError(name)
    path = tuple(name.split("."))

    def key(record: Record) -> tuple[bool, Any]:
        value = lookup(record, path)
        if kind is Kind.DATE:
            value = instant(value) if isinstance(value, str) else None
        elif kind is Kind.NUMBER:
            value = value if isinstance(value, (int, float)) or hasattr(value, "is_finite") else None
        elif value is not None:
            value = str(value)
        return (value is not None, value if value is not None else 0)

    return key, descending
