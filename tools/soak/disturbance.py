"""What goes on while a read is under way, besides the faults that strike single answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from random import Random

from codat_simulator import LoggedRequest, Simulator
from tools.soak.life import Life
from tools.soak.streams import INCREMENTAL

_USUALLY = {"happen": 20, "jump": 1, "roster": 1, "cap": 1}
IN_A_STORM = {
    "happen": 60,
    "jump": 4,
    "roster": 8,
    "cap": 2,
    "links": 2,
    "compress": 2,
    "latency": 2,
    "conflict": 2,
    "revoke": 0.5,
    "exhaust": 0.5,
}
_NAMES = {
    "happen": "records change under the pages",
    "jump": "clock jumps",
    "roster": "companies and connections come and go",
    "cap": "page size capped",
    "links": "_links left out",
    "compress": "compression",
    "latency": "latency",
    "conflict": "409 while a sync runs",
    "revoke": "key revoked in the middle",
    "exhaust": "quota used up in the middle",
}


class Disturbance:
    """Changes the world before some answers, mostly where the read is just looking.

    What happens depends on which page is asked for the how manieth time, not on the order in which
    the workers' requests come: as much as can be is the same again for the same seed.
    struck: how often each kind of thing has happened.
    """

    def __init__(
        self,
        sim: Simulator,
        life: Life,
        seed: int,
        chance: float,
        most: int,
        kinds: Mapping[str, float] | None = None,
    ) -> None:
        self._sim, self._life, self._seed = sim, life, seed
        self._chance, self._left = chance, most
        self._kinds = kinds or _USUALLY
        self._seen: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.errors: list[Exception] = []

    def __call__(self, request: LoggedRequest) -> None:
        """Perhaps do something before a request is answered."""
        asked = f"{request.path}?{request.query.get('page', '')}"
        self._seen[asked] += 1
        rng = Random(f"{self._seed}/{asked}/{self._seen[asked]}")
        if self._left <= 0 or rng.random() > self._chance:
            return
        self._left -= 1
        kind = rng.choices(list(self._kinds), list(self._kinds.values()))[0]
        self.struck[_NAMES[kind]] += 1
        self._life.told.append(f"    before the answer to {asked}: {_NAMES[kind]}")
        try:
            getattr(self, f"_{kind}")(rng, request)
        except Exception as error:  # noqa: BLE001 - raised where the read was asked for
            self.errors.append(error)

    def _jump(self, rng: Random, _: LoggedRequest) -> None:
        self._life.jump(rng)

    def _roster(self, rng: Random, _: LoggedRequest) -> None:
        self._life.roster(rng)

    def _cap(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.page_size_cap = rng.choice((3, 5, 5000))

    def _links(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.drop_links = rng.random() < 0.5

    def _compress(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.compress = rng.random() < 0.5

    def _latency(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.latency = rng.choice((0.0, 0.002, 0.01))

    def _conflict(self, rng: Random, _: LoggedRequest) -> None:
        self._life.world.conflict_while_syncing = rng.random() < 0.5

    def _revoke(self, _: Random, __: LoggedRequest) -> None:
        self._sim.revoke_key()

    def _exhaust(self, rng: Random, _: LoggedRequest) -> None:
        exhaust(self._sim, rng)

    def _happen(self, rng: Random, request: LoggedRequest) -> None:
        near = [
            place
            for stream in INCREMENTAL.values()
            if request.path.endswith(f"/{stream.data_type}")
            for place in self._life.places(request.company_id, stream.data_type)
            if request.connection_id in (None, place.connection_id)
        ]
        places = near or self._life.places(request.company_id) or self._life.places()
        for _ in range(rng.randint(1, 3)):
            if places:
                happen = self._life.swap if rng.random() < 0.3 else self._life.happen
                happen(rng, rng.choice(places))


def exhaust(sim: Simulator, rng: Random) -> None:
    """Use up the quota, until long after now by any clock: the world's and this machine's differ."""
    quota = sim.quota
    if quota.remaining <= 0:
        return
    quota.reset_form = rng.choice(("iso", "http", "epoch"))
    quota.retry_form = rng.choice(("seconds", "iso", "http", "epoch", "none"))
    quota.remaining = 0
    quota.resets_at += timedelta(days=3650)


def replenish(sim: Simulator) -> None:
    """Let the quota's new day begin."""
    if sim.quota.remaining <= 0:
        sim.quota.remaining = sim.quota.limit
        sim.quota.resets_at -= timedelta(days=3650)
