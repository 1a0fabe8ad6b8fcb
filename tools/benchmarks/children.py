"""Attachments of a hundred thousand bills in one company: what they take beside those of ten thousand.

Ten thousand are enough to fill the queue to the writer, which is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tools.benchmarks import connector
from tools.benchmarks.client_process import ClientFailedError, Cost, run
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_most

STREAM = "bill_attachments"
MOST_GROWTH = 32.0  # MB


def measure(folder: Path, _: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield how much more memory many parents take than few."""
    few, many = (50, 200) if quick else (10_000, 100_000)
    less, more = (_read(folder, parents, tell) for parents in (few, many))
    name = f"attachments of {many:,} bills in one company: memory beyond that for {few:,}"
    rate = f"{many / more.wall:,.0f} parents/s"
    yield at_most(name, more.peak - less.peak, "MB", MOST_GROWTH, f"at most {MOST_GROWTH:.0f} MB", wall=rate)
    yield Figure("the same: resident memory", more.peak, "MB", low=less.peak, high=more.peak)


def _read(folder: Path, parents: int, tell: Callable[[str], None]) -> Cost:
    with Server(Content(1, {"bills": parents}, size=600, is_crowd=True)) as server:
        modes = {STREAM: connector.FULL_REFRESH}
        command = connector.command(server, folder / f"children_{parents}", modes)
        cost = run(command, longest=3600)
        asked = server.meter.total
    if asked < parents:
        raise ClientFailedError(f"{asked} requests for {parents} parents")
    tell(f"{parents:,} parents: {asked:,} requests in {cost.wall:.0f} s, {cost.peak:.0f} MB resident")
    return cost
