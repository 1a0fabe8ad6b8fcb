"""Pull operations: what `data/history` lists and `dataStatus` sums up."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from codat_simulator.definitions.shape import shape
from codat_simulator.instants import known

STAGES = ("Queued", "Fetching", "Mapping", "Validating", "Processing")
RUNNING = frozenset(
    {*STAGES, "Initial", "MapQueued", "ValidationQueued", "ProcessingQueued"},
)
COMPLETE = "Complete"
_UNHAPPY = {
    "FetchError": "The platform answered with an error while records were fetched.",
    "AuthError": "The connection needs to be linked again.",
    "RateLimitError": "Paused until the platform's limit is lifted.",
    "NotSupported": "The data type isn't supported by the platform.",
}

# `isCompleted` is in every row and yet can't be queried: Codat answers 400.
PULL_OPERATION = shape(
    "PullOperation",
    "id companyId connectionId dataType status statusDescription errorMessage requested:d completed:d"
    " progress:n"
    " isErrored:b",
)


@dataclass
class Sync:
    """One pull operation of one data type of one connection."""

    company_id: str
    connection_id: str
    data_type: str
    status: str
    requested: str
    completed: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    staged: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    outcome: str | None = None
    """Where a queued refresh ends by itself; None for a sync that a test finishes."""
    polls: int = 0
    due: int = 0
    """The instant at which a queued refresh is over however rarely anybody looks."""

    @property
    def running(self) -> bool:
        """Say whether the operation hasn't ended."""
        return self.status in RUNNING

    def row(self) -> dict[str, Any]:
        """Return the operation as `data/history` shows it."""
        done = not self.running
        row: dict[str, Any] = {
            "id": self.id,
            "companyId": self.company_id,
            "connectionId": self.connection_id,
            "dataType": self.data_type,
            "status": self.status,
            "statusDescription": "" if self.status == COMPLETE else _UNHAPPY.get(self.status),
            "errorMessage": _UNHAPPY.get(self.status),
            "requested": self.requested,
            "completed": self.completed,
            "progress": 100 if done else 20 * (STAGES.index(self.status) if self.status in STAGES else 0),
            "isCompleted": done,
            "isErrored": done and self.status != COMPLETE,
        }
        return {name: value for name, value in row.items() if value is not None}


def data_status(data_type: str, syncs: Iterable[Sync]) -> dict[str, Any]:
    """Sum up the operations of one data type, in the order they were requested, over all connections."""
    status: dict[str, Any] = {"dataType": data_type}
    good = None
    for sync in syncs:
        status["currentStatus"] = sync.status
        status["latestSyncId"] = sync.id
        if sync.status == COMPLETE and (good is None or _ended(sync) >= _ended(good)):
            good = sync
    if good is not None:
        status["lastSuccessfulSync"] = good.completed
        status["latestSuccessfulSyncId"] = good.id
    return status


def _ended(sync: Sync) -> int:
    return known(sync.completed or sync.requested)
