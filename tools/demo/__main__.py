"""Runs the connector's commands and five loads against the simulator; shows what arrived and what it cost.

There are two groups of streams: those that can be read incrementally, and those that are read whole.
Each is loaded by itself, as two connections in Airbyte would, so that the requests of both can be counted.
"""

import json
import os
import signal
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from codat_simulator import Simulator, World, evolve
from tools.demo import connector, warehouse
from tools.demo.loads import Loads
from tools.demo.progress import step
from tools.demo.report import StreamRows, rows_table, what_is_wrong
from tools.demo.tables import table, terminal_width
from tools.demo.truth import Changes, Snapshot, rows_in_codat, snapshot
from tools.demo.workspace import DATABASE, FAILED, PLOT, WRONG, name_of, run_folder

RECORDS = 12  # attachments are asked for one by one: with more, the demo takes long
CHANGES = 57


@dataclass
class Demo:
    """One run: where it works, the simulated Codat, what loads, the streams and each read's requests."""

    folder: Path
    simulator: Simulator
    loads: Loads
    catalog: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The configuration file of the connector."""
        return self.folder / "config.json"

    @property
    def database(self) -> Path:
        """The DuckDB file that is being filled."""
        return self.folder / DATABASE.name

    def streams(self, *, incremental: bool) -> list[str]:
        """The names of the streams that can be read incrementally, or of the others."""
        return [
            stream["name"]
            for stream in self.catalog["streams"]
            if ("incremental" in stream["supported_sync_modes"]) is incremental
        ]

    def load(self, title: str, *, incremental: bool) -> None:
        """Load what is new of one group of streams, and count the requests under the title."""
        names = self.streams(incremental=incremental)
        with step(f"{title}: {len(names)} streams") as outcome:
            before = len(self.simulator.requests)
            self.loads.load(self.config, self.database, names)
            self.requests[title] = len(self.simulator.requests) - before
            outcome.append(f"{self.requests[title]} requests")


FIRST, FIRST_WHOLE = "First read, incremental", "First read, the others"
SECOND, SECOND_WHOLE = "Second read, incremental", "Second read, the others"
THIRD = "Third read, nothing has changed"
NO_STATE = "The same without a state"


def main() -> int:
    """Run the demo: 0 when every stream has the rows that the simulator counts and no change was missed."""
    print("source-codat: from a made-up Codat on this machine into a DuckDB file")
    print("(What takes time below is PyAirbyte; what a read costs is told in requests.)\n")
    with (
        run_folder() as folder,
        Simulator(companies=3, seed=7, records=RECORDS) as simulator,
        Loads(folder) as loads,
    ):
        demo = Demo(folder, simulator, loads)
        _spec_check_and_discover(demo)
        demo.load(FIRST, incremental=True)
        demo.load(FIRST_WHOLE, incremental=False)
        wrong = _missing(demo)
        before = snapshot(simulator)
        first = warehouse.last_arrival(demo.database)
        with step("Records change in Codat") as outcome:
            _change_records(simulator.world)
            outcome.append(_told(before.changes_until(snapshot(simulator))))
        demo.load(SECOND, incremental=True)
        demo.load(SECOND_WHOLE, incremental=False)
        second = warehouse.last_arrival(demo.database)
        brought = _brought_since(demo, first)
        demo.load(THIRD, incremental=True)
        brought_again = _brought_since(demo, second)
        _read_without_state(demo)
        lines = _lines(demo, before, brought, brought_again)
        _show(demo, lines)
        wrong += what_is_wrong(lines)
        for sentence in wrong:
            print(f"\nWRONG: {sentence}")
        _publish(demo, WRONG if wrong else DATABASE)
    return 1 if wrong else 0


def _spec_check_and_discover(demo: Demo) -> None:
    """Run the three commands and keep the catalog."""
    simulator = demo.simulator
    settings = {"api_key": simulator.api_key, "base_url": simulator.url}
    demo.config.write_text(json.dumps(settings), encoding="utf-8")
    with step("Codat simulator") as outcome:
        outcome.append(f"{len(simulator.world.companies)} companies")
    with step("spec") as outcome:
        [spec] = [message["spec"] for message in connector.run("spec") if message["type"] == "SPEC"]
        required = spec["connectionSpecification"]["required"]
        outcome.append(f"only {' and '.join(required)} is required")
    with step("check") as outcome:
        messages = connector.run("check", "--config", demo.config)
        [status] = [one["connectionStatus"] for one in messages if one["type"] == "CONNECTION_STATUS"]
        outcome.append(" ".join(filter(None, [status["status"], status.get("message")])))
    with step("discover") as outcome:
        messages = connector.run("discover", "--config", demo.config)
        [demo.catalog] = [message["catalog"] for message in messages if message["type"] == "CATALOG"]
        incremental = len(demo.streams(incremental=True))
        outcome.append(f"{len(demo.catalog['streams'])} streams, {incremental} incremental")


def _missing(demo: Demo) -> list[str]:
    """A sentence about the streams whose table has another number of rows than Codat, if there are any."""
    names = {stream["name"] for stream in demo.catalog["streams"]}
    expected = {name: number for name, number in rows_in_codat(demo.simulator).items() if name in names}
    rows = warehouse.counts(demo.database, expected)
    wrong = [stream for stream, number in expected.items() if rows[stream] != number]
    return [f"the first read didn't bring what Codat had of {', '.join(wrong)}"] if wrong else []


def _change_records(world: World) -> None:
    """Let Codat syncs bring changes: three to invoices, others here and there."""
    company = world.companies[0]["id"]
    open_ones = [one for one in world.records("invoices", company) if (one.get("amountDue") or 0) > 0]
    paid, deleted = open_ones[0], open_ones[1]

    def change() -> None:
        world.change(company, "invoices", paid["id"], status="Paid", amountDue=0)
        world.delete(company, "invoices", deleted["id"])
        world.put(company, "invoices", {**paid, "id": "new-invoice", "invoiceNumber": "INV-NEW"})

    world.sync(company, "invoices", changes=change)
    evolve(world, seed=7, changes=CHANGES)


def _told(changes: Mapping[str, Changes]) -> str:
    """How many records have changed and vanished; a record counts once, however often it changed."""
    changed = sum(one.changed for one in changes.values())
    gone = sum(one.gone for one in changes.values())
    return f"{changed} new or different" + (f", {gone} gone" if gone else "")


def _read_without_state(demo: Demo) -> None:
    """Read the incremental streams whole with the console script, into nothing: what the state saves."""
    names = demo.streams(incremental=True)
    streams = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in demo.catalog["streams"]
        if stream["name"] in names
    ]
    catalog = demo.folder / "catalog.json"
    catalog.write_text(json.dumps({"streams": streams}), encoding="utf-8")
    with step(f"{NO_STATE}: {len(names)} streams") as outcome:
        before = len(demo.simulator.requests)
        connector.run("read", "--config", demo.config, "--catalog", catalog)
        demo.requests[NO_STATE] = len(demo.simulator.requests) - before
        outcome.append(f"{demo.requests[NO_STATE]} requests")


def _brought_since(demo: Demo, moment: datetime) -> dict[str, int]:
    """Count the rows of each stream that arrived after a moment."""
    return warehouse.counts(demo.database, [one["name"] for one in demo.catalog["streams"]], after=moment)


def _lines(
    demo: Demo, before: Snapshot, second: Mapping[str, int], third: Mapping[str, int]
) -> list[StreamRows]:
    """Count each stream's rows beside those that the second and the third read brought."""
    changes = before.changes_until(snapshot(demo.simulator))
    expected = rows_in_codat(demo.simulator)
    incremental = demo.streams(incremental=True)
    streams = [stream["name"] for stream in demo.catalog["streams"]]
    rows = warehouse.counts(demo.database, streams)
    lines = []
    for stream in streams:
        change = changes.get(stream) if stream in incremental else None
        lines.append(
            StreamRows(
                stream=stream,
                rows=rows[stream],
                expected=expected.get(stream),
                changed=None if change is None else change.changed,
                second=second[stream],
                third=third[stream] if stream in incremental else None,
                gone=0 if change is None else change.gone,
            )
        )
    return lines


