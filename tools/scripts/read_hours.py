"""How long reads of many companies take, in parts and behind several addresses: arithmetic, nothing measured.

`python -m tools.scripts.read_hours` prints the table that `make docs` puts into the guide. It goes by the
requests a company that `read_costs` has measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tools.scripts import read_costs

PAGE = 1000  # companies in a page of their list
HEADS = ("Companies", "Parts", "Addresses", "First read", "After a Codat sync", "No Codat sync since")


@dataclass(frozen=True)
class Layout:
    """How a number of companies is read: in how many parts, behind how many IP addresses."""

    companies: int
    parts: int
    addresses: int

    def minutes(self, requests_a_company: float) -> int:
        """How long all parts take at the same time, where all requests that an address may make are made."""
        # Every part reads the whole list; one of several pages is read twice, to prove that none was missed.
        pages = math.ceil(self.companies / PAGE)
        listing = self.parts * (pages if pages == 1 else 2 * pages)
        return read_costs.minutes((self.companies * requests_a_company + listing) / self.addresses)


LAYOUTS = (
    Layout(500, 1, 1),
    Layout(5_000, 1, 1),
    Layout(5_000, 4, 1),
    Layout(5_000, 4, 4),
    Layout(20_000, 1, 1),
    Layout(20_000, 8, 1),
    Layout(20_000, 8, 4),
    Layout(20_000, 8, 8),
)


def rows(costs: Mapping[str, read_costs.Cost]) -> list[tuple[str, ...]]:
    """The table's rows, for the streams that are suggested."""
    cost = costs[read_costs.SUGGESTED]
    return [
        (
            f"{one.companies:,}",
            str(one.parts),
            str(one.addresses),
            *(in_words(one.minutes(each)) for each in (cost.first, cost.changed, cost.unchanged)),
        )
        for one in LAYOUTS
    ]


def in_words(minutes: int) -> str:
    """A time in minutes, or in hours from a hundred minutes on."""
    return f"{minutes}&nbsp;min" if minutes < 100 else f"{minutes / 60:.1f}&nbsp;h"


def main() -> None:
    """Print the table."""
    for row in (HEADS, *rows(read_costs.committed())):
        print(" | ".join(row).replace("&nbsp;", " "))


if __name__ == "__main__":
    main()
