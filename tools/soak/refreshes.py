"""What becomes of the refreshes that the connector asks for: each ends somehow, or never."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from codat_simulator import Sync
from tools.soak.streams import INCREMENTAL

if TYPE_CHECKING:
    from tools.soak.life import Life, Place

_NEVER = ("Queued", "Queued", "Fetching", "Processing")
_BAD = ("FetchError", "MapError", "AuthError", "RateLimitError", "InternalError", "Cancelled")
_WAITING = "Queued"


class Refreshes:
    """Decides how refreshes end, in a life's world."""

    def __init__(self, life: Life) -> None:
        self._life, self._pulls = life, life.world.pulls

    def plan(self, rng: Random) -> None:
        """Say how the refreshes of the next read end: soon or later, well with changes, badly, or never."""
        self._pulls.polls = rng.choice((1, 2, 5, 40))
        for company in self._life.world.known_companies():
            for stream in INCREMENTAL.values():
                kind = rng.choices(("well", "badly", "never"), (6, 2, 2))[0]
                status = {"well": "Complete", "badly": rng.choice(_BAD), "never": rng.choice(_NEVER)}[kind]
                changes = partial(self._bring, rng.getrandbits(32), company.id, stream.data_type)
                self._pulls.plan(company.id, stream.data_type, status, changes)

    def _bring(self, seed: int, company_id: str, data_type: str) -> None:
        """Change records where a refresh is about to end well."""
        rng = Random(seed)
        for place in self._life.places(company_id, data_type):
            if self.under_way(place):
                self._life.tell("a refresh brings something", place)
                self._life.change(rng, place, rng.randint(0, 3))
                return

    def under_way(self, place: Place) -> Sync | None:
        """The refresh that runs at a place: Codat refuses a second sync meanwhile."""
        for sync in self._life.world.company(place.company_id).syncs:
            here = (sync.connection_id, sync.data_type) == (place.connection_id, place.data_type)
            if here and sync.outcome is not None and sync.running:
                return sync
        return None

    def go_on(self, rng: Random, place: Place) -> None:
        """Perhaps end a refresh in a way that its plan didn't foresee."""
        sync = self.under_way(place)
        if sync is not None and rng.random() < 0.2:
            status = "Complete" if rng.random() < 0.5 else rng.choice(_BAD)
            self._life.world.finish_sync(sync.id, status)
            self._life.tell(f"the refresh ends, {status}", place)

    def settle(self, rng: Random) -> None:
        """End the refreshes that run; those that only wait may go on waiting."""
        # Wherever they are: transactions may be fetched for a connection whose accounts never came.
        for company in self._life.world.known_companies():
            known = {link.id for link in company.connections}
            for sync in list(company.syncs):
                if sync.connection_id in known and sync.outcome not in (None, _WAITING) and sync.running:
                    status = "Complete" if rng.random() < 0.5 else rng.choice(_BAD)
                    self._life.world.finish_sync(sync.id, status)
