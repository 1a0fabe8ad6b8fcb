"""Pull operations at work: syncs that tests run, and refreshes that clients queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.instants import TICKS
from codat_simulator.world.companies import Company
from codat_simulator.world.directory import Directory
from codat_simulator.world.syncs import COMPLETE, STAGES, Sync, data_status

Changes = Callable[..., Any]
"""Takes the world or nothing; changes records through the world, or returns one or more to be put."""


Bring = Callable[[Sync, "Changes | None"], None]
"""Makes the changes that a sync brings, all with one stamp."""


class Pulls:
    """The pull operations of all companies."""

    def __init__(self, directory: Directory, bring: Bring) -> None:
        """Work for the companies of a directory, whose lock the caller holds."""
        self._directory, self._bring = directory, bring
        self.polls = len(STAGES)
        """How often a queued refresh is looked at before it is over; 0 leaves it to the clock."""
        self.seconds = 3_600.0
        """How long a queued refresh lasts when nobody looks; each stage takes its share."""
        self._planned: dict[tuple[str, str], tuple[str, Changes | None]] = {}
        self._named: dict[str, Sync] = {}

    def plan(
        self, company_id: str, data_type: str, status: str = COMPLETE, changes: Changes | None = None
    ) -> None:
        """Say how the next refresh of a data type ends (`"Queued"`: never), and what it brings."""
        with self._directory.lock:
            self._planned[company_id, data_type] = status, changes

    def start(self, company_id: str, data_type: str, connection_id: str, status: str) -> Sync:
        """Begin a sync."""
        sync = Sync(company_id, connection_id, data_type, status, self._directory.clock.stamp("7Z"))
        self._directory.company(company_id).syncs.append(sync)
        self._named[sync.id] = sync
        return sync

    def queue(self, company_id: str, data_type: str, connection_id: str) -> Sync:
        """Begin a refresh that goes its way by itself."""
        sync = self.start(company_id, data_type, connection_id, STAGES[0])
        planned = self._planned.get((company_id, data_type), (COMPLETE, None))
        sync.outcome = planned[0]
        sync.due = self._directory.clock.ticks() + int(self.seconds * TICKS)
        return sync

    def named(self, sync_id: str) -> Sync:
        """Return a sync by id; KeyError for an unknown one."""
        if sync_id not in self._named:
            for company in self._directory.known_companies():
                self._named.update({sync.id: sync for sync in company.syncs})
        return self._named[sync_id]

    def reveal(self, sync: Sync) -> None:
        """Make staged records visible."""
        dataset = self._directory.dataset(sync.company_id, sync.data_type, sync.connection_id)
        for record, account_id in sync.staged:
            dataset.put(record, account_id)
        sync.staged.clear()

    def finish(self, sync: Sync, status: str) -> None:
        """End a sync now, with everything it brings where it went well."""
        if status == COMPLETE:
            if sync.staged:
                self.reveal(sync)
            # After the last record that it stamped, before the next sync's first.
            sync.completed = self._directory.clock.stamp("7Z")
            link = self._directory.connection(sync.company_id, sync.connection_id)
            link.last_sync = sync.completed
        else:
            sync.staged.clear()
            sync.completed = self._directory.clock.stamp("7Z")
        sync.status = status
        self._directory.company_list_version += 1

    def poll(self, company: Company, only: str | None = None) -> None:
        """Let the queued refreshes of a company go on a stage, as they do between two polls."""
        linked = {link.id for link in company.connections}
        for sync in list(company.syncs):
            if sync.outcome is None or not sync.running or (only and sync.id != only):
                continue
            if sync.connection_id not in linked:  # it went while it was asked
                continue
            sync.polls += 1
            left = (sync.due - self._directory.clock.ticks()) / max(1, int(self.seconds * TICKS))
            progress = max(0.0, 1 - left, sync.polls / self.polls if self.polls else 0)
            if progress >= 1 and sync.outcome not in STAGES:
                self._end(sync)
            else:
                last = STAGES.index(sync.outcome) if sync.outcome in STAGES else len(STAGES) - 1
                sync.status = STAGES[min(last, int(progress * len(STAGES)))]

    def _end(self, sync: Sync) -> None:
        # As was planned when it was queued: the plan may be for another one by now.
        status = sync.outcome or COMPLETE
        _, changes = self._planned.pop((sync.company_id, sync.data_type), (status, None))
        if status == COMPLETE:
            self._bring(sync, changes)
        self.finish(sync, status)

    def status(self, company: Company) -> dict[str, dict[str, Any]]:
        """Return what `dataStatus` answers: every data type that a platform of the company supports."""
        found: dict[str, list[Sync]] = {}
        links = [link for link in company.connections if link.readable]
        for key in DATA_TYPES:
            if any(self._directory.supports(company, link.platform, key) for link in links):
                found[key] = []
        known = {link.id for link in links}
        for sync in company.syncs:
            if sync.connection_id in known and (
                sync.data_type in found or sync.data_type.startswith("custom/")
            ):
                found.setdefault(sync.data_type, []).append(sync)
        return {key: data_status(key, syncs) for key, syncs in found.items()}
