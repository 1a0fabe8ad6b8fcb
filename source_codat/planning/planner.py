"""What is to be read of one company: its partitions, and those that needn't be asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from source_codat.companies.company import NOT_SUPPORTED, Company, StatusReport
from source_codat.companies.context import CompanyContext, DataTypeView
from source_codat.companies.platforms import Platforms
from source_codat.config.settings import Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.http.client import CodatClient
from source_codat.planning.parents import Parents
from source_codat.planning.refused_products import Refusals
from source_codat.reading.reader import Finished, StreamReader
from source_codat.reading.requests import Partition
from source_codat.reporting.outcomes import StreamOutcome
from source_codat.state.group import Group, alone
from source_codat.state.store import StreamState
from source_codat.streams.definition import CUSTOM_IDENTIFIER, CodatRetriever
from source_codat.trust.entry import Entry, PartitionKey

_STATUS_PATH = "/companies/{companyId}/dataStatus"


@dataclass(frozen=True)
class SelectedStream:
    """A stream of the configured catalog; `state` only where it is read incrementally.

    parents: where a stream's partitions come from another stream's rows.
    """

    retriever: CodatRetriever
    reader: StreamReader
    outcome: StreamOutcome
    state: StreamState | None
    parents: Parents | None = None


@dataclass(frozen=True)
class PartitionEnd:
    """What became of one partition: `result` tells by its type."""

    stream: SelectedStream
    company: Company
    key: PartitionKey
    result: Finished | PartitionSkipped | PartitionFailed
    view: DataTypeView | None = None
    group: Group | None = None


@dataclass(frozen=True)
class Planned:
    """A partition with the stream it belongs to; with `parents` still to be asked, a group of them."""

    stream: SelectedStream
    company: Company
    key: PartitionKey
    partition: Partition
    grouped: bool = False
    group: Group | None = None


@dataclass(frozen=True)
class Plan:
    """The partitions of a company, sorted into those to read and those that have ended already."""

    to_read: list[Planned] = field(default_factory=list)
    ended: list[PartitionEnd] = field(default_factory=list)

    def add(self, one: Planned | PartitionEnd) -> None:
        """Sort one partition in."""
        if isinstance(one, Planned):
            self.to_read.append(one)
        else:
            self.ended.append(one)


class Planner:
    """Opens companies one by one."""

    def __init__(self, client: CodatClient, settings: Settings, streams: Sequence[SelectedStream]) -> None:
        self._client = client
        self._settings = settings
        self._streams = streams
        self.platforms = Platforms(client)
        self.refusals = Refusals()

    @property
    def source_types(self) -> dict[str, Sequence[str]]:
        """By data type of the streams, the kinds of connections that can hold it."""
        retrievers = [stream.retriever for stream in self._streams]
        return {name: one.source_types for one in retrievers for name in one.data_types}

    def context(self, company: Company, listed_at: int | None) -> CompanyContext:
        """What is known of a company, before anything is asked."""
        return CompanyContext(
            self._client, company, self._shared(company), self._history_since(company), listed_at
        )

    def plan(self, context: CompanyContext) -> Plan:
        """Ask what Codat has of a company; raises PartitionSkipped where Codat doesn't know it."""
        company = context.company
        trouble: PartitionFailed | None = None
        data_types = {name for stream in self._streams for name in stream.retriever.data_types}
        if data_types:
            try:
                context.open(data_types)
            except PartitionFailed as failed:
                trouble = failed
        plan = Plan()
        for stream in self._streams:
            groups = list(self._groups(stream.retriever, company))
            if not groups:
                plan.add(
                    PartitionEnd(stream, company, (company.id,), PartitionSkipped(SkipReason.NO_CONNECTION))
                )
            for ids in groups:
                plan.add(self._planned(stream, company, ids, context, trouble))
        return plan

    def expand(self, group: Planned) -> Plan:
        """Ask a group's parents, and plan a partition for each; raises what the asking raises."""
        context = group.partition.context
        if group.stream.parents is None or context is None:
            raise ValueError(group.stream.outcome.name)
        plan = Plan()
        found = group.stream.parents.ids(group.partition)
        listed = group.stream.parents.source(group.partition)
        together = Group(len(found))
        for more in found:
            ids = {**group.partition.ids, **more}
            one = self._planned(group.stream, group.company, ids, context, None, grouped=False)
            if isinstance(one, Planned):
                one = replace(one, partition=replace(one.partition, parents_source=listed))
            plan.add(replace(one, group=together))
        return plan

    def _planned(
        self,
        stream: SelectedStream,
        company: Company,
        ids: Mapping[str, str],
        context: CompanyContext,
        trouble: PartitionFailed | None,
        *,
        grouped: bool = True,
    ) -> Planned | PartitionEnd:
        retriever, report = stream.retriever, context.report
        grouped = grouped and stream.parents is not None and not retriever.by_new_parents
        key = tuple(ids[name] for name in retriever.scope if name in ids)
        if trouble and retriever.data_types:
            return PartitionEnd(stream, company, key, trouble)
        if self.refusals.closed(retriever):
            return PartitionEnd(stream, company, key, PartitionSkipped(SkipReason.NOT_ALLOWED))
        view = self._view(retriever, ids, context, report)
        entry = stream.state.entries.get(key) if stream.state else None
        if view is not None:
            skipping = self._settings.skip_unchanged and stream.state is not None
            absent = _absent(view, company) if skipping else None
            if absent is not None and absent == entry:
                return PartitionEnd(stream, company, key, PartitionSkipped(SkipReason.NOT_SUPPORTED))
            ruled_out = _ruled_out(view, retriever, company, self.platforms)
            if not ruled_out and skipping and self._unchanged(stream, company, key, view, grouped=grouped):
                ruled_out = SkipReason.UNCHANGED
            if ruled_out:
                return PartitionEnd(stream, company, key, PartitionSkipped(ruled_out), view)
        answer = report.body if report and retriever.path == _STATUS_PATH else None
        since = self._since(retriever, entry, context.now)
        return Planned(stream, company, key, Partition(ids, since, context, view, answer=answer), grouped)

    @staticmethod
    def _unchanged(
        stream: SelectedStream, company: Company, key: PartitionKey, view: DataTypeView, *, grouped: bool
    ) -> bool:
        """Whether a partition needn't be read again; a group, whether none that is known below it does."""
        if stream.state is None:
            return False
        if not grouped:
            return view.unchanged_since(alone(stream.state.entries.get(key)))
        below = [one for one in stream.state.keys_of(company.id) if one[: len(key)] == key]
        return bool(below) and all(view.unchanged_since(stream.state.entries[one]) for one in below)

    def _groups(self, retriever: CodatRetriever, company: Company) -> Iterator[dict[str, str]]:
        """The ids that are known of a company's partitions before any parent is asked."""
        identifier = next(iter(retriever.each.get(CUSTOM_IDENTIFIER, ())), "")
        held = company.connections(retriever.source_types)
        if retriever.source_types and not held and not retriever.data_types:
            return  # no dataStatus to go by, and nothing that could hold the data
        for connection in held if retriever.per_connection else [None]:
            if connection and identifier and not self.platforms.have_custom(connection, identifier):
                continue
            for more in retriever.spread():
                own = {"connectionId": connection.id} if connection else {}
                yield {"companyId": company.id, **own, **more}

    @staticmethod
    def _view(
        retriever: CodatRetriever,
        ids: Mapping[str, str],
        context: CompanyContext,
        report: StatusReport | None,
    ) -> DataTypeView | None:
        if report is None or not retriever.data_types:
            return None
        shared = bool(context.shared.intersection(retriever.data_types))
        return DataTypeView(report, retriever.data_types, ids.get("connectionId"), shared)

    def _since(self, retriever: CodatRetriever, entry: Entry | None, now: int | None) -> int | None:
        start = None if retriever.shape == "row_key" else self._settings.start
        if entry is None or entry.cursor is None or in_future(entry, now):
            return start
        return max(entry.cursor - self._settings.lookback, start or 0)

    def _shared(self, company: Company) -> frozenset[str]:
        """The data types that several of the company's connections can hold."""
        return frozenset(
            name
            for stream in self._streams
            for name in stream.retriever.data_types
            if len(company.connections(stream.retriever.source_types)) > 1
        )

    def _history_since(self, company: Company) -> str | None:
        """From when on the sync history tells whether anything is new: the oldest cursor."""
        cursors = [
            entry.cursor
            for stream in self._streams
            if stream.state and stream.retriever.data_types
            for key in stream.state.keys_of(company.id)
            if (entry := stream.state.entries[key]).cursor is not None
        ]
        return timestamps.query_date(min(cursors)) if cursors else None


