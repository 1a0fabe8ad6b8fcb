"""Financial statements in a story: restated by Codat syncs, and current by the guide's rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import requests

from codat_simulator import Simulator
from codat_simulator.instants import instant
from tools.soak.connector import Message
from tools.soak.destination import Destination, synced_at
from tools.soak.oracle import PromiseBroken, RecordLost
from tools.soak.streams import STATEMENTS, Record

Lines = Counter[tuple[str, str, tuple[str | None, ...], Any]]
"""Lines of a company's statements, counted: last day of the period, section, names from the root, value."""


def check_statements(sim: Simulator, destination: Destination, periods: int) -> int:
    """The number of companies' statements that were compared.

    Raises RecordLost where a line that Codat shows isn't among the current ones, or has another value,
    and PromiseBroken where another line is, although both reads were sure of what they read from.
    """
    compared = 0
    for name, data_type in STATEMENTS.items():
        table = destination.tables[name]
        for company in sim.world.known_companies():
            truth = _truth(sim, company.id, data_type, periods)
            rows = [row for row in table.rows.values() if row["companyId"] == company.id]
            entry = _entry(table.state, company.id)
            if not truth or _is_ahead(rows, entry):
                continue  # a read that was killed has left rows of a date that Codat doesn't show any more
            current = _current(rows, {line[0] for line in truth})
            if truth - current:
                raise RecordLost(f"{name} of {company.id} lacks {_some(truth - current)}")
            sure = [row for key, row in table.rows.items() if key in table.sure and row in rows]
            gone = _current(sure, {line[0] for line in truth}) - truth
            if gone and entry.get("syncId") and gone <= current:
                raise PromiseBroken(f"{name} of {company.id}: gone, but current: {_some(gone)}")
            compared += 1
    return compared


def _truth(sim: Simulator, company_id: str, data_type: str, periods: int) -> Lines:
    """The lines of a company's statements as the simulator shows them now; none where it refuses."""
    answer = requests.get(
        f"{sim.url}/companies/{company_id}/data/financials/{data_type}",
        params={"periodLength": 1, "periodsToCompare": periods},
        headers={"Authorization": sim.authorization},
        timeout=60,
    )
    if not answer.ok:
        return Counter()
    found: Lines = Counter()
    for report in answer.json()["reports"]:
        day = (report.get("date") or report["toDate"])[:10]
        for section, value in report.items():
            if isinstance(value, dict):
                found.update((day, section, *line) for line in _lines(value, ()))
            elif isinstance(value, int | float):
                found[day, section, (), value] += 1
    return found


def _lines(line: Record, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    path = (*names, line["name"])
    yield path, line["value"]
    for item in line.get("items") or ():
        yield from _lines(item, path)


def _current(rows: list[Record], days: set[str]) -> Lines:
    """The lines of the statements of these days that the guide's query finds in a table."""
    newest: dict[str, int] = {}
    for row in rows:
        newest[_day(row)] = max(newest.get(_day(row), 0), synced_at(row))
    return Counter(
        (_day(row), row["section"], tuple(row["path"]), row["value"])
        for row in rows
        if _day(row) in days and synced_at(row) == newest[_day(row)]
    )


def _day(row: Record) -> str:
    return str(row.get("date") or row["toDate"])[:10]


def _entry(state: Message | None, company_id: str) -> Record:
    """What the state says of a company; nothing where it has no entry."""
    for entry in state["stream"]["stream_state"].get("states", ()) if state else ():
        if entry["partition"]["company_id"] == company_id:
            cursor: Record = entry["cursor"]
            return cursor
    return {}


def _is_ahead(rows: list[Record], entry: Record) -> bool:
    """Whether rows have a date that is later than that of the state."""
    return max(map(synced_at, rows), default=0) > (instant(entry.get("syncedAt") or "") or 0)


def _some(lines: Lines) -> str:
    return f"{lines.total()} lines, {next(iter(lines))} among them"
