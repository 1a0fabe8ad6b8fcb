"""How much of the output of an initial load is state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tools.benchmarks import connector
from tools.benchmarks.child import ClientFailedError, run
from tools.benchmarks.server import Server, Terrain
from tools.benchmarks.table import Figure, at_most

RECORDS = 5
STREAMS = {"invoices": RECORDS, "bills": RECORDS}


def measure(folder: Path, _: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield the share of state in everything that was written."""
    terrain = Terrain(50 if quick else 10_000, STREAMS)
    with Server(terrain) as server:
        tell(f"{terrain.companies:,} companies are there")
        command = connector.command(server, folder / "state_size", list(STREAMS), num_workers=20)
        cost = run(command, connector.ENV)
    said = cost.said
    if said.records != terrain.total:
        raise ClientFailedError(f"{said.records} of {terrain.total} records came out")
    tell(
        f"{said.records:,} records, {said.written / 1e6:,.0f} MB, of which {said.states} states with "
        f"{said.state_bytes / 1e6:.1f} MB, in {cost.wall:.0f} s; {cost.peak:.0f} MB resident"
    )
    yield at_most(
        f"{terrain.companies:,} companies, {len(STREAMS)} streams, {RECORDS} records each: state in output",
        said.state_bytes / said.written * 100,
        "%",
        10,
        "under 10 %",
        wall=f"{terrain.companies / cost.wall:,.0f} companies/s",
    )
    yield Figure("the same: resident memory", cost.peak, "MB")
