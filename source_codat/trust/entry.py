"""What the state says of one partition: the evidence that an earlier read left."""

from __future__ import annotations

from typing import NamedTuple

PartitionKey = tuple[str, ...]


class Entry(NamedTuple):
    """Where one partition stands.

    cursor: the instant up to which its rows were read; None where no date was reached.
    sync_id, synced_at: the latest successful Codat sync when the partition was last read completely, by id
    and by the date that Codat gave it; None where that was in doubt. A partition of several data types has
    both for each, joined by `+`.
    """

    cursor: int | None
    sync_id: str | None = None
    synced_at: str | None = None
