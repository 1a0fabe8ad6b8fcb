"""The one judge of a company's Codat syncs: what may still appear, what changed, what may be skipped.

Opening a company, looking again, closing a partition and refreshing put the same questions with other
evidence. What isn't certain is doubt: it moves no cursor and skips nothing. Why: docs/behaviour.md, "What
is believed".
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from source_codat.foundation import timestamps
from source_codat.trust.evidence import JOIN, DataTypeStatus, Entry, Evidence, HistoryEntry, is_spelled
from source_codat.trust.statuses import Stage

_SLACK = 300 * timestamps.TICKS_PER_SECOND  # of this machine's clock
_SECOND = timestamps.TICKS_PER_SECOND
_MICROSECOND = timestamps.TICKS_PER_MICROSECOND  # what warehouses keep of a date's digits
# What a row carries that no Codat sync is sure to have brought: no date, as destinations compare it, and one
# that every warehouse can hold.
NEVER = timestamps.instant("1970-01-01T00:00:00Z") or 0
# What may follow a Codat sync's id: the hash of connections, and the month in which rows were read.
_LINKS, _MONTH = "#", "@"


class Doubt(Enum):
    """Why nothing sure can be said, in words that complete "because …"."""

    NO_CLOCK = "Codat's answers carry no date that can be read"
    NOT_NAMED = "Codat's dataStatus doesn't name the data type"
    SYNCING = "Codat is syncing, and no Codat sync has ended well before"
    STATUS = "Codat gives a status that isn't known"
    DATES = "Codat gives a date of its syncs that can't be right"
    IDS = "Codat doesn't give the ids of its syncs"
    HISTORY = "Codat's sync history didn't answer for sure"
    HISTORY_ENTRY = "Codat's sync history has an entry that can't be used"
    DISAGREE = "Codat's dataStatus and its sync history disagree"


# Those that pass by themselves: a later read finds better evidence, so nobody is told.
PASSING = frozenset({Doubt.SYNCING})


class SafePoint(NamedTuple):
    """Up to where it is sure that no row can appear any more.

    instant: rows stamped before it are visible; None where nothing is sure, for the reason in `doubt`.
    """

    instant: int | None
    doubt: Doubt | None = None


class Change(Enum):
    """Whether anything was synced between two looks."""

    NOTHING = "nothing"
    SOMETHING = "something"
    DOUBT = "doubt"


class Identity(NamedTuple):
    """Which Codat sync the visible rows come from: its id, and its date as Codat gave it."""

    sync_id: str
    synced_at: str


def needs_history(
    status: DataTypeStatus | None, listed_at: int | None, *, several: bool, now: int | None
) -> bool:
    """Whether dataStatus alone can't tell enough of a data type.

    several: whether more than one connection can hold it; dataStatus shows those as one. Else one that was
    linked after the companies were listed (at the instant `listed_at`) may stand behind what it shows,
    unless the latest Codat sync is complete and older than the list. While one runs, the last success may be
    that of a connection that is gone by now, and no bound to what the running one has stamped.
    """
    if status is None or status.stage is Stage.UNKNOWN:
        return False  # nothing that the history says could make that sure
    if not status.has_data and status.stage not in (Stage.WAITING, Stage.RUNNING):
        return False  # there is nothing to read
    if several or listed_at is None or now is None or status.stage is not Stage.COMPLETE:
        return True
    synced = timestamps.second(status.lastSuccessfulSync)
    return synced is None or synced >= listed_at


def safe_point(evidence: Evidence) -> SafePoint:
    """The instant up to which every row is visible that was stamped before it, of all data types.

    Where the latest Codat sync is complete, or waits: Codat's clock when it answered. Where one runs or has
    failed: the last that ended well. Where the history is needed: not after any running one was requested.
    """
    points = [_point_of(evidence, name) for name in evidence.data_types]
    for point in points:
        if point.instant is None:
            return point
    return min(points, key=lambda point: point.instant or 0)


def change_between(before: Evidence, after: Evidence) -> Change:
    """Whether anything was synced between two looks at the same data types, or was under way in either."""
    activity = [_activity(evidence, name) for evidence in (before, after) for name in evidence.data_types]
    if Change.DOUBT in activity:
        return Change.DOUBT
    if Change.SOMETHING in activity:
        return Change.SOMETHING
    if before.statuses != after.statuses:
        return Change.SOMETHING
    if before.is_merged != after.is_merged:
        return Change.DOUBT  # what the history would have said before, nobody knows
    return Change.NOTHING if _statuses_in_history(before) == _statuses_in_history(after) else Change.SOMETHING


def identity(evidence: Evidence) -> Identity | None:
    """The Codat syncs that all visible rows come from, one a data type; None in doubt or while one runs."""
    found = [_identity_of(evidence, name) for name in evidence.data_types]
    known = [part for part in found if part is not None]
    if not known or len(known) < len(found):
        return None
    return Identity(JOIN.join(part.sync_id for part in known), JOIN.join(part.synced_at for part in known))


def is_unchanged(evidence: Evidence, entry: Entry | None) -> bool:
    """Whether nothing was synced since a partition was last read completely; in doubt it may have been."""
    read = entry.read_from if entry else []
    if len(read) != len(evidence.data_types):
        return False
    return all(
        _is_still_current(evidence, name, Identity(*noted))
        for name, noted in zip(evidence.data_types, read, strict=True)
    )


def is_latest_read(
    status: DataTypeStatus | None, name: str, data_types: tuple[str, ...], entry: Entry
) -> bool:
    """Whether an entry was read from the success that dataStatus shows, whatever runs at present."""
    read = entry.read_from
    if status is None or name not in data_types or len(read) != len(data_types):
        return False
    sync_id, date = read[data_types.index(name)]
    return date == status.lastSuccessfulSync and _of_codat(sync_id) == _success_ids(status)


def read_at(entry: Entry) -> int | None:
    """The oldest of the dates of the Codat syncs that an entry was read from, an instant."""
    found = [timestamps.second(date) for _, date in entry.read_from]
    return None if not found or None in found else min(instant for instant in found if instant is not None)


def synced_at(evidence: Evidence, entry: Entry | None) -> int:
    """The instant that rows carry which are dated by the Codat sync that they are read from.

    It is the last success that dataStatus shows, of several data types the one that is longest ago, whatever
    runs at present; whether that is sure is for the state to say. It is cut to the second, as Codat may cut
    the next one. A destination takes rows of an earlier date for older ones, so it is never before an earlier
    read's. Where it isn't after that although the Codat sync is surely another, it is a microsecond after it.
    Where dataStatus shows no date that can be used, it is the earlier read's, or NEVER without one.
    """
    here = timestamps.now()
    now = here if evidence.look.taken_at is None else evidence.look.taken_at
    earlier, is_other = NEVER, False
    # A clock may be wrong for once: only what no clock can have shown was sent by nobody.
    if (
        entry is not None
        and entry.cursor is not None
        and entry.cursor <= max(now, here) + timestamps.TICKS_PER_DAY
    ):
        known = identity(evidence)
        earlier, is_other = entry.cursor, known is not None and _bare(known.sync_id) != _bare(entry.sync_id)
    shown = [(status and status.lastSuccessfulSync) or "" for status in evidence.statuses]
    if all(_is_past(date, now) for date in shown):
        date = min(timestamps.second(date) or NEVER for date in shown)
        if date > earlier:
            return date
    return earlier + _MICROSECOND * is_other


def _bare(sync_ids: str | None) -> list[str]:
    """The ids of Codat syncs, without the month in which rows were read."""
    return [sync_id.partition(_MONTH)[0] for sync_id in (sync_ids or "").split(JOIN)]


def _of_codat(sync_id: str) -> str:
    """A Codat sync's id as Codat gave it."""
    return sync_id.partition(_MONTH)[0].partition(_LINKS)[0]


