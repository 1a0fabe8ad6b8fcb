"""Changes to the records of the simulated Codat: new, changed, marked as deleted, or gone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from codat_simulator import Row, Simulator
from codat_simulator.instants import render
from tools.soak.streams import (
    BY_DATA_TYPE,
    INCREMENTAL,
    STATEMENTS,
    Key,
    Record,
    synced_connections,
    visible_records,
)


class Place(NamedTuple):
    """Where records are: one data type of one connection of a company."""

    company_id: str
    connection_id: str
    data_type: str


class Journal:
    """What happened in a story, line by line: printed where the connector breaks a promise."""

    def __init__(self, sim: Simulator) -> None:
        self.lines: list[str] = []
        self._clock = sim.world.clock

    def add(self, line: str) -> None:
        """Add a line as it is."""
        self.lines.append(line)

    def note(self, what: str, place: Place | None = None) -> None:
        """Add what happened at Codat, with Codat's time, and where it happened."""
        where = f"{place.data_type} of {place.company_id} / {place.connection_id}: " if place else ""
        self.lines.append(f"{render(self._clock.ticks())}  {where}{what}")


class RecordChanges:
    """Changes records at random. Every change has to be made within a Codat sync, as at Codat.

    keys_ever: by stream, the keys of all records that ever were.
    """

    def __init__(self, sim: Simulator, journal: Journal) -> None:
        self.sim, self.world, self.journal = sim, sim.world, journal
        self.keys_ever: dict[str, set[Key]] = {name: set(rows) for name, rows in visible_records(sim).items()}
        self._made = 0

    def remember_visible(self) -> None:
        """Add to `keys_ever` what a new company or connection shows."""
        for name, rows in visible_records(self.sim).items():
            self.keys_ever[name].update(rows)

    def places(self, company_id: str | None = None, data_type: str | None = None) -> list[Place]:
        """Every place where a Codat sync could bring something."""
        return [
            Place(company.id, connection.id, stream.data_type)
            for company in self.world.known_companies()
            if company_id in (None, company.id)
            for stream in INCREMENTAL.values()
            if data_type in (None, stream.data_type)
            for connection in stream.connections(company)
            # Transactions are fetched by account: after the accounts.
            if not stream.accounts or connection.id in synced_connections(company, stream.accounts)
        ] + [
            Place(company.id, connection.id, statement)
            for company in self.world.known_companies()
            if company_id in (None, company.id)
            for statement in STATEMENTS.values()
            if data_type in (None, statement)
            for connection in company.supporting(statement)
            if connection.platform.source_type == "Accounting"
        ]

    def rows_at(self, place: Place) -> dict[str, Row]:
        """The rows at a place that have an id, by id; statements have none."""
        if place.data_type not in BY_DATA_TYPE:
            return {}
        rows = self.world.dataset(place.company_id, place.data_type, place.connection_id).rows
        return {key: row for key, row in rows.items() if "id" in row.record}

    def make(self, rng: Random, place: Place, number: int) -> None:
        """Make so many changes, which can be seen at once."""
        for _ in range(number):
            self.make_one(rng, place, lambda record, account_id: self._put(place, record, account_id))

    def make_one(self, rng: Random, place: Place, put: Callable[[Record, str | None], object]) -> None:
        """Make one change.

        put: takes a record that is new or has changed, without its date, and the id of its account.
        Statements are restated by the simulator itself, whenever a Codat sync of them has ended well.
        """
        if place.data_type not in BY_DATA_TYPE:
            return
        rows = self.rows_at(place)
        account_id: str | None = None
        kind = rng.choices(("new", "change", "delete", "vanish"), (4, 5, 1, 2))[0]
        self._made += 1
        if kind == "new" or not rows:
            kind = "new"
            record, account_id = self._new(rng, place)
        else:
            row = rows[rng.choice(list(rows))]
            account_id = row.group
            record = {**row.record, "note": f"version {self._made}"}
            record.pop("modifiedDate", None)
            # Banking has no mark for what was deleted.
            if kind == "vanish" or (kind == "delete" and place.data_type == "banking-transactions"):
                kind = "vanish"
                self._vanish(place, row.key)
            elif kind == "delete":
                record["metadata"] = {"isDeleted": True}
        if kind != "vanish":
            put(record, account_id)
        self.journal.note(f"{kind} {record['id']}", place)

    def replace_one(self, rng: Random, place: Place, gone: str) -> None:
        """Take the record with the id `gone` away and bring another: their number stays the same."""
        self._vanish(place, gone)
        record, account_id = self._new(rng, place)
        self._put(place, record, account_id)
        self.journal.note(f"vanish {gone}, new {record['id']}", place)

    def _put(self, place: Place, record: Record, account_id: str | None) -> None:
        self.world.put(place.company_id, place.data_type, record, place.connection_id, account_id=account_id)

    def _new(self, rng: Random, place: Place) -> tuple[Record, str | None]:
        """A record that never was, and the id of its account."""
        self._made += 1
        record: Record = {"metadata": {"isDeleted": False}, "note": f"version {self._made}"}
        record["id"] = f"{rng.getrandbits(24):06x}-{self._made}"
        stream, account_id = BY_DATA_TYPE[place.data_type], None
        if stream.accounts:
            accounts = self.rows_at(place._replace(data_type=stream.accounts))
            account_id = rng.choice(list(accounts)) if accounts else "none"
        key = stream.key_of(place.company_id, place.connection_id, account_id or "", record["id"])
        self.keys_ever[stream.name].add(key)
        return record, account_id

    def _vanish(self, place: Place, record_id: str) -> None:
        """Take a record away for good: what a running Codat sync has staged of it doesn't bring it back."""
        self.world.vanish(place.company_id, place.data_type, record_id, place.connection_id)
        for sync in self.world.company(place.company_id).syncs:
            if (sync.connection_id, sync.data_type) == (place.connection_id, place.data_type):
                sync.staged[:] = [one for one in sync.staged if one[0]["id"] != record_id]
