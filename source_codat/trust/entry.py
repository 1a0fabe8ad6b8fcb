"""What the state says of one partition: the evidence that an earlier read left."""

from __future__ import annotations

from typing import NamedTuple

PartitionKey = tuple[str, ...]


class Entry(NamedTuple):
    """Where one partition stands: the cursor as an instant, and the sync it was read from."""

    cursor: int | None
    sync_id: str | None
