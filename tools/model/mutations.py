"""The rules of the judge, each undone in turn: the model has to lose something, or to read for ever.

A model that can't tell a broken rule from a sound one proves nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from source_codat.companies import context, sync_history
from source_codat.companies.company import Company
from source_codat.engine import read, writer
from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.planning.planner import Planner
from source_codat.reading.reader import Finished, PartitionReading
from source_codat.state import store
from source_codat.trust import judge, proof, refusals, statuses
from source_codat.trust.evidence import DataTypeStatus, Entry, Evidence, History, HistoryEntry
from source_codat.trust.judge import Change, Doubt, Identity, SafePoint
from source_codat.trust.proof import PassEvidence, Proof
from source_codat.trust.refusals import Conflict
from source_codat.trust.statuses import Stage

Patch = Callable[[], Iterator[None]]


@dataclass(frozen=True)
class Mutation:
    """One rule undone. name: of the mutation; rule: what holds without it; patches: what it puts in place.

    nature: habits of the worlds, and of their users, in which it shows soonest. loses: whether rows get
    lost; else it shows by partitions that are read for ever.
    """

    name: str
    rule: str
    patches: tuple[tuple[Any, str, Any], ...]
    nature: Mapping[str, Any]
    loses: bool = True

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Undo the rule within a `with` block."""
        undo: list[tuple[Any, str, Any]] = []
        try:
            for owner, name, value in self.patches:
                original = owner.__dict__[name]
                for holder in _holders(owner, name, original):
                    undo.append((holder, name, original))
                    setattr(holder, name, value)
            yield
        finally:
            for holder, name, original in reversed(undo):
                setattr(holder, name, original)


def _holders(owner: Any, name: str, original: Any) -> list[Any]:
    """Where a function is known: its own module, and every one that imported it by name."""
    if isinstance(owner, type):
        return [owner]
    modules = [module for key, module in sys.modules.items() if key.startswith("source_codat")]
    return [one for one in modules if one.__dict__.get(name) is original]


MUTATIONS: list[Mutation] = []


def _add(name: str, rule: str, *patches: tuple[Any, str, Any], loses: bool = True, **nature: Any) -> None:
    MUTATIONS.append(Mutation(name, rule, patches, nature, loses))


# Habits of worlds that many rules show in.
_BUSY: dict[str, Any] = {"events": 0.6, "traps": 0.5, "happenings": 150, "errors": 0.0, "kills": 0.0}
_SEVERAL: dict[str, Any] = {**_BUSY, "connections": (2, 2, 3), "companies": 1, "arrivals": 0.0}
_ALONE: dict[str, Any] = {**_BUSY, "connections": (1,), "companies": 1, "arrivals": 0.0}
_LATE: dict[str, Any] = {**_BUSY, "connections": (1,), "arrivals": 0.0, "late": 0.5, "companies": 2}
_ODD: dict[str, Any] = {**_ALONE, "odd": 0.5, "odd_answers": 0.0}
_PAGED: dict[str, Any] = {
    **_ALONE,
    "page_cap": 2,
    "page_size": 2,
    "swaps": 0.9,
    "whole": 1.0,
    "waits": 0.0,
    "traps": 0.0,
    "most_rows": 8,
}
_RUNNING_PAGED: dict[str, Any] = {**_PAGED, "whole": 0.0, "finishing": 0.05}
_REFUSING: dict[str, Any] = {**_BUSY, "errors": 0.1}
_WHOLE: dict[str, Any] = {"full_refresh": 1.0}
_CHILDREN: dict[str, Any] = {"streams": ("bank_account_transactions",)}
# Where chance would seldom play the scene in which a rule shows, it is set, and little happens beside it.
_CALM: dict[str, Any] = {
    "events": 0.0,
    "arrivals": 0.0,
    "errors": 0.0,
    "history_errors": 0.0,
    "odd": 0.0,
    "odd_answers": 0.0,
    "dateless": 0.0,
    "kindless": 0.0,
    "undated": 0.0,
    "kills": 0.0,
    "stops": 0.0,
    "full_refresh": 0.0,
    "page_cap": 1000,
    "totals": "right",
    "companies": 1,
    "connections": (2,),
}


