"""What goes wrong or changes while a read is under way, up to everything at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from enum import Enum
from random import Random

from codat_simulator import LoggedRequest, Simulator
from tools.soak.companies import CompanyChanges
from tools.soak.faults import InjectedFaults, all_faults
from tools.soak.streams import INCREMENTAL

_TRIES_TO_START = 1000
_YEARS = timedelta(days=3650)


class Kind(Enum):
    """What can happen between two answers, in words."""

    RECORDS = "records change under the pages"
    TIME = "clock jumps"
    COMPANIES = "companies and connections come and go"
    PAGE_SIZE = "page size capped"
    LINKS = "_links left out"
    COMPRESSION = "compression"
    LATENCY = "latency"
    CONFLICT = "409 while a Codat sync runs"
    REVOKED = "key revoked in the middle"
    QUOTA = "quota used up in the middle"


# How often each happens, in proportion to the others.
USUAL: Mapping[Kind, float] = {Kind.RECORDS: 20, Kind.TIME: 1, Kind.COMPANIES: 1, Kind.PAGE_SIZE: 1}
IN_A_STORM: Mapping[Kind, float] = {
    Kind.RECORDS: 60,
    Kind.TIME: 4,
    Kind.COMPANIES: 8,
    Kind.PAGE_SIZE: 2,
    Kind.LINKS: 2,
    Kind.COMPRESSION: 2,
    Kind.LATENCY: 2,
    Kind.CONFLICT: 2,
    Kind.REVOKED: 0.5,
    Kind.QUOTA: 0.5,
}


class Disturbances:
    """Changes something before some answers; in force within a `with` block.

    What happens is decided by the page that is asked for and by how often it was asked for before, not by the
    order in which the workers' requests arrive: so the same seed brings much the same.

    most: how many things may happen in all. weights: how often each kind does, in proportion to the others.
    struck: how often each kind has.
    """

    def __init__(
        self, sim: Simulator, companies: CompanyChanges, rng: Random, most: int, weights: Mapping[Kind, float]
    ) -> None:
        self._sim, self._companies = sim, companies
        self._syncs, self._changes = companies.syncs, companies.syncs.changes
        self._chance, self._left, self._seed = rng.choice((0.1, 0.3, 0.6)), most, rng.getrandbits(32)
        self._weights = weights
        self._asked: Counter[str] = Counter()
        self._errors: list[Exception] = []
        self.struck: Counter[str] = Counter()
        self._actions: Mapping[Kind, Callable[[Random, LoggedRequest], None]] = {
            Kind.RECORDS: self._change_records,
            Kind.TIME: lambda rng, _: self._syncs.pass_time(rng),
            Kind.COMPANIES: lambda rng, _: self._companies.change(rng),
            Kind.PAGE_SIZE: self._cap_pages,
            Kind.LINKS: self._leave_links_out,
            Kind.COMPRESSION: self._compress,
            Kind.LATENCY: self._delay,
            Kind.CONFLICT: self._refuse_while_syncing,
            Kind.REVOKED: lambda _, __: sim.revoke_key(),
            Kind.QUOTA: lambda rng, _: _use_up_quota(sim, rng),
        }

    def __enter__(self) -> Disturbances:
        """Begin."""
        self._end = self._sim.on_request(self._before_answer)
        return self

    def __exit__(self, *_: object) -> None:
        """End, raising what went wrong in the simulator's threads."""
        self._end()
        for error in self._errors:
            raise error

    def _before_answer(self, request: LoggedRequest) -> None:
        page = f"{request.path}?{request.query.get('page', '')}"
        self._asked[page] += 1
        rng = Random(f"{self._seed}/{page}/{self._asked[page]}")
        if self._left <= 0 or rng.random() > self._chance:
            return
        self._left -= 1
        kind = rng.choices(list(self._weights), list(self._weights.values()))[0]
        self.struck[kind.value] += 1
        self._changes.journal.add(f"    before the answer to {page}: {kind.value}")
        try:
            self._actions[kind](rng, request)
        except Exception as error:  # noqa: BLE001 - raised where the read was asked for
            self._errors.append(error)

    def _change_records(self, rng: Random, request: LoggedRequest) -> None:
        """Change records, of the list that is asked for if there are any."""
        here = [
            place
            for stream in INCREMENTAL.values()
            if request.path.endswith(f"/{stream.data_type}")
            for place in self._changes.places(request.company_id, stream.data_type)
            if request.connection_id in (None, place.connection_id)
        ]
        places = here or self._changes.places(request.company_id) or self._changes.places()
        for _ in range(rng.randint(1, 3)):
            if places:
                replaces = rng.random() < 0.3
                happen = self._syncs.sync_that_replaces_a_record if replaces else self._syncs.advance
                happen(rng, rng.choice(places))

    def _cap_pages(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.page_size_cap = rng.choice((3, 5, 5000))

    def _leave_links_out(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.drop_links = rng.random() < 0.5

    def _compress(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.compress = rng.random() < 0.5

    def _delay(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.latency = rng.choice((0.0, 0.002, 0.01))

    def _refuse_while_syncing(self, rng: Random, _: LoggedRequest) -> None:
        self._sim.world.conflict_while_syncing = rng.random() < 0.5


class Storm:
    """All faults and all disturbances at once, within a `with` block and over any number of reads.

    counts: gets how often each kind of trouble has struck.
    """

    def __init__(self, sim: Simulator, companies: CompanyChanges, rng: Random, counts: Counter[str]) -> None:
        self._sim, self._rng, self._counts = sim, rng, counts
        self._journal = companies.syncs.journal
        self._faults = InjectedFaults(sim)
        self._disturbances = Disturbances(sim, companies, rng, rng.choice((10, 40, 100)), IN_A_STORM)

    def __enter__(self) -> Storm:
        """Put everything in force."""
        for name, fault in all_faults(self._rng):
            self._journal.add(self._faults.add(name, fault))
        self._disturbances.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Take everything out of force: the key is let in again, and answers come whole."""
        try:
            self._disturbances.__exit__(*error)
        finally:
            for struck in (self._faults.clear(), self._disturbances.struck):
                for name, times in struck.items():
                    self._counts[f"struck/{name}"] += times
            self._mend()
            self._sim.latency, self._sim.world.conflict_while_syncing = 0.0, False

    def between_reads(self) -> None:
        """Mend what may have ended the last read, mostly."""
        if self._rng.random() < 0.7:
            self._mend()

    def _mend(self) -> None:
        self._sim.restore_key()
        quota = self._sim.quota
        if quota.remaining <= 0:
            quota.remaining = quota.limit
            quota.resets_at -= _YEARS

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Now and then, let nobody connect for a moment while a read goes on."""
        if self._rng.random() > 0.15:
            yield
            return
        errors: list[Exception] = []
        after, length = self._rng.uniform(0.0, 0.4), self._rng.choice((0.02, 0.2))

        def stop_and_start() -> None:
            time.sleep(after)
            try:
                self._sim.stop()
                time.sleep(length)
                _start_again(self._sim)
            except Exception as error:  # noqa: BLE001 - raised in the thread that reads
                errors.append(error)

        self._counts["struck/connections refused"] += 1
        self._journal.add(f"connections are refused after {after:.2f} s for {length} s")
        thread = threading.Thread(target=stop_and_start)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        for error in errors:
            raise error


def _use_up_quota(sim: Simulator, rng: Random) -> None:
    """Use up the quota, until long after now by any clock: the simulator's and this machine's differ."""
    quota = sim.quota
    if quota.remaining <= 0:
        return
    quota.reset_form = rng.choice(("iso", "http", "epoch"))
    quota.retry_form = rng.choice(("seconds", "iso", "http", "epoch", "none"))
    quota.remaining = 0
    quota.resets_at += _YEARS


def _start_again(sim: Simulator) -> None:
    """Serve on the port of before; a connection of another program may hold it for a moment."""
    for _ in range(_TRIES_TO_START):
        with suppress(OSError):
            sim.start()
            return
        time.sleep(0.05)
    sim.start()
