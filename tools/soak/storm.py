"""All that can go wrong, at once: faults of every kind, a world that changes, a key that is revoked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from random import Random

from codat_simulator import Simulator
from tools.soak.disturbance import IN_A_STORM, Disturbance, replenish
from tools.soak.life import Life
from tools.soak.weather import Weather, storm

_TRIES = 1000


class Storm:
    """Blows within a `with` block, over any number of reads; calm again at its end.

    counts: gets how often each kind of trouble has struck.
    """

    def __init__(self, sim: Simulator, life: Life, rng: Random, counts: Counter[str]) -> None:
        self._sim, self._life, self._rng, self._counts = sim, life, rng, counts
        self._weather = Weather(sim)
        chance, most = rng.choice((0.1, 0.3, 0.6)), rng.choice((10, 40, 100))
        self._changes = Disturbance(sim, life, rng.getrandbits(32), chance, most, IN_A_STORM)

    def __enter__(self) -> Storm:
        """Put everything in force."""
        for name, fault in storm(self._rng):
            self._life.told.append(self._weather.add(name, fault))
        self._forget = self._sim.on_request(self._changes)
        return self

    def __exit__(self, *_: object) -> None:
        """Calm down: what was refused is let in again, and answers come whole."""
        self._forget()
        self._noted(self._weather.clear())
        self._noted(self._changes.struck)
        self.mend()
        self._sim.latency, self._life.world.conflict_while_syncing = 0.0, False
        for error in self._changes.errors:
            raise error

    def _noted(self, struck: Mapping[str, int]) -> None:
        for name, times in struck.items():
            self._counts[f"struck/{name}"] += times

    def mend(self) -> None:
        """Let the key in again, and give a new quota."""
        self._sim.restore_key()
        replenish(self._sim)

    def lull(self) -> None:
        """Between two reads: what ended one may be mended before the next."""
        if self._rng.random() < 0.7:
            self.mend()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Perhaps let nobody connect for a moment while a read goes on."""
        if self._rng.random() > 0.15:
            yield
            return
        errors: list[Exception] = []
        after, length = self._rng.uniform(0.0, 0.4), self._rng.choice((0.02, 0.2))

        def down() -> None:
            time.sleep(after)
            try:
                self._sim.stop()
                time.sleep(length)
                _start(self._sim)
            except Exception as error:  # noqa: BLE001 - raised in the thread that reads
                errors.append(error)

        self._counts["struck/connections refused"] += 1
        self._life.told.append(f"connections are refused after {after:.2f} s for {length} s")
        thread = threading.Thread(target=down)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        for error in errors:
            raise error


def _start(sim: Simulator) -> None:
    """Serve again on the port of before; a connection of another program may hold it for a moment."""
    for _ in range(_TRIES):
        with suppress(OSError):
            sim.start()
            return
        time.sleep(0.05)
    sim.start()
