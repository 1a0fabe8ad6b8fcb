"""Which of several entries of one partition to go by: its own, or copies that others carried along."""

from __future__ import annotations

from collections.abc import Collection

from source_codat.foundation import timestamps
from source_codat.trust.evidence import Entry


def best(copies: Collection[Entry]) -> Entry:
    """The entry of a partition that the next read goes by, whatever order they come in.

    Each was true when it was written, and the rows up to its cursor were read: none of them loses a row.
    What was read after a later Codat sync supersedes what was read before. Of the rest, one without a date
    asks for all rows again, as some of them can't be found by date: it wins. Then the later date does, then
    an entry that names its Codat sync.
    """
    synced = {copy: _synced_at(copy) for copy in copies}
    latest = max((dates for dates in synced.values() if dates is not None), default=None)
    return max((copy for copy in copies if synced[copy] in (None, latest)), key=_rank)


def _rank(entry: Entry) -> tuple[bool, bool, int, bool, str, str]:
    has_no_date = entry.cursor is None
    return (
        not entry.is_of_nothing,
        has_no_date,
        entry.cursor or 0,
        entry.sync_id is not None,
        entry.synced_at or "",
        entry.sync_id or "",
    )


def _synced_at(entry: Entry) -> tuple[int, ...] | None:
    """When the Codat syncs ended that an entry's rows come from; None where that isn't known."""
    dates = [timestamps.instant(date) for _, date in entry.read_from]
    known = tuple(date for date in dates if date is not None)
    return known if known and len(known) == len(dates) else None
