"""Rules that compare looks, and a look with the state, each undone: what changed, what is unchanged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from source_codat.companies import context, sync_history
from source_codat.foundation import timestamps
from source_codat.trust import judge
from source_codat.trust.evidence import Entry, Evidence, History
from source_codat.trust.judge import Change, Identity
from source_codat.trust.statuses import Stage
from tools.model.mutations.mutation import (
    BUSY,
    ODD,
    PAGED,
    RUNNING_PAGED,
    SEVERAL,
    add,
    in_scene,
)

# --- what changed ----------------------------------------------------------------------------------

add(
    "nothing ever changes",
    "Two looks are compared: what was synced while pages were read makes them doubtful",
    (judge, "change_between", lambda *_: Change.NOTHING),
    **PAGED,
)
add(
    "what runs doesn't count",
    "While a sync runs, pages may change",
    (judge, "_activity", lambda *_: Change.NOTHING),
    **RUNNING_PAGED,
)
_change_between = judge.change_between


def _change_without_statuses(before: Evidence, after: Evidence) -> Change:
    return _change_between(before.at(replace(before.look, types=after.look.types)), after)


add(
    "statuses aren't compared",
    "Another sync id or date in dataStatus is a change",
    (judge, "change_between", _change_without_statuses),
    # The date of the sync is none that a history would be asked for.
    **in_scene(
        "syncs between pages",
        "invoices",
        connections=(1,),
        page_size=2,
        restless=False,
        odd=1.0,
        odd_kinds=("done",),
        odd_pick=0.5,
    ),
)
add(
    "histories aren't compared",
    "Another entry in the history is a change",
    (judge, "_statuses_in_history", lambda _: set()),
    **in_scene("fails between pages", "invoices", page_size=2, restless=False),
)

# --- where rows come from, and what is unchanged -----------------------------------------------------

_point_of = judge._point_of
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


add(
    "any sync is the one read",
    "In doubt, or while one runs, no sync is noted as read",
    (judge, "_identity_of", _identity_whatever),
    **BUSY,
)
add(
    "doubt doesn't matter to what is noted",
    "In doubt no sync is noted as read",
    (judge, "_identity_of", _identity_of_doubtful),
    **{**SEVERAL, "odd": 0.5},
)
add(
    "other entries don't matter to what is noted",
    "A running, waiting or failed sync of the partition's own keeps it from being called unchanged",
    (judge, "_identity_of", _identity_without_entries),
    **in_scene("waited behind another", "account_transactions"),
)
add(
    "same id is unchanged",
    "A sync id that stays while its date moves is doubt",
    (judge, "_is_still_current", _still_by_id),
    **ODD,
    odd_kinds=("ids",),
)
add(
    "all is explained by others",
    "Only a success that is another connection's leaves a partition unchanged",
    (judge, "_is_by_other_connections", lambda evidence, *_: evidence.connection_id is not None),
    **SEVERAL,
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


add(
    "a note of nothing is a read",
    "That there was nothing to read isn't a read that later syncs of others leave valid",
    (Entry, "is_of_nothing", property(lambda _: False)),
    **in_scene("refused and not named", "account_transactions"),
)
add(
    "the history reaches back for ever",
    "Where finished syncs since the last read weren't asked for, the history explains nothing",
    (judge, "_is_by_other_connections", _explained_without("since")),
    **in_scene("long behind another", "account_transactions"),
)
add(
    "requested before: at any precision",
    "A request whose date is cut stands for all that was cut: a second, or a day",
    (judge, "_is_before", lambda date, instant: (timestamps.second(date) or timestamps.LAST) < instant),
    **in_scene("behind another", "account_transactions", odd=1.0, odd_kinds=("day",)),
)
add(
    "everything is unchanged",
    "A partition is skipped only where nothing was synced since it was read",
    (judge, "is_unchanged", lambda _, entry: entry is not None and bool(entry.sync_id)),
    **BUSY,
)
add(
    "nothing is unchanged",
    "In a quiet world partitions are skipped",
    (judge, "is_unchanged", lambda *_: False),
    loses=False,
)
add(
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
    **SEVERAL,
    fails=0.0,
)
add(
    "one look is enough",
    "After the pages the syncs are looked at again",
    (
        context.CompanyContext,
        "look_taken_after",
        lambda self, _: self.last_look or context.CompanyContext._ask_once(self),  # type: ignore[attr-defined]
    ),
    **PAGED,
)


def _ask_once(self: context.CompanyContext) -> Any:
    self.last_look = self._ask()
    return self.last_look


context.CompanyContext._ask_once = _ask_once  # type: ignore[attr-defined]