def _scene(name: str, stream: str, **nature: Any) -> dict[str, Any]:
    return {**_CALM, "scene": name, "streams": (stream,), **nature}


def _with_status(evidence: Evidence, name: str, status: DataTypeStatus | None) -> Evidence:
    types = {**evidence.look.types}
    if status is not None:
        types[name] = status
    return evidence.at(replace(evidence.look, types=types))


# --- words ---------------------------------------------------------------------------------------

_stage_of = statuses.stage_of


def _stage_where_unknown_is(stage: Stage) -> Callable[[str | None], Stage]:
    def stage_of(status: str | None) -> Stage:
        found = _stage_of(status)
        return stage if found is Stage.UNKNOWN else found

    return stage_of


def _stage_where(word_stage: Stage, other: Stage) -> Callable[[str | None], Stage]:
    def stage_of(status: str | None) -> Stage:
        found = _stage_of(status)
        return other if found is word_stage else found

    return stage_of


_add(
    "unknown words are good",
    "A status that isn't on a list is doubt",
    (statuses, "stage_of", _stage_where_unknown_is(Stage.COMPLETE)),
    **_ODD,
    odd_kinds=("status",),
)
_add(
    "unknown words are failures",
    "A status that isn't on a list is doubt, not the end of a sync",
    (statuses, "stage_of", _stage_where_unknown_is(Stage.FAILED)),
    **{**_SEVERAL, "odd": 0.5},
    odd_kinds=("status",),
)
_add(
    "failed is complete",
    "A failed sync may stand before another connection's that runs",
    (statuses, "stage_of", _stage_where(Stage.FAILED, Stage.COMPLETE)),
    **{**_LATE, "fails": 0.5},
)
_add(
    "running is complete",
    "While a sync runs, rows may be stamped that show later",
    (statuses, "stage_of", _stage_where(Stage.RUNNING, Stage.COMPLETE)),
    **_BUSY,
)
_add(
    "waiting is running",
    "A sync that only waits doesn't hold the cursor back",
    (statuses, "stage_of", _stage_where(Stage.WAITING, Stage.RUNNING)),
    loses=False,
    waits=0.8,
)

# --- which looks need the history ----------------------------------------------------------------

_needs_history = judge.needs_history


def _needs_history_but(**given: Any) -> Callable[..., bool]:
    def needs_history(
        status: DataTypeStatus | None, listed_at: int | None, *, several: bool, now: int | None
    ) -> bool:
        asked = {"status": status, "listed_at": listed_at, "several": several, "now": now}
        for name, change in given.items():
            asked[name] = change(asked[name]) if callable(change) else change
        return _needs_history(asked["status"], asked["listed_at"], several=asked["several"], now=asked["now"])  # type: ignore[arg-type]

    return needs_history


_add(
    "history is never asked",
    "dataStatus merges connections: the history tells them apart",
    (judge, "needs_history", lambda *_, **__: False),
    **_SEVERAL,
)
_add(
    "the list is always fresh",
    "A connection that was linked after the companies were listed may hide behind another's status",
    (judge, "needs_history", _needs_history_but(listed_at=timestamps.LAST)),
    **_LATE,
)
_add(
    "waiting hides nobody",
    "Behind a sync that waits, another connection's may run",
    (
        judge,
        "needs_history",
        _needs_history_but(
            status=lambda status: (
                status._replace(currentStatus="Complete")
                if status and status.stage is Stage.WAITING
                else status
            )
        ),
    ),
    **_scene(
        "newcomer behind one that waits",
        "invoices",
        connections=(1,),
        late=0.0,
        merging="requested",
        page_size=1000,
        one_stamp=False,
    ),
)

# --- the safe point --------------------------------------------------------------------------------

_point_of = judge._point_of


def _point_where(stage: Stage) -> Callable[[Evidence, str], SafePoint]:
    """Take a stage for complete."""

    def point_of(evidence: Evidence, name: str) -> SafePoint:
        status = evidence.look.types.get(name)
        if status is not None and status.stage is stage and status.lastSuccessfulSync:
            same = status._replace(currentStatus="Complete", latestSyncId=status.latestSuccessfulSyncId)
            evidence = _with_status(evidence, name, same)
        return _point_of(evidence, name)

    return point_of