INCREMENTAL = """
Read incrementally: {number} streams. The second read brings what changed, and
what shares the date of the last change, as all records of one Codat sync do.
"""
READ_WHOLE = """
Read whole each time, as nothing tells when they changed: {number} streams.
"""
AGAIN = """
{streams}
These are logs and reports, of which Codat names no sync: they are asked for in
every read, and rows that share the newest date come again. (What
read_outcomes brings is the connector's own account of the read.)
"""
OUTCOMES = "read_outcomes"
GONE = """
{number} records vanished from Codat ({streams}). Banking and commerce
don't mark what was deleted: their rows stay until a full refresh.
"""
COSTS = """
The {incremental} incremental streams took {first} requests at first, {changed} when records had
changed, {unchanged} when nothing had; without a state they take {whole} each time.
The {others} others took {others_first}, then {others_second}: sync those less often.
"""


def _show(demo: Demo, lines: list[StreamRows]) -> None:
    """Show the rows of both groups of streams, then what the reads cost."""
    requests = demo.requests
    changing = [line for line in lines if line.third is not None]
    whole = [line for line in lines if line.third is None]
    print(INCREMENTAL.format(number=len(changing)))
    print(rows_table(changing, read_whole=False))
    again = [line.stream for line in changing if line.third and line.stream != OUTCOMES]
    if again:
        told = f"The third read still brought rows of {', '.join(again)}."
        print(AGAIN.format(streams=textwrap.fill(told, 79)).rstrip())
    gone = [line for line in lines if line.gone]
    if gone:
        names = ", ".join(line.stream for line in gone)
        print(GONE.format(number=sum(line.gone for line in gone), streams=names).rstrip())
    print(READ_WHOLE.format(number=len(whole)))
    print(rows_table(whole, read_whole=True))
    print(
        COSTS.format(
            incremental=len(changing),
            first=requests[FIRST],
            changed=requests[SECOND],
            unchanged=requests[THIRD],
            whole=requests[NO_STATE],
            others=len(whole),
            others_first=requests[FIRST_WHOLE],
            others_second=requests[SECOND_WHOLE],
        )
    )


