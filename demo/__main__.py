"""Spec, check, discover, a first and a second read, and a table of what arrived."""

import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from codat_simulator import Simulator
from demo import ROOT, connector, warehouse
from demo.progress import step, table
from demo.truth import changed, rows_in_codat, snapshot

PLACE = ROOT / ".demo"
DATABASE = PLACE / "warehouse.duckdb"
CHANGES = 60


@dataclass
class Read:
    """What one read cost."""

    seconds: float
    requests: int


@dataclass
class Line:
    """What became of one stream; `changed` is None where nothing tells which records changed."""

    stream: str
    rows: int
    expected: int
    changed: int | None
    arrived: int


def main() -> int:
    """Run the demo: 0 when every stream has the rows that the simulator counts and no change was missed."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    print("source-codat, from a made-up Codat on this machine into a DuckDB file\n")
    with Simulator(companies=3, seed=7, records=40) as simulator:
        config = PLACE / "config.json"
        config.write_text(
            json.dumps({"api_key": simulator.api_key, "base_url": simulator.url}), encoding="utf-8"
        )
        with step("Codat simulator") as said:
            said.append(f"{len(simulator.world.companies)} companies at {simulator.url}")
        streams = _look(config)
        first = _read("First read, everything", simulator, config)
        boundary = warehouse.last_arrival(DATABASE)
        before = snapshot(simulator)
        with step("Some records change in Codat") as said:
            said.append(f"{_evolve(simulator)}, in all data types")
        changes = changed(before, snapshot(simulator))
        second = _read("Second read, only what changed", simulator, config)
        expected = rows_in_codat(simulator)

    lines = [
        Line(
            stream=stream,
            rows=warehouse.count(DATABASE, stream),
            expected=expected[stream],
            changed=changes[stream] if incremental else None,
            arrived=warehouse.count(DATABASE, stream, after=boundary),
        )
        for stream, incremental in streams.items()
    ]
    _show(lines, first, second)
    return _judge(lines)


def _judge(lines: list[Line]) -> int:
    wrong = [line.stream for line in lines if line.rows != line.expected]
    if wrong:
        print(f"\nWRONG: the number of rows differs from Codat's own for {', '.join(wrong)}")
    missed = [line.stream for line in lines if line.changed is not None and line.arrived < line.changed]
    if missed:
        print(f"\nWRONG: the second read missed changes of {', '.join(missed)}")
    return 1 if wrong or missed else 0


def _look(config: Path) -> dict[str, bool]:
    """Run spec, check and discover; return each stream, and whether it can be read incrementally."""
    with step("spec") as said:
        [spec] = [message["spec"] for message in connector.run("spec") if message["type"] == "SPEC"]
        fields = spec["connectionSpecification"]["properties"]
        said.append(
            f"{len(fields)} fields, required: {', '.join(spec['connectionSpecification']['required'])}"
        )
    with step("check") as said:
        messages = connector.run("check", "--config", config)
        [status] = [
            message["connectionStatus"] for message in messages if message["type"] == "CONNECTION_STATUS"
        ]
        said.append(" ".join(filter(None, [status["status"], status.get("message")])))
    with step("discover") as said:
        messages = connector.run("discover", "--config", config)
        [catalog] = [message["catalog"] for message in messages if message["type"] == "CATALOG"]
        streams = {one["name"]: "incremental" in one["supported_sync_modes"] for one in catalog["streams"]}
        said.append(f"{len(streams)} streams, {sum(streams.values())} of them incremental")
    return streams


def _read(title: str, simulator: Simulator, config: Path) -> Read:
    before, started = len(simulator.requests), time.monotonic()
    with step(f"{title}, into DuckDB") as said:
        connector.load(config, DATABASE)
        read = Read(time.monotonic() - started, len(simulator.requests) - before)
        said.append(f"{read.requests} requests, {read.seconds:.0f} s with PyAirbyte")
    return read


def _evolve(simulator: Simulator) -> str:
    answer = requests.post(
        f"{simulator.url}/_simulator/evolve", json={"changes": CHANGES, "seed": 7}, timeout=60
    )
    answer.raise_for_status()
    return ", ".join(f"{number} {kind}" for kind, number in answer.json().items())


EXPLANATION = """
Streams with a - have no date of change and are read whole each time. The others bring what changed, and what
shares the date of the last change: Codat gives all records that came in one sync the same date.
"""


def _show(lines: list[Line], first: Read, second: Read) -> None:
    head = ("stream", "rows in DuckDB", "rows in Codat", "changed in Codat", "brought by 2nd read")
    total = Line(
        stream="together",
        rows=sum(line.rows for line in lines),
        expected=sum(line.expected for line in lines),
        changed=sum(line.changed or 0 for line in lines),
        arrived=sum(line.arrived for line in lines),
    )
    rows = [
        (line.stream, line.rows, line.expected, "-" if line.changed is None else line.changed, line.arrived)
        for line in [*lines, total]
    ]
    print(f"\n{table(head, rows)}\n{EXPLANATION}")
    print(f"Requests to Codat: {first.requests} for the first read, {second.requests} for the second.")
    print(
        f"The tables are in {DATABASE.relative_to(ROOT)}, schema codat. For instance, how the months went:\n"
    )
    print("    " + warehouse.PROFITS.replace("\n", "\n    ") + "\n")
    print(table(*warehouse.ask(DATABASE, warehouse.PROFITS)))
    print('\nAsk it something else: .venv/bin/python -m demo.query "SELECT * FROM codat.invoices LIMIT 5"')


if __name__ == "__main__":
    try:
        sys.exit(main())
    except connector.CommandFailedError as error:
        sys.exit(f"\n{error}")
