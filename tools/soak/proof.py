"""What "nothing is lost" means, as comparisons of what arrived with what the simulator shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from tools.soak.destination import Destination, key_of
from tools.soak.protocol import Broken
from tools.soak.reading import Message, Order, Reading
from tools.soak.streams import INCREMENTAL, KEYS, Key, Record, Rows


class Lost(Broken):
    """A record is missing, or not in its last version."""


def everything_is_there(
    shown: Mapping[str, Rows], ever: Mapping[str, set[Key]], destination: Destination
) -> None:
    """Raise Lost where the destination lacks what Codat shows, Broken where it has what never was."""
    for name, rows in shown.items():
        kept = destination.tables[name].rows
        for key, record in rows.items():
            got = kept.get(key)
            if got is None:
                raise Lost(f"{name} {key} is missing: {json.dumps(record)}")
            if _own(name, got) != _own(name, record):
                raise Lost(f"{name} {key} is {json.dumps(got)} where Codat has {json.dumps(record)}")
        invented = [key for key, record in kept.items() if key not in ever[name] and "id" in record]
        if invented:
            raise Broken(f"{name} {invented[0]} was never there")


def _own(name: str, record: Record) -> Record:
    """A record without what the connector adds."""
    added = {*KEYS[name]} - {"id"}
    return {field: value for field, value in record.items() if field not in added}


def all_came_at_once(
    order: Order, reading: Reading, before: Mapping[str, Rows], after: Mapping[str, Rows]
) -> None:
    """Raise Lost where a read calls a partition complete and has passed over what was there throughout.

    That goes for the partitions that it read from the start: those that only its last states name, and
    all of a stream in full refresh that ended COMPLETE without a word of what was left out.
    """
    known = _partitions(order.state)
    done = _partitions(message["state"] for message in reading.messages if message["type"] == "STATE")
    for name in INCREMENTAL:
        if order.modes.get(name) == "full_refresh":
            _whole(name, reading, before[name].keys() & after[name].keys())
        new = done.get(name, set()) - known.get(name, set())
        if order.modes.get(name) != "incremental" or not new:
            continue
        came = {key_of(name, record) for record in reading.records(name)}
        for key in before[name].keys() & after[name].keys():
            if key[:-1] in new and key not in came:
                raise Lost(f"{name} {key} was there throughout, and a read called complete passed it over")


def _whole(name: str, reading: Reading, there: set[Key]) -> None:
    """Raise Lost where a full refresh will replace its table by less than was there, and doesn't say so.

    Less is right only where a company was skipped, which a warning has to name. What couldn't be proven
    complete is no reason: then the stream is INCOMPLETE.
    """
    if reading.statuses(name)[-1:] != ["COMPLETE"]:
        return
    skipped = [line for line in reading.warnings if line.startswith(f"{name}: ") and " skipped, " in line]
    for key in sorted(there - {key_of(name, record) for record in reading.records(name)}):
        if not any(key[0] in line for line in skipped):
            raise Lost(f"{name} {key} was there throughout, and a full refresh passed it over")


def _partitions(states: Iterable[Message]) -> dict[str, set[Key]]:
    """The partitions that states name, by stream; later states win."""
    found: dict[str, set[Key]] = {}
    for state in states:
        name = state["stream"]["stream_descriptor"]["name"]
        entries = state["stream"]["stream_state"].get("states", ())
        found[name] = {tuple(entry["partition"].values()) for entry in entries}
    return found
