"""Codat's statuses of a Codat sync, sorted by what they mean for what can be read.

Source: Codat's documented status machine. A word that isn't on these lists is `Stage.UNKNOWN`, which is
doubt, never a good sign: also a known word in another case.
"""

from __future__ import annotations

from enum import Enum

WAITING = frozenset({"Queued", "Initial"})
RUNNING = frozenset(
    {
        "Fetching",
        "MapQueued",
        "Mapping",
        "ValidationQueued",
        "Validating",
        "ProcessingQueued",
        "Processing",
    }
)
COMPLETE = "Complete"
FAILED = frozenset(
    {
        "FetchError",
        "MapError",
        "ValidationError",
        "ProcessingError",
        "InternalError",
        "AuthError",
        "RateLimitError",
        "PermissionsError",
        "PrerequisiteNotMet",
        "Cancelled",
    }
)
NOT_SUPPORTED = "NotSupported"
UNFINISHED = WAITING | RUNNING
FINISHED = FAILED | {COMPLETE, NOT_SUPPORTED}


class Stage(Enum):
    """How far a Codat sync is, as far as its status tells."""

    WAITING = "waiting"  # what it will bring is stamped once it has started
    RUNNING = "running"  # what it has stamped may not be visible yet
    COMPLETE = "complete"
    FAILED = "failed"
    NOT_SUPPORTED = "not supported"
    UNKNOWN = "unknown"


_STAGES = {
    **dict.fromkeys(WAITING, Stage.WAITING),
    **dict.fromkeys(RUNNING, Stage.RUNNING),
    COMPLETE: Stage.COMPLETE,
    **dict.fromkeys(FAILED, Stage.FAILED),
    NOT_SUPPORTED: Stage.NOT_SUPPORTED,
}


def stage_of(status: str | None) -> Stage:
    """The stage that a status names; UNKNOWN for any word that Codat doesn't document, and for none."""
    return _STAGES.get(status or "", Stage.UNKNOWN)