def _publish(demo: Demo, database: Path) -> None:
    """Draw the picture, put both in the place of the last run's, and say where they are."""
    requests = demo.requests
    with step("Plot") as outcome:
        os.environ.setdefault("MPLCONFIGDIR", str(demo.folder))
        from tools.demo.plot import draw_requests  # noqa: PLC0415 - slow, and reads MPLCONFIGDIR when imported

        picture = demo.folder / PLOT.name
        draw_requests(
            picture,
            ("first read", "after changes", "nothing changed", "without a state"),
            {
                f"{len(demo.streams(incremental=True))} incremental streams": [
                    requests[FIRST],
                    requests[SECOND],
                    requests[THIRD],
                    requests[NO_STATE],
                ],
                f"{len(demo.streams(incremental=False))} streams that are read whole each time": [
                    requests[FIRST_WHOLE],
                    requests[SECOND_WHOLE],
                    None,
                    None,
                ],
            },
        )
        warehouse.write_down(demo.database)
        picture.replace(PLOT)
        demo.database.replace(database)
        outcome.append(name_of(PLOT))
    with step("Tables") as outcome:
        outcome.append(name_of(database))
    print("\nFor instance, how the months went:\n")
    print("    " + warehouse.PROFITS.replace("\n", "\n    ") + "\n")
    print(table(*warehouse.ask(database, warehouse.PROFITS), terminal_width()))
    print("\nList the tables, or ask them something else:\n\n    .venv/bin/python -m tools.demo.query")
    print('    .venv/bin/python -m tools.demo.query "SELECT * FROM codat.invoices LIMIT 2"')


def run() -> int:
    """Run the demo and end in one line where it is stopped or fails."""
    try:
        return main()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        kept = f"; {name_of(DATABASE)} is still that of the last run" if DATABASE.exists() else ""
        print(f"Stopped{kept}.", file=sys.stderr)
        return 128 + signal.SIGINT
    except connector.CommandFailedError as error:
        FAILED.write_text(error.output, encoding="utf-8")
        print(f"\n{error} (its whole output is in {name_of(FAILED)})", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(run())
