"""Runs spec, check, discover, a first and a second read, and prints a table of what arrived."""

import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

from codat_simulator import Simulator
from tools.demo import ROOT, connector, warehouse
from tools.demo.progress import step, table
from tools.demo.truth import rows_in_codat, snapshot

FOLDER = ROOT / ".demo"
DATABASE = FOLDER / "warehouse.duckdb"
RECORDS = 12  # attachments are asked for one by one: with more, the demo takes long
CHANGES = 60


@dataclass
class ReadCost:
    """What one read took: seconds of wall clock, PyAirbyte included, and requests to Codat."""

    seconds: float
    requests: int


@dataclass
class StreamCounts:
    """One stream in numbers, or several streams summed up under a title.

    rows: in DuckDB. expected: in the simulated Codat. changed: records that are new or different since the
    first read. Both are None where the simulator can't count without being asked. arrived: rows that the
    second read brought. gone: records that Codat no longer has and doesn't mark as deleted; their rows stay
    until a full refresh.
    """

    stream: str
    rows: int
    expected: int | None
    changed: int | None
    arrived: int
    gone: int = 0


def main() -> int:
    """Run the demo: 0 when every stream has the rows that the simulator counts and no change was missed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    print("source-codat, from a made-up Codat on this machine into a DuckDB file\n")
    with Simulator(companies=3, seed=7, records=RECORDS) as simulator:
        config = FOLDER / "config.json"
        config.write_text(
            json.dumps({"api_key": simulator.api_key, "base_url": simulator.url}), encoding="utf-8"
        )
        with step("Codat simulator") as outcome:
            outcome.append(f"{len(simulator.world.companies)} companies at {simulator.url}")
        streams = _spec_check_and_discover(config)
        first = _read("First read, everything", simulator, config)
        boundary = warehouse.last_arrival(DATABASE)
        missing = _missing(warehouse.counts(DATABASE, streams), rows_in_codat(simulator))
        before = snapshot(simulator)
        with step("Some records change in Codat") as outcome:
            outcome.append(f"{_change_records(simulator)}, in all data types")
        changes = before.changes_until(snapshot(simulator))
        second = _read("Second read, only what changed", simulator, config)
        expected = rows_in_codat(simulator)

    rows = warehouse.counts(DATABASE, streams)
    arrived = warehouse.counts(DATABASE, streams, after=boundary)
    lines = []
    for stream, incremental in streams.items():
        change = changes.get(stream) if incremental else None
        lines.append(
            StreamCounts(
                stream=stream,
                rows=rows[stream],
                expected=expected.get(stream),
                changed=None if change is None else change.changed,
                arrived=arrived[stream],
                gone=0 if change is None else change.gone,
            )
        )
    _show(lines, first, second)
    if missing:
        print(f"\nWRONG: the first read didn't bring what Codat had of {', '.join(missing)}")
    return max(_judge(lines), 1 if missing else 0)


def _missing(rows: dict[str, int], expected: dict[str, int]) -> list[str]:
    """The streams whose table has another number of rows than Codat."""
    return [stream for stream, number in expected.items() if rows[stream] != number]


def _judge(lines: list[StreamCounts]) -> int:
    """Say what is wrong after the second read; returns the exit code."""
    wrong = [
        line.stream for line in lines if line.expected is not None and line.rows != line.expected + line.gone
    ]
    if wrong:
        print(f"\nWRONG: the number of rows differs from Codat's own for {', '.join(wrong)}")
    missed = [line.stream for line in lines if line.changed is not None and line.arrived < line.changed]
    if missed:
        print(f"\nWRONG: the second read missed changes of {', '.join(missed)}")
    empty = [line.stream for line in lines if line.rows == 0]
    if empty:
        print(f"\nWRONG: nothing arrived of {', '.join(empty)}")
    return 1 if wrong or missed or empty else 0


def _spec_check_and_discover(config: Path) -> dict[str, bool]:
    """Run the three commands; return each stream, and whether it can be read incrementally."""
    with step("spec") as outcome:
        [spec] = [message["spec"] for message in connector.run("spec") if message["type"] == "SPEC"]
        fields = spec["connectionSpecification"]["properties"]
        outcome.append(
            f"{len(fields)} fields, required: {', '.join(spec['connectionSpecification']['required'])}"
        )
    with step("check") as outcome:
        messages = connector.run("check", "--config", config)
        [status] = [
            message["connectionStatus"] for message in messages if message["type"] == "CONNECTION_STATUS"
        ]
        outcome.append(" ".join(filter(None, [status["status"], status.get("message")])))
    with step("discover") as outcome:
        messages = connector.run("discover", "--config", config)
        [catalog] = [message["catalog"] for message in messages if message["type"] == "CATALOG"]
        streams = {one["name"]: "incremental" in one["supported_sync_modes"] for one in catalog["streams"]}
        outcome.append(f"{len(streams)} streams, {sum(streams.values())} of them incremental")
    return streams


def _read(title: str, simulator: Simulator, config: Path) -> ReadCost:
    """Load everything that is new into DuckDB."""
    before, started = len(simulator.requests), time.monotonic()
    with step(f"{title}, into DuckDB") as outcome:
        connector.load(config, DATABASE)
        cost = ReadCost(time.monotonic() - started, len(simulator.requests) - before)
        outcome.append(f"{cost.requests} requests, {cost.seconds:.0f} s with PyAirbyte")
    return cost


def _change_records(simulator: Simulator) -> str:
    """Let a Codat sync bring changes of every data type; returns how many of which kind."""
    answer = requests.post(
        f"{simulator.url}/_simulator/evolve", json={"changes": CHANGES, "seed": 7}, timeout=60
    )
    answer.raise_for_status()
    return ", ".join(f"{number} {kind}" for kind, number in answer.json().items())


EXPLANATION = """
Streams with a - have no date of change and are read whole each time. The others bring what changed, and what
shares the date of the last change: all records of one Codat sync get the same date.
"""
GONE = """
{number} records vanished from Codat ({streams}). Banking and commerce don't mark
what was deleted, so their rows stay until a resync: python -m tools.demo.load CONFIG DATABASE --resync
"""


def _show(lines: list[StreamCounts], first: ReadCost, second: ReadCost) -> None:
    """Show the streams that most people want first one by one, the others summed up."""
    head = ("stream", "rows in DuckDB", "rows in Codat", "changed in Codat", "brought by 2nd read")
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))
    important = metadata["data"]["suggestedStreams"]["streams"]
    others = [line for line in lines if line.stream not in important]
    counted = [line for line in others if line.expected is not None]
    asked = [line for line in others if line.expected is None]
    shown = [
        *(line for line in lines if line.stream in important),
        _sum(f"{len(counted)} more that the simulator counts", counted),
        _sum(f"{len(asked)} more that it works out when asked", asked),
        _sum(f"all {len(lines)} streams", lines),
    ]
    cells = [
        (line.stream, line.rows, _or_dash(line.expected), _or_dash(line.changed), line.arrived)
        for line in shown
    ]
    print(f"\n{table(head, cells)}\n{EXPLANATION}")
    gone = [line for line in lines if line.gone]
    if gone:
        names = ", ".join(line.stream for line in gone)
        print(GONE.strip().format(number=sum(line.gone for line in gone), streams=names) + "\n")
    print(f"Requests to Codat: {first.requests} for the first read, {second.requests} for the second.")
    print(
        f"The tables are in {DATABASE.relative_to(ROOT)}, schema codat. For instance, how the months went:\n"
    )
    print("    " + warehouse.PROFITS.replace("\n", "\n    ") + "\n")
    print(table(*warehouse.ask(DATABASE, warehouse.PROFITS)))
    print(
        '\nAsk it something else: .venv/bin/python -m tools.demo.query "SELECT * FROM codat.invoices LIMIT 5"'
    )


def _or_dash(number: int | None) -> int | str:
    return "-" if number is None else number


def _sum(title: str, lines: list[StreamCounts]) -> StreamCounts:
    """Add streams up: rows in Codat only where all are known, changes as far as they are known."""
    expected = [line.expected for line in lines]
    changed = [line.changed for line in lines if line.changed is not None]
    return StreamCounts(
        stream=title,
        rows=sum(line.rows for line in lines),
        expected=None if None in expected else sum(number or 0 for number in expected),
        changed=sum(changed) if changed else None,
        arrived=sum(line.arrived for line in lines),
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except connector.CommandFailedError as error:
        sys.exit(f"\n{error}")