def _point_without_running(evidence: Evidence, name: str) -> SafePoint:
    """Pass over the running syncs that dataStatus doesn't name."""
    point, history = _point_of(evidence, name), evidence.look.history
    if point.instant is None or history is None:
        return point
    shown = evidence.look.types[name].latestSyncId
    left = [one for one in history.entries or () if one.stage is not Stage.RUNNING or one.id == shown]
    return _point_of(evidence.at(replace(evidence.look, history=replace(history, entries=left))), name)


def _point_instead_of(doubt: Doubt) -> Callable[[Evidence, str], SafePoint]:
    """Take the present for safe where there is this doubt."""

    def point_of(evidence: Evidence, name: str) -> SafePoint:
        point = _point_of(evidence, name)
        now = evidence.look.taken_at
        return SafePoint(timestamps.LAST if now is None else now) if point.doubt is doubt else point

    return point_of


def _uncut(text: str | None) -> int | None:
    return timestamps.instant(text or "")


_add(
    "running: safe until now",
    "While a sync runs, only what was stamped before the last success is safe",
    (judge, "_point_of", _point_where(Stage.RUNNING)),
    **_BUSY,
)
_add(
    "failed: safe until now",
    "After a failure, only what was stamped before the last success is safe",
    (judge, "_point_of", _point_where(Stage.FAILED)),
    **{**_LATE, "fails": 0.5},
)
_add(
    "running entries bound nothing",
    "The cursor doesn't pass the request of any sync that the history shows running",
    (judge, "_point_of", _point_without_running),
    **_SEVERAL,
)
_add(
    "no clock: safe",
    "Without Codat's clock nothing is safe",
    (judge, "_point_of", _point_instead_of(Doubt.NO_CLOCK)),
    **_BUSY,
    dateless=1.0,
)
_add(
    "not named: safe",
    "What dataStatus doesn't name is in doubt",
    (judge, "_point_of", _point_instead_of(Doubt.NOT_NAMED)),
    **{**_BUSY, "odd": 0.0, "odd_answers": 0.2},
)
_add(
    "dates are exact",
    "A value cut to seconds stands for the whole second",
    (timestamps, "second", _uncut),
    **_BUSY,
    row_digits=(0,),
    digits=(7,),
    one_stamp=False,
)

# --- doubts ----------------------------------------------------------------------------------------

_doubt_in, _doubt_in_history = judge._doubt_in, judge._doubt_in_history


def _ignoring(function: Callable[..., Doubt | None], *doubts: Doubt) -> Callable[..., Doubt | None]:
    def ignoring(*given: Any, **named: Any) -> Doubt | None:
        found = function(*given, **named)
        return None if found in doubts else found

    return ignoring


def _entry_good_without(what: str) -> Callable[[HistoryEntry, str, int], bool]:
    is_usable = judge._is_usable
    good = {"id": "x", "connectionId": "x", "status": "Complete", "requested": "2024-04-01"}

    def usable(one: HistoryEntry, name: str, now: int) -> bool:
        return is_usable(one._replace(**{what: good.get(what, name)}), name, now)

    return usable


for _doubt, _rule, _nature in (
    (
        Doubt.DATES,
        "A date that can't be read, or that is later than Codat's clock, is doubt",
        # The ids stay, and each sync has the same date that can't be right.
        {
            **_ODD,
            "odd": 0.9,
            "odd_kinds": ("ids", "done", "done", "done"),
            "odd_pick": 0.5,
            "whole": 1.0,
            "waits": 0.0,
            "peace": 1.0,
            "reads": 3,
        },
    ),
    (Doubt.STATUS, "A status that isn't on a list is doubt", {**_ODD, "odd_kinds": ("status",)}),
):
    _add(
        f"dataStatus: {_doubt.name} is no doubt",
        _rule,
        (judge, "_doubt_in", _ignoring(_doubt_in, _doubt)),
        **_nature,
    )
for _doubt, _rule, _nature in (
    (Doubt.HISTORY, "A history that didn't answer for sure is doubt", {"history_errors": 0.3}),
    (Doubt.HISTORY_ENTRY, "An entry that can't be used is doubt", {"odd": 0.5}),
    (Doubt.DISAGREE, "A history that lacks what dataStatus names is doubt", {"odd": 0.5}),
):
    _add(
        f"history: {_doubt.name} is no doubt",
        _rule,
        (judge, "_doubt_in_history", _ignoring(_doubt_in_history, _doubt)),
        **{**_SEVERAL, **_nature},
    )
