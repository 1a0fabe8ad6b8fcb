"""Opens companies: which partitions each has, and which of them needn't be asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from source_codat.companies.company import Company, Shown
from source_codat.companies.context import CompanyContext, WantedDataType
from source_codat.companies.platforms import Platforms
from source_codat.config.settings import Settings
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.http.client import CodatClient
from source_codat.planning.parents import Parents
from source_codat.planning.refused_products import RefusedProducts
from source_codat.reading.reader import Finished, StreamReader
from source_codat.reading.requests import Partition
from source_codat.reporting.outcomes import StreamOutcome
from source_codat.state.store import Siblings, StreamState, is_part, without_mark
from source_codat.streams.definition import CUSTOM_IDENTIFIER, CodatRetriever
from source_codat.trust import judge, proof, refusals
from source_codat.trust.evidence import Entry, Evidence, Look, PartitionKey, hash_of_links

NO_COMPANY = Company(id="")


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

    @property
    def has_children_per_parent(self) -> bool:
        """Whether each parent row makes a partition of its own."""
        return self.parents is not None and not self.retriever.by_new_parents

    def entry(self, key: PartitionKey) -> Entry | None:
        """What the state says of a partition; None in full refresh."""
        return self.state.entries.get(key) if self.state else None

    def any_entry(self, company_id: str, key: PartitionKey) -> Entry | None:
        """What the state says of a partition, or of one below it where it has children."""
        if self.state is None or key in self.state.entries:
            return self.entry(key)
        below = (child_key for child_key in self.state.keys_of(company_id) if child_key[: len(key)] == key)
        return next((self.state.entries[child_key] for child_key in below), None)


@dataclass(frozen=True, kw_only=True)
class PlannedPartition(Partition):
    """A partition with the stream and the company that it belongs to.

    needs_parents: it stands for all partitions below it, whose parents have still to be asked for.
    siblings: those that come from the same list of parents.
    """

    stream: SelectedStream
    company: Company = NO_COMPANY
    needs_parents: bool = False
    siblings: Siblings | None = None

    @property
    def key(self) -> PartitionKey:
        """The ids by which the state knows the partition, as far as they are known."""
        return tuple(self.ids[name] for name in self.stream.retriever.scope if name in self.ids)

    @property
    def label(self) -> str:
        """The partition as people are told of it: company, then what is below it."""
        return ", ".join([self.company.label, *self.key[1:]])


@dataclass(frozen=True)
class PartitionEnd:
    """What became of one partition: `result` tells by its type."""

    partition: PlannedPartition
    result: Finished | PartitionSkipped | PartitionFailed


@dataclass(frozen=True)
class Plan:
    """The partitions of a company, sorted into those to read and those that have ended already."""

    to_read: list[PlannedPartition] = field(default_factory=list)
    ended: list[PartitionEnd] = field(default_factory=list)

    def add(self, planned: PlannedPartition | PartitionEnd) -> None:
        """Add a partition that is to be read, or one that has ended already."""
        if isinstance(planned, PlannedPartition):
            self.to_read.append(planned)
        else:
            self.ended.append(planned)


_STATUS_PATH = "/companies/{companyId}/dataStatus"
CONNECTIONS_PATH = "/companies/{companyId}/connections"


class Planner:
    """Opens companies one by one; safe to use from several threads.

    platforms: what they support, asked once for all companies. refused: products that aren't asked for any
    more.
    """

    def __init__(self, client: CodatClient, settings: Settings, streams: Sequence[SelectedStream]) -> None:
        self._client = client
        self._settings = settings
        self._streams = streams
        self.platforms = Platforms(client)
        self.refused = RefusedProducts()

    @property
    def source_types(self) -> dict[str, Sequence[str]]:
        """By data type of the streams, the kinds of connections that can hold it."""
        retrievers = [stream.retriever for stream in self._streams]
        return {name: retriever.source_types for retriever in retrievers for name in retriever.data_types}

    def context(self, company: Company, listed_at: int | None) -> CompanyContext:
        """What is known of a company, before anything is asked."""
        return CompanyContext(self._client, company, self._wanted(company), listed_at)

    def plan(self, context: CompanyContext) -> Plan:
        """Ask what Codat has of a company; raises PartitionSkipped where Codat doesn't know it."""
        company = context.company
        look: Look | None = None
        trouble: PartitionFailed | None = None
        if context.wanted:
            try:
                look = context.recent_look()
            except PartitionFailed as failed:
                trouble = failed
        plan = Plan()
        for stream in self._streams:
            found = list(self._ids(stream.retriever, company, look))
            for ids in found:
                plan.add(self._planned(stream, ids, context, look, trouble))
            if not found:
                nothing = PlannedPartition(ids={"companyId": company.id}, stream=stream, company=company)
                plan.add(PartitionEnd(nothing, PartitionSkipped(SkipReason.NO_CONNECTION)))
        return plan

    def children(self, above: PlannedPartition) -> Iterator[PlannedPartition | PartitionEnd]:
        """Ask for the parents of a partition's children, and yield each child planned.

        Raises, when called, what the asking raises. Where the parents can't be proven, those that are known
        are read, and the whole stays in doubt.
        """
        stream, context = above.stream, above.context
        if stream.parents is None or context is None:
            raise ValueError(stream.outcome.name)
        found = stream.parents.ids(above)
        listed, look = stream.parents.evidence(above), context.last_look
        siblings = Siblings(found.count, is_whole=found.is_complete)

        def planned() -> Iterator[PlannedPartition | PartitionEnd]:
            if not found.is_complete:
                yield PartitionEnd(above, Finished(is_complete=False))
            for more in found.ids():
                ids = {**above.ids, **more}
                child = self._planned(stream, ids, context, look, None, is_child=True)
                if isinstance(child, PlannedPartition):
                    yield replace(child, siblings=siblings, parents_source=listed)
                else:
                    yield replace(child, partition=replace(child.partition, siblings=siblings))

        return planned()

    def _planned(
        self,
        stream: SelectedStream,
        ids: Mapping[str, str],
        context: CompanyContext,
        look: Look | None,
        trouble: PartitionFailed | None,
        *,
        is_child: bool = False,
    ) -> PlannedPartition | PartitionEnd:
        retriever = stream.retriever
        evidence: Evidence | None = None
        if look is not None and retriever.data_types:
            evidence = Evidence(
                look,
                retriever.data_types,
                ids.get("connectionId"),
                is_by_month=retriever.by_month,
                links=_links(retriever, context.company),
            )
        partition = PlannedPartition(
            ids=ids,
            context=context,
            source=evidence,
            answer=_known_answer(retriever, context.company, look),
            stream=stream,
            company=context.company,
            needs_parents=stream.has_children_per_parent and not is_child,
        )
        if trouble and retriever.data_types:
            return PartitionEnd(partition, trouble)
        reason = self._reason_to_skip(partition, evidence)
        if reason:
            return PartitionEnd(partition, PartitionSkipped(reason))
        entry = stream.entry(partition.key)
        if retriever.by_codat_sync:
            return replace(partition, noted=entry)
        return replace(partition, since=self._since(retriever, entry, context.now))

    def _reason_to_skip(self, partition: PlannedPartition, evidence: Evidence | None) -> SkipReason | None:
        """Why a partition needn't be asked for; None where it has to be."""
        stream, company = partition.stream, partition.company
        if self.refused.is_refused(stream.retriever):
            return SkipReason.NOT_ALLOWED
        if evidence is None:
            return None
        may_skip = self._settings.skip_unchanged and stream.state is not None
        if may_skip and proof.is_still_nothing_there(stream.entry(partition.key), evidence, company.links):
            return SkipReason.NOT_SUPPORTED
        ruled_out = self._ruled_out(evidence, stream.retriever, company)
        if not ruled_out and may_skip and self._is_unchanged(partition, evidence):
            return SkipReason.UNCHANGED
        return ruled_out

    def _ruled_out(
        self, evidence: Evidence, retriever: CodatRetriever, company: Company
    ) -> SkipReason | None:
        """What dataStatus or the platforms say already of a data type."""
        if not retriever.data_type:
            return None
        status = evidence.statuses[0]
        if status is not None:
            return refusals.ruled_out(status)
        if not retriever.source_types:
            return None
        held = company.connections(retriever.source_types, shown=_shown(retriever, evidence.look))
        if not held:
            return SkipReason.NO_CONNECTION
        return SkipReason.NOT_SUPPORTED if self.platforms.none_supports(held, retriever.data_type) else None

    @staticmethod
    def _is_unchanged(partition: PlannedPartition, evidence: Evidence) -> bool:
        """Whether a partition needn't be read again: none that is known below it, where it has children."""
        state, key = partition.stream.state, partition.key
        if state is None:
            return False
        if not partition.needs_parents:
            entry = state.entries.get(key)
            return judge.is_unchanged(evidence, entry and without_mark(entry))
        keys = [
            child_key for child_key in state.keys_of(partition.company.id) if child_key[: len(key)] == key
        ]
        below = [state.entries[child_key] for child_key in keys]
        if not below or any(is_part(entry) for entry in below):
            return False
        return all(judge.is_unchanged(evidence, entry) for entry in below)

    def _ids(
        self, retriever: CodatRetriever, company: Company, look: Look | None
    ) -> Iterator[dict[str, str]]:
        """The ids that are known of a company's partitions before any parent is asked for."""
        identifier = next(iter(retriever.each.get(CUSTOM_IDENTIFIER, ())), "")
        held = company.connections(retriever.source_types, shown=_shown(retriever, look))
        if retriever.source_types and not held and not retriever.data_types:
            return  # no dataStatus to go by, and nothing that could hold the data
        for connection in held if retriever.per_connection else [None]:
            if connection and identifier and not self.platforms.has_custom(connection, identifier):
                continue
            for more in retriever.spread():
                own = {"connectionId": connection.id} if connection else {}
                yield {"companyId": company.id, **own, **more}

    def _since(self, retriever: CodatRetriever, entry: Entry | None, now: int | None) -> int | None:
        start = None if retriever.has_row_key else self._settings.start
        if entry is None or entry.cursor is None or judge.is_in_future(entry.cursor, now):
            return start
        return max(entry.cursor - self._settings.lookback, start or 0)

    def _wanted(self, company: Company) -> dict[str, WantedDataType]:
        """The data types of the selected streams, with what the state says of them for a company."""
        shared: dict[str, bool] = defaultdict(bool)
        entries: dict[str, list[tuple[tuple[str, ...], Entry]]] = defaultdict(list)
        for stream in self._streams:
            types = stream.retriever.data_types
            keys: list[PartitionKey] = stream.state.keys_of(company.id) if stream.state else []
            known = [(types, without_mark(stream.state.entries[key])) for key in keys] if stream.state else []
            for name in types:
                shared[name] |= company.may_be_several(stream.retriever.source_types)
                entries[name] += known
            if stream.parents:
                above = stream.parents.parent
                for name in above.data_types:
                    shared[name] |= company.may_be_several(above.source_types)
        return {name: WantedDataType(several, tuple(entries[name])) for name, several in shared.items()}


def _links(retriever: CodatRetriever, company: Company) -> str:
    """The hash of the connections that rows dated by a Codat sync may be of, where each may be any one's."""
    if not retriever.by_codat_sync or retriever.per_connection:
        return ""
    held = company.connections(retriever.source_types, shown=Shown.DATA)
    return hash_of_links((connection.id, connection.status or "") for connection in held)


def _known_answer(retriever: CodatRetriever, company: Company, look: Look | None) -> bytes | None:
    """What Codat would answer to a question that was answered already, by another name; else None."""
    if retriever.path == CONNECTIONS_PATH:
        return company.connection_list
    return look.body if look and retriever.path == _STATUS_PATH else None


def _shown(retriever: CodatRetriever, look: Look | None) -> Shown:
    """What dataStatus shows of a stream's own data type; where it is unknown, there may be data."""
    if not retriever.data_type:
        return Shown.NOTHING
    if look is None:
        return Shown.DATA
    status = look.types.get(retriever.data_type)
    if status is not None:
        return Shown.DATA if status.may_have_data else Shown.NOTHING
    return Shown.DATA if look.names(retriever.data_type) else Shown.NOT_NAMED
