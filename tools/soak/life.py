"""What goes on at Codat: syncs that bring changes, at once or bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from codat_simulator import Row, Simulator
from codat_simulator.instants import render
from tools.soak.refreshes import Refreshes
from tools.soak.roster import Roster
from tools.soak.streams import INCREMENTAL, Key, Record, synced, visible

_STAGES = (
    "Fetching",
    "MapQueued",
    "Mapping",
    "ValidationQueued",
    "Validating",
    "ProcessingQueued",
    "Processing",
)
FAILURES = ("FetchError", "MapError", "AuthError", "RateLimitError", "Cancelled")
_BY_DATA_TYPE = {stream.data_type: stream for stream in INCREMENTAL.values()}


class Place(NamedTuple):
    """Where records are: one data type of one connection."""

    company_id: str
    connection_id: str
    data_type: str


@dataclass
class Running:
    """A sync under way; `stamp` is the one date of all it brings, None where each record gets its own."""

    id: str
    one_stamp: bool
    waiting: bool
    stamp: str | None = None


class Life:
    """Changes a simulator at random, in ways that Codat could: every change is part of a sync.

    ever: the keys of all records that ever were. told: what happened, in order. roster: lets companies
    and connections come and go. refreshes: what becomes of those that the connector asks for.
    """

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.world = sim.world
        self.running: dict[Place, Running] = {}
        self.told: list[str] = []
        self.ever: dict[str, set[Key]] = {name: set(rows) for name, rows in visible(sim).items()}
        self._made = 0
        self.roster = Roster(self)
        self.refreshes = Refreshes(self)

    # --- syncs

    def places(self, company_id: str | None = None, data_type: str | None = None) -> list[Place]:
        """Everywhere that a sync could bring something."""
        return [
            Place(company.id, link.id, stream.data_type)
            for company in self.world.known_companies()
            if company_id in (None, company.id)
            for stream in INCREMENTAL.values()
            if data_type in (None, stream.data_type)
            for link in stream.links(company)
            # Transactions are fetched by account: after the accounts.
            if not stream.accounts or link.id in synced(company, stream.accounts)
        ]

    def happen(self, rng: Random, place: Place) -> None:
        """Let one thing happen at a place: one sync at a time, as Codat refuses a second."""
        with self.world.lock:
            if place in self.running:
                self._go_on(rng, place, self.running[place])
            elif self.refreshes.under_way(place):
                self.refreshes.go_on(rng, place)
            elif rng.random() < 0.6:
                self.whole_sync(rng, place, rng.randint(0, 3))
            else:
                self._begin(rng, place)

    def whole_sync(self, rng: Random, place: Place, changes: int) -> None:
        """A sync from its start to its end, everything stamped alike."""
        self.tell("sync", place)
        self.world.sync(
            place.company_id,
            place.data_type,
            place.connection_id,
            changes=lambda: self.change(rng, place, changes),
        )

    def change(self, rng: Random, place: Place, changes: int) -> None:
        """Make so many changes, seen at once."""
        company_id, connection_id, data_type = place
        for _ in range(changes):
            self._edit(
                rng,
                place,
                lambda one, account: self.world.put(
                    company_id, data_type, one, connection_id, account_id=account
                ),
            )

    def swap(self, rng: Random, place: Place) -> None:
        """A whole sync that takes one record away and brings another: their number stays."""
        with self.world.lock:
            rows = self.named(place)
            if place in self.running or self.refreshes.under_way(place) or not rows:
                self.happen(rng, place)
                return
            gone = rng.choice(list(rows))

            def change() -> None:
                self._vanish(place, gone)
                self._add(rng, place)

            self.tell(f"sync, vanish {gone}", place)
            self.world.sync(place.company_id, place.data_type, place.connection_id, changes=change)

    def _add(self, rng: Random, place: Place) -> None:
        record, account = self._new(rng, place)
        self.world.put(place.company_id, place.data_type, record, place.connection_id, account_id=account)
        self.tell(f"new {record['id']}", place)

    def _begin(self, rng: Random, place: Place) -> None:
        waiting = rng.random() < 0.4
        status = rng.choice(("Queued", "Initial")) if waiting else rng.choice(_STAGES)
        sync_id = self.world.start_sync(place.company_id, place.data_type, place.connection_id, status)
        self.running[place] = Running(sync_id, rng.random() < 0.5, waiting)
        self.tell(f"a sync begins, {status}", place)

    def _go_on(self, rng: Random, place: Place, sync: Running) -> None:
        if sync.waiting:
            if rng.random() < 0.3:
                return self.finish(place, rng.choice(FAILURES))
            sync.waiting = False
            return self._turn(rng, place, sync)
        step = rng.choices(("stage", "reveal", "finish", "fail", "turn"), (5, 2, 3, 1, 1))[0]
        if step == "stage":
            self._edit(rng, place, lambda one, account: self._stage(sync, one, account))
        elif step == "reveal":
            self.world.reveal(sync.id)
            self.tell("what was staged shows", place)
        elif step == "turn":
            self._turn(rng, place, sync)
        else:
            self.finish(place, "Complete" if step == "finish" else rng.choice(FAILURES))
        return None

    def _turn(self, rng: Random, place: Place, sync: Running) -> None:
        status = self.world.pulls.named(sync.id).status = rng.choice(_STAGES)
        self.tell(f"the sync is {status}", place)

    def finish(self, place: Place, status: str) -> None:
        """End the sync that runs at a place."""
        self.world.finish_sync(self.running.pop(place).id, status)
        self.tell(f"the sync ends, {status}", place)

    def settle(self, rng: Random) -> None:
        """End the syncs that run; those that only wait may go on waiting."""
        for place, sync in list(self.running.items()):
            if not sync.waiting:
                self.finish(place, "Complete" if rng.random() < 0.7 else rng.choice(FAILURES))
        self.refreshes.settle(rng)

    def _stage(self, sync: Running, record: Record, account: str | None) -> None:
        staged = self.world.stage(sync.id, record, sync.stamp, account)
        if sync.one_stamp:
            sync.stamp = staged["modifiedDate"]

    def _edit(self, rng: Random, place: Place, put: Callable[[Record, str | None], object]) -> None:
        """Make one change; `put` takes a record that is new or has changed, undated, and its account."""
        rows = self.named(place)
        account: str | None = None
        kind = rng.choices(("new", "change", "delete", "vanish"), (4, 5, 1, 2))[0]
        self._made += 1
        if kind == "new" or not rows:
            kind = "new"
            record, account = self._new(rng, place)
        else:
            row = rows[rng.choice(list(rows))]
            account = row.group
            record = {**row.record, "note": f"version {self._made}"}
            record.pop("modifiedDate", None)
            if kind == "vanish" or (kind == "delete" and place.data_type == "banking-transactions"):
                kind = "vanish"
                self._vanish(place, row.key)
            elif kind == "delete":
                record["metadata"] = {"isDeleted": True}
        if kind != "vanish":
            put(record, account)
        self.tell(f"{kind} {record['id']}", place)

    def _new(self, rng: Random, place: Place) -> tuple[Record, str | None]:
        """A record that never was, and its account."""
        self._made += 1
        record: Record = {"metadata": {"isDeleted": False}, "note": f"version {self._made}"}
        record["id"] = f"{rng.getrandbits(24):06x}-{self._made}"
        stream, account = _BY_DATA_TYPE[place.data_type], None
        if stream.accounts:
            accounts = self.named(place._replace(data_type=stream.accounts))
            account = rng.choice(list(accounts)) if accounts else "none"
        key = stream.key_of(place.company_id, place.connection_id, account or "", record["id"])
        self.ever[stream.name].add(key)
        return record, account

    def _vanish(self, place: Place, record_id: str) -> None:
        """Take a record away for good: what a sync has staged of it doesn't bring it back."""
        self.world.vanish(place.company_id, place.data_type, record_id, place.connection_id)
        if place in self.running:
            staged = self.world.pulls.named(self.running[place].id).staged
            staged[:] = [one for one in staged if one[0]["id"] != record_id]

    def named(self, place: Place) -> dict[str, Row]:
        """The rows at a place that have an id, by id."""
        rows = self.world.dataset(place.company_id, place.data_type, place.connection_id).rows
        return {key: row for key, row in rows.items() if "id" in row.record}

    def jump(self, rng: Random) -> None:
        """Let time pass."""
        seconds = rng.choice((0.01, 1, 30, 3600, 86_400, 700_000))
        self.world.clock.advance(seconds)
        self.say(f"{seconds} seconds pass")

    def tell(self, what: str, place: Place) -> None:
        """Note what happened somewhere."""
        self.say(f"{place.data_type} of {place.company_id} / {place.connection_id}: {what}")

    def say(self, what: str) -> None:
        """Note what happened."""
        self.told.append(f"{render(self.world.clock.ticks())}  {what}")
