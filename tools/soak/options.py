"""The options of a connection, which its user changes between reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from codat_simulator import Simulator
from tools.soak.streams import Record

_START_DATES = (None, None, "2001-01-01", "2026-04-20", "2026-05-09T12:00:00Z", "2026-05-20")
_FILTERS: tuple[list[Record], ...] = (
    [],
    [],
    [{"stream": "invoices", "query": "totalAmount>200||status=Paid"}],
    [{"stream": "customers", "query": "status=Active"}],
    [{"stream": "banking_transactions", "query": "amount>0"}],
)
_OTHERS = {"keep": ("leave_out", "remove"), "leave_out": ("keep", "remove"), "remove": ("keep", "leave_out")}


@dataclass(frozen=True)
class Options:
    """The connector's configuration without key and address; the names are those of the spec."""

    page_size: int = 5
    num_workers: int = 2
    skip_unchanged: bool = True
    lookback_hours: int = 0
    deleted_records: str = "keep"
    start_date: str | None = None
    filters: list[Record] = field(default_factory=list)
    companies: Record | None = None
    refresh_older_than_hours: int | None = None
    refresh_wait_minutes: int = 30
    continue_past_failures: bool = False
    report_periods: int = 2

    @property
    def leave_nothing_out(self) -> bool:
        """Whether they ask for every record."""
        return (
            self.deleted_records != "leave_out"
            and self.start_date is None
            and not self.filters
            and not self.companies
        )

    def config(self, sim: Simulator) -> dict[str, Any]:
        """The whole configuration, for a simulator."""
        chosen = {name: value for name, value in vars(self).items() if value not in (None, [])}
        return {"api_key": sim.api_key, "base_url": sim.url, **chosen}

    def with_everything(self) -> Options:
        """The same, but asking for every record that Codat has, and for no refreshes.

        A refresh that isn't waited for to its end may end in the middle of the read, or after it.
        """
        return replace(
            self,
            deleted_records="keep",
            start_date=None,
            filters=[],
            companies=None,
            continue_past_failures=False,
            refresh_older_than_hours=None,
        )

    def with_one_changed(self, rng: Random) -> Options:
        """The same with another value of one option, or of two that belong together."""
        changes: tuple[Callable[[], dict[str, Any]], ...] = (
            lambda: {"page_size": rng.randint(2, 9), "num_workers": rng.choice((2, 3, 6))},
            lambda: {"skip_unchanged": not self.skip_unchanged},
            lambda: {"lookback_hours": rng.choice((0, 1, 24))},
            lambda: {"deleted_records": rng.choice(_OTHERS[self.deleted_records])},
            lambda: {"continue_past_failures": not self.continue_past_failures},
            lambda: {"start_date": rng.choice(_START_DATES)},
            lambda: {"filters": rng.choice(_FILTERS)},
            lambda: {"report_periods": rng.choice((1, 2, 3))},
            lambda: vars(self.with_other_refreshes(rng)),
        )
        return replace(self, **rng.choice(changes)())

    def with_other_refreshes(self, rng: Random) -> Options:
        """The same, asking Codat to fetch anew or not."""
        hours, minutes = rng.choice((None, 1, 1, 24)), rng.choice((1, 5, 30))
        return replace(self, refresh_older_than_hours=hours, refresh_wait_minutes=minutes)

    def with_other_companies(self, rng: Random, known: list[str]) -> Options:
        """The same with other companies selected: all, those with a tag, or some ids of `known`.

        Some of the ids may be of companies that are gone.
        """
        kind = rng.choice(("all", "ids", "ids", "tags"))
        chosen: Record | None = None
        if kind == "ids":
            ids = rng.sample(known, rng.randint(1, min(4, len(known))))
            chosen = {"selection": "ids", "company_ids": ids}
        elif kind == "tags":
            chosen = {"selection": "tags", "tags_query": f"region={rng.choice(('uk', 'eu'))}"}
        return replace(self, companies=chosen)
