"""What must hold of every read, whatever went wrong: a valid protocol, the right ending, and nothing lost."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from codat_simulator import LoggedRequest
from codat_simulator.instants import instant
from tools.soak.connector import Message, ReadResult, ReadTask
from tools.soak.destination import Destination, key_of
from tools.soak.streams import DELETED_AT, INCREMENTAL, MARKS_DELETED, PRIMARY_KEYS, Key, Record, Rows

_SMALL_STATE_BYTES = 500
_MOST_IN_FLIGHT = 10  # requests for one company
_OWN_ERROR = re.compile(r"(connector|read) met an error of its own")  # a refresh's own errors are Codat's
_STATUS_MAY_BE_LOST = {"reset", "cut", "wrong_length", "stall", "redirect"}
_COMPANY_LIST = re.compile(r"/companies(/[^/]+)?")
_TIME_OF_DAY = re.compile(r"\d\d:\d\d")
_NO_COMPANY = ("No company matches", "knows none of the companies", "has no company yet")
_WITHHELD = "holds back data that it has"


class PromiseBroken(AssertionError):
    """The connector broke a promise."""


class RecordLost(PromiseBroken):
    """A record is missing, or not in its last version."""


# --- the protocol


def check_protocol(task: ReadTask, result: ReadResult, api_key: str, now: int) -> None:
    """Raise PromiseBroken where a read's output isn't what Airbyte expects.

    now: Codat's clock, an instant.
    """
    if result.not_json:
        raise PromiseBroken(f"a line is no message: {result.not_json[0]!r}")
    for line in result.logs:
        if _OWN_ERROR.search(line):
            raise PromiseBroken(line)
    if result.crash:
        raise PromiseBroken(f"the read raised {result.crash}")
    _check_no_secret(result, api_key)
    _check_counts(result)
    _check_errors(result, task.modes)
    _check_state_sizes(result)
    _check_deletions(task, result)
    for name in task.modes:
        _check_statuses(name, result)
    for message in result.messages:
        if message["type"] == "STATE":
            _check_cursors(message["state"], now)


def _check_no_secret(result: ReadResult, api_key: str) -> None:
    text = "\n".join((*map(json.dumps, result.messages), *result.logs))
    for form in (api_key, base64.b64encode(api_key.encode()).decode().rstrip("=")):
        if form in text:
            raise PromiseBroken("the API key is in the output")


def _check_counts(result: ReadResult) -> None:
    """Each state counts the records of its stream since the one before; after a whole read none are left."""
    since: Counter[str] = Counter()
    for message in result.messages:
        if message["type"] == "RECORD":
            since[message["record"]["stream"]] += 1
        elif message["type"] == "STATE":
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            counted = message["state"]["sourceStats"]["recordCount"]
            if counted != since[name]:
                raise PromiseBroken(
                    f"{name}: a state counts {counted} records where {since[name]} were written"
                )
            since[name] = 0
    if result.code == 0 and any(since.values()):
        raise PromiseBroken(f"records after the last state: {dict(since)}")


def _check_deletions(task: ReadTask, result: ReadResult) -> None:
    """Where the option says so, each record of a stream that marks deletions says when it was deleted."""
    for name in task.modes:
        is_dated = task.config.get("deleted_records") == "remove" and name in MARKS_DELETED
        for record in result.records(name):
            is_deleted = is_dated and (record.get("metadata") or {}).get("isDeleted") is True
            if (DELETED_AT in record) != is_dated or (record.get(DELETED_AT) is not None) != is_deleted:
                raise PromiseBroken(
                    f"{name}: a record doesn't say whether it was deleted: {json.dumps(record)}"
                )


def _check_statuses(name: str, result: ReadResult) -> None:
    """STARTED, then RUNNING where there are records, then how it ended; a killed read the first of these."""
    statuses = result.statuses(name)
    expected = ["STARTED", *["RUNNING"] * bool(result.records(name))]
    if result.code is None:
        if statuses[: len(expected)] != expected[: len(statuses)]:
            raise PromiseBroken(f"{name}: the statuses of a killed read are {statuses}")
        return
    if not statuses and result.code == 1:
        return  # refused before it began
    ends = {"COMPLETE"} if result.code == 0 else {"COMPLETE", "INCOMPLETE"}
    if statuses[:-1] != expected or statuses[-1] not in ends:
        raise PromiseBroken(f"{name}: the statuses of a read with exit code {result.code} are {statuses}")


def _check_errors(result: ReadResult, names: Iterable[str]) -> None:
    """Errors exactly where the exit code says so, as the last words, and of the INCOMPLETE streams."""
    if result.code is None:
        return
    traces = result.traces
    if bool(traces) != bool(result.code):
        raise PromiseBroken(f"exit code {result.code} with these errors: {result.errors}")
    if not traces:
        return
    if result.messages[-1].get("trace", {}).get("error") != traces[-1]:
        raise PromiseBroken(f"something was written after the last error: {result.messages[-1]}")
    failed = {error["stream_descriptor"]["name"] for error in traces if error.get("stream_descriptor")}
    incomplete = {name for name in names if result.statuses(name)[-1:] == ["INCOMPLETE"]}
    if not failed <= incomplete or (failed and failed != incomplete):
        raise PromiseBroken(f"failures of {sorted(failed)}, and INCOMPLETE are {sorted(incomplete)}")


def _check_state_sizes(result: ReadResult) -> None:
    """States are a small part of what is written; the last of each stream needn't be."""
    written: Counter[str] = Counter()
    last = {}
    for at, message in enumerate(result.messages):
        if message["type"] == "STATE":
            last[message["state"]["stream"]["stream_descriptor"]["name"]] = at
    for at, message in enumerate(result.messages):
        if message["type"] == "RECORD":
            written[message["record"]["stream"]] += len(json.dumps(message))
        elif message["type"] == "STATE" and result.code is not None:
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            size = len(json.dumps(message))
            # The connector keeps to a tenth, but estimates its states' sizes and counts rows as they came:
            # a body with line breaks and indents is twice what leaves.
            if at != last[name] and size > _SMALL_STATE_BYTES and 3 * size > written[name]:
                raise PromiseBroken(f"{name}: a state of {size} bytes after {written[name]} bytes of records")
            written[name] = 0


