"""What is to be read of a company: partitions, sorted into those to read and those that have ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from source_codat.companies.company import Company
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped
from source_codat.planning.parents import Parents
from source_codat.reading.reader import Finished, StreamReader
from source_codat.reading.requests import Partition
from source_codat.reporting.outcomes import StreamOutcome
from source_codat.state.store import Siblings, StreamState
from source_codat.streams.definition import CodatRetriever
from source_codat.trust.entry import Entry, PartitionKey

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
