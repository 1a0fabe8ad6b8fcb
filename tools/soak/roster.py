"""Companies that come and go, and their connections."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from codat_simulator import Connection
from tools.soak.streams import visible

if TYPE_CHECKING:
    from tools.soak.life import Life

_MOST = 5  # companies, and connections of one


class Roster:
    """Changes who there is, in a life's world; what a sync that ran there would bring never comes."""

    def __init__(self, life: Life) -> None:
        self._life, self._world = life, life.world

    def __call__(self, rng: Random) -> None:
        """Let a company or a connection come, go, or change."""
        with self._world.lock:
            companies = self._world.known_companies()
            steps = [self._link, self._status, self._unlink]
            if len(companies) < _MOST:
                steps += [self._found]
            if len(companies) > 2:
                steps += [self._close]
            rng.choice(steps)(rng)

    def _found(self, rng: Random) -> None:
        kinds = rng.choice(
            (("Accounting",), ("Accounting", "Banking"), ("Accounting", "Accounting", "Banking", "Banking"))
        )
        before = set(self._world.known_companies())
        company_id = self._world.add_company(connections=kinds, sync=rng.random() < 0.7)
        self._life.ever["companies"].add((company_id,))
        self._note_rows()
        self._life.say(f"company {company_id} comes, the {len(before) + 1}th, linked to {', '.join(kinds)}")

    def _note_rows(self) -> None:
        for name, rows in visible(self._life.sim).items():
            self._life.ever[name].update(rows)

    def _close(self, rng: Random) -> None:
        company = rng.choice(self._world.known_companies())
        for place in [place for place in self._life.running if place.company_id == company.id]:
            del self._life.running[place]
        self._world.remove_company(company.id)
        self._life.say(f"company {company.id} goes")

    def _link(self, rng: Random) -> None:
        company = rng.choice(self._world.known_companies())
        if len(company.connections) >= _MOST:
            return
        kind = rng.choice(("Accounting", "Banking", "Banking"))
        status = rng.choice(("Linked", "Linked", "PendingAuth"))
        link = self._world.add_connection(company.id, kind, status, sync=False)
        self._life.say(f"company {company.id} gets the {kind} connection {link}, {status}")

    def _status(self, rng: Random) -> None:
        links = self._links()
        if not links:
            return
        company_id, link = rng.choice(links)
        status = rng.choice(("Linked", "Unlinked", "Deauthorized"))
        if link.status == "PendingAuth":
            status = "Linked"
        self._world.set_connection_status(company_id, link.id, status)
        self._note_rows()
        self._life.say(f"connection {link.id} becomes {status}")

    def _unlink(self, rng: Random) -> None:
        links = self._links()
        if len(links) < 4:
            return
        company_id, link = rng.choice(links)
        for place in [place for place in self._life.running if place.connection_id == link.id]:
            del self._life.running[place]
        self._world.remove_connection(company_id, link.id)
        self._life.say(f"connection {link.id} goes")

    def _links(self) -> list[tuple[str, Connection]]:
        return [
            (company.id, link) for company in self._world.known_companies() for link in company.connections
        ]
