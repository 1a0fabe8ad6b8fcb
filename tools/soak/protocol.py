"""What must hold of every read, however it ended."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable

from codat_simulator.instants import instant
from tools.soak.reading import Message, Order, Reading

_SMALL_STATE = 500
_CRASH = re.compile(r"(connector|read) met an error of its own")  # a refresh's own errors are Codat's


class Broken(AssertionError):
    """The connector broke a promise."""


def check(order: Order, reading: Reading, api_key: str, now: int) -> None:
    """Raise Broken where a read's output is no sound conversation; `now` is Codat's clock, an instant."""
    if reading.unparsed:
        raise Broken(f"a line is no message: {reading.unparsed[0]!r}")
    for line in reading.logs:
        if _CRASH.search(line):
            raise Broken(line)
    if reading.crash:
        raise Broken(f"the read raised {reading.crash}")
    _no_secret(reading, api_key)
    _counts(reading)
    _errors(reading, order.modes)
    _sizes(reading)
    for name in order.modes:
        _statuses(name, reading)
    for message in reading.messages:
        if message["type"] == "STATE":
            _not_ahead(message["state"], now)


def _no_secret(reading: Reading, api_key: str) -> None:
    text = "\n".join((*map(json.dumps, reading.messages), *reading.logs))
    for form in (api_key, base64.b64encode(api_key.encode()).decode().rstrip("=")):
        if form in text:
            raise Broken("the API key is in the output")


def _counts(reading: Reading) -> None:
    """Each state counts the records of its stream since the one before."""
    since: Counter[str] = Counter()
    for message in reading.messages:
        if message["type"] == "RECORD":
            since[message["record"]["stream"]] += 1
        elif message["type"] == "STATE":
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            counted = message["state"]["sourceStats"]["recordCount"]
            if counted != since[name]:
                raise Broken(f"{name}: a state counts {counted} records where {since[name]} were written")
            since[name] = 0
    if reading.code is not None and any(since.values()) and reading.code == 0:
        raise Broken(f"records after the last state: {dict(since)}")


def _statuses(name: str, reading: Reading) -> None:
    """STARTED, then RUNNING where there are records, then how it ended; a killed read the first of it."""
    statuses = reading.statuses(name)
    whole = ["STARTED", *["RUNNING"] * bool(reading.records(name))]
    if reading.code is None:
        if statuses[: len(whole)] != whole[: len(statuses)]:
            raise Broken(f"{name}: the statuses of a killed read are {statuses}")
        return
    if not statuses and reading.code == 1:
        return  # refused before it began
    ends = {"COMPLETE"} if reading.code == 0 else {"COMPLETE", "INCOMPLETE"}
    if statuses[:-1] != whole or statuses[-1] not in ends:
        raise Broken(f"{name}: the statuses of a read with exit code {reading.code} are {statuses}")


def _errors(reading: Reading, names: Iterable[str]) -> None:
    """An error trace exactly where the exit code says so, the last word; COMPLETE only without failure."""
    if reading.code is None:
        return
    traces = reading.traces
    if bool(traces) != bool(reading.code):
        raise Broken(f"exit code {reading.code} with these errors: {reading.errors}")
    if not traces:
        return
    if reading.messages[-1].get("trace", {}).get("error") != traces[-1]:
        raise Broken(f"something was written after the last error: {reading.messages[-1]}")
    failed = {error["stream_descriptor"]["name"] for error in traces if error.get("stream_descriptor")}
    incomplete = {name for name in names if reading.statuses(name)[-1:] == ["INCOMPLETE"]}
    if not failed <= incomplete or (failed and failed != incomplete):
        raise Broken(f"failures of {sorted(failed)}, and INCOMPLETE are {sorted(incomplete)}")


def _sizes(reading: Reading) -> None:
    """States are a small part of what is written; those at the end, one a stream, needn't be."""
    written: Counter[str] = Counter()
    last = {}
    for at, message in enumerate(reading.messages):
        if message["type"] == "STATE":
            last[message["state"]["stream"]["stream_descriptor"]["name"]] = at
    for at, message in enumerate(reading.messages):
        if message["type"] == "RECORD":
            written[message["record"]["stream"]] += len(json.dumps(message))
        elif message["type"] == "STATE" and reading.code is not None:
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            size = len(json.dumps(message))
            # Not to the byte: the connector estimates its states' sizes, and counts its rows as they
            # came: a pretty-printed body is twice what leaves.
            if at != last[name] and size > _SMALL_STATE and 3 * size > written[name]:
                raise Broken(f"{name}: a state of {size} bytes after {written[name]} bytes of records")
            written[name] = 0


def _not_ahead(state: Message, now: int) -> None:
    for entry in state["stream"]["stream_state"].get("states", ()):
        date = entry["cursor"].get("modifiedDate")
        if date is not None and (instant(date) or 0) > now:
            raise Broken(f"a state is ahead of Codat's clock: {entry}")
