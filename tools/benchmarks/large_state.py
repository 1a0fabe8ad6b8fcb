"""A state of half a million entries: loaded, kept and written, with next to nothing to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tools.benchmarks import connector
from tools.benchmarks.client_process import ClientFailedError, run
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_most

STREAMS = (
    "invoices",
    "accounts",
    "bills",
    "customers",
    "items",
    "payments",
    "suppliers",
    "tax_rates",
    "bill_payments",
    "journals",
)


def measure(folder: Path, _: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield the memory and the CPU time of a read that only has such a state."""
    companies = 100 if quick else 50_000
    with Server(Content(1, {"invoices": 1})) as server:
        command = connector.command(server, folder / "large_state", STREAMS)
        first = run(command, keep=("STATE",))
        known = {_name(state): state["stream"]["stream_state"] for state in connector.last_states(first)}
        fingerprint = known["invoices"]["fingerprint"]
        path = folder / "state_of_many.json"
        # Piece by piece, as it needn't all be in memory at once.
        with path.open("w", encoding="utf-8") as file:
            for number, stream in enumerate(STREAMS):
                file.write("," if number else "[")
                json.dump(_state(stream, companies, fingerprint), file)
            file.write("]")
        cost = run([*command, "--state", path], keep=("STATE",))
    last = {_name(state): state["stream"]["stream_state"] for state in connector.last_states(cost)}
    kept = min(len(last[stream]["states"]) for stream in STREAMS)
    if kept < companies:
        raise ClientFailedError(f"{kept} of {companies} entries were kept")
    entries, cpu = companies * len(STREAMS), cost.cpu - first.cpu
    tell(f"{entries:,} entries: {cost.peak:.0f} MB resident, {cpu:.1f} s of CPU")
    name = f"a state of {entries:,} entries, loaded, kept and written: resident memory"
    yield at_most(name, cost.peak, "MB", 600, "under 600 MB")
    yield at_most("the same: CPU, start-up taken off", cpu, "s", 20, "under 20 s")


def _name(state: dict[str, Any]) -> str:
    return str(state["stream"]["stream_descriptor"]["name"])


def _state(stream: str, companies: int, fingerprint: dict[str, Any]) -> dict[str, Any]:
    number = STREAMS.index(stream)
    entries = [
        {
            "partition": {"company_id": f"{one:08x}-0000-4000-8000-{one:012x}"},
            "cursor": {
                "modifiedDate": f"2026-11-{one % 28 + 1:02d}T10:22:43.6464237Z",
                "syncId": f"{number:04x}{one:04x}-1111-4000-8000-{one:012x}",
                "syncedAt": f"2026-11-28T10:{one % 60:02d}:43Z",
            },
        }
        for one in range(companies)
    ]
    blob = {"states": entries, "fingerprint": fingerprint}
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": blob}}
