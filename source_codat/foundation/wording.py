"""Lists and numbers as sentences tell them."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 10


def first_of(names: Sequence[str], between: str = ", ") -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return between.join(names[:_NAMED]) + more


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 company, 2,000 companies."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"
