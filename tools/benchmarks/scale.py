"""Twenty thousand companies in eight parts, two at a time, behind one address.

The budget of a minute would make that hours: its minutes are shorter here, for the connector and for the
simulator's counter alike. `MINUTE` says how long they are.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools.benchmarks import connector
from tools.benchmarks.client_process import ClientFailedError, Cost, run
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_most

COMPANIES, QUICK_COMPANIES = 20_000, 40
PARTS = 8
AT_A_TIME = 2
PER_MINUTE = 900  # of the address, shared by the parts that run at a time
MINUTE = 3.0  # seconds: a twentieth of a real one
ROWS, SIZE = 5, 2400  # of each stream and company
LONGEST_SECONDS = 4 * 3600
STREAMS = (
    "accounts",
    "bill_credit_notes",
    "bill_payments",
    "bills",
    "credit_notes",
    "customers",
    "invoices",
    "items",
    "journal_entries",
    "journals",
    "payment_methods",
    "payments",
    "purchase_orders",
    "direct_incomes",
    "suppliers",
    "tax_rates",
    "tracking_categories",
    "transfers",
    "account_transactions",
    "direct_costs",
)
_COMPANY = b'"stream":"companies"'
_NAME = re.compile(rb'"name":"(\w+)"')


@dataclass
class PartOutput:
    """What one part wrote: its companies, the last state of each stream, and the size of the largest."""

    companies: list[str] = field(default_factory=list)
    last_states: dict[bytes, bytes] = field(default_factory=dict)
    largest_state: int = 0

    def __call__(self, line: bytes) -> None:
        """Take in a line."""
        head = line[:120]
        if b'"type":"STATE"' in head:
            self.largest_state = max(self.largest_state, len(line))
            self.last_states[_NAME.findall(head)[0]] = line
        elif _COMPANY in head:
            self.companies.append(json.loads(line)["record"]["data"]["id"])


def measure(folder: Path, _: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield the figures of a first read and of one with no Codat sync since, all parts together."""
    companies = QUICK_COMPANIES if quick else COMPANIES
    content = Content(companies, size=SIZE, records=ROWS, is_crowd=True, minute=MINUTE)
    with Server(content) as server:
        tell(f"{companies:,} companies are there")
        first = _read_parts(server, folder / "first", tell, [None] * PARTS)
        refuse_wrong(content, first, companies * (1 + ROWS * len(STREAMS)))
        meter = server.meter
        tell(f"{meter.total:,} requests, at most {meter.most} in a minute")
        yield from _figures(companies, first, meter.most, meter.total)
        again = _read_parts(server, folder / "again", tell, [cost.states for cost in first])
        refuse_wrong(content, again, companies)
        asked = server.meter.total - meter.total
        yield Figure(
            "the same, no Codat sync since: requests a company", asked / companies, "requests a company"
        )
        yield at_most(
            "the same: resident memory of a part",
            max(one.cost.peak for one in again),
            "MB",
            512,
            "under 512 MB",
        )


@dataclass(frozen=True)
class PartCost:
    """What one part took, and what it wrote."""

    part: str
    cost: Cost
    written: PartOutput

    @property
    def states(self) -> list[object]:
        """The last state of each stream, as the next read takes it."""
        return [json.loads(line)["state"] for line in self.written.last_states.values()]


def _read_parts(
    server: Server, folder: Path, tell: Callable[[str], None], states: list[list[object] | None]
) -> list[PartCost]:
    """Read all parts, so many at a time."""
    lock = threading.Lock()

    def read(number: int) -> PartCost:
        part = f"{number}/{PARTS}"
        options = {"part": part, "requests_per_minute": PER_MINUTE // AT_A_TIME}
        streams = ["companies", *STREAMS]
        command = connector.command(
            server, folder / str(number), streams, states[number - 1], minute=MINUTE, **options
        )
        written = PartOutput()
        cost = run(command, pace=written, longest=LONGEST_SECONDS)
        time.sleep(MINUTE)  # what it has asked counts for another minute: the next part begins after that
        with lock:
            tell(
                f"part {part}: {len(written.companies):,} companies, {cost.output.records:,} records, "
                f"{cost.output.written / 1e6:,.0f} MB, {cost.output.states} states, {cost.wall:.0f} s, "
                f"{cost.cpu:.0f} s of CPU, {cost.peak:.0f} MB resident"
            )
        return PartCost(part, cost, written)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(read, range(1, PARTS + 1)))


def refuse_wrong(content: Content, parts: list[PartCost], records: int) -> None:
    """Fail where not every company was read exactly once, with so many records in all."""
    times = Counter(company for part in parts for company in part.written.companies)
    if len(times) != content.companies or set(times.values()) != {1}:
        raise ClientFailedError(f"{len(times)} companies, {times.total()} times, of {content.companies}")
    found = sum(part.cost.output.records for part in parts)
    if found != records:
        raise ClientFailedError(f"{found} of {records} records came out")


def _figures(companies: int, parts: list[PartCost], most: int, requests: int) -> Iterable[Figure]:
    name = f"{companies:,} companies, {len(STREAMS)} streams, {PARTS} parts"
    wall = sum(part.cost.wall for part in parts) / AT_A_TIME
    peaks = [part.cost.peak for part in parts]
    largest = [part.written.largest_state / (1 << 20) for part in parts]
    state = sum(part.cost.output.state_bytes for part in parts)
    written = sum(part.cost.output.written for part in parts)
    records = sum(part.cost.output.records for part in parts)
    yield at_most(
        f"{name}: resident memory of a part",
        max(peaks),
        "MB",
        512,
        "under 512 MB",
        low=min(peaks),
        high=max(peaks),
        wall=f"{wall:,.0f} s",
    )
    yield at_most(
        "the same: largest state message",
        max(largest),
        "MiB",
        2,
        "under 2 MiB",
        low=min(largest),
        high=max(largest),
    )
    yield at_most("the same: state in output", state / written * 100, "%", 10, "under 10 %")
    yield at_most(
        "the same: requests in any minute at the address",
        most,
        "requests",
        PER_MINUTE,
        f"at most {PER_MINUTE}",
        wall=f"{requests / (wall / MINUTE):,.0f} a minute",
    )
    yield Figure("the same: companies that were read exactly once", companies, "companies")
    cpu = sum(part.cost.cpu for part in parts)
    yield Figure("the same: CPU of all parts", cpu, "s", wall=f"{cpu / records * 1e6:.0f} µs a record")