def _check_cursors(state: Message, now: int) -> None:
    for entry in state["stream"]["stream_state"].get("states", ()):
        cursor = entry["cursor"]
        date = cursor.get("modifiedDate") or cursor.get("syncedAt")
        if date is not None and (instant(date) or 0) > now:
            raise PromiseBroken(f"a state is ahead of Codat's clock: {entry}")


# --- how a read ends


def check_ending(task: ReadTask, result: ReadResult, requests: Sequence[LoggedRequest]) -> None:
    """Raise PromiseBroken where a read ended in another way than Codat's answers call for.

    Also where it had too many requests under way. requests: the read's, as the simulator logged them.
    """
    _check_in_flight(requests, task.time_out)
    if result.code is None:
        return
    # Answers that surely arrived: whole, and long before the time-out. To queue a refresh may be refused for
    # reasons of its own, with 402 for one.
    arrived = [
        one
        for one in requests
        if one.method == "GET"
        and one.finished_at - one.at < task.time_out / 2
        and not _STATUS_MAY_BE_LOST.intersection(one.fault.split(","))
    ]
    # What is refused for one company is its own, as long as the key is let in elsewhere.
    is_refused = any(one.status in (401, 402) and not one.company_id for one in arrived)
    is_used_up = any(one.status == 429 and not one.fault for one in arrived)
    types = {error["failure_type"] for error in result.traces}
    if result.was_stopped or _has_company_list_failed(requests):
        return  # it may have ended for another reason before
    statuses = {one.status for one in requests}
    if is_refused or is_used_up:
        expected = {"config_error"} if statuses & {401, 402} else set()
        expected |= {"transient_error"} if 429 in statuses else set()
        if result.code != 1 or not types <= expected or len(result.traces) != 1:
            raise PromiseBroken(
                f"key refused: {is_refused}, quota used up: {is_used_up}, but it ended with {result.errors}"
            )
    last_error = result.errors[-1] if result.errors else ""
    if "quota" in last_error and not _TIME_OF_DAY.search(last_error):
        raise PromiseBroken(f"when the quota is there again isn't said: {last_error}")
    is_withheld = _check_withheld(task, result, statuses)
    reasons = (*_NO_COMPANY, f"'start_date' is '{task.config.get('start_date')}', which is in the future")
    is_users_to_mend = statuses & {401, 402} or any(reason in last_error for reason in reasons)
    if "config_error" in types and not is_withheld and not is_users_to_mend:
        raise PromiseBroken(f"nothing is wrong with the configuration: {last_error}")


