"""Lists as sentences tell them."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 10


def first_of(names: Sequence[str], between: str = ", ") -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return between.join(names[:_NAMED]) + more
