"""How well the wait for answers is used: 50 ms each, ten requests at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

from tools.benchmarks import connector
from tools.benchmarks.client_process import run
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_most

STREAMS = ["customers", "suppliers", "invoices", "bills", "payments"]
LATENCY, WORKERS, PAGE_SIZE = 0.05, 10, 200


def measure(folder: Path, repeat: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield the wall time over what the latency alone would take, as the server and as the clock saw it."""
    companies, pages = (3, 1) if quick else (20, 3)
    datasets = dict.fromkeys(STREAMS, PAGE_SIZE * pages)
    served, whole, rates = [], [], []
    with (
        Server(Content(1, dict.fromkeys(STREAMS, 0), size=600)) as nothing,
        Server(Content(companies, datasets, size=600, latency=LATENCY)) as server,
    ):
        options = {"num_workers": WORKERS, "page_size": PAGE_SIZE}
        start_up = connector.command(nothing, folder / "start_up", STREAMS, None, **options)
        command = connector.command(server, folder / "latency", STREAMS, None, **options)
        for _ in range(1 if quick else repeat):
            begun = run(start_up).wall
            server.forget()
            elapsed = run(command).wall - begun
            seen = server.requests
            wall = max(one.finished_at for one in seen) - min(one.at for one in seen)
            ideal = len(seen) * LATENCY / WORKERS
            served.append(wall / ideal)
            whole.append(elapsed / ideal)
            rates.append(len(seen) / wall)
            tell(f"{len(seen)} requests in {wall:.2f} s: {wall / ideal:.2f} times {ideal:.2f} s")
    unit = "times requests · latency ÷ workers"
    name = f"{LATENCY * 1000:.0f} ms latency, {companies} companies, {WORKERS} workers: wall time"
    spread = {"low": min(served), "high": max(served), "wall": f"{median(rates):.0f} requests/s"}
    yield at_most(name, median(served), unit, 1.2, "at most 1.2", **spread)
    name = "the same, by the process's clock less start-up"
    yield Figure(name, median(whole), unit, min(whole), max(whole))
