"""Where generated records come from: seeded, so that a record depends only on its place in the world."""

from __future__ import annotations

import base64
import uuid
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from codat_simulator.definitions.platforms import Platform
from codat_simulator.generators.words import (
    ACCOUNT_NAMES,
    CITIES,
    COMPANY_NAMES,
    CURRENCIES,
    GOODS,
    NOTES,
    PEOPLE,
    STREETS,
)

Record = dict[str, Any]

# Ids as accounting platforms really have them; each carries its number, so no two are alike.
_MIXED = (
    "{n}",
    "CREDITCARD:{n}",
    "__DEPARTMENTS/{n}",
    "api vendor {n}",
    "{b}",
    "ops@example.com/{n}",
    "{x}-1587{n:06d}",
    "Höhe={n}",
    "a+b&c {n}%20?#",
)


class Maker:
    """The source of one connection's generated records."""

    def __init__(
        self, seed: str, platform: Platform, company_name: str, today: date, counts: dict[str, int]
    ) -> None:
        """Make records dated up to `today`; `counts` says how many records other types have."""
        self.seed, self.platform, self.company_name, self.today = seed, platform, company_name, today
        self.counts = counts
        self.currency = Random(f"{seed}/currency").choice(CURRENCIES[:3])

    def random(self, data_type: str, number: int) -> Random:
        """Return the generator of one record."""
        return Random(f"{self.seed}/{data_type}/{number}")

    def id(self, data_type: str, number: int) -> str:
        """Return the id of the n-th record of a data type, in the platform's style."""
        style = self.platform.ids
        if style == "number":
            return str(10_001 + number)
        if style == "uuid":
            return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{data_type}/{number}"))
        text = base64.b64encode(f"{data_type[:5]}:{number}!".encode()).decode()
        if style == "token":
            return text
        return _MIXED[number % len(_MIXED)].format(n=number, b=text, x=f"{0x80000000 + number:X}")

    def count(self, data_type: str) -> int:
        """Return how many records of another data type a reference can point to."""
        return max(1, self.counts.get(data_type, 1))

    def some_id(self, rng: Random, data_type: str) -> str:
        """Return the id of some record of a data type."""
        return self.id(data_type, rng.randrange(self.count(data_type)))

    def ref(self, rng: Random, data_type: str, name: str = "name") -> Record:
        """Return a reference to some record of a data type, with its name under `name`."""
        number = rng.randrange(self.count(data_type))
        found: Record = {"id": self.id(data_type, number)}
        if rng.random() < 0.85:
            found[name] = self.title(data_type, number)
        return found

    def title(self, data_type: str, number: int) -> str:
        """Return the name of the n-th record of a data type."""
        pool = {"chartOfAccounts": ACCOUNT_NAMES, "items": GOODS, "commerce-products": GOODS}.get(
            data_type, COMPANY_NAMES
        )
        turn = number // len(pool)
        return pool[number % len(pool)] + (f" {turn + 1}" if turn else "")

    def day(self, rng: Random, back: int = 700) -> date:
        """Return a day in the past."""
        return self.today - timedelta(days=rng.randrange(1, back))

    def when(self, rng: Random, day: date | None = None) -> str:
        """Return a business date: mostly local time without a zone, some with Z, some plain."""
        text = (day or self.day(rng)).isoformat()
        return (
            text
            + rng.choices(
                ("T00:00:00", "T00:00:00Z", "", "T13:45:10.5", "T09:30:00-05:00"), (12, 4, 1, 1, 1)
            )[0]
        )

    def touched(self, rng: Random) -> str | None:
        """Return a sourceModifiedDate: the business's clock, half without a zone, null now and then."""
        if rng.random() < 0.06:
            return None
        clock = f"T{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
        return self.day(rng).isoformat() + clock + rng.choice(("", "Z", "", "Z", ".123", ".120Z"))


def amount(rng: Random, top: int = 5_000) -> Any:
    """Return an amount of money; one in twenty has more digits than a double holds, or keeps its zeros."""
    if rng.random() > 0.05:
        return round(rng.uniform(0.01, top), 2)
    return rng.choice(
        (
            Decimal("100.00"),
            Decimal("12345678901234567.89"),
            Decimal("0.1000000000000000055511"),
            Decimal("-987654321098765432.10"),
            Decimal("0.00"),
            0,
            Decimal("1E-7"),
        )
    )


def rate(rng: Random) -> Any:
    """Return an exchange rate."""
    return rng.choice(
        (1, 1.0, Decimal("1.00000000"), round(rng.uniform(0.5, 2), 4), Decimal("0.77358490566037735849"))
    )


def note(rng: Random) -> str:
    """Return a free text."""
    return rng.choice(NOTES)


def person(rng: Random) -> str:
    """Return a person's name."""
    return rng.choice(PEOPLE)


def address(rng: Random) -> Record:
    """Return a postal address."""
    city, region, country, code = rng.choice(CITIES)
    found: Record = {"type": rng.choice(("Billing", "Delivery", "Unknown")), "line1": rng.choice(STREETS)}
    if rng.random() < 0.4:
        found["line2"] = rng.choice(("", "2nd floor", None))
    return {**found, "city": city, "region": region, "country": country, "postalCode": code}


def roughen(rng: Random, record: Record, keep: frozenset[str]) -> Record:
    """Drop some optional fields and null others, as platforms that lack them do."""
    for name in list(record):
        if name in keep:
            continue
        chance = rng.random()
        if chance < 0.04:
            record[name] = None
        elif chance < 0.12:
            del record[name]
    return record


def metadata(rng: Random) -> Record:
    """Return what a record says of its deletion: often nothing, at times null, seldom that it's gone."""
    chance = rng.random()
    if chance < 0.4:
        return {}
    if chance < 0.45:
        return {"metadata": None}
    if chance < 0.48:
        return {"metadata": {"isDeleted": None}}
    return {"metadata": {"isDeleted": chance > 0.95}}
