"""One connection's story: changes, reads, kills, restarts; after any of it, nothing is lost.

Each step has its own random numbers. `python -m tools.soak` draws the steps itself; Hypothesis draws them in
integration_tests/test_nothing_lost.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from random import Random
from signal import SIGKILL, SIGTERM

from codat_simulator import Simulator
from tools.soak import protocol, verdict
from tools.soak.destination import Destination
from tools.soak.disturbance import Disturbance
from tools.soak.hurry import IMPATIENT, PATIENT
from tools.soak.life import Life
from tools.soak.options import Options
from tools.soak.proof import all_came_at_once, everything_is_there
from tools.soak.protocol import Broken
from tools.soak.reading import Order, Reading, read_and_kill, read_in_process
from tools.soak.storm import Storm
from tools.soak.streams import COMPANIES, NAMES, visible
from tools.soak.weather import Weather, mild

_START = datetime(2026, 5, 10, tzinfo=timezone.utc)


class Trial:
    """A world, a destination, and the options of the connection between them; use `close` at the end."""

    def __init__(self, seed: int) -> None:
        rng = self._random(f"world/{seed}")
        companies, records = rng.randint(1, 2), rng.randint(2, 10)
        self.sim = Simulator(companies=companies, seed=seed, records=records, start=_START).start()
        self.sim.world.add_company(connections=("Accounting", "Accounting", "Banking", "Banking"))
        self.life = Life(self.sim)
        self.destination = Destination()
        self.options = Options(page_size=rng.randint(2, 9))
        self.counts: Counter[str] = Counter()
        self._read_time_out = PATIENT
        self._known = {company.id for company in self.sim.world.known_companies()}
        for place in self.life.places():
            self.life.whole_sync(rng, place, rng.randint(0, 6))
        self._forget_dates(rng)

    def close(self) -> None:
        """End the simulator."""
        self.sim.stop()

    def step(self, name: str, seed: int) -> None:
        """Take the step of that name; raises Broken, with the story so far, where a promise doesn't hold."""
        self.counts["steps"] += 1
        self.told.append(f"step {name} {seed}")
        try:
            getattr(self, name)(self._random(f"{name}/{seed}"))
        except Broken as error:
            error.args = ("\n".join((*error.args, "What happened:", *self.told)),)
            raise

    @property
    def told(self) -> list[str]:
        """What happened so far."""
        return self.life.told

    @staticmethod
    def _random(seed: str) -> Random:
        return Random(seed)

    def _forget_dates(self, rng: Random) -> None:
        """Leave a few records without a date, which only a partition's first read brings."""
        for place in self.life.places():
            rows = self.life.named(place)
            if rows and rng.random() < 0.3:
                row, (company_id, connection_id, data_type) = rows[rng.choice(list(rows))], place
                self.sim.world.put(company_id, data_type, row.record, connection_id, "", row.group)

    # --- steps

    def live(self, rng: Random) -> None:
        """Let things happen at Codat."""
        places = self.life.places()
        for _ in range(rng.randint(1, 5)):
            if places:
                self.life.happen(rng, rng.choice(places))

    def roster(self, rng: Random) -> None:
        """Let companies and connections come and go."""
        self.life.roster(rng)
        self._known.update(company.id for company in self.sim.world.known_companies())

    def jump(self, rng: Random) -> None:
        """Let time pass."""
        self.life.jump(rng)

    def vary(self, rng: Random) -> None:
        """Change an option, or what the server does."""
        if rng.random() < 0.2:
            self.sim.page_size_cap = rng.choice((3, 5, 5000))
            self.sim.drop_links = rng.random() < 0.5
            self.sim.world.conflict_while_syncing = rng.random() < 0.5
        else:
            self.options = self.options.varied(rng)
        self.told.append(
            f"options: {self.options.config(self.sim)}, pages of {self.sim.page_size_cap} at most"
        )

    def select(self, rng: Random) -> None:
        """Select other companies."""
        self.options = self.options.reselected(rng, sorted(self._known))
        self.told.append(f"selected: {self.options.companies}")

    def read(self, rng: Random) -> None:
        """Read with nothing going on meanwhile."""
        self._read(rng, self._modes(rng), *self._end(rng))

    def read_while_changing(self, rng: Random) -> None:
        """Read while records change under the pages."""
        with self._changing(rng):
            self._read(rng, self._modes(rng), *self._end(rng))

    def read_in_bad_weather(self, rng: Random) -> None:
        """Read while answers are spoilt and records change."""
        sky = Weather(self.sim)
        for name, fault in mild(rng):
            self.told.append(sky.add(name, fault))
        self._read_time_out = IMPATIENT
        try:
            self.read_while_changing(rng)
        finally:
            self._read_time_out = PATIENT
            for name, times in sky.clear().items():
                self.counts[f"struck/{name}"] += times

    def read_in_a_storm(self, rng: Random) -> None:
        """Read while everything goes wrong at once, again and again; when it is calm, nothing was lost."""
        if rng.random() < 0.7:
            self.options = self.options.all_included()
        if rng.random() < 0.5:
            self.options = self.options.refreshing(rng)
        self.options = replace(
            self.options, page_size=rng.choice((2, 5, 9, 60)), num_workers=rng.choice((2, 6, 16))
        )
        self.told.append(f"a storm; options: {self.options.config(self.sim)}")
        self._read_time_out = IMPATIENT
        try:
            with Storm(self.sim, self.life, rng, self.counts) as storm:
                for _ in range(rng.randint(1, 4)):
                    with storm.outage():
                        reading = self._read(rng, self._modes(rng), *self._end(rng))
                    self._note_end(reading)
                    if reading.code == 0:
                        break
                    storm.lull()
        finally:
            self._read_time_out = PATIENT
        self._known.update(company.id for company in self.sim.world.known_companies())
        self.check(rng)

    def _note_end(self, reading: Reading) -> None:
        ends = [error["failure_type"].removesuffix("_error") for error in reading.traces]
        how = "killed" if reading.code is None else f"failed, {ends[0]}" if ends else "ended well"
        self.counts[f"storm/{how}"] += 1

    def roll_back(self, rng: Random) -> None:
        """Go back to an earlier state of some streams, with the rows that were kept by then."""
        for name in NAMES:
            if rng.random() < 0.6:
                steps = rng.randint(1, 6)
                if self.destination.roll_back(name, steps):
                    self.told.append(f"{name} goes back {steps} states")

    def kill_a_process(self, rng: Random) -> None:
        """Read with the console script, end it by a signal at some line, and go on from what it wrote."""
        order = Order(
            self.options.config(self.sim), self._modes(rng), self.destination.state, read_time_out=IMPATIENT
        )
        number = rng.choice((SIGKILL, SIGKILL, SIGTERM))
        sky: AbstractContextManager[object] = nullcontext()
        if rng.random() < 0.5:
            sky = Storm(self.sim, self.life, rng, self.counts)
        with self._changing(rng), sky:
            reading = read_and_kill(order, rng.randint(1, 200), number)
        if reading.stopped:
            self.counts[f"struck/{number.name}"] += 1
        self._took(rng, order, reading, frozenset())

    def check(self, rng: Random) -> None:
        """Read quietly, everything included: then the destination has all there is."""
        self.life.settle(rng)
        self.sim.world.conflict_while_syncing = False
        before, self.options = self.options, self.options.all_included()
        self.told.append("quiet now; everything is selected")
        self._quiet(rng)
        if rng.random() < 0.5:
            self.options = before

    def check_every_state(self, rng: Random) -> None:
        """From every state that was committed of late, a quiet read brings what was missing."""
        self.life.settle(rng)
        self.sim.world.conflict_while_syncing = False
        before, kept = self.options, self.destination
        self.options = self.options.all_included()
        for back in range(min(4, max(len(table.past) for table in kept.tables.values()))):
            self.destination = kept.copy()
            for name in NAMES:
                self.destination.roll_back(name, back)
            self.told.append(f"from {back} states back, quietly")
            self._quiet(rng)
        self.options, self.destination = before, kept

    # --- reads

    def _modes(self, rng: Random) -> dict[str, str]:
        """Some of the streams in some order, now and then in full refresh."""
        names = rng.sample(NAMES, rng.choice((len(NAMES), len(NAMES), rng.randint(1, len(NAMES)))))
        full = rng.random() < 0.1
        return {
            name: "full_refresh" if name == COMPANIES or (full and rng.random() < 0.5) else "incremental"
            for name in names
        }

    def _end(self, rng: Random) -> tuple[int | None, int | None]:
        """After how many messages a read is killed, or asked to stop; mostly after none."""
        kind = rng.choices(("none", "kill", "stop"), (5, 4, 1))[0]
        moment = rng.randint(1, rng.choice((10, 40, 200)))
        return (moment if kind == "kill" else None, moment if kind == "stop" else None)

    @contextmanager
    def _changing(self, rng: Random) -> Iterator[None]:
        """Let things happen while requests are answered."""
        chance, most = rng.choice((0.1, 0.3, 0.6)), rng.randint(1, 10)
        disturbance = Disturbance(self.sim, self.life, rng.getrandbits(32), chance, most)
        forget = self.sim.on_request(disturbance)
        try:
            yield
        finally:
            forget()
        for error in disturbance.errors:
            raise error

    def _read(
        self, rng: Random, modes: Mapping[str, str], kill_at: int | None = None, stop_at: int | None = None
    ) -> Reading:
        config = self.options.config(self.sim)
        order = Order(config, modes, self.destination.state, kill_at, stop_at, self._read_time_out)
        replaced = frozenset(
            name for name, mode in modes.items() if mode == "full_refresh" and rng.random() < 0.5
        )
        if self.options.refresh_older_than_hours:
            self.life.refreshes.plan(rng)
        there = visible(self.sim)
        reading = read_in_process(order)
        self._took(rng, order, reading, replaced)
        if reading.code is not None and self.options.ask_for_everything:
            all_came_at_once(order, reading, there, visible(self.sim))
        return reading

    def _took(self, rng: Random, order: Order, reading: Reading, replaced: frozenset[str]) -> None:
        records = sum(message["type"] == "RECORD" for message in reading.messages)
        requests = self.sim.requests
        faults = sum(bool(request.fault) for request in requests)
        self.counts.update(reads=1, records=records, kills=reading.code is None, faults=faults)
        queued = sum((one.method, one.status) == ("POST", 200) for one in requests)
        self.counts["struck/refreshes queued"] += queued
        self.sim.clear_log()
        how = "killed" if reading.code is None else f"exit code {reading.code}"
        self.told.append(
            f"read {dict(order.modes)}: {how} after {len(reading.messages)} messages, {records} records"
        )
        self.told.extend(f"    {line}" for line in (*reading.logs, *reading.errors))
        verdict.check(order, reading, requests)
        protocol.check(order, reading, self.sim.api_key, self.sim.world.clock.ticks())
        self.destination.take(reading, overwritten=replaced, keep_tail=rng.random() < 0.5)

    def _quiet(self, rng: Random) -> None:
        modes = {name: "full_refresh" if name == COMPANIES else "incremental" for name in NAMES}
        reading = self._read(rng, modes)
        if reading.code != 0:
            raise Broken(f"a read that nothing troubled ended with exit code {reading.code}")
        self.counts["checks"] += 1
        everything_is_there(visible(self.sim), self.life.ever, self.destination)
