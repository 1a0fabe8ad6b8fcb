"""Whether a read ended the way that the answers it got call for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from codat_simulator import LoggedRequest
from tools.soak.protocol import Broken
from tools.soak.reading import Order, Reading

_MOST_IN_FLIGHT = 10  # for one company
_LOST = {"reset", "cut", "wrong_length", "stall", "redirect"}  # its status may never arrive
_LIST = re.compile(r"/companies(/[^/]+)?")
_TIME = re.compile(r"\d\d:\d\d")
_WITHHELD = "holds back data that it has"
_NOBODY = ("No company matches", "knows none of the companies", "has no company yet")


def check(order: Order, reading: Reading, requests: Sequence[LoggedRequest]) -> None:
    """Raise Broken where a read failed in another way than Codat's answers say, or asked too much at once."""
    _in_flight(requests)
    if reading.code is None:
        return
    # Answers that surely arrived: whole, and long before the time-out. To queue a refresh may be
    # refused for reasons of its own, with 402 for one.
    sure = [
        one
        for one in requests
        if one.method == "GET"
        and one.finished_at - one.at < order.read_time_out / 2
        and not _LOST.intersection(one.fault.split(","))
    ]
    refused = any(one.status in (401, 402) for one in sure)
    used_up = any(one.status == 429 and not one.fault for one in sure)
    types = {error["failure_type"] for error in reading.traces}
    if reading.stopped or _list_failed(requests):
        return  # it may have ended for another reason before
    if refused or used_up:
        causes = {one.status for one in requests}
        wanted = {"config_error"} if causes & {401, 402} else set()
        wanted |= {"transient_error"} if 429 in causes else set()
        if reading.code != 1 or not types <= wanted or len(reading.traces) != 1:
            raise Broken(
                f"key refused: {refused}, quota used up: {used_up}, but it ended with {reading.errors}"
            )
    closing = reading.errors[-1] if reading.errors else ""
    if "quota" in closing and not _TIME.search(closing):
        raise Broken(f"when the quota is there again isn't said: {closing}")
    withheld = _withheld(order, reading, requests)
    blamed = "config_error" in types and not any(words in closing for words in _NOBODY)
    if blamed and not any(one.status in (401, 402) for one in requests) and not withheld:
        raise Broken(f"nothing is wrong with the configuration: {closing}")


def _withheld(order: Order, reading: Reading, requests: Sequence[LoggedRequest]) -> bool:
    """Whether streams failed because Codat holds data back: it must have said 409, to a full refresh."""
    lines = [line for line in reading.warnings if _WITHHELD in line]
    for line in lines:
        if order.modes[line.partition(":")[0]] != "full_refresh":
            raise Broken(f"an incremental stream failed for data that is held back: {line}")
        if not any(one.status == 409 for one in requests):
            raise Broken(f"Codat held nothing back: {line}")
    return bool(lines)


def _in_flight(requests: Sequence[LoggedRequest]) -> None:
    # A request that was given up may still be in flight for the server when the next one comes.
    given_up = any("stall" in one.fault for one in requests)
    most = max((one.in_flight_company for one in requests), default=0)
    if most > _MOST_IN_FLIGHT and not given_up:
        raise Broken(f"{most} requests were in flight for one company")


def _list_failed(requests: Sequence[LoggedRequest]) -> bool:
    """Whether the company list was in trouble: then the read may end for that."""
    return any(_LIST.fullmatch(one.path) and (one.status != 200 or one.fault) for one in requests)