def is_in_future(cursor: int | None, now: int | None) -> bool:
    """Whether a cursor is later than Codat's own clock: no safe read can have left it there.

    Where that clock isn't known, this machine's has to do: to read from the start costs requests and no rows.
    """
    latest = timestamps.now() + _SLACK if now is None else now + _SECOND
    return cursor is not None and cursor > latest


def _point_of(evidence: Evidence, name: str) -> SafePoint:
    look, status = evidence.look, evidence.look.types.get(name)
    if look.taken_at is None:
        return SafePoint(None, Doubt.NO_CLOCK)
    if status is None:
        return SafePoint(None, Doubt.NOT_NAMED)
    is_merged = name in look.needs_history
    doubt = _doubt_in(status, look.taken_at, is_merged=is_merged)
    if is_merged and not doubt:
        doubt = _doubt_in_history(evidence, name, status, look.taken_at)
    if doubt:
        return SafePoint(None, doubt)
    point: int | None = look.taken_at
    if status.stage not in (Stage.COMPLETE, Stage.WAITING):
        # A failed one counts like one that runs: another connection's may stand behind it.
        point = timestamps.second(status.lastSuccessfulSync)
    if point is None:
        return SafePoint(None, Doubt.SYNCING)
    # Also of a history that was asked for another data type: what it happens to show counts.
    running = [entry for entry in _entries(evidence, name) if entry.stage is Stage.RUNNING]
    requested = [timestamps.second(entry.requested) for entry in running]
    if None in requested:
        return SafePoint(None, Doubt.HISTORY_ENTRY)
    return SafePoint(min([point, *(instant for instant in requested if instant is not None)]))


