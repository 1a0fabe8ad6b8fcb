"""What goes on while a read is under way, and what goes wrong on its way."""

from __future__ import annotations

from collections import Counter
from random import Random

from codat_simulator import Fault, Simulator
from codat_simulator.faults import Action
from codat_simulator.request_log import LoggedRequest
from soak.life import Life
from soak.streams import INCREMENTAL

_BROKEN: tuple[Action, ...] = ("reset", "cut", "malformed", "wrong_length", "html")
_ODD: tuple[Action, ...] = ("drop_links", "repeat_page", "refuse_order_by", "shuffle_ties")
_REWRITTEN: tuple[Action, ...] = ("pretty", "bom")
_PASSING = (408, 429, 500, 502, 503, 504)
_REFUSALS = (400, 403, 404, 409, 451)
_PATHS = (
    r"/data/",
    r"/data/(invoices|customers)$",
    r"/connections/.*/data/",
    r"/dataStatus$",
    r"/data/history$",
    r"/companies$",
    "",
)


def weather(rng: Random) -> list[Fault]:
    """A few faults that heal: each strikes a few times, then never again."""
    faults = []
    odd = (*_ODD, rng.choice(_REWRITTEN))
    for _ in range(rng.randint(1, 4)):
        fault = Fault(path=rng.choice(_PATHS), after=rng.randint(0, 12), times=rng.randint(1, 3))
        kind = rng.choices(("broken", "odd", "passing", "refusal"), (4, 4, 4, 1))[0]
        if kind == "broken":
            fault.action = rng.choice(_BROKEN)
        elif kind == "odd":
            fault.action = rng.choice(odd)
            fault.times = rng.choice((1, 3, None))
        else:
            fault.status = rng.choice(_PASSING if kind == "passing" else _REFUSALS)
            fault.headers = {"Retry-After": "0"} if fault.status == 429 else None
        faults.append(fault)
    # A body is written anew before it is spoilt.
    return sorted(faults, key=lambda fault: fault.action not in _REWRITTEN)


class Disturbance:
    """Changes the world before some answers, mostly where the read is just looking.

    What happens depends on which page is asked for the how manieth time, not on the order in which
    the workers' requests come: as much as can be is the same again for the same seed.
    """

    def __init__(self, sim: Simulator, life: Life, seed: int, chance: float, most: int) -> None:
        self._sim, self._life, self._seed = sim, life, seed
        self._chance, self._left = chance, most
        self._seen: Counter[str] = Counter()
        self.errors: list[Exception] = []

    def __call__(self, request: LoggedRequest) -> None:
        """Perhaps do something before a request is answered."""
        asked = f"{request.path}?{request.query.get('page', '')}"
        self._seen[asked] += 1
        rng = Random(f"{self._seed}/{asked}/{self._seen[asked]}")
        if self._left <= 0 or rng.random() > self._chance:
            return
        self._left -= 1
        self._life.told.append(f"    before the answer to {asked}:")
        try:
            self._disturb(rng, request)
        except Exception as error:  # noqa: BLE001 - raised where the read was asked for
            self.errors.append(error)

    def _disturb(self, rng: Random, request: LoggedRequest) -> None:
        kind = rng.choices(("happen", "jump", "roster", "cap"), (20, 1, 1, 1))[0]
        if kind == "jump":
            self._life.jump(rng)
        elif kind == "roster":
            self._life.roster(rng)
        elif kind == "cap":
            self._sim.page_size_cap = rng.choice((3, 5, 5000))
        else:
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
