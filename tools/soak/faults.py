"""Every fault that the simulator knows and every status that Codat may answer with, each with a name.

Some are got over by trying again, some cost a partition, some end the read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from random import Random

from codat_simulator import Action, Fault, Simulator
from tools.soak.connector import SHORT_TIME_OUT

_BROKEN: tuple[Action, ...] = ("reset", "cut", "malformed", "wrong_length", "html")
_ODD: tuple[Action, ...] = ("drop_links", "repeat_page", "refuse_order_by", "shuffle_ties", "pretty", "bom")
_PASSING = (408, 500, 502, 503, 504)
_REFUSALS = (400, 403, 404, 405, 409, 410, 422, 451)
_REDIRECTS = (301, 302, 303, 307, 308)
_DATA_PATHS = (
    r"/data/",
    r"/data/(invoices|customers)$",
    r"/connections/.*/data/",
    r"/dataStatus$",
    r"/data/history$",
)
_COMPANY_LIST, _COMPANY = r"/companies$", r"/companies/[^/]+$"
_ANY_PATH = ""
_PATHS = (*_DATA_PATHS, _COMPANY_LIST, _COMPANY, _ANY_PATH)
_HOUR_SECONDS = 3600

NamedFault = tuple[str, Fault]


def too_many_requests(seconds: int) -> dict[str, dict[str, str]]:
    """The headers of a 429 after which requests are let in again in so many seconds, by the form's name."""
    moment = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    epoch, iso = str(int(moment.timestamp())), moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Retry-After in seconds": {"Retry-After": str(seconds)},
        "Retry-After as HTTP date": {"Retry-After": format_datetime(moment, usegmt=True)},
        "Retry-After as ISO date": {"Retry-After": iso},
        "Retry-After as epoch": {"Retry-After": epoch},
        "only X-Rate-Limit-Reset, ISO": {"X-Rate-Limit-Reset": iso},
        "only X-Rate-Limit-Reset, epoch": {"X-Rate-Limit-Reset": epoch},
        "X-Rate-Limit-Reset after nonsense": {"Retry-After": "soon", "X-Rate-Limit-Reset": iso},
    }


def _passing() -> Iterator[NamedFault]:
    """Faults that another try gets over."""
    for action in _BROKEN:
        yield action, Fault(action=action)
    for status in _PASSING:
        yield str(status), Fault(status=status)
    for form, headers in too_many_requests(0).items():
        yield f"429, {form}", Fault(status=429, headers=headers)
    yield "429 that doesn't say for how long", Fault(status=429, headers={"X-Rate-Limit-Reset": ""})
    yield "503 as a web page", Fault(action="html", status=503)
    yield "200 without a body", Fault(status=200, body=b"")
    yield "nothing until after the time-out", Fault(action="stall", seconds=1.5 * SHORT_TIME_OUT)
    yield "late answer", Fault(action="stall", seconds=0.1 * SHORT_TIME_OUT)
    yield "body that trickles in", Fault(action="trickle", seconds=0.005 * SHORT_TIME_OUT)


def _odd() -> Iterator[NamedFault]:
    """Whole answers that look other than usual."""
    for action in _ODD:
        yield action, Fault(action=action)


def _refusing() -> Iterator[NamedFault]:
    """Answers for which a partition is skipped, or fails."""
    for status in _REFUSALS:
        yield str(status), Fault(status=status)
    for status in _REDIRECTS:
        yield f"{status} to another host", Fault(action="redirect", status=status)


def _ending() -> Iterator[NamedFault]:
    """Answers for which the whole read ends."""
    yield "401", Fault(status=401)
    yield "402", Fault(status=402)
    for form, headers in too_many_requests(_HOUR_SECONDS).items():
        yield f"429 for an hour, {form}", Fault(status=429, headers=headers)
    for status in _REFUSALS:
        yield f"{status} at the company list", Fault(status=status, path=_COMPANY_LIST)
    yield "404 at a company", Fault(status=404, path=_COMPANY)


def few_faults(rng: Random) -> Iterator[NamedFault]:
    """One to four faults, most of which another try gets over; most strike a few times and never again."""
    for _ in range(rng.randint(1, 4)):
        kind = rng.choices((_passing, _odd, _refusing), (8, 4, 1))[0]
        name, fault = rng.choice(list(kind()))
        fault.path, fault.after = rng.choice(_PATHS), rng.randint(0, 12)
        fault.times = rng.choice((1, 3, None)) if kind is _odd else rng.randint(1, 3)
        yield name, fault


def all_faults(rng: Random) -> Iterator[NamedFault]:
    """Every fault there is, spread out so that now and then a read gets to its end."""
    spread = rng.choice((30, 100, 300))  # requests until most have struck
    for name, fault in (*_passing(), *_odd()):
        fault.path, fault.after, fault.times = rng.choice(_PATHS), rng.randint(0, spread), rng.randint(1, 3)
        if fault.action in _ODD and rng.random() < 0.3:
            fault.times = None
        yield name, fault
    for name, fault in _refusing():
        fault.path, fault.after = rng.choice(_DATA_PATHS), rng.randint(0, 4 * spread)
        yield name, fault
    for name, fault in _ending():
        fault.path, fault.after = fault.path or rng.choice(_PATHS), rng.randint(0, 12 * spread)
        yield name, fault
    for path in (r"/data/customers$", r"/banking-transactions$", r"/dataStatus$", r"/data/history$"):
        # More often than the connector tries.
        if rng.random() < 0.2:
            yield "503 that stays", Fault(path=path, after=rng.randint(0, spread // 4), times=9, status=503)
    if rng.random() < 0.1:
        slow = Fault(path=r"/data/invoices$", query=r"pageSize=60\b", times=7)
        slow.action, slow.seconds = "stall", 1.5 * SHORT_TIME_OUT
        yield "time-outs of big pages", slow


class InjectedFaults:
    """The faults in force on a simulator."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._faults: list[NamedFault] = []

    def add(self, name: str, fault: Fault) -> str:
        """Put a fault in force; returns a line that tells of it."""
        self._faults.append((name, self._sim.faults.add(fault)))
        return f"fault: {name} at {fault.path or 'any path'}, after {fault.after}, times {fault.times}"

    def clear(self) -> Mapping[str, int]:
        """Take all out of force; returns how often each kind has struck."""
        self._sim.faults.clear()
        struck: Counter[str] = Counter()
        for name, fault in self._faults:
            struck[name] += fault.hits
        self._faults.clear()
        return struck
