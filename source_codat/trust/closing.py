"""The entry that a partition has in the state after a read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from source_codat.trust.entry import Entry
from source_codat.trust.evidence import Evidence
from source_codat.trust.judge import Identity, is_in_future

_NOTHING_THERE = "none:"


def advanced(
    entry: Entry | None,
    *,
    cursor: int | None,
    read_from: Identity | None,
    now: int | None,
    is_read_whole: bool,
) -> Entry | None:
    """The entry after a complete read; None where there is nothing to note.

    cursor: the instant that the read reached. read_from: the Codat syncs that it saw. now: Codat's clock.
    is_read_whole: rows that no date can find were among them, so that the next read has no date either.
    """
    old = None if entry is None or is_read_whole or is_in_future(entry.cursor, now) else entry.cursor
    reached = None if is_read_whole else cursor
    latest = max((point for point in (old, reached) if point is not None), default=None)
    if latest is None and read_from is None:
        return None
    return Entry(latest, *(read_from or (None, None)))


def nothing_there(evidence: Evidence, connections: Iterable[tuple[str, str]]) -> Entry | None:
    """What is noted of a partition that Codat refuses and dataStatus doesn't name.

    connections: id and status of each of the company's. It isn't asked for again until dataStatus names the
    data type, or the connections are others. None where dataStatus names it.
    """
    if any(evidence.statuses):
        return None
    links = "|".join(sorted(f"{connection_id}:{status}" for connection_id, status in connections))
    return Entry(None, f"{_NOTHING_THERE}{hashlib.sha256(links.encode('utf-8', 'replace')).hexdigest()[:16]}")
