"""What is to be read of one company: its partitions, and those that needn't be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from airbyte_cdk.models import FailureType

from source_codat import timestamps
from source_codat.client import CodatClient
from source_codat.company import NOT_SUPPORTED, Company, StatusReport
from source_codat.components import CodatRetriever
from source_codat.context import CompanyContext, DataTypeView
from source_codat.errors import PartitionFailed, PartitionSkipped
from source_codat.outcome import StreamOutcome
from source_codat.reader import Finished, Partition, PartitionReader
from source_codat.settings import Settings
from source_codat.state import Entry, PartitionKey, StreamState

_STATUS_PATH = "/companies/{companyId}/dataStatus"


@dataclass(frozen=True)
class SelectedStream:
    """A stream of the configured catalog; `state` only where it is read incrementally."""

    retriever: CodatRetriever
    reader: PartitionReader
    outcome: StreamOutcome
    state: StreamState | None


@dataclass(frozen=True)
class PartitionEnd:
    """What became of one partition: `result` tells by its type."""

    stream: SelectedStream
    company: Company
    key: PartitionKey
    result: Finished | PartitionSkipped | PartitionFailed
    report: StatusReport | None = None


@dataclass(frozen=True)
class Planned:
    """A partition with the stream it belongs to."""

    stream: SelectedStream
    company: Company
    key: PartitionKey
    partition: Partition


@dataclass(frozen=True)
class Plan:
    """The partitions of a company, sorted into those to read and those that have ended already."""

    to_read: Sequence[Planned]
    ended: Sequence[PartitionEnd]


class Planner:
    """Opens companies one by one."""

    def __init__(self, client: CodatClient, settings: Settings, streams: Sequence[SelectedStream]) -> None:
        self._client = client
        self._settings = settings
        self._streams = streams

    def plan(self, company: Company) -> Plan:
        """Ask what Codat has of a company; raises PartitionSkipped where Codat doesn't know it."""
        context = CompanyContext(self._client, company, self._shared(company), self._history_since(company))
        trouble: PartitionFailed | None = None
        if any(stream.retriever.data_type for stream in self._streams):
            try:
                context.open()
            except PartitionFailed as failed:
                trouble = failed
        to_read: list[Planned] = []
        ended: list[PartitionEnd] = []
        for stream in self._streams:
            keys = list(_keys(stream.retriever, company))
            if not keys:
                skipped = PartitionSkipped("no_connection")
                ended.append(PartitionEnd(stream, company, (company.id,), skipped))
            for key in keys:
                if trouble and stream.retriever.data_type:
                    ended.append(PartitionEnd(stream, company, key, trouble))
                    continue
                planned = self._partition(stream, company, key, context)
                if isinstance(planned, PartitionSkipped):
                    ended.append(PartitionEnd(stream, company, key, planned))
                else:
                    to_read.append(Planned(stream, company, key, planned))
        return Plan(to_read, ended)

    def _partition(
        self, stream: SelectedStream, company: Company, key: PartitionKey, context: CompanyContext
    ) -> Partition | PartitionSkipped:
        retriever, report = stream.retriever, context.report
        ids = dict(zip(retriever.scope, key, strict=True))
        view = self._view(retriever, ids, context, report)
        entry = stream.state.entries.get(key) if stream.state else None
        if view is not None:
            ruled_out = _ruled_out(view, retriever, company)
            if ruled_out:
                return PartitionSkipped(ruled_out)
            if stream.state and self._settings.skip_unchanged and view.unchanged_since(entry):
                return PartitionSkipped("unchanged")
        answer = report.body if report and retriever.path == _STATUS_PATH else None
        return Partition(ids, self._since(entry, report), context, view, answer=answer)

    @staticmethod
    def _view(
        retriever: CodatRetriever,
        ids: Mapping[str, str],
        context: CompanyContext,
        report: StatusReport | None,
    ) -> DataTypeView | None:
        if report is None or not retriever.data_type:
            return None
        shared = retriever.data_type in context.shared
        return DataTypeView(report, retriever.data_type, ids.get("connectionId"), shared)

    def _since(self, entry: Entry | None, report: StatusReport | None) -> int | None:
        start = self._settings.start
        if entry is None or entry.cursor is None or in_future(entry, report):
            return start
        return max(entry.cursor - self._settings.lookback, start or 0)

    def _shared(self, company: Company) -> frozenset[str]:
        """The data types that several of the company's connections can hold."""
        return frozenset(
            stream.retriever.data_type
            for stream in self._streams
            if stream.retriever.data_type and len(company.connections(stream.retriever.source_types)) > 1
        )

    def _history_since(self, company: Company) -> str | None:
        """From when on the sync history tells whether anything is new: the oldest shared cursor."""
        shared = self._shared(company)
        cursors = [
            entry.cursor
            for stream in self._streams
            if stream.state and stream.retriever.data_type in shared
            for key in _keys(stream.retriever, company)
            if (entry := stream.state.entries.get(key)) and entry.cursor is not None
        ]
        return timestamps.query_date(min(cursors)) if cursors else None


def in_future(entry: Entry, report: StatusReport | None) -> bool:
    """Whether a cursor is later than Codat's own clock: no safe read can have left it there."""
    now = report.taken_at if report else None
    return entry.cursor is not None and now is not None and entry.cursor > now + timestamps.TICKS_PER_SECOND


def advanced(entry: Entry | None, done: Finished, report: StatusReport | None) -> Entry | None:
    """Where a partition stands after a read; None where there is nothing to note."""
    if not done.complete:
        return entry
    old = None if entry is None or in_future(entry, report) else entry.cursor
    cursor = max((point for point in (old, done.cursor) if point is not None), default=None)
    return Entry(cursor, done.sync_id) if cursor is not None or done.sync_id else None


def _keys(retriever: CodatRetriever, company: Company) -> Iterator[PartitionKey]:
    if retriever.per_connection:
        for connection in company.connections(retriever.source_types):
            yield company.id, connection.id
    else:
        yield (company.id,)


def _ruled_out(view: DataTypeView, retriever: CodatRetriever, company: Company) -> str:
    """Why Codat needn't be asked for a partition: what dataStatus says already."""
    status = view.status
    if status is None:
        held = not retriever.source_types or company.connections(retriever.source_types)
        return "" if held else "no_connection"
    if status.currentStatus == NOT_SUPPORTED and not status.has_data:
        return "not_supported"
    return "not_synced" if status.never_synced else ""


def as_failure(result: PartitionSkipped, view: DataTypeView | None) -> PartitionFailed | None:
    """The failure that a refusal amounts to: 409 on a data type that has data means that a sync runs."""
    status = view.status if view else None
    if result.reason == "not_synced" and status is not None and status.has_data:
        return PartitionFailed(
            f"Codat doesn't give out the data while it is being synced: {result.detail}",
            FailureType.transient_error,
        )
    return None