def _doubt_in(status: DataTypeStatus, now: int, *, is_merged: bool) -> Doubt | None:
    """What isn't right with what dataStatus says of one data type."""
    if status.stage is Stage.UNKNOWN:
        return Doubt.STATUS
    if status.lastSuccessfulSync is not None and not _is_past(status.lastSuccessfulSync, now):
        return Doubt.DATES
    if bool(status.lastSuccessfulSync) != bool(status.latestSuccessfulSyncId) or not status.latestSyncId:
        return Doubt.IDS
    if status.stage is Stage.COMPLETE:
        if not status.lastSuccessfulSync:
            return Doubt.DATES
        # Of several connections the latest to be requested needn't be the latest to end.
        if not is_merged and status.latestSyncId != status.latestSuccessfulSyncId:
            return Doubt.DISAGREE
    return None


def _doubt_in_history(evidence: Evidence, name: str, status: DataTypeStatus, now: int) -> Doubt | None:
    """What isn't right with what the history says of one data type, or with both together."""
    history = evidence.look.history
    if history is None or history.entries is None:
        return Doubt.HISTORY
    for entry in history.entries:
        if _may_be_about(entry, name) and not _is_usable(entry, name, now):
            return Doubt.HISTORY_ENTRY
    of_type = {entry.id: entry for entry in history.entries if entry.dataType == name}
    if status.stage in (Stage.WAITING, Stage.RUNNING):
        return None if status.latestSyncId in of_type else Doubt.DISAGREE
    synced = timestamps.instant(status.lastSuccessfulSync or "")
    if synced is None:
        return None  # never synced well: there is nothing to find
    known = of_type.get(status.latestSuccessfulSyncId)
    if known is None:
        # Finished ones were asked for from `since` on; what ended before was requested before.
        return None if _last(status.lastSuccessfulSync) < history.since else Doubt.DISAGREE
    moved = known.completed is not None and synced > _last(known.completed)
    return Doubt.DISAGREE if known.stage is not Stage.COMPLETE or moved else None


def _may_be_about(entry: HistoryEntry, name: str) -> bool:
    """Whether an entry of the history is about a data type, or may be."""
    return not entry.dataType or is_spelled(entry.dataType, name)


def _is_usable(entry: HistoryEntry, name: str, now: int) -> bool:
    """Whether an entry says all that a judgement needs, in words that are known."""
    return bool(
        entry.id
        and entry.connectionId
        and entry.dataType == name
        and entry.stage is not Stage.UNKNOWN
        and entry.requested
        and _is_past(entry.requested, now)
    )


def _is_past(date: str, now: int) -> bool:
    """Whether a date can be right: not before Codat was, nor after its clock (which is cut to the second)."""
    found = timestamps.second(date)
    return found is not None and timestamps.FIRST_USABLE_DATE <= found <= now + _SECOND


def _entries(evidence: Evidence, name: str) -> Iterator[HistoryEntry]:
    """The history's entries for a data type, of the partition's connection where it has one."""
    history = evidence.look.history
    for entry in (history and history.entries) or ():
        if _may_be_about(entry, name) and _may_be_of(entry, evidence.connection_id):
            yield entry


