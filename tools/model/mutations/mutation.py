"""One rule undone, and the worlds in which that shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Patch = Callable[[], Iterator[None]]


@dataclass(frozen=True)
class Mutation:
    """One rule undone. name: of the mutation; rule: what holds without it; patches: what it puts in place.

    nature: habits of the worlds, and of their users, in which it shows soonest. loses: whether rows get
    lost; else it shows by partitions that are read for ever.
    """

    name: str
    rule: str
    patches: tuple[tuple[Any, str, Any], ...]
    nature: Mapping[str, Any]
    loses: bool = True

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Undo the rule within a `with` block."""
        undo: list[tuple[Any, str, Any]] = []
        try:
            for owner, name, value in self.patches:
                original = owner.__dict__[name]
                for holder in _holders(owner, name, original):
                    undo.append((holder, name, original))
                    setattr(holder, name, value)
            yield
        finally:
            for holder, name, original in reversed(undo):
                setattr(holder, name, original)


def _holders(owner: Any, name: str, original: Any) -> list[Any]:
    """Where a function is known: its own module, and every one that imported it by name."""
    if isinstance(owner, type):
        return [owner]
    modules = [module for key, module in sys.modules.items() if key.startswith("source_codat")]
    return [one for one in modules if one.__dict__.get(name) is original]


MUTATIONS: list[Mutation] = []


def add(name: str, rule: str, *patches: tuple[Any, str, Any], loses: bool = True, **nature: Any) -> None:
    MUTATIONS.append(Mutation(name, rule, patches, nature, loses))


# Habits of worlds that many rules show in.
BUSY: dict[str, Any] = {"events": 0.6, "traps": 0.5, "happenings": 150, "errors": 0.0, "kills": 0.0}
SEVERAL: dict[str, Any] = {**BUSY, "connections": (2, 2, 3), "companies": 1, "arrivals": 0.0}
ALONE: dict[str, Any] = {**BUSY, "connections": (1,), "companies": 1, "arrivals": 0.0}
LATE: dict[str, Any] = {**BUSY, "connections": (1,), "arrivals": 0.0, "late": 0.5, "companies": 2}
ODD: dict[str, Any] = {**ALONE, "odd": 0.5, "odd_answers": 0.0}
PAGED: dict[str, Any] = {
    **ALONE,
    "page_cap": 2,
    "page_size": 2,
    "swaps": 0.9,
    "whole": 1.0,
    "waits": 0.0,
    "traps": 0.0,
    "most_rows": 8,
}
RUNNING_PAGED: dict[str, Any] = {**PAGED, "whole": 0.0, "finishing": 0.05}
REFUSING: dict[str, Any] = {**BUSY, "errors": 0.1}
WHOLE: dict[str, Any] = {"full_refresh": 1.0}
CHILDREN: dict[str, Any] = {"streams": ("bank_account_transactions",)}
# Where chance would seldom play the scene in which a rule shows, it is set, and little happens beside it.
CALM: dict[str, Any] = {
    "events": 0.0,
    "arrivals": 0.0,
    "errors": 0.0,
    "history_errors": 0.0,
    "odd": 0.0,
    "odd_answers": 0.0,
    "dateless": 0.0,
    "kindless": 0.0,
    "undated": 0.0,
    "kills": 0.0,
    "stops": 0.0,
    "full_refresh": 0.0,
    "page_cap": 1000,
    "totals": "right",
    "companies": 1,
    "connections": (2,),
}


def in_scene(name: str, stream: str, **nature: Any) -> dict[str, Any]:
    return {**CALM, "scene": name, "streams": (stream,), **nature}