for _what, _kind in (("status", "status"), ("requested", "requested")):
    _add(
        f"history: entries need no {_what}",
        f"An entry of the history without a usable {_what} is doubt",
        (judge, "_is_usable", _entry_good_without(_what)),
        **{**_SEVERAL, "odd": 0.5, "odd_kinds": (_kind,)},
    )
_add(
    "history: no type concerns nobody",
    "An entry that names no data type, or spells it otherwise, may be about any",
    (judge, "_may_be_about", lambda one, name: one.dataType == name),
    **{**_SEVERAL, "odd": 0.5},
    odd_kinds=("data_type",),
)
_add(
    "history: no connection is nobody's",
    "An entry that names no connection, or spells it otherwise, may be about any",
    (judge, "_may_be_of", lambda one, connection_id: connection_id in (None, one.connectionId)),
    (judge, "_is_usable", _entry_good_without("connectionId")),
    **{**_SEVERAL, "odd": 0.5, "odd_answers": 0.0},
    odd_kinds=("connection",),
    streams=("account_transactions",),
)
_add(
    "the future is past",
    "A date later than Codat's clock is doubt",
    (judge, "_is_past", lambda date, _: timestamps.second(date) is not None),
    **_ODD,
    odd_kinds=("done", "requested"),
)

# --- what changed ----------------------------------------------------------------------------------

_add(
    "nothing ever changes",
    "Two looks are compared: what was synced while pages were read makes them doubtful",
    (judge, "change_between", lambda *_: Change.NOTHING),
    **_PAGED,
)
_add(
    "what runs doesn't count",
    "While a sync runs, pages may change",
    (judge, "_activity", lambda *_: Change.NOTHING),
    **_RUNNING_PAGED,
)
_change_between = judge.change_between


def _change_without_statuses(before: Evidence, after: Evidence) -> Change:
    return _change_between(before.at(replace(before.look, types=after.look.types)), after)


_add(
    "statuses aren't compared",
    "Another sync id or date in dataStatus is a change",
    (judge, "change_between", _change_without_statuses),
    **_PAGED,
)
_add(
    "histories aren't compared",
    "Another entry in the history is a change",
    (judge, "_statuses_in_history", lambda _: set()),
    **_scene("fails between pages", "invoices", page_size=2, restless=False),
)

# --- where rows come from, and what is unchanged -----------------------------------------------------

_identity_of, _explained, _still = judge._identity_of, judge._is_by_other_connections, judge._is_still_current


def _identity_whatever(evidence: Evidence, name: str) -> Identity | None:
    status = evidence.look.types.get(name)
    if status is None or not status.lastSuccessfulSync:
        return None
    return Identity(judge._success_ids(status), status.lastSuccessfulSync)


def _identity_without_entries(evidence: Evidence, name: str) -> Identity | None:
    if _point_of(evidence, name).doubt:
        return None
    return _identity_of(evidence.at(replace(evidence.look, needs_history=frozenset())), name)


def _identity_of_doubtful(evidence: Evidence, name: str) -> Identity | None:
    if not _point_of(evidence, name).doubt:
        return _identity_of(evidence, name)
    status = evidence.look.types.get(name)
    return _identity_whatever(evidence, name) if status and status.stage is Stage.COMPLETE else None


def _still_by_id(evidence: Evidence, name: str, read: Identity) -> bool:
    now = _identity_of(evidence, name)
    same = now is not None and now.sync_id == read.sync_id
    return same or _still(evidence, name, read)


def _still_by_date(evidence: Evidence, name: str, read: Identity) -> bool:
    now = _identity_of(evidence, name)
    same = now is not None and now.synced_at == read.synced_at
    return same or _still(evidence, name, read)