def _may_be_of(entry: HistoryEntry, connection_id: str | None) -> bool:
    if connection_id is None or not entry.connectionId:
        return True
    return is_spelled(entry.connectionId, connection_id)


def _activity(evidence: Evidence, name: str) -> Change:
    """Whether a Codat sync was writing when a look was taken."""
    look, status = evidence.look, evidence.look.types.get(name)
    if status is None or status.stage is Stage.UNKNOWN:
        return Change.DOUBT
    if status.stage is Stage.RUNNING:
        return Change.SOMETHING
    stages = {entry.stage for entry in _entries(evidence, name)}
    is_answered = look.history is not None and look.history.entries is not None
    if name in look.needs_history and (not is_answered or Stage.UNKNOWN in stages):
        return Change.DOUBT
    return Change.SOMETHING if Stage.RUNNING in stages else Change.NOTHING


def _statuses_in_history(evidence: Evidence) -> set[tuple[str | None, str | None, str | None]]:
    return {
        (entry.id, entry.connectionId, entry.status)
        for name in evidence.data_types
        for entry in _entries(evidence, name)
    }


def _identity_of(evidence: Evidence, name: str) -> Identity | None:
    status = evidence.look.types.get(name)
    if status is None or status.stage not in (Stage.COMPLETE, Stage.WAITING):
        return None
    if _point_of(evidence, name).doubt or not status.lastSuccessfulSync:
        return None
    own = list(_entries(evidence, name))
    if any(entry.stage is Stage.RUNNING for entry in own):
        return None
    if name in evidence.look.needs_history:
        # One that waits, however early it was requested, will bring what nobody has read. Where the partition
        # is the whole company's, its success will show in dataStatus; that of one connection may be hidden.
        if evidence.connection_id is not None and any(entry.stage is Stage.WAITING for entry in own):
            return None
        ended = [entry for entry in own if entry.stage is not Stage.WAITING]
        newest = max(ended, key=lambda entry: timestamps.instant(entry.requested or "") or 0, default=None)
        if newest is not None and newest.stage is not Stage.COMPLETE:
            return None
    return Identity(_success_ids(status) + _noted_beside(evidence), status.lastSuccessfulSync)


def _noted_beside(evidence: Evidence) -> str:
    """What is noted beside the Codat sync, as the rows may be others without one: connections and month."""
    now = evidence.look.taken_at
    links = f"{_LINKS}{evidence.links}" if evidence.links else ""
    month = f"{_MONTH}{timestamps.iso(now)[:7]}" if evidence.is_by_month and now is not None else ""
    return links + month


def _success_ids(status: DataTypeStatus) -> str:
    """The successful Codat sync that dataStatus shows, and the latest one where that is another."""
    good, latest = status.latestSuccessfulSyncId or "", status.latestSyncId or ""
    return good if good == latest or status.stage is Stage.WAITING else f"{good}/{latest}"


def _is_still_current(evidence: Evidence, name: str, read: Identity) -> bool:
    """Whether what was read of a data type is all that there is, still."""
    now = _identity_of(evidence, name)
    if now is None:
        return False
    if now == read:
        return True
    return evidence.connection_id is not None and _is_by_other_connections(evidence, name, read)


def _is_by_other_connections(evidence: Evidence, name: str, read: Identity) -> bool:
    """Whether the history shows that other connections brought all that is new since a read."""
    look, status = evidence.look, evidence.look.types.get(name)
    history, since = look.history, timestamps.second(read.synced_at)
    if name not in look.needs_history or history is None or status is None or since is None:
        return False
    if since < history.since:
        return False  # finished ones in between weren't asked for
    entries = {entry.id: entry for entry in history.entries or () if entry.dataType == name}
    newest = entries.get(status.latestSuccessfulSyncId)
    if newest is None or _may_be_of(newest, evidence.connection_id):
        return False
    # All that had been requested before that read had ended by then, or no identity would have been noted.
    return all(_is_before(entry.requested, since) for entry in _entries(evidence, name))


def _is_before(date: str | None, instant: int) -> bool:
    """Whether all that a date can stand for, at the precision that it was given, is before an instant."""
    return _last(date) < instant


def _last(date: str | None) -> int:
    """The last instant that a date can stand for; the end of time, before nothing, where it is none."""
    found = timestamps.span(date or "")
    return found.last if found else timestamps.LAST
