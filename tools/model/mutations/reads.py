"""Rules of reading, each undone: what is noted, refusals, proofs, parents, rows dated by their Codat sync."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from source_codat.companies import sync_history
from source_codat.companies.company import Company, Connection
from source_codat.engine import steps, writer
from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.planning.planner import Planner
from source_codat.reading.reader import Finished, PartitionReading
from source_codat.state import store
from source_codat.trust import judge, proof, refusals
from source_codat.trust.evidence import Entry, Evidence, History
from source_codat.trust.judge import Change
from source_codat.trust.proof import PassEvidence, Proof
from source_codat.trust.refusals import Conflict
from source_codat.trust.statuses import Stage
from tools.model.mutations.mutation import (
    ALONE,
    BUSY,
    CHILDREN,
    PAGED,
    REFUSING,
    SEVERAL,
    WHOLE,
    add,
    in_scene,
)

# --- where a partition stands ------------------------------------------------------------------------

_advanced, _finished = proof.advanced, PartitionReading._finished


def _finished_with_dates(self: PartitionReading, *given: Any) -> Finished:
    self._pass.has_rows_without_date = self._pass.has_rows_without_id = False
    return _finished(self, *given)


add(
    "cursors of the future stay",
    "A cursor later than Codat's clock isn't believed",
    (judge, "is_in_future", lambda *_: False),
    **BUSY,
    foreign=0.5,
    turns=0.0,
)
add(
    "what has no date is forgotten",
    "Where rows were that no date can find, the next read has no date either",
    (PartitionReading, "_finished", _finished_with_dates),
    (proof, "advanced", lambda entry, **given: _advanced(entry, **{**given, "is_read_whole": False})),
    **BUSY,
    undated=0.3,
    streams=("invoices",),
)
add(
    "an absence is noted although it is named",
    "That there is nothing is noted only of what dataStatus doesn't name",
    (
        proof,
        "nothing_there",
        lambda evidence, connections, given=proof.nothing_there: given(
            evidence.at(replace(evidence.look, types={})), connections
        ),
    ),
    **REFUSING,
)

# --- refusals ----------------------------------------------------------------------------------------

add(
    "409: never synced",
    "409 on data that dataStatus shows isn't 'never synced'",
    (refusals, "is_sure_conflict", lambda *_, **__: True),
    **BUSY,
    conflict=True,
    **WHOLE,
)
add(
    "409: never synced, whatever a second look shows",
    "409 while a sync runs is a failure",
    (refusals, "meaning_of_conflict", lambda *_: Conflict.NEVER_SYNCED),
    **SEVERAL,
    conflict=True,
    **WHOLE,
)
add(
    "running is never synced",
    "A data type whose first sync runs or waits is asked for",
    (
        refusals,
        "ruled_out",
        lambda status: None if status.stage is Stage.COMPLETE else SkipReason.NOT_SYNCED,
    ),
    **BUSY,
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


add(
    "every pass is a proof",
    "A pass is complete where counts agree and nothing was synced, or two passes are equal",
    (proof, "prove", lambda *_: Proof.PROVEN),
    **PAGED,
)
add(
    "totals aren't held against rows",
    "As many different rows as announced have to come",
    (proof, "prove", _prove_with(totals=_as_announced, is_broken=lambda _: False)),
    **PAGED,
)
add(
    "rows are counted, not their ids",
    "A row that comes twice counts once",
    (proof, "prove", _prove_with(distinct=lambda seen: seen.rows, distinct_so_far=lambda seen: seen.rows)),
    **PAGED,
    refuses_order=True,
    restless=True,
    idless=0.0,
)
add(
    "syncs while paging don't matter",
    "Counts that agree prove nothing where something was synced meanwhile",
    (proof, "prove", lambda seen, previous, _: _prove(seen, previous, Change.NOTHING)),
    **PAGED,
)
add(
    "one pass is enough where keys repeat",
    "Rows that can be equal need two equal passes",
    (proof, "prove", _prove_with(equal_rows_count=lambda _: False)),
    **PAGED,
    streams=("banking_account_balances",),
    idless=1.0,
    restless=True,
)
add(
    "the first look bounds the cursor",
    "The cursor passes the safe point of neither look",
    (proof, "reached", lambda seen, looks, *dated: _reached(seen, looks[-1:], *dated)),
    **in_scene("ends after the second pass", "invoices", connections=(1,), page_size=2, one_stamp=False),
)
add(
    "no look bounds the cursor",
    "The cursor passes the safe point of neither look",
    (
        proof,
        "reached",
        lambda seen, looks, *dated: _reached(
            seen, [replace(look, safe_point=seen.latest) for look in looks], *dated
        ),
    ),
    **BUSY,
)
add(
    "the sync of the last look is noted",
    "A sync is noted as read only where both looks show it",
    (
        proof,
        "reached",
        lambda seen, looks, *dated: replace(
            _reached(seen, looks, *dated), read_from=looks[-1].read_from if looks else None
        ),
    ),
    **PAGED,
)

# --- reading, parents, state -------------------------------------------------------------------------

add(
    "parents never come",
    "Children aren't noted as read where parents may have come since they were listed",
    (PartitionReading, "_parents_may_have_come", lambda _: False),
    **in_scene(
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


add(
    "siblings stand alone",
    "Until all siblings were read, none of them stands for the list of parents",
    (store.Siblings, "ended", _ended_alone),
    **{**BUSY, **CHILDREN, "kills": 0.9, "peace": 1.0, "companies": 1, "connections": (1,), "reads": 3},
)
add(
    "options never change",
    "Entries that were written with other options are dropped",
    (store, "_still_holds", lambda *_: True),
    **BUSY,
    turns=0.5,
)


def _note_incomplete(end: Any, entry: Any, note: Any = writer._entry_after) -> Any:
    if isinstance(end.result, Finished) and not end.result.is_complete and end.partition.source is not None:
        source = end.partition.source
        found = replace(end, result=replace(end.result, is_complete=True, cursor=source.look.taken_at))
        return note(found, entry)
    return note(end, entry)


add(
    "an incomplete read moves the cursor",
    "Where completeness can't be shown, the cursor stays",
    (writer, "_entry_after", _note_incomplete),
    **PAGED,
)


_all_siblings = store.Siblings


def _children_proven(left: int, *, is_whole: bool) -> Any:  # noqa: ARG001 - the rule undone
    return _all_siblings(left, is_whole=True)


add(
    "unproven parents are all parents",
    "Where parents can't be proven, the partition stays in doubt",
    (store, "Siblings", _children_proven),
    **in_scene(
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


add(
    "a history of several pages is read once",
    "Several pages of the history have to come twice alike",
    (sync_history, "ask_history", _walk_once),
    **SEVERAL,
    long_history=True,
)


def _skipped_half_way(planner: Any, partition: Any, reading: Any, go: Any = steps._advance) -> Any:
    try:
        return go(planner, partition, reading)
    except PartitionSkipped:
        return Finished(is_complete=True)


add(
    "every refusal means no data",
    "A refusal counts as 'no data' only as the first answer",
    (steps, "_advance", _skipped_half_way),
    **REFUSING,
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


add(
    "new partitions start where others are",
    "A partition without an entry of its own starts from the start",
    (Planner, "_since", _since_of_any),
    **SEVERAL,
)


def _of_the_kinds_alone(self: Company, source_types: Iterable[str], **_: Any) -> list[Connection]:
    wanted = set(source_types)
    held = [one for one in self.dataConnections or () if one.status != "PendingAuth"]
    return [one for one in held if not wanted or one.sourceType in wanted]


add(
    "source types are believed",
    "What dataStatus shows as synced is asked for, whatever the connections seem to be",
    (Company, "connections", _of_the_kinds_alone),
    **BUSY,
    kindless=0.5,
)


# --- rows dated by their Codat sync ----------------------------------------------------------------

_DATED: dict[str, Any] = {**ALONE, "streams": ("commerce_locations",), "full_refresh": 0.0}
_synced_at = judge.synced_at


def _synced_at_before(evidence: Evidence, entry: Entry | None) -> int:
    """Each read's rows are dated before those of the one before."""
    if entry is None or entry.cursor is None:
        return _synced_at(evidence, entry)
    return max(entry.cursor - timestamps.TICKS_PER_SECOND, judge.NEVER)


add(
    "rows may be dated before those of an earlier read",
    "Rows are never dated before what an earlier read has sent",
    (judge, "synced_at", _synced_at_before),
    **_DATED,
)
add(
    "rows of every Codat sync are dated alike",
    "What another Codat sync brought is dated later, so that what is gone can be told",
    (judge, "synced_at", lambda *_: judge.NEVER + timestamps.TICKS_PER_SECOND),
    **_DATED,
)
