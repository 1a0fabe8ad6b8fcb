"""How much of the output of an initial load is state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tools.benchmarks import connector
from tools.benchmarks.client_process import ClientFailedError, run
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_most

RECORDS = 5
STREAMS = {"invoices": RECORDS, "bills": RECORDS}


def measure(folder: Path, _: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield the share of state in everything that was written."""
    content = Content(50 if quick else 10_000, STREAMS)
    with Server(content) as server:
        tell(f"{content.companies:,} companies are there")
        command = connector.command(server, folder / "state_size", list(STREAMS), num_workers=20)
        cost = run(command)
    output = cost.output
    if output.records != content.total:
        raise ClientFailedError(f"{output.records} of {content.total} records came out")
    tell(
        f"{output.records:,} records, {output.written / 1e6:,.0f} MB, of which {output.states} states with "
        f"{output.state_bytes / 1e6:.1f} MB, in {cost.wall:.0f} s; {cost.peak:.0f} MB resident"
    )
    yield at_most(
        f"{content.companies:,} companies, {len(STREAMS)} streams, {RECORDS} records each: state in output",
        output.state_bytes / output.written * 100,
        "%",
        10,
        "under 10 %",
        wall=f"{content.companies / cost.wall:,.0f} companies/s",
    )
    yield Figure("the same: resident memory", cost.peak, "MB")