_add(
    "any sync is the one read",
    "In doubt, or while one runs, no sync is noted as read",
    (judge, "_identity_of", _identity_whatever),
    **_BUSY,
)
_add(
    "doubt doesn't matter to what is noted",
    "In doubt no sync is noted as read",
    (judge, "_identity_of", _identity_of_doubtful),
    **{**_SEVERAL, "odd": 0.5},
)
_add(
    "other entries don't matter to what is noted",
    "A running, waiting or failed sync of the partition's own keeps it from being called unchanged",
    (judge, "_identity_of", _identity_without_entries),
    **_scene("waited behind another", "account_transactions"),
)
_add(
    "same id is unchanged",
    "A sync id that stays while its date moves is doubt",
    (judge, "_is_still_current", _still_by_id),
    **_ODD,
    odd_kinds=("ids",),
)
_add(
    "all is explained by others",
    "Only a success that is another connection's leaves a partition unchanged",
    (judge, "_is_by_other_connections", lambda evidence, *_: evidence.connection_id is not None),
    **_SEVERAL,
)


def _explained_without(what: str) -> Callable[[Evidence, str, Identity], bool]:
    def explained(evidence: Evidence, name: str, read: Identity) -> bool:
        history = evidence.look.history
        if history is None:
            return False
        if what == "since":
            evidence = evidence.at(replace(evidence.look, history=History(history.entries, 0)))
        return _explained(evidence, name, read)

    return explained


_add(
    "the history reaches back for ever",
    "Where finished syncs since the last read weren't asked for, the history explains nothing",
    (judge, "_is_by_other_connections", _explained_without("since")),
    **_scene("long behind another", "account_transactions"),
)
_add(
    "requested before: at any precision",
    "A request whose date is cut stands for all that was cut: a second, or a day",
    (judge, "_is_before", lambda date, instant: (timestamps.second(date) or timestamps.LAST) < instant),
    **_scene("behind another", "account_transactions", odd=1.0, odd_kinds=("day",)),
)
_add(
    "everything is unchanged",
    "A partition is skipped only where nothing was synced since it was read",
    (judge, "is_unchanged", lambda _, entry: entry is not None and bool(entry.sync_id)),
    **_BUSY,
)
_add(
    "nothing is unchanged",
    "In a quiet world partitions are skipped",
    (judge, "is_unchanged", lambda *_: False),
    loses=False,
)
_add(
    "the history is asked from now on",
    "The history is asked for all that finished since the last read",
    (
        context.CompanyContext,
        "_history",
        lambda self, path, look, _: sync_history.ask_history(
            self.client, path, look.taken_at or timestamps.LAST
        ),
    ),
    loses=False,
    **_SEVERAL,
)
_add(
    "one look is enough",
    "After the pages the syncs are looked at again",
    (
        context.CompanyContext,
        "look_taken_after",
        lambda self, _: self.last_look or context.CompanyContext._ask_once(self),  # type: ignore[attr-defined]
    ),
    **_PAGED,
)


def _ask_once(self: context.CompanyContext) -> Any:
    self.last_look = self._ask()
    return self.last_look


context.CompanyContext._ask_once = _ask_once  # type: ignore[attr-defined]

# --- where a partition stands ------------------------------------------------------------------------

_advanced, _finished = proof.advanced, PartitionReading._finished


def _finished_with_dates(self: PartitionReading, *given: Any) -> Finished:
    self._pass.has_rows_without_date = self._pass.has_rows_without_id = False
    return _finished(self, *given)


_add(
    "cursors of the future stay",
    "A cursor later than Codat's clock isn't believed",
    (judge, "is_in_future", lambda *_: False),
    **_BUSY,
    foreign=0.5,
    turns=0.0,
)
_add(
    "what has no date is forgotten",
    "Where rows were that no date can find, the next read has no date either",
    (PartitionReading, "_finished", _finished_with_dates),
    (proof, "advanced", lambda entry, **given: _advanced(entry, **{**given, "is_read_whole": False})),
    **_BUSY,
    undated=0.3,
    streams=("invoices",),
)
_add(
    "an absence is noted although it is named",
    "That there is nothing is noted only of what dataStatus doesn't name",
    (
        proof,
        "nothing_there",
        lambda evidence, connections, given=proof.nothing_there: given(
            evidence.at(replace(evidence.look, types={})), connections
        ),
    ),
    **_REFUSING,
)

# --- refusals ----------------------------------------------------------------------------------------

