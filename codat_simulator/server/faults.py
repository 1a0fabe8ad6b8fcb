"""Faults that a test scripts: which requests they hit, and what becomes of the answer."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from codat_simulator.http.request_log import LoggedRequest, path_test

Action = Literal[
    "reset",
    "cut",
    "malformed",
    "wrong_length",
    "html",
    "stall",
    "trickle",
    "pretty",
    "bom",
    "drop_links",
    "repeat_page",
    "refuse_order_by",
    "shuffle_ties",
    "redirect",
]


@dataclass(eq=False)
class Fault:
    """What happens to some requests instead of, or on top of, the ordinary answer.

    The first `after` requests that match go unharmed; then `times` are hit (None: all). Without `action`
    the answer is `status` (503 when left out) with `body`, or Codat's own error body. With one, the ordinary
    answer is spoilt: `reset` drops the connection, `cut` sends half the bytes promised, `malformed` half the
    JSON, `wrong_length` promises half the bytes sent, `html` sends a page, `stall` waits `seconds`, `trickle`
    sends the body in a hundred pieces, `seconds` apart, `pretty` and `bom` change the bytes but not the
    meaning, `drop_links` leaves out `_links`, `repeat_page` gives the same page for ever, `refuse_order_by`
    answers 400 to `orderBy=id`, `shuffle_ties` orders equal rows anew for each request, `redirect` points to
    another host. `seconds` delays the answer whatever the action, but for `trickle`.
    """

    path: str = ""
    method: str | None = None
    query: str | None = None
    after: int = 0
    times: int | None = 1
    status: int | None = None
    body: bytes | str | dict[str, Any] | list[Any] | None = None
    headers: dict[str, str] | None = None
    action: Action | None = None
    seconds: float = 0.0
    hits: int = field(default=0, init=False)
    """How many requests were hit."""
    seen: int = field(default=0, init=False)
    """How many requests matched, hit or not."""
    frozen: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    """By path, the page that `repeat_page` gives for ever."""

    def matches(self, request: LoggedRequest) -> bool:
        """Say whether a request is one that the fault is about."""
        if self.method is not None and self.method.upper() != request.method:
            return False
        test = path_test(self.path)
        if not (test.search(request.raw_path) or test.search(request.path)):
            return False
        return self.query is None or re.search(self.query, request.raw_query) is not None


class Faults:
    """The faults in force."""

    def __init__(self, lock: threading.RLock) -> None:
        """Start with none."""
        self._lock = lock
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force; the handle returned counts its `hits`."""
        with self._lock:
            self._faults.append(fault)
            return fault

    def remove(self, fault: Fault) -> None:
        """Take a fault out of force."""
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Take every fault out of force."""
        with self._lock:
            self._faults.clear()

    def hitting(self, request: LoggedRequest) -> list[Fault]:
        """Count a request and return the faults that hit it, in the order they were added."""
        with self._lock:
            found = []
            for fault in self._faults:
                if fault.matches(request):
                    fault.seen += 1
                    if fault.seen > fault.after and (fault.times is None or fault.hits < fault.times):
                        fault.hits += 1
                        found.append(fault)
            return found