def in_future(entry: Entry, now: int | None) -> bool:
    """Whether a cursor is later than Codat's own clock: no safe read can have left it there."""
    return entry.cursor is not None and now is not None and entry.cursor > now + timestamps.TICKS_PER_SECOND


def advanced(entry: Entry | None, done: Finished, view: DataTypeView | None) -> Entry | None:
    """Where a partition stands after a read; None where there is nothing to note."""
    if not done.complete:
        return entry
    now = view.report.taken_at if view else done.server_time
    old = None if entry is None or done.unkeyed or in_future(entry, now) else entry.cursor
    cursor = max((point for point in (old, done.cursor) if point is not None), default=None)
    return Entry(cursor, done.sync_id) if cursor is not None or done.sync_id else None


def _ruled_out(
    view: DataTypeView, retriever: CodatRetriever, company: Company, platforms: Platforms
) -> SkipReason | None:
    """Why Codat needn't be asked for a partition: what dataStatus or the platforms say already."""
    if not retriever.data_type:
        return None
    status = view.statuses[0]
    if status is None:
        if not retriever.source_types:
            return None
        held = company.connections(retriever.source_types)
        if not held:
            return SkipReason.NO_CONNECTION
        return SkipReason.NOT_SUPPORTED if platforms.rule_out(held, retriever.data_type) else None
    if status.currentStatus == NOT_SUPPORTED and not status.has_data:
        return SkipReason.NOT_SUPPORTED
    return SkipReason.NOT_SYNCED if status.never_synced else None


def _absent(view: DataTypeView, company: Company) -> Entry | None:
    """What is noted of a partition that Codat refused and dataStatus doesn't name: with which connections.

    It isn't asked for again until dataStatus names it, or the company's connections are others.
    """
    if any(view.statuses):
        return None
    links = sorted(f"{one.id}:{one.status}" for one in company.dataConnections or ())
    return Entry(None, f"none:{hashlib.sha256('|'.join(links).encode()).hexdigest()[:16]}")


def after_refusal(end: PartitionEnd, entry: Entry | None) -> Entry | None:
    """Where a refused partition stands: as before, or known to hold nothing."""
    unsupported = isinstance(end.result, PartitionSkipped) and end.result.reason is SkipReason.NOT_SUPPORTED
    if not unsupported or end.view is None or (entry and entry.cursor is not None):
        return entry
    return _absent(end.view, end.company) or entry
