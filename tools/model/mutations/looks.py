"""Rules of a single look, each undone: words, when the history is needed, the safe point, doubts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from source_codat.foundation import timestamps
from source_codat.trust import judge, statuses
from source_codat.trust.evidence import DataTypeStatus, Evidence, HistoryEntry
from source_codat.trust.judge import Doubt, SafePoint
from source_codat.trust.statuses import Stage
from tools.model.mutations.mutation import (
    BUSY,
    LATE,
    ODD,
    SEVERAL,
    add,
    in_scene,
)


def with_status(evidence: Evidence, name: str, status: DataTypeStatus | None) -> Evidence:
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


add(
    "unknown words are good",
    "A status that isn't on a list is doubt",
    (statuses, "stage_of", _stage_where_unknown_is(Stage.COMPLETE)),
    **ODD,
    odd_kinds=("status",),
)
add(
    "unknown words are failures",
    "A status that isn't on a list is doubt, not the end of a sync",
    (statuses, "stage_of", _stage_where_unknown_is(Stage.FAILED)),
    **{**SEVERAL, "odd": 0.5},
    odd_kinds=("status",),
)
add(
    "failed is complete",
    "A failed sync may stand before another connection's that runs",
    (statuses, "stage_of", _stage_where(Stage.FAILED, Stage.COMPLETE)),
    **{**LATE, "fails": 0.5},
)
add(
    "running is complete",
    "While a sync runs, rows may be stamped that show later",
    (statuses, "stage_of", _stage_where(Stage.RUNNING, Stage.COMPLETE)),
    **BUSY,
)
add(
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


add(
    "history is never asked",
    "dataStatus merges connections: the history tells them apart",
    (judge, "needs_history", lambda *_, **__: False),
    **SEVERAL,
)
add(
    "the list is always fresh",
    "A connection that was linked after the companies were listed may hide behind another's status",
    (judge, "needs_history", _needs_history_but(listed_at=timestamps.LAST)),
    **LATE,
)
add(
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
    **in_scene(
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
            evidence = with_status(evidence, name, same)
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


add(
    "running: safe until now",
    "While a sync runs, only what was stamped before the last success is safe",
    (judge, "_point_of", _point_where(Stage.RUNNING)),
    **BUSY,
)
add(
    "failed: safe until now",
    "After a failure, only what was stamped before the last success is safe",
    (judge, "_point_of", _point_where(Stage.FAILED)),
    **{**LATE, "fails": 0.5},
)
add(
    "running entries bound nothing",
    "The cursor doesn't pass the request of any sync that the history shows running",
    (judge, "_point_of", _point_without_running),
    **SEVERAL,
)
add(
    "no clock: safe",
    "Without Codat's clock nothing is safe",
    (judge, "_point_of", _point_instead_of(Doubt.NO_CLOCK)),
    **BUSY,
    dateless=1.0,
)
add(
    "not named: safe",
    "What dataStatus doesn't name is in doubt",
    (judge, "_point_of", _point_instead_of(Doubt.NOT_NAMED)),
    **{**BUSY, "odd": 0.0, "odd_answers": 0.2},
)
add(
    "dates are exact",
    "A value cut to seconds stands for the whole second",
    (timestamps, "second", _uncut),
    **BUSY,
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
            **ODD,
            "odd": 0.9,
            "odd_kinds": ("ids", "done", "done", "done"),
            "odd_pick": 0.5,
            "whole": 1.0,
            "waits": 0.0,
            "peace": 1.0,
            "reads": 3,
        },
    ),
    (Doubt.STATUS, "A status that isn't on a list is doubt", {**ODD, "odd_kinds": ("status",)}),
):
    add(
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
    add(
        f"history: {_doubt.name} is no doubt",
        _rule,
        (judge, "_doubt_in_history", _ignoring(_doubt_in_history, _doubt)),
        **{**SEVERAL, **_nature},
    )
for _what, _kind in (("status", "status"), ("requested", "requested")):
    add(
        f"history: entries need no {_what}",
        f"An entry of the history without a usable {_what} is doubt",
        (judge, "_is_usable", _entry_good_without(_what)),
        **{**SEVERAL, "odd": 0.5, "odd_kinds": (_kind,)},
    )
add(
    "history: no type concerns nobody",
    "An entry that names no data type, or spells it otherwise, may be about any",
    (judge, "_may_be_about", lambda one, name: one.dataType == name),
    **{**SEVERAL, "odd": 0.5},
    odd_kinds=("data_type",),
)
add(
    "history: no connection is nobody's",
    "An entry that names no connection, or spells it otherwise, may be about any",
    (judge, "_may_be_of", lambda one, connection_id: connection_id in (None, one.connectionId)),
    (judge, "_is_usable", _entry_good_without("connectionId")),
    **{**SEVERAL, "odd": 0.5, "odd_answers": 0.0},
    odd_kinds=("connection",),
    streams=("account_transactions",),
)
add(
    "the future is past",
    "A date later than Codat's clock is doubt",
    (judge, "_is_past", lambda date, _: timestamps.second(date) is not None),
    **ODD,
    odd_kinds=("done", "requested"),
)
