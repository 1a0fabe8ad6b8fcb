"""Companies and connections that come, change and go while others are read."""

from __future__ import annotations

from random import Random

from codat_simulator import Connection
from tools.soak.codat_syncs import CodatSyncs
from tools.soak.streams import COMPANIES

_MOST = 5  # companies, and connections of one


class CompanyChanges:
    """Changes who is there. What a Codat sync would have brought for one that goes never comes."""

    def __init__(self, syncs: CodatSyncs) -> None:
        self.syncs, self._changes = syncs, syncs.changes
        self._world, self._journal = syncs.world, syncs.journal

    def change(self, rng: Random) -> None:
        """Let one company or one connection come, go, or change."""
        with self._world.lock:
            companies = self._world.known_companies()
            steps = [self._add_connection, self._change_status, self._remove_connection]
            if len(companies) < _MOST:
                steps += [self._add_company]
            if len(companies) > 2:
                steps += [self._remove_company]
            rng.choice(steps)(rng)

    def _add_company(self, rng: Random) -> None:
        kinds = rng.choice(
            (("Accounting",), ("Accounting", "Banking"), ("Accounting", "Accounting", "Banking", "Banking"))
        )
        company_id = self._world.add_company(connections=kinds, sync=rng.random() < 0.7)
        self._changes.keys_ever[COMPANIES].add((company_id,))
        self._changes.remember_visible()
        number = len(self._world.known_companies())
        self._journal.note(f"company {company_id} comes, number {number}, linked to {', '.join(kinds)}")

    def _remove_company(self, rng: Random) -> None:
        company = rng.choice(self._world.known_companies())
        self.syncs.forget(company_id=company.id)
        self._world.remove_company(company.id)
        self._journal.note(f"company {company.id} goes")

    def _add_connection(self, rng: Random) -> None:
        company = rng.choice(self._world.known_companies())
        if len(company.connections) >= _MOST:
            return
        kind = rng.choice(("Accounting", "Banking", "Banking"))
        status = rng.choice(("Linked", "Linked", "PendingAuth"))
        connection_id = self._world.add_connection(company.id, kind, status, sync=False)
        self._journal.note(f"company {company.id} gets the {kind} connection {connection_id}, {status}")

    def _change_status(self, rng: Random) -> None:
        connections = self._connections()
        if not connections:
            return
        company_id, connection = rng.choice(connections)
        status = rng.choice(("Linked", "Unlinked", "Deauthorized"))
        if connection.status == "PendingAuth":
            status = "Linked"
        self._world.set_connection_status(company_id, connection.id, status)
        self._changes.remember_visible()
        self._journal.note(f"connection {connection.id} becomes {status}")

    def _remove_connection(self, rng: Random) -> None:
        connections = self._connections()
        if len(connections) < 4:
            return
        company_id, connection = rng.choice(connections)
        self.syncs.forget(connection_id=connection.id)
        self._world.remove_connection(company_id, connection.id)
        self._journal.note(f"connection {connection.id} goes")

    def _connections(self) -> list[tuple[str, Connection]]:
        return [
            (company.id, connection)
            for company in self._world.known_companies()
            for connection in company.connections
        ]
