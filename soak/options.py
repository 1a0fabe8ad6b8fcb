"""The options that a user changes between reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from codat_simulator import Simulator
from soak.streams import Record

_START_DATES = (None, None, "2001-01-01", "2026-04-20", "2026-05-09T12:00:00Z", "2026-05-20")
_FILTERS: tuple[list[Record], ...] = (
    [],
    [],
    [{"stream": "invoices", "query": "totalAmount>200||status=Paid"}],
    [{"stream": "customers", "query": "status=Active"}],
    [{"stream": "banking_transactions", "query": "amount>0"}],
)


@dataclass(frozen=True)
class Options:
    """A configuration without key and address."""

    page_size: int = 5
    num_workers: int = 2
    skip_unchanged: bool = True
    lookback_hours: int = 0
    include_deleted: bool = True
    start_date: str | None = None
    filters: list[Record] = field(default_factory=list)
    companies: Record | None = None

    @property
    def ask_for_everything(self) -> bool:
        """Whether no record is left out on purpose."""
        return self.include_deleted and self.start_date is None and not self.filters and not self.companies

    def all_included(self) -> Options:
        """The same, but with no record left out on purpose."""
        return replace(self, include_deleted=True, start_date=None, filters=[], companies=None)

    def config(self, sim: Simulator) -> dict[str, Any]:
        """The configuration for a simulator."""
        chosen = {name: value for name, value in vars(self).items() if value not in (None, [])}
        return {"api_key": sim.api_key, "base_url": sim.url, **chosen}

    def varied(self, rng: Random) -> Options:
        """The same with one option changed."""
        change = rng.choice(("speed", "skip_unchanged", "lookback_hours", "deleted", "start", "filters"))
        if change == "speed":
            return replace(self, page_size=rng.randint(2, 9), num_workers=rng.choice((2, 3, 6)))
        if change == "skip_unchanged":
            return replace(self, skip_unchanged=not self.skip_unchanged)
        if change == "lookback_hours":
            return replace(self, lookback_hours=rng.choice((0, 1, 24)))
        if change == "deleted":
            return replace(self, include_deleted=not self.include_deleted)
        if change == "start":
            return replace(self, start_date=rng.choice(_START_DATES))
        return replace(self, filters=rng.choice(_FILTERS))

    def reselected(self, rng: Random, known: list[str]) -> Options:
        """The same with other companies selected: named ones (some may be gone), tagged ones or all."""
        kind = rng.choice(("all", "ids", "ids", "tags"))
        chosen: Record | None = None
        if kind == "ids":
            ids = rng.sample(known, rng.randint(1, min(4, len(known))))
            chosen = {"selection": "ids", "company_ids": ids}
        elif kind == "tags":
            chosen = {"selection": "tags", "tags_query": f"region={rng.choice(('uk', 'eu'))}"}
        return replace(self, companies=chosen)
