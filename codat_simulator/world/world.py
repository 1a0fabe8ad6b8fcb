"""Everything the simulated Codat knows, and the ways a test can change it."""

from __future__ import annotations

import inspect
from datetime import datetime
from typing import Any

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.records.dataset import Dataset, Record
from codat_simulator.records.synthetic import SyntheticDataset
from codat_simulator.world.directory import Directory
from codat_simulator.world.pulls import Changes, Pulls
from codat_simulator.world.syncs import Sync


class World(Directory):
    """The companies, connections, records and syncs behind the API; each method is safe from any thread."""

    def __init__(
        self, companies: int = 3, seed: int = 0, records: int = 40, start: datetime | None = None
    ) -> None:
        """Set up companies that have been synced before now, with about so many records per data type."""
        super().__init__(seed, records, start)
        self.conflict_while_syncing = False
        """Whether a list answers 409 while its data type is being synced again."""
        self.pulls = Pulls(self, self.bring)
        self.stamping: Stamping | None = None
        self.found(companies)

    # --- records

    def records(
        self, data_type: str, company_id: str | None = None, connection_id: str | None = None
    ) -> list[Record]:
        """Return copies of the visible records, deleted ones included, as `json.loads` gives them."""
        with self.lock:
            return [
                record
                for dataset in self._datasets(data_type, company_id, connection_id)
                for record in dataset.records()
            ]

    def raw_records(self, data_type: str, company_id: str, connection_id: str | None = None) -> list[bytes]:
        """Return the visible records as the bytes that go over the wire."""
        with self.lock:
            sets = self._datasets(data_type, company_id, connection_id)
            return [row.blob for dataset in sets for row in dataset.rows.values()]

    def size_of(self, data_type: str, company_id: str | None = None) -> int:
        """Return how many records of a data type are visible."""
        with self.lock:
            return sum(map(len, self._datasets(data_type, company_id, None)))

    def count(self) -> dict[str, int]:
        """Return how many companies and connections there are, and records of each data type."""
        with self.lock:
            links = sum(len(company.connections) for company in self._companies.values())
            sizes = {key: self.size_of(key) for key in DATA_TYPES}
            named = {"companies": len(self._companies), "connections": links}
            return {**named, **{key: size for key, size in sizes.items() if size}}

    def put(
        self,
        company_id: str,
        data_type: str,
        record: Record,
        connection_id: str | None = None,
        modified: str | None = None,
        account_id: str | None = None,
    ) -> Record:
        """Add a record, or replace the one with its id; stamped by the clock unless it has a date.

        `modified` goes before the record's own date, and `""` leaves it without one. Within a sync the sync's
        stamp goes before the record's own.
        `account_id` files a bank transaction under an account where the record's own `accountId` doesn't.
        """
        with self.lock:
            found = dict(record)
            if modified is None and (self.stamping or "modifiedDate" not in found):
                modified = self._stamp()
            if modified is not None:
                found["modifiedDate"] = modified
            if modified == "":
                del found["modifiedDate"]
            self.clock.pass_by(found.get("modifiedDate"))
            self.dataset(company_id, data_type, connection_id).put(found, account_id)
            return self._noted(found)

    def change(
        self,
        company_id: str,
        data_type: str,
        record_id: str | int,
        connection_id: str | None = None,
        **fields: Any,
    ) -> Record:
        """Set fields of a record and stamp it anew; a record without id is named by its position."""
        with self.lock:
            dataset = self.dataset(company_id, data_type, connection_id)
            row = dataset.find(record_id)
            found = {**row.record, "modifiedDate": self._stamp(), **fields}
            dataset.replace(row, found)
            return self._noted(found)

    def delete(
        self, company_id: str, data_type: str, record_id: str | int, connection_id: str | None = None
    ) -> None:
        """Delete a record as Codat does: accounting records stay, flagged and stamped anew, others go."""
        with self.lock:
            kind = DATA_TYPES.get(data_type)
            if kind is None or not kind.deletes_softly:
                return self.vanish(company_id, data_type, record_id, connection_id)
            gone: Record = {"metadata": {"isDeleted": True}, "sourceModifiedDate": None}
            self.change(company_id, data_type, record_id, connection_id, **gone)
            return None

    def vanish(
        self, company_id: str, data_type: str, record_id: str | int, connection_id: str | None = None
    ) -> None:
        """Take a record away without a trace."""
        with self.lock:
            dataset = self.dataset(company_id, data_type, connection_id)
            dataset.remove(dataset.find(record_id))

    def add_synthetic(
        self, company_id: str, data_type: str, count: int, size: int = 2400, connection_id: str | None = None
    ) -> None:
        """Replace a dataset by `count` records of about `size` bytes, made only when a page shows them."""
        with self.lock:
            link = self.holder(company_id, data_type, connection_id)
            stamps = [self.clock.stamp("0Z") for _ in range(4)]
            link.datasets[data_type] = SyntheticDataset(DATA_TYPES[data_type].shape, count, size, stamps)
            self.sync(company_id, data_type, link.id)

    # --- syncs

    def sync(
        self,
        company_id: str,
        data_type: str,
        connection_id: str | None = None,
        changes: Changes | None = None,
        modified: str | None = None,
    ) -> str:
        """Run a whole sync: what `changes` does or returns is stamped with one modifiedDate.

        `changes` takes the world or nothing, and changes records through the world or returns those to put.
        """
        with self.lock:
            link = self.holder(company_id, data_type, connection_id)
            sync = self.pulls.start(company_id, data_type, link.id, "Processing")
            self.bring(sync, changes, modified)
            self.pulls.finish(sync, "Complete")
            return sync.id

    def bring(self, sync: Sync, changes: Changes | None, modified: str | None = None) -> None:
        """Make the changes that a sync brings, all with one stamp."""
        with self.lock, Stamping(self, modified or self.clock.stamp()) as stamping:
            for record in _made_by(changes, self):
                if not any(record is one for one in stamping.made):
                    self.put(sync.company_id, sync.data_type, record, sync.connection_id)

    def start_sync(
        self, company_id: str, data_type: str, connection_id: str | None = None, status: str = "Processing"
    ) -> str:
        """Begin a sync that runs until `finish_sync`, and return its id."""
        with self.lock:
            link = self.holder(company_id, data_type, connection_id)
            return self.pulls.start(company_id, data_type, link.id, status).id

    def stage(
        self, sync_id: str, record: Record, modified: str | None = None, account_id: str | None = None
    ) -> Record:
        """Bring a record with a running sync: stamped now, visible when the sync is finished or revealed."""
        with self.lock:
            found = {**record, "modifiedDate": modified or self.clock.stamp()}
            self.pulls.named(sync_id).staged.append((found, account_id))
            return found

    def reveal(self, sync_id: str) -> None:
        """Make what a running sync has staged visible."""
        with self.lock:
            self.pulls.reveal(self.pulls.named(sync_id))

    def finish_sync(self, sync_id: str, status: str = "Complete") -> None:
        """End a sync; one that fails drops what it still has staged."""
        with self.lock:
            self.pulls.finish(self.pulls.named(sync_id), status)

    def set_status(
        self, company_id: str, data_type: str, status: str, connection_id: str | None = None
    ) -> str:
        """Make `dataStatus` show a status, through one more sync in that state; return the sync's id."""
        with self.lock:
            sync_id = self.start_sync(company_id, data_type, connection_id, status)
            sync = self.pulls.named(sync_id)
            if not sync.running:
                self.pulls.finish(sync, status)
            return sync_id

    def forget_sync(self, company_id: str, data_type: str) -> None:
        """Make a data type one that was never requested: lists answer 409."""
        with self.lock:
            company = self._companies[company_id]
            company.syncs[:] = [sync for sync in company.syncs if sync.data_type != data_type]

    def restated(self, company_id: str, data_type: str) -> int:
        """Return how often a company's statements were restated: once by each sync that a test ran."""
        company = self._companies[company_id]
        syncs = [sync for sync in company.syncs if sync.data_type == data_type and sync.status == "Complete"]
        first = {sync.id for link in company.connections for sync in link.first_syncs(company_id)}
        return sum(sync.id not in first for sync in syncs)

    # --- inner workings

    def _stamp(self) -> str:
        return self.stamping.stamp if self.stamping else self.clock.stamp()

    def _noted(self, record: Record) -> Record:
        if self.stamping:
            self.stamping.made.append(record)
        return record

    def _datasets(self, data_type: str, company_id: str | None, connection_id: str | None) -> list[Dataset]:
        companies = self._companies.values() if company_id is None else [self._companies[company_id]]
        return [
            link.dataset(data_type)
            for company in companies
            for link in company.supporting(data_type)
            if connection_id in (None, link.id) and self.supports(company, link.platform, data_type)
        ]


class Stamping:
    """A stretch in which every change gets the same stamp, as the changes of one sync do."""

    def __init__(self, world: World, stamp: str) -> None:
        """Stamp changes to a world while the `with` block runs."""
        self.world, self.stamp = world, stamp
        self.made: list[Record] = []
        """The records put within it."""

    def __enter__(self) -> Stamping:
        """Begin."""
        self.before, self.world.stamping = self.world.stamping, self
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.world.stamping = self.before


def _made_by(changes: Changes | None, world: World) -> list[Record]:
    """Let a test change the world; return the records that it hands back to be put."""
    if changes is None:
        return []
    takes = inspect.signature(changes).parameters.values()
    wants_world = any(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in takes)
    found = changes(world) if wants_world else changes()
    if isinstance(found, dict):
        return [found]
    return [one for one in found or () if isinstance(one, dict)]
