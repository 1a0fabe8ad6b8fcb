"""Figures with their bars, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_HEADS = ("figure", "measured", "range", "wall clock", "bar", "of the bar", "met")


@dataclass(frozen=True)
class Figure:
    """One row: what was measured, and its bar, which is what the contract allows.

    value: None where nothing could be measured, for the reason in `note`. low, high: the least and the most
    of all repetitions. wall: the same by the wall clock, in words. bar: in words. share: how much of what the
    bar allows was used; 1 is exactly the bar, less is better. bar and share are left out where a figure is
    only there to read the others by.
    """

    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    wall: str = ""
    bar: str = ""
    share: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none, or nothing was measured."""
        return None if self.share is None else self.share <= 1.0

    def cells(self, judged: bool) -> tuple[str, ...]:
        """Return the row's text, column by column."""
        measured = self.note if self.value is None else f"{_number(self.value)} {self.unit}".strip()
        spread = ""
        if self.low is not None and self.high is not None:
            spread = f"{_number(self.low)} to {_number(self.high)}"
        share = "" if self.share is None else f"{self.share * 100:.0f} %"
        verdict = {None: "", True: "yes", False: "NO"}[self.met] if judged else ""
        return self.name, measured, spread, self.wall, self.bar, share, verdict


def at_most(name: str, value: float, unit: str, limit: float, bar: str, **more: Any) -> Figure:
    """A figure that must not be more than `limit`."""
    return Figure(name, value, unit, bar=bar, share=value / limit, **more)


def at_least(name: str, value: float, unit: str, limit: float, bar: str, **more: Any) -> Figure:
    """A figure that must not be less than `limit`."""
    return Figure(name, value, unit, bar=bar, share=limit / value if value > 0 else 99.0, **more)


def _number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(figures: Sequence[Figure], judged: bool = True) -> str:
    """Return the table as Markdown, its columns aligned so that a terminal shows it well too."""
    rows = [_HEADS, *(figure.cells(judged) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def as_json(figures: Sequence[Figure], about: dict[str, Any], judged: bool) -> dict[str, Any]:
    """Return everything as JSON: what it was measured with, and each figure with its verdict."""
    return {
        "about": about,
        "figures": [{**asdict(one), "met": one.met if judged else None} for one in figures],
    }


def from_json(content: Mapping[str, Any]) -> list[Figure]:
    """The figures that `as_json` made this of."""
    return [
        Figure(**{name: value for name, value in one.items() if name != "met"}) for one in content["figures"]
    ]