_add(
    "409: never synced",
    "409 on data that dataStatus shows isn't 'never synced'",
    (refusals, "is_sure_conflict", lambda *_, **__: True),
    **_BUSY,
    conflict=True,
    **_WHOLE,
)
_add(
    "409: never synced, whatever a second look shows",
    "409 while a sync runs is a failure",
    (refusals, "meaning_of_conflict", lambda *_: Conflict.NEVER_SYNCED),
    **_SEVERAL,
    conflict=True,
    **_WHOLE,
)
_add(
    "running is never synced",
    "A data type whose first sync runs or waits is asked for",
    (
        refusals,
        "ruled_out",
        lambda status: None if status.stage is Stage.COMPLETE else SkipReason.NOT_SYNCED,
    ),
    **_BUSY,
)

# --- proofs ------------------------------------------------------------------------------------------

_prove, _reached = proof.prove, proof.reached


def _prove_with(**given: Any) -> Callable[..., Proof]:
    def prove(seen: PassEvidence, previous: PassEvidence | None, synced: Change) -> Proof:
        return _prove(
            replace(seen, **{name: change(seen) for name, change in given.items()}), previous, synced
        )

    return prove


def _as_announced(seen: PassEvidence) -> frozenset[int | None]:
    """The number of rows that came, in place of one that was announced."""
    return seen.totals if seen.totals == {None} else frozenset({seen.distinct})


_add(
    "every pass is a proof",
    "A pass is complete where counts agree and nothing was synced, or two passes are equal",
    (proof, "prove", lambda *_: Proof.PROVEN),
    **_PAGED,
)
_add(
    "totals aren't held against rows",
    "As many different rows as announced have to come",
    (proof, "prove", _prove_with(totals=_as_announced, is_broken=lambda _: False)),
    **_PAGED,
)
_add(
    "rows are counted, not their ids",
    "A row that comes twice counts once",
    (proof, "prove", _prove_with(distinct=lambda seen: seen.rows, distinct_so_far=lambda seen: seen.rows)),
    **_PAGED,
    refuses_order=True,
    restless=True,
    idless=0.0,
)
_add(
    "syncs while paging don't matter",
    "Counts that agree prove nothing where something was synced meanwhile",
    (proof, "prove", lambda seen, previous, _: _prove(seen, previous, Change.NOTHING)),
    **_PAGED,
)
_add(
    "one pass is enough where keys repeat",
    "Rows that can be equal need two equal passes",
    (proof, "prove", _prove_with(equal_rows_count=lambda _: False)),
    **_PAGED,
    streams=("banking_account_balances",),
    idless=1.0,
    restless=True,
)
_add(
    "the first look bounds the cursor",
    "The cursor passes the safe point of neither look",
    (proof, "reached", lambda seen, looks, *dated: _reached(seen, looks[-1:], *dated)),
    **_scene("ends after the second pass", "invoices", connections=(1,), page_size=2, one_stamp=False),
)
_add(
    "no look bounds the cursor",
    "The cursor passes the safe point of neither look",
    (
        proof,
        "reached",
        lambda seen, looks, *dated: _reached(
            seen, [replace(look, safe_point=seen.latest) for look in looks], *dated
        ),
    ),
    **_BUSY,
)
_add(
    "the sync of the last look is noted",
    "A sync is noted as read only where both looks show it",
    (
        proof,
        "reached",
        lambda seen, looks, *dated: replace(
            _reached(seen, looks, *dated), read_from=looks[-1].read_from if looks else None
        ),
    ),
    **_PAGED,
)

# --- reading, parents, state -------------------------------------------------------------------------

_add(
    "parents never come",
    "Children aren't noted as read where parents may have come since they were listed",
    (PartitionReading, "_parents_may_have_come", lambda _: False),
    **_scene(
        "parent between pages",
        "bank_account_transactions",
        connections=(1,),
        page_size=2,
        idless=0.0,
        attachments=False,
    ),
)
_siblings_ended = store.Siblings.ended


def _ended_alone(self: store.Siblings, key: Any, entry: Any) -> Iterator[Any]:
    self.left -= 1
    yield key, store.without_mark(entry)


