"""How one stream is read: a row of the manifest's table, joined with its family."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import product

from airbyte_cdk.sources.declarative.requesters import HttpRequester

from source_codat.foundation.paths import path_segment
from source_codat.streams.columns import Columns

CUSTOM_IDENTIFIER = "customDataIdentifier"  # the placeholder that a custom data type's name fills
DELETED_AT = "_ab_cdc_deleted_at"  # the column by which Airbyte's destinations delete a row
ROW_KEY = "rowKey"  # the column that tells rows apart which have no reliable id
CUSTOM = "custom/"  # what a custom data type's own name is preceded by
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Paging(Enum):
    """How a stream's rows come in several answers; the value is the manifest's word."""

    NONE = ""  # one answer is all
    NUMBERS = "pages"  # page and pageSize
    TOKENS = "token"  # continuationToken


class DatedBy(Enum):
    """Where the values of a stream's cursor field come from; the value is the manifest's word."""

    ROW = ""  # Codat dates each row
    PARENT = "parent"  # a row carries the date of its parent's row
    CODAT_SYNC = "codat_sync"  # a row carries the date of the Codat sync that it was read from


class Shape(Enum):
    """What becomes of the rows of an answer; the value is the manifest's word."""

    AS_SENT = ""
    LINES = "lines"  # a financial statement's lines are the rows


@dataclass
class CodatRetriever:
    """How one stream is read: a row of the manifest, joined with its family.

    path: with {companyId}, {connectionId} … (the partition) and {dataset} (the row's own part).
    records: where the rows are in an answer: a top-level field, "" (the body) or "*" (its values).
    paging, shape: how rows come, and what becomes of them.
    id_field: what tells rows apart, "" where only all of a row does. ordered: whether Codat can
    order by it, or else by id. ids_required: whether a row without it makes the whole list unusable.
    key_fields: what the column rowKey is made of, where it is in the key: the field that tells rows
    apart stands last, before it those that qualify it; silent: the row's id.
    cursor_field, queryable: what the stream is incremental by, and whether `query` is understood.
    dated_by: where the cursor field's values come from. Dated by its parent's rows, a stream is asked for
    the parents since the last read only, and never again. Dated by Codat's syncs, each partition is read
    whole, unless no Codat sync has touched its data types since.
    by_month: whether the rows are of months up to the present one, so that a new month may bring others
    although nothing was synced.
    finished: the statuses of rows that don't change any more; the cursor stops at any other row.
    marks_deleted: whether deleted records stay, with metadata.isDeleted. dates_deletions: whether their rows
    say in a column of their own when they were deleted, as the user wants it.
    data_type, depends_on: the data types whose Codat syncs tell which rows are visible.
    source_types: the kinds of connections that hold the data type.
    each: further ids of a partition, with their values: in the path, or else query parameters.
    parent, parent_ids: the stream whose rows make further partitions, and which field of a row
    fills which placeholder; latest: only the latest complete row of that type.
    always: a query that every request carries. product: what of Codat the endpoint belongs to.
    from_envelope, from_request: top-level fields added from the answer and from the request.
    from_nested: top-level fields added from nested ones of the row, by their paths ("recordRef.id").
    shares_answers: whether another stream puts the same questions. columns: its key and its schema.
    """

    requester: HttpRequester = field(repr=False)  # it has the configuration in it
    name: str
    path: str
    records: str
    dataset: str = ""
    paging: Paging = Paging.NONE
    id_field: str = "id"
    ordered: bool = False
    ids_required: bool = False
    key_fields: Sequence[str] = ()
    cursor_field: str = ""
    dated_by: DatedBy = DatedBy.ROW
    by_month: bool = False
    queryable: bool = False
    finished: Sequence[str] = ()
    marks_deleted: bool = False
    data_type: str = ""
    depends_on: Sequence[str] = ()
    source_types: Sequence[str] = ()
    each: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parent: str = ""
    parent_ids: Mapping[str, str] = field(default_factory=dict)
    latest: str = ""
    always: str = ""
    product: str = ""
    from_envelope: Sequence[str] = ()
    from_request: Sequence[str] = ()
    from_nested: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = Shape.AS_SENT
    shares_answers: bool = False
    dates_deletions: bool = False
    columns: Columns = field(default_factory=Columns)

    def __post_init__(self) -> None:
        # The manifest has their words.
        self.paging, self.shape = Paging(self.paging), Shape(self.shape)
        self.dated_by = DatedBy(self.dated_by)
        self.path = self.path.replace("{dataset}", self.dataset or self.data_type)
        # The ids that make a partition, in the order of the path: companyId, connectionId …
        in_path = tuple(_PLACEHOLDER.findall(self.path))
        self.scope: tuple[str, ...] = in_path + tuple(name for name in self.each if name not in in_path)

    @property
    def has_row_key(self) -> bool:
        """Whether the column rowKey is part of the key."""
        return ROW_KEY in self.columns.key

    @property
    def has_pages(self) -> bool:
        """Whether an answer may be one of several."""
        return self.paging is not Paging.NONE

    @property
    def own_key(self) -> str:
        """The part of the key that is the row's own id in Codat, or ""."""
        is_own = self.id_field in self.columns.key and self.id_field not in self.scope
        return self.id_field if is_own else ""

    @property
    def per_connection(self) -> bool:
        """Whether the stream is read connection by connection."""
        return "connectionId" in self.scope

    @property
    def state_scope(self) -> tuple[str, ...]:
        """The ids of what the state has an entry for: a partition, or all that a parent's date covers."""
        return tuple(n for n in self.scope if n not in self.parent_ids) if self.by_new_parents else self.scope

    @property
    def by_new_parents(self) -> bool:
        """Whether each parent is asked once, when it is new."""
        return self.dated_by is DatedBy.PARENT

    @property
    def by_codat_sync(self) -> bool:
        """Whether a row is dated by the Codat sync that it was read from."""
        return self.dated_by is DatedBy.CODAT_SYNC

    @property
    def row_cursor_field(self) -> str:
        """The cursor field where Codat's rows have it, or ""."""
        return self.cursor_field if self.dated_by is DatedBy.ROW else ""

    @property
    def data_types(self) -> tuple[str, ...]:
        """The data types whose Codat syncs tell which rows are visible."""
        return ((self.data_type,) if self.data_type else ()) + tuple(self.depends_on)

    def spread(self) -> Iterator[dict[str, str]]:
        """Every combination of the further ids; one, empty, where there are none."""
        for values in product(*self.each.values()):
            yield dict(zip(self.each, values, strict=True))

    def url_path(self, partition: Mapping[str, str]) -> str:
        """The path for one partition; raises PartitionFailed where an id of it can't be part of one."""
        return _PLACEHOLDER.sub(lambda found: path_segment(partition[found.group(1)]), self.path)

    def parameters(self, partition: Mapping[str, str]) -> dict[str, str]:
        """The ids of a partition that are query parameters."""
        placeholders = _PLACEHOLDER.findall(self.path)
        return {name: partition[name] for name in self.each if name not in placeholders}

    def request_parameters(self) -> dict[str, str]:
        """The parameters that every request of the stream carries, from the manifest."""
        given = self.requester.get_request_params(stream_state={}, stream_slice=None, next_page_token=None)
        return {name: str(value) for name, value in given.items()}
