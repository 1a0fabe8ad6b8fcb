"""Datasets too large to hold: records made from a template, by number, when a page shows them."""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from codat_simulator.definitions.shape import Shape
from codat_simulator.records.dataset import Dataset, Record, Row, Rows, encode
from codat_simulator.records.query import Predicate, compile_query, properties

_ORDERS = ("", "id", "-id", "modifiedDate", "-modifiedDate")


def _template(size: int) -> bytes:
    """Return a record of about `size` bytes with places for three numbers and a stamp."""
    line: Record = {
        "description": "Consulting – März, 1 hour",
        "unitAmount": 80.5,
        "quantity": 2,
        "discountAmount": 0,
        "subTotal": 161.0,
        "taxAmount": 32.2,
        "totalAmount": 193.2,
        "accountRef": {"id": "d7c4e0f2-6a5b-4c3d-9e8f-0a1b2c3d4e5f", "name": "Sales & services"},
        "taxRateRef": {"id": "OUTPUT2", "name": "20% (VAT on Income)", "effectiveTaxRate": 20.0},
        "trackingCategoryRefs": [{"id": "7a1b", "name": "Région Nord"}],
    }
    record: Record = {
        "id": "@ID@",
        "invoiceNumber": "@NUMBER@",
        "customerRef": {"id": "c0ffee00-1111-4222-8333-444455556666", "companyName": "Müller & Söhne GmbH"},
        "issueDate": "2024-02-29T00:00:00",
        "dueDate": "2024-03-30T00:00:00",
        "modifiedDate": "@STAMP@",
        "sourceModifiedDate": "2024-02-29T11:22:33",
        "currency": "GBP",
        "currencyRate": 1.0,
        "lineItems": [],
        "status": "Submitted",
        "totalAmount": "@AMOUNT@",
        "metadata": {"isDeleted": False},
        "note": "",
    }
    bare, each = len(encode(record)), len(encode(line)) + 1
    record["lineItems"] = [line] * max(0, (size - bare) // each)
    record["note"] = "x" * max(0, size - len(encode(record)) - 40)
    blob = encode(record).replace(b"%", b"%%")
    for mark, place in (
        (b"@ID@", b"%08d-0000-4000-8000-%012d"),
        (b"@NUMBER@", b"INV-%d"),
        (b"@STAMP@", b"%b"),
    ):
        blob = blob.replace(mark, place)
    return blob.replace(b'"@AMOUNT@"', b"%d.%02d")


def _id(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-{number:012d}"


class SyntheticDataset(Dataset):
    """So many like records, changed and joined by ordinary ones like any dataset."""

    def __init__(self, shape: Shape, count: int, size: int, stamps: Sequence[str]) -> None:
        """Hold `count` records that share a few stamps in turn."""
        super().__init__(shape)
        self.count, self.stamps = count, [stamp.encode() for stamp in stamps]
        self._template = _template(size)
        self._changed: dict[int, Row | None] = {}
        self._pages: dict[tuple[str, str], Rows] = {}

    def __len__(self) -> int:
        """Return the number of records."""
        gone = sum(row is None for row in self._changed.values())
        return self.count - gone + len(self._rows)

    def blob(self, number: int) -> bytes:
        """Return the JSON of the n-th record."""
        cents = number * 7919 % 1_000_003
        stamp = self.stamps[number % len(self.stamps)]
        return self._template % (number, number, number, stamp, cents // 100, cents % 100)

    def view(self, query: str = "", order_by: str = "", group: str = "") -> Rows:
        """Return the rows that a query selects, by number where nothing else is needed."""
        mixed = bool(self._changed or self._rows)
        orders = _ORDERS[:3] if mixed else _ORDERS
        if order_by not in orders or not properties(query) <= {"modifiedDate"}:
            return super().view(query, order_by, group)
        key = (query, order_by)
        if key not in self._pages:
            self._pages[key] = Numbered(self, self._numbers(query, order_by))
        return self._pages[key]

    def _numbers(self, query: str, order_by: str) -> Sequence[int | Row]:
        test = compile_query(query, self.shape) if query else None
        turns = [
            turn
            for turn, stamp in enumerate(self.stamps)
            if test is None or test({"modifiedDate": stamp.decode()})
        ]
        if order_by.endswith("modifiedDate"):
            turns.sort(key=lambda turn: self.stamps[turn], reverse=order_by.startswith("-"))
            found = array("I")
            for turn in turns:
                found.extend(range(turn, self.count, len(self.stamps)))
            return found
        numbers: Sequence[int | Row] = range(self.count)
        if self._changed or self._rows:
            numbers = self._mix(frozenset(turns), test, order_by)
        elif len(turns) < len(self.stamps):
            chosen = frozenset(turns)
            numbers = array(
                "I", (number for number in range(self.count) if number % len(self.stamps) in chosen)
            )
        return numbers[::-1] if order_by == "-id" else numbers

    def _mix(self, turns: frozenset[int], test: Predicate | None, order_by: str) -> list[int | Row]:
        """Return the numbers and changed rows that pass, with the added rows in their place."""
        numbers: list[int | Row] = []
        for number in range(self.count):
            row = self._changed.get(number, number)
            if isinstance(row, int):
                if number % len(self.stamps) in turns:
                    numbers.append(number)
            elif row is not None and (test is None or test(row.record)):
                numbers.append(row)
        added = [row for row in self._rows.values() if test is None or test(row.record)]
        if not order_by:
            return numbers + added
        for row in sorted(added, key=lambda row: row.key):
            at = bisect_left(
                numbers, row.key, key=lambda item: item.key if isinstance(item, Row) else _id(item)
            )
            numbers.insert(at, row)
        return numbers

    @property
    def rows(self) -> dict[str, Row]:
        """Return every row, made on the spot: slow, and never kept."""
        found = {
            row.key: row for row in (self._row(number) for number in range(self.count)) if row is not None
        }
        return {**found, **self._rows}

    def _row(self, number: int) -> Row | None:
        if number in self._changed:
            return self._changed[number]
        record: Record = msgspec.json.decode(self.blob(number))
        return Row(record["id"], record)

    def find(self, record_id: str | int) -> Row:
        """Return a row by id or number."""
        if isinstance(record_id, str) and record_id in self._rows:
            return self._rows[record_id]
        number = record_id if isinstance(record_id, int) else self._number(record_id)
        row = self._row(number) if number is not None and number < self.count else None
        if row is None:
            raise KeyError(record_id)
        return row

    def _number(self, record_id: str) -> int | None:
        head, _, tail = record_id.partition("-0000-4000-8000-")
        return int(tail) if tail.isdigit() and head == tail[-8:] else None

    def put(self, record: Record, group: str | None = None) -> None:  # noqa: ARG002
        """Add a record, or replace the one with its id."""
        number = self._number(str(record.get("id", "")))
        if number is not None and number < self.count:
            self._changed[number] = Row(str(record["id"]), record)
            self.touch()
            return
        rows = self._rows
        self._nameless += 1
        key = str(record.get("id", f"\0{self._nameless}"))
        rows[key] = Row(key, record)
        self.touch()

    def replace(self, row: Row, record: Record) -> None:
        """Put another version of a record in a row's place."""
        self.put({**record, "id": row.key})

    def remove(self, row: Row) -> None:
        """Take a row away."""
        if row.key in self._rows:
            del self._rows[row.key]
        else:
            number = self._number(row.key)
            if number is not None:
                self._changed[number] = None
        self.touch()

    def touch(self) -> None:
        """Forget the views made so far."""
        super().touch()
        self._pages.clear()

    def sample(self, rng: random.Random) -> list[Row]:
        """Return a few rows at random."""
        rows = [self._row(rng.randrange(self.count)) for _ in range(20)] if self.count else []
        return [row for row in rows if row is not None]

    def records(self) -> Iterator[Record]:
        """Return the records as a client sees them after `json.loads`."""
        for number in range(self.count):
            row = self._row(number)
            if row is not None:
                yield row.record
        for row in self._rows.values():
            yield msgspec.json.decode(row.blob)


class Numbered:
    """A selection of template records, by number."""

    def __init__(self, dataset: SyntheticDataset, numbers: Sequence[int | Row]) -> None:
        """Select records of a dataset in this order."""
        self.dataset, self.numbers = dataset, numbers

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numbers)

    def blobs(self, start: int, stop: int) -> Iterable[bytes]:
        """Return the JSON of the rows from `start` to before `stop`."""
        return [
            item.blob if isinstance(item, Row) else self.dataset.blob(item)
            for item in self.numbers[start:stop]
        ]