_add(
    "siblings stand alone",
    "Until all siblings were read, none of them stands for the list of parents",
    (store.Siblings, "ended", _ended_alone),
    **{**_BUSY, **_CHILDREN, "kills": 0.9, "peace": 1.0, "companies": 1, "connections": (1,), "reads": 3},
)
_add(
    "options never change",
    "Entries that were written with other options are dropped",
    (store, "_still_holds", lambda *_: True),
    **_BUSY,
    turns=0.5,
)


def _note_incomplete(end: Any, entry: Any, note: Any = writer._entry_after) -> Any:
    if isinstance(end.result, Finished) and not end.result.is_complete and end.partition.source is not None:
        source = end.partition.source
        found = replace(end, result=replace(end.result, is_complete=True, cursor=source.look.taken_at))
        return note(found, entry)
    return note(end, entry)


_add(
    "an incomplete read moves the cursor",
    "Where completeness can't be shown, the cursor stays",
    (writer, "_entry_after", _note_incomplete),
    **_PAGED,
)


_all_siblings = store.Siblings


def _children_proven(left: int, *, is_whole: bool) -> Any:  # noqa: ARG001 - the rule undone
    return _all_siblings(left, is_whole=True)


_add(
    "unproven parents are all parents",
    "Where parents can't be proven, the partition stays in doubt",
    (store, "Siblings", _children_proven),
    **_scene(
        "many parents",
        "bank_account_transactions",
        connections=(1,),
        page_cap=2,
        page_size=2,
        refuses_order=True,
        restless=True,
        idless=0.0,
        most_rows=40,
    ),
)


def _walk_once(client: Any, path: str, since: int) -> History:
    query = f"{sync_history._UNFINISHED}||requested>={timestamps.query_date(since)}"
    params = {"pageSize": 2000, "orderBy": "-requested", "query": query}
    found, _ = sync_history._walk(client, f"{path}/data/history", params)
    return History(found, since)


_add(
    "a history of several pages is read once",
    "Several pages of the history have to come twice alike",
    (sync_history, "ask_history", _walk_once),
    **_SEVERAL,
    long_history=True,
)


def _skipped_half_way(planner: Any, partition: Any, reading: Any, go: Any = read._advance) -> Any:
    try:
        return go(planner, partition, reading)
    except PartitionSkipped:
        return Finished(is_complete=True)


_add(
    "every refusal means no data",
    "A refusal counts as 'no data' only as the first answer",
    (read, "_advance", _skipped_half_way),
    **_REFUSING,
)
_since = Planner._since


def _since_of_any(self: Planner, retriever: Any, entry: Any, now: Any) -> Any:
    known = [
        one.cursor
        for stream in self._streams
        if stream.state and stream.retriever is retriever
        for one in stream.state.entries.values()
        if one.cursor is not None
    ]
    if entry is None and known:
        entry = Entry(max(known))
    return _since(self, retriever, entry, now)


_add(
    "new partitions start where others are",
    "A partition without an entry of its own starts from the start",
    (Planner, "_since", _since_of_any),
    **_SEVERAL,
)
_add(
    "source types are believed",
    "What dataStatus shows as synced is asked for, whatever the connections seem to be",
    (
        Company,
        "connections",
        lambda self, source_types, *, is_synced=False, ask=Company.connections: ask(self, source_types),  # noqa: ARG005
    ),
    **_BUSY,
    kindless=0.5,
)


# --- rows dated by their Codat sync ----------------------------------------------------------------

_DATED: dict[str, Any] = {**_ALONE, "streams": ("commerce_locations",), "full_refresh": 0.0}
_synced_at = judge.synced_at


def _synced_at_before(evidence: Evidence, entry: Entry | None) -> int:
    """Each read's rows are dated before those of the one before."""
    if entry is None or entry.cursor is None:
        return _synced_at(evidence, entry)
    return max(entry.cursor - timestamps.TICKS_PER_SECOND, judge.NEVER)


_add(
    "rows may be dated before those of an earlier read",
    "Rows are never dated before what an earlier read has sent",
    (judge, "synced_at", _synced_at_before),
    **_DATED,
)
_add(
    "rows of every Codat sync are dated alike",
    "What another Codat sync brought is dated later, so that what is gone can be told",
    (judge, "synced_at", lambda *_: judge.NEVER + timestamps.TICKS_PER_SECOND),
    **_DATED,
)
