"""Whether what came of a partition is all of it, and what that means for its state.

Pure functions of what was seen: no requests, no clocks, no threads. Why these rules and no others:
docs/behaviour.md, "Complete, or says so".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from source_codat.trust.judge import Change, Identity


class Proof(Enum):
    """Whether a pass is known to have seen every row of its partition."""

    PROVEN = auto()
    UNPROVEN = auto()


@dataclass(frozen=True)
class PassEvidence:
    """What one pass through a partition's pages saw.

    rows, distinct: how many rows came, and how many different ones. fingerprint: equal for two
    passes that saw the same rows, in whatever order. totals: what the pages gave as the number of
    all rows, None where one didn't say. broken: the pass ended although more was to come.
    all_at_once: one answer holds the whole partition by its nature, or said that nothing follows.
    keys_repeat: rows may be equal without being the same.
    latest, oldest_unfinished: instants of its rows' dates, the latest, and the oldest of a row that
    will still change. answered_at: the server's clock at the first answer, an instant.
    """

    rows: int
    distinct: int
    fingerprint: tuple[int, int]
    totals: frozenset[int | None]
    pages: int
    broken: bool = False
    all_at_once: bool = False
    keys_repeat: bool = False
    latest: int | None = None
    oldest_unfinished: int | None = None
    answered_at: int | None = None

    @property
    def announced(self) -> int | None:
        """How many rows every page announced; None where the pages differ or don't say."""
        return next(iter(self.totals)) if len(self.totals) == 1 else None

    @property
    def counts_agree(self) -> bool:
        """Whether every page announced the same number of rows, and that many came."""
        counted = self.rows if self.keys_repeat else self.distinct
        return not self.broken and self.announced is not None and counted == self.announced


@dataclass(frozen=True)
class SyncLook:
    """What a look at the Codat syncs of a partition's data types said; None where it isn't sure.

    safe_point: the instant up to which everything stamped can be seen. read_from: the Codat syncs that
    what can be read comes from.
    """

    safe_point: int | None
    read_from: Identity | None


@dataclass(frozen=True)
class Reached:
    """Where the next read of a proven partition may start: an instant, and the Codat syncs it saw."""

    cursor: int | None
    read_from: Identity | None


def prove(seen: PassEvidence, previous: PassEvidence | None, synced: Change) -> Proof:
    """Judge a pass; `previous` is the pass before it, `synced` what happened while it was read."""
    if seen.all_at_once:
        return Proof.UNPROVEN if seen.broken else Proof.PROVEN
    still = seen.pages == 1 or (synced is Change.NOTHING and not seen.keys_repeat)
    if seen.counts_agree and still:
        return Proof.PROVEN
    # No sync to compare, one under way, or keys that repeat: two equal passes have to do.
    unsaid = not seen.broken and seen.totals == {None}
    equal = (
        previous is not None
        and not previous.broken
        and previous.totals == seen.totals
        and previous.fingerprint == seen.fingerprint
    )
    return Proof.PROVEN if equal and (seen.counts_agree or unsaid) else Proof.UNPROVEN


def reached(seen: PassEvidence, looks: Sequence[SyncLook]) -> Reached:
    """How far a proven pass moves the state.

    looks: what was known of the syncs before the pass and, where it was asked for, after it; none
    where the partition has no data type, but rows that tell whether they will change.
    """
    if looks:
        bounds = [look.safe_point for look in looks]
    else:
        bounds = [point for point in (seen.oldest_unfinished, seen.answered_at) if point is not None]
    sure = [point for point in bounds if point is not None]
    sure = sure if len(sure) == len(bounds) else []
    syncs = {look.read_from for look in looks}
    return Reached(
        cursor=min(seen.latest, *sure) if seen.latest is not None and sure else None,
        read_from=syncs.pop() if len(syncs) == 1 else None,
    )
