"""One large company and a destination that takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.benchmarks import connector
from tools.benchmarks.client_process import ClientFailedError, run
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_most

BYTES_PER_SECOND = 30_000_000
_PAUSE_SECONDS = 5.0


class SlowReader:
    """Reads nothing at first, then never faster than a slow destination would."""

    def __init__(self, pause: float) -> None:
        self._pause, self._began, self._bytes = pause, 0.0, 0
        self._behind = 0

    def __call__(self, line: bytes) -> None:
        """Take a line, and the time that goes with it."""
        size = len(line)
        if not self._began:
            time.sleep(self._pause)
            self._began = time.monotonic()
        self._bytes += size
        self._behind += size
        if self._behind > 1_000_000:
            self._behind = 0
            time.sleep(max(0.0, self._began + self._bytes / BYTES_PER_SECOND - time.monotonic()))


def measure(folder: Path, _: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield the most resident memory while the client waits for its reader, and the rate at which it read."""
    records = 5000 if quick else 1_000_000
    with Server(Content(1, {"invoices": records})) as server:
        command = connector.command(server, folder / "memory", ["invoices"])
        cost = run(command, pace=SlowReader(0.5 if quick else _PAUSE_SECONDS))
    output = cost.output
    if output.records != records:
        raise ClientFailedError(f"{output.records} of {records} records came out")
    tell(
        f"{output.records:,} records, {output.written / 1e6:,.0f} MB in {cost.wall:.0f} s; {cost.peak:.0f} MB"
    )
    rate = f"{output.records / cost.wall:,.0f} records/s"
    name = f"{records:,} records in one company, reader at {BYTES_PER_SECOND / 1e6:.0f} MB/s: resident memory"
    yield at_most(name, cost.peak, "MB", 200, "under 200 MB", wall=rate)
    yield Figure("the same: CPU per record, start-up included", cost.cpu / records * 1e6, "µs")
