"""What a read costs in requests, measured on the simulator: `python -m tools.scripts.read_costs`.

Writes read_costs.json beside this file. `make docs` makes the guide's table and picture of it, and
`integration_tests/test_guide_costs.py` measures again and compares.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import yaml
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
)

from codat_simulator import DATA_TYPES, Simulator
from source_codat import SourceCodat
from source_codat.streams.catalog import CodatStream

ROOT = Path(__file__).resolve().parent.parent.parent
MEASURED = Path(__file__).with_name("read_costs.json")
REQUESTS_PER_MINUTE = 900  # what the connector keeps to
COMPANIES_TOLD = 500  # the number of companies that the guide's figures are for
COMPANIES_MEASURED = 3
_HOUR = 3600  # seconds between a Codat sync and the next read
RECORDS = 40  # of a data type with an ordinary number of records: invoices, for instance
WHOLE_PAGES, SMALL_PAGES = (
    1000,
    10,
)  # records in a page; with small ones the lists have as many pages as large ones


@dataclass(frozen=True)
class Job:
    """What somebody wants to know, the streams that it takes, and a company's connections that have them."""

    title: str
    streams: tuple[str, ...]
    connections: tuple[str, ...]
    page_size: int = WHOLE_PAGES


@dataclass(frozen=True)
class Cost:
    """Requests for a company on average, the list of companies left aside; not rounded to whole ones.

    first: a read without state. changed: Codat has synced every data type since, and found a change in each.
    unchanged: no Codat sync has ended since.
    """

    first: float
    changed: float
    unchanged: float


JOBS = (
    Job("Receivables by age", ("companies", "customers", "invoices", "credit_notes"), ("Accounting",)),
    Job(
        "Payables and spend",
        ("companies", "suppliers", "bills", "bill_credit_notes", "direct_costs"),
        ("Accounting",),
    ),
    Job("Profit and loss by month", ("companies", "profit_and_loss_lines"), ("Accounting",)),
    Job(
        "Balance sheet and cash flow",
        ("companies", "balance_sheet_lines", "cash_flow_lines"),
        ("Accounting",),
    ),
    Job(
        "The general ledger",
        ("companies", "accounts", "journal_entries", "tracking_categories"),
        ("Accounting",),
    ),
    Job(
        "Credit scoring from bank transactions",
        ("companies", "banking_accounts", "banking_transactions", "banking_transaction_categories"),
        ("Banking",),
    ),
    Job(
        "Customer concentration",
        ("companies", "customers", "invoices", "credit_notes", "direct_incomes"),
        ("Accounting",),
    ),
    Job("Commerce revenue", ("companies", "commerce_orders", "commerce_transactions"), ("Commerce",)),
)
SUGGESTED = "All that are suggested"
LARGE = "The same, with 4,000 invoices a company"  # RECORDS in small pages are as many requests
EVERYTHING = "All but those with a cost for each row"


def all_jobs() -> tuple[Job, ...]:
    """The guide's jobs, and two sets of streams for a company with one connection of each kind."""
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
    suggested = metadata["suggestedStreams"]["streams"]
    every = [one.name for one in _streams() if not one.retriever.parent]
    connections = ("Accounting", "Banking", "Commerce")
    return (
        *JOBS,
        Job(SUGGESTED, tuple(suggested), connections),
        Job(LARGE, tuple(suggested), connections, SMALL_PAGES),
        Job(EVERYTHING, tuple(every), connections),
    )


@cache
def _source() -> SourceCodat:
    """One for all reads: it keeps nothing of a read, and takes a while to make."""
    return SourceCodat()


@cache
def _streams() -> list[CodatStream]:
    return _source().streams({"api_key": "none-is-needed"})


def measure(job: Job) -> Cost:
    """Read as the job needs, again and again, and count what the simulator was asked."""
    with Simulator(companies=0, records=RECORDS) as simulator:
        for _ in range(COMPANIES_MEASURED):
            simulator.world.add_company(connections=job.connections)
        simulator.world.clock.advance(_HOUR)
        first, state = _read(simulator, job)
        unchanged, state = _read(simulator, job, state)
        changed = 0
        for _ in range(
            2
        ):  # what came with Codat's first sync has one stamp, so it comes again after the next one
            _change_everything(simulator)
            simulator.world.clock.advance(_HOUR)
            changed, state = _read(simulator, job, state)
    return Cost(*(round((count - 1) / COMPANIES_MEASURED, 2) for count in (first, changed, unchanged)))


def _change_everything(simulator: Simulator) -> None:
    """One record of every data type of every connection is synced anew."""
    world = simulator.world
    for company in world.known_companies():
        for link in company.connections:
            for data_type in link.platform.data_types():
                if not world.supports(company, link.platform, data_type):
                    continue
                records = (
                    world.records(data_type, company.id, link.id) if DATA_TYPES[data_type].is_list else []
                )
                world.sync(company.id, data_type, link.id, changes=lambda records=records: records[:1])


def _read(
    simulator: Simulator,
    job: Job,
    state: Iterable[AirbyteStateMessage] = (),
) -> tuple[int, list[AirbyteStateMessage]]:
    """Return the number of requests that a read took, and the states that it ended with."""
    simulator.clear_log()
    config = {"api_key": simulator.api_key, "base_url": simulator.url, "page_size": job.page_size}
    can_be = {one.name: bool(one.retriever.cursor_field) for one in _streams()}
    modes = {name: "incremental" if can_be[name] else "full_refresh" for name in job.streams}
    catalog = ConfiguredAirbyteCatalogSerializer.load(
        {
            "streams": [
                {
                    "stream": {"name": name, "json_schema": {}, "supported_sync_modes": [mode]},
                    "sync_mode": mode,
                    "destination_sync_mode": "append",
                }
                for name, mode in modes.items()
            ]
        }
    )
    last: dict[str, AirbyteStateMessage] = {}
    logger = logging.getLogger(__name__)
    logger.setLevel(logging.ERROR)
    for message in _source().read(logger, config, catalog, list(state)):
        _keep_state(message, last)
    return len(simulator.requests), list(last.values())


def _keep_state(message: AirbyteMessage, last: dict[str, AirbyteStateMessage]) -> None:
    if message.state and message.state.stream:
        copied = AirbyteStateMessageSerializer.load(AirbyteStateMessageSerializer.dump(message.state))
        last[message.state.stream.stream_descriptor.name] = copied


def committed() -> dict[str, Cost]:
    """The costs as they were last measured, by the job's title."""
    return {title: Cost(**one) for title, one in json.loads(MEASURED.read_text(encoding="utf-8")).items()}


def for_all_companies(requests: float) -> int:
    """The requests of a read of COMPANIES_TOLD companies; their list is one page."""
    return round(requests * COMPANIES_TOLD) + 1


def minutes(requests: float) -> int:
    """The minutes that so many requests take at least, at the rate that the connector keeps to."""
    return math.ceil(requests / REQUESTS_PER_MINUTE)


def main() -> None:
    """Measure every job and keep the figures."""
    costs = {job.title: asdict(measure(job)) for job in all_jobs()}
    MEASURED.write_text(json.dumps(costs, indent=2) + "\n", encoding="utf-8")
    print(MEASURED.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
