"""Lists and numbers as sentences tell them."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence

_NAMED = 10


def first_of(names: Sequence[str], between: str = ", ") -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return between.join(names[:_NAMED]) + more


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 company, 2,000 companies."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that a wrong one may stand for; empty where none is near."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower().replace("-", "_"), by_lower, 1)
    return by_lower[near[0]] if near else ""


def cannot_write(error: OSError) -> str:
    """The sentence for a stdout that takes nothing more."""
    advice = " Make room, or write to another place." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return f"Stdout can't be written: {error.strerror}.{advice}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the nearest known name, to be put behind a wrong one; empty where none is near."""
    near = nearest(name, known)
    return f" (did you mean '{near}'?)" if near else ""
