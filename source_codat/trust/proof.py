"""Whether what came of a partition is all of it, and what that means for its state.

Pure functions of what was seen: no requests, no clocks, no threads. Why these rules and no others:
docs/behaviour.md, "Complete, or says so".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from source_codat.foundation import timestamps
from source_codat.trust.evidence import NOTHING_THERE, Entry, Evidence, hash_of_links
from source_codat.trust.judge import NEVER, Change, Identity, is_in_future


class Proof(Enum):
    """Whether a pass is known to have seen every row of its partition."""

    PROVEN = auto()
    PECULIAR = auto()  # proven, although the counters contradict the rows: worth a warning
    UNPROVEN = auto()


@dataclass(frozen=True)
class PassEvidence:
    """What one pass through a partition's pages saw.

    rows: how many rows came. distinct: how many different ones, by id, or by what they say.
    overlap: how many of the repeated ones came on different pages.
    distinct_so_far: the distinct ones of this pass and those before it, as long as nothing was synced.
    equal_rows_count: whether there are rows without id that may be equal without being the same.
    fingerprint: equal for two passes that saw the same rows, in whatever order.
    totals: what the pages gave as the number of all rows, None where one didn't say.
    first_page: how many rows the first page had. ends_short: whether the last page that had any had
    fewer than a page can hold, as the end of a list has, or needed no fewer.
    has_equal_pages: whether a page had the same rows as an earlier one. is_uncut: whether the first page had
    more rows than were asked for, and nothing says how many there are: the list doesn't come in pages.
    is_broken: the pass ended although more was to come.
    is_numbered: whether its pages are asked for by number, so that none of them says for sure that it
    is the last one.
    latest, oldest_unfinished: instants of its rows' dates, the latest, and the oldest of a row that
    will still change. answered_at: the server's clock at the first answer, an instant.
    """

    rows: int
    distinct: int
    fingerprint: tuple[int, ...]
    totals: frozenset[int | None]
    pages: int
    overlap: int = 0
    distinct_so_far: int = 0
    equal_rows_count: bool = False
    first_page: int = 0
    ends_short: bool = False
    has_equal_pages: bool = False
    is_uncut: bool = False
    is_broken: bool = False
    is_numbered: bool = True
    latest: int | None = None
    oldest_unfinished: int | None = None
    answered_at: int | None = None

    @property
    def announced(self) -> int | None:
        """How many rows every page announced; None where the pages differ or don't say."""
        return next(iter(self.totals)) if len(self.totals) == 1 else None

    @property
    def counts_agree(self) -> bool:
        """Whether every page announced the same number of rows, and that many different ones came."""
        return self.announced is not None and self.distinct == self.announced

    @property
    def may_repeat_pages(self) -> bool:
        """Whether a page may be an earlier one again, or another one with rows that are equal."""
        return self.equal_rows_count and self.has_equal_pages


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


def prove(seen: PassEvidence, previous: PassEvidence | None, synced: Change | None) -> Proof:
    """Judge a pass; `previous` is the pass before it, `synced` what happened while it was read.

    synced: None where the partition has no data type whose Codat syncs one could look at.
    """
    if seen.is_broken:
        return Proof.UNPROVEN
    is_one_answer = seen.pages == 1
    came_twice = previous is not None and _same_rows(seen, previous)
    if seen.totals == {None}:
        # A row that stands on two pages has pushed another one off both, however often that comes alike.
        is_whole = (is_one_answer and not seen.is_numbered) or (came_twice and not seen.overlap)
        return Proof.PROVEN if is_whole else Proof.UNPROVEN
    # One answer is a snapshot. Several hang together where nothing was synced meanwhile; and without a
    # sync to compare, with one under way, or with rows that may be equal, where they come twice alike.
    still = synced is Change.NOTHING and not seen.equal_rows_count
    hangs_together = is_one_answer or came_twice or still
    if (seen.counts_agree and hangs_together) or (still and _together_they_agree(seen, previous)):
        return Proof.PROVEN
    # An id that stands twice in one answer is stored twice.
    is_stored_so = seen.rows == seen.announced and not seen.overlap and hangs_together
    if seen.counts_agree or not (is_stored_so or _is_a_fact(seen, previous, synced)):
        return Proof.UNPROVEN
    return Proof.PECULIAR


def _together_they_agree(seen: PassEvidence, previous: PassEvidence | None) -> bool:
    """Whether passes whose pages overlap, each time elsewhere, show every row together."""
    same_totals = previous is not None and previous.totals == seen.totals
    return same_totals and seen.distinct_so_far == seen.announced


def _same_rows(seen: PassEvidence, previous: PassEvidence) -> bool:
    """Whether two passes saw the same rows.

    Pages with equal rows may be one and the same page: then the passes must have cut the list elsewhere.
    """
    is_cut_alike = seen.first_page == previous.first_page and not seen.is_uncut
    if is_cut_alike and (seen.may_repeat_pages or previous.may_repeat_pages):
        return False
    return (
        not previous.is_broken and previous.totals == seen.totals and previous.fingerprint == seen.fingerprint
    )


def _is_a_fact(seen: PassEvidence, previous: PassEvidence | None, synced: Change | None) -> bool:
    """Whether a contradiction between counters and rows is the server's, and no row is missing.

    The same rows must have come twice, with nothing synced between. Pages that are cut at the same rows
    both times may overlap, or end too early, in the same way both times: so they must be cut elsewhere
    the second time, or neither overlap nor end with a full page. An answer without any row is never
    believed that announces some.
    """
    if seen.announced is None or not seen.rows or previous is None or not _same_rows(seen, previous):
        return False
    if synced in (Change.SOMETHING, Change.DOUBT):
        return False
    return previous.first_page != seen.first_page or (not seen.overlap and seen.ends_short)


def contradiction_in_words(seen: PassEvidence) -> str:
    """What is peculiar about a pass, in words: its counters and its rows."""
    repeated = seen.rows - seen.distinct
    twice = f", {repeated} of them with an id that another one has" if repeated else ""
    return f"Codat announces {seen.announced:,} rows and sends {seen.rows:,}{twice}"


def reached(seen: PassEvidence, looks: Sequence[SyncLook], synced_at: int | None = None) -> Reached:
    """How far a proven pass moves the state.

    synced_at: what its rows carry where they are dated by a Codat sync; None for all others.
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
    cursor = None if synced_at == NEVER else synced_at
    if synced_at is None and seen.latest is not None:
        cursor = min([seen.latest, *sure])
    return Reached(
        cursor=cursor if sure else None,
        read_from=syncs.pop() if len(syncs) == 1 else None,
    )


_DAY = timestamps.TICKS_PER_DAY


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

    connections: id and status of each of the company's. For a day it isn't asked for again, unless dataStatus
    names the data type or the connections are others. None where dataStatus names it, or Codat's clock isn't
    known.
    """
    now = evidence.look.taken_at
    if now is None or any(evidence.look.names(name) for name in evidence.data_types):
        return None
    return Entry(None, f"{NOTHING_THERE}{hash_of_links(connections)}", timestamps.iso(now))


def is_still_nothing_there(
    entry: Entry | None, evidence: Evidence, connections: Iterable[tuple[str, str]]
) -> bool:
    """Whether an entry notes, less than a day ago, that there was nothing, and nothing shows a change."""
    if entry is None or not entry.is_of_nothing:
        return False
    found = nothing_there(evidence, connections)
    if found is None or entry.sync_id != found.sync_id:
        return False
    noted, now = timestamps.instant(entry.synced_at or ""), evidence.look.taken_at
    return noted is not None and now is not None and 0 <= now - noted < _DAY