def _check_withheld(task: ReadTask, result: ReadResult, statuses: set[int]) -> bool:
    """Whether partitions failed because Codat holds their data back.

    409 while nothing is synced fails a partition in full refresh, where a part would replace the whole; in an
    incremental stream it is skipped.
    """
    lines = [line for line in result.warnings if _WITHHELD in line]
    for line in lines:
        if task.modes[line.partition(":")[0]] != "full_refresh":
            raise PromiseBroken(f"an incremental stream failed for data that is held back: {line}")
        if 409 not in statuses:
            raise PromiseBroken(f"Codat held nothing back: {line}")
    return bool(lines)


def _check_in_flight(requests: Sequence[LoggedRequest], time_out: float) -> None:
    # A request that was given up, on a busy machine without a fault too, may still be in flight for the
    # server when the next one comes.
    given_up = any("stall" in one.fault or one.finished_at - one.at > time_out / 2 for one in requests)
    most = max((one.in_flight_company for one in requests), default=0)
    if most > _MOST_IN_FLIGHT and not given_up:
        raise PromiseBroken(f"{most} requests were in flight for one company")


def _has_company_list_failed(requests: Sequence[LoggedRequest]) -> bool:
    return any(
        _COMPANY_LIST.fullmatch(one.path)
        and one.query.get("pageSize") != "1"  # with one company it is only asked whether the key is let in
        and (one.status != 200 or one.fault)
        for one in requests
    )


# --- nothing lost


def check_destination(
    visible: Mapping[str, Rows], keys_ever: Mapping[str, set[Key]], destination: Destination
) -> None:
    """Raise RecordLost where the destination lacks what Codat shows.

    PromiseBroken where it has what never was. keys_ever: the keys of all records that ever were, by stream.
    """
    for name, rows in visible.items():
        kept = destination.tables[name].rows
        for key, record in rows.items():
            got = kept.get(key)
            if got is None:
                raise RecordLost(f"{name} {key} is missing: {json.dumps(record)}")
            if _as_codat_sent(name, got) != _as_codat_sent(name, record):
                raise RecordLost(f"{name} {key} is {json.dumps(got)} where Codat has {json.dumps(record)}")
        invented = [key for key, record in kept.items() if key not in keys_ever[name] and "id" in record]
        if invented:
            raise PromiseBroken(f"{name} {invented[0]} was never there")


def _as_codat_sent(name: str, record: Record) -> Record:
    """A record without what the connector adds."""
    added = {DELETED_AT, *PRIMARY_KEYS[name]} - {"id"}
    return {field: value for field, value in record.items() if field not in added}


def check_first_reads(
    task: ReadTask, result: ReadResult, before: Mapping[str, Rows], after: Mapping[str, Rows]
) -> None:
    """Raise RecordLost where a partition was read from its start, called complete, and lacks a record.

    Records count that could be seen when the read began (`before`) and when it ended (`after`). Read from
    their start are the partitions that the state didn't name before, and all of a stream in full refresh.
    """
    known = _partitions(task.state)
    read = _partitions(message["state"] for message in result.messages if message["type"] == "STATE")
    for name in INCREMENTAL:
        if task.modes.get(name) == "full_refresh":
            _check_full_refresh(name, result, before[name].keys() & after[name].keys())
        new = read.get(name, set()) - known.get(name, set())
        if task.modes.get(name) != "incremental" or not new:
            continue
        came = {key_of(name, record) for record in result.records(name)}
        for key in before[name].keys() & after[name].keys():
            if key[:-1] in new and key not in came:
                raise RecordLost(f"{name} {key} was there throughout, and a complete read passed it over")


def _check_full_refresh(name: str, result: ReadResult, there: set[Key]) -> None:
    """Raise RecordLost where a full refresh replaces its table by less than was there, and doesn't say so.

    there: the keys of the records that could be seen throughout. Less is right only where a company was
    skipped, which a warning has to name. What couldn't be proven complete is no reason: then the stream is
    INCOMPLETE.
    """
    if result.statuses(name)[-1:] != ["COMPLETE"]:
        return
    skipped = [line for line in result.warnings if line.startswith(f"{name}: ") and " skipped, " in line]
    for key in sorted(there - {key_of(name, record) for record in result.records(name)}):
        if not any(key[0] in line for line in skipped):
            raise RecordLost(f"{name} {key} was there throughout, and a full refresh passed it over")


def _partitions(states: Iterable[Message]) -> dict[str, set[Key]]:
    """The partitions that states name, by stream; later states win."""
    found: dict[str, set[Key]] = {}
    for state in states:
        name = state["stream"]["stream_descriptor"]["name"]
        entries = state["stream"]["stream_state"].get("states", ())
        found[name] = {tuple(entry["partition"].values()) for entry in entries}
    return found
