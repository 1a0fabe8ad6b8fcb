"""Codat syncs that bring changes, at once or bit by bit; those that the connector asks for among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random

from codat_simulator import Sync
from tools.soak.record_changes import Place, RecordChanges
from tools.soak.streams import INCREMENTAL, Record

_STAGES = (
    "Fetching",
    "MapQueued",
    "Mapping",
    "ValidationQueued",
    "Validating",
    "ProcessingQueued",
    "Processing",
)
_FAILURES = ("FetchError", "MapError", "AuthError", "RateLimitError", "Cancelled")
_REFRESH_FAILURES = (*_FAILURES, "InternalError")
_WAITING = "Queued"
_NEVER_ENDING = (_WAITING, _WAITING, "Fetching", "Processing")


@dataclass
class RunningSync:
    """A Codat sync under way that Codat began by itself.

    is_waiting: it is queued and has fetched nothing yet. has_one_date: all that it brings gets the same
    `modifiedDate`, which is `date` as soon as it has brought something; else each record gets its own.
    """

    id: str
    is_waiting: bool
    has_one_date: bool
    date: str | None = None


class CodatSyncs:
    """Lets Codat sync at random, in ways that the real one could.

    running: by place, the syncs under way that Codat began by itself. The connector's refreshes aren't among
    them: the simulator moves those on.
    """

    def __init__(self, changes: RecordChanges) -> None:
        self.changes, self.world, self.journal = changes, changes.world, changes.journal
        self.running: dict[Place, RunningSync] = {}
        self._pulls = changes.world.pulls

    def advance(self, rng: Random, place: Place) -> None:
        """Let one thing happen at a place: one sync at a time, as Codat refuses a second."""
        with self.world.lock:
            if place in self.running:
                self._advance_sync(rng, place, self.running[place])
            elif self._refresh_at(place):
                self._perhaps_end_refresh(rng, place)
            elif rng.random() < 0.6:
                self.sync(rng, place, rng.randint(0, 3))
            else:
                self._begin(rng, place)

    def sync(self, rng: Random, place: Place, changes: int) -> None:
        """Run a sync from its start to its end; all that it brings gets the same date."""
        self.journal.note("a whole sync", place)
        self.world.sync(
            place.company_id,
            place.data_type,
            place.connection_id,
            changes=lambda: self.changes.make(rng, place, changes),
        )

    def sync_that_replaces_a_record(self, rng: Random, place: Place) -> None:
        """Run a whole sync that takes one record away and brings another: their number stays the same."""
        with self.world.lock:
            rows = self.changes.rows_at(place)
            if place in self.running or self._refresh_at(place) or not rows:
                self.advance(rng, place)
                return
            gone = rng.choice(list(rows))
            self.world.sync(
                place.company_id,
                place.data_type,
                place.connection_id,
                changes=lambda: self.changes.replace_one(rng, place, gone),
            )

    def pass_time(self, rng: Random) -> None:
        """Put Codat's clock forward, by anything from a moment to a week."""
        seconds = rng.choice((0.01, 1, 30, 3600, 86_400, 700_000))
        self.world.clock.advance(seconds)
        self.journal.note(f"{seconds} seconds pass")

    def forget(self, *, company_id: str | None = None, connection_id: str | None = None) -> None:
        """Drop the syncs of a company or a connection that is removed: they bring nothing any more."""
        for place in list(self.running):
            if place.company_id == company_id or place.connection_id == connection_id:
                del self.running[place]

    def end_all(self, rng: Random) -> None:
        """End the syncs and refreshes that run; those that only wait may go on waiting."""
        for place, sync in list(self.running.items()):
            if not sync.is_waiting:
                self._end(place, "Complete" if rng.random() < 0.7 else rng.choice(_FAILURES))
        # At every connection: a refresh of transactions may run where accounts never came.
        for company in self.world.known_companies():
            known = {connection.id for connection in company.connections}
            for refresh in list(company.syncs):
                is_refresh = refresh.outcome not in (None, _WAITING) and refresh.running
                if refresh.connection_id in known and is_refresh:
                    status = "Complete" if rng.random() < 0.5 else rng.choice(_REFRESH_FAILURES)
                    self.world.finish_sync(refresh.id, status)

    # --- the syncs that Codat begins by itself

    def _begin(self, rng: Random, place: Place) -> None:
        is_waiting = rng.random() < 0.4
        status = rng.choice((_WAITING, "Initial")) if is_waiting else rng.choice(_STAGES)
        sync_id = self.world.start_sync(place.company_id, place.data_type, place.connection_id, status)
        self.running[place] = RunningSync(sync_id, is_waiting, has_one_date=rng.random() < 0.5)
        self.journal.note(f"a sync begins, {status}", place)

    def _advance_sync(self, rng: Random, place: Place, sync: RunningSync) -> None:
        if sync.is_waiting:
            if rng.random() < 0.3:
                self._end(place, rng.choice(_FAILURES))
                return
            sync.is_waiting = False
            self._change_status(rng, place, sync)
            return
        step = rng.choices(("stage", "reveal", "complete", "fail", "status"), (5, 2, 3, 1, 1))[0]
        if step == "stage":
            self.changes.make_one(rng, place, partial(self._stage, sync))
        elif step == "reveal":
            self.world.reveal(sync.id)
            self.journal.note("what was staged can be seen", place)
        elif step == "status":
            self._change_status(rng, place, sync)
        else:
            self._end(place, "Complete" if step == "complete" else rng.choice(_FAILURES))

    def _stage(self, sync: RunningSync, record: Record, account_id: str | None) -> None:
        """Date a change now that can be seen later."""
        staged = self.world.stage(sync.id, record, sync.date, account_id)
        if sync.has_one_date:
            sync.date = staged["modifiedDate"]

    def _change_status(self, rng: Random, place: Place, sync: RunningSync) -> None:
        status = self._pulls.named(sync.id).status = rng.choice(_STAGES)
        self.journal.note(f"the sync is {status}", place)

    def _end(self, place: Place, status: str) -> None:
        self.world.finish_sync(self.running.pop(place).id, status)
        self.journal.note(f"the sync ends, {status}", place)

    # --- the refreshes that the connector asks for

    def plan_refreshes(self, rng: Random) -> None:
        """Decide how the refreshes of the next read end: soon or late, well with changes, badly, or never."""
        self._pulls.polls = rng.choice((1, 2, 5, 40))
        for company in self.world.known_companies():
            for stream in INCREMENTAL.values():
                kind = rng.choices(("well", "badly", "never"), (6, 2, 2))[0]
                badly, never = rng.choice(_REFRESH_FAILURES), rng.choice(_NEVER_ENDING)
                status = {"well": "Complete", "badly": badly, "never": never}[kind]
                changes = partial(self._refreshed, rng.getrandbits(32), company.id, stream.data_type)
                self._pulls.plan(company.id, stream.data_type, status, changes)

    def _refreshed(self, seed: int, company_id: str, data_type: str) -> None:
        """Change records where a refresh is about to end well."""
        rng = Random(seed)
        for place in self.changes.places(company_id, data_type):
            if self._refresh_at(place):
                self.journal.note("a refresh brings something", place)
                self.changes.make(rng, place, rng.randint(0, 3))
                return

    def _refresh_at(self, place: Place) -> Sync | None:
        """The refresh that runs at a place: Codat refuses a second sync meanwhile."""
        for sync in self.world.company(place.company_id).syncs:
            is_here = (sync.connection_id, sync.data_type) == (place.connection_id, place.data_type)
            if is_here and sync.outcome is not None and sync.running:
                return sync
        return None

    def _perhaps_end_refresh(self, rng: Random, place: Place) -> None:
        """End a refresh now and then, in a way that wasn't planned."""
        refresh = self._refresh_at(place)
        if refresh is not None and rng.random() < 0.2:
            status = "Complete" if rng.random() < 0.5 else rng.choice(_REFRESH_FAILURES)
            self.world.finish_sync(refresh.id, status)
            self.journal.note(f"the refresh ends, {status}", place)
