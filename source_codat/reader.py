"""Reading one partition completely, or saying that it isn't known to be complete.

Why these rules and no others: docs/behaviour.md, "Complete, or says so".
"""

from __future__ import annotations

import logging
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from source_codat import timestamps
from source_codat.client import CodatClient
from source_codat.components import CodatRetriever
from source_codat.context import CompanyContext, DataTypeView
from source_codat.errors import PartitionFailed
from source_codat.pages import Page, PageDecoder
from source_codat.rows import RowBatch, batch
from source_codat.settings import Settings

MAX_PASSES = 4
_SMALLEST_PAGE = 25
_BUCKETS = 64
logger = logging.getLogger("airbyte")


@dataclass
class KeyTally:
    """Counts distinct keys in eight bytes a row: a set of a million would cost over 100 MB."""

    _hashes: array[int] = field(default_factory=lambda: array("q"))

    def add(self, page: Page) -> None:
        """Note the rows of a page: by id, or by what they say where they have none."""
        if None in page.ids:
            pairs = zip(page.ids, page.rows, strict=True)
            self._hashes.extend(hash(bytes(row) if key is None else key) for key, row in pairs)
        else:
            self._hashes.extend(map(hash, page.ids))

    def __len__(self) -> int:
        return len(self._hashes)

    def distinct(self) -> int:
        """How many different keys there were."""
        if len(self._hashes) < 100_000:
            return len(set(self._hashes))
        buckets: list[array[int]] = [array("q") for _ in range(_BUCKETS)]
        for value in self._hashes:
            buckets[value % _BUCKETS].append(value)
        return sum(len(set(bucket)) for bucket in buckets)

    def fingerprint(self) -> tuple[int, int]:
        """Equal for two passes that saw the same rows, in whatever order."""
        return len(self._hashes), sum(self._hashes)


@dataclass
class Pass:
    """One walk through a partition's pages."""

    keys: KeyTally = field(default_factory=KeyTally)
    pages: int = 0
    totals: set[int | None] = field(default_factory=set)
    latest: int | None = None
    broken: bool = False
    shortest: int = 0

    @property
    def total(self) -> int | None:
        """What every page gave as the total; None where they differ or don't say."""
        return next(iter(self.totals)) if len(self.totals) == 1 else None

    def counts_agree(self) -> bool:
        """Whether every page gave the same total, and that many different rows came."""
        return not self.broken and self.total is not None and self.keys.distinct() == self.total


@dataclass(frozen=True)
class Partition:
    """One full path to read: its ids by the path's names, and from which instant on (None: all).

    params: what its requests carry besides; answer: the body, where it has been asked for already.
    """

    ids: Mapping[str, str]
    since: int | None = None
    context: CompanyContext | None = None
    source: DataTypeView | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    answer: bytes | None = None


@dataclass(frozen=True)
class Finished:
    """A partition's end: complete or not, and where its next read may start.

    cursor: the instant that was reached, never past the safe point; None where none was.
    """

    complete: bool
    cursor: int | None
    sync_id: str | None
    records: int


class PartitionReader:
    """Reads the partitions of one stream; one instance serves several threads."""

    def __init__(
        self,
        client: CodatClient,
        retriever: CodatRetriever,
        settings: Settings,
        emit: Callable[[RowBatch], None],
    ) -> None:
        self.retriever = retriever
        self._client = client
        self._settings = settings
        self._emit = emit
        self._decoder = PageDecoder(retriever)
        self._order_by = retriever.order_by
        self._fixed = retriever.request_parameters()
        self._from_request = {
            name: self._fixed[name].encode() for name in retriever.from_request if name in self._fixed
        }

    def read(self, partition: Partition) -> Finished:
        """Send out all rows of a partition, in as many passes as the proof needs."""
        before, previous, records = partition.source, None, 0
        size = self._settings.page_size
        for _ in range(MAX_PASSES):
            done = self._walk(partition, size)
            records += len(done.keys)
            ended = time.monotonic()
            after = self._after(partition, before, done, ended)
            if self._proven(done, previous, before, after):
                return self._finish(done, before, after, records)
            previous, before = done, after or before
            if done.shortest:
                size = max(_SMALLEST_PAGE, min(size, done.shortest))
        return Finished(complete=False, cursor=None, sync_id=None, records=records)

    def _after(
        self, partition: Partition, before: DataTypeView | None, done: Pass, ended: float
    ) -> DataTypeView | None:
        """The syncs after a pass, where one answer wasn't all of it: a single answer is a snapshot."""
        if before is None or partition.context is None or (done.pages == 1 and done.counts_agree()):
            return None
        report = partition.context.refreshed(ended)
        return DataTypeView(report, before.data_type, before.connection_id, before.shared)

    def _proven(
        self, done: Pass, previous: Pass | None, before: DataTypeView | None, after: DataTypeView | None
    ) -> bool:
        if not self.retriever.paged:
            return True
        agree = done.counts_agree()
        if agree and (done.pages == 1 or (before and after and before.same_syncs(after))):
            return True
        # No sync to compare, or one under way: then two equal passes in a row have to do.
        unsaid = not done.broken and done.totals == {None}
        return (
            (agree or unsaid)
            and previous is not None
            and not previous.broken
            and previous.totals == done.totals
            and previous.keys.fingerprint() == done.keys.fingerprint()
        )

    @staticmethod
    def _finish(
        done: Pass, before: DataTypeView | None, after: DataTypeView | None, records: int
    ) -> Finished:
        points = [view.safe_point for view in (before, after) if view is not None]
        known = [point for point in points if point is not None]
        cursor = None
        if done.latest is not None and known and len(known) == len(points):
            cursor = min(done.latest, *known)
        same = before is not None and (after is None or before.sync_id == after.sync_id)
        return Finished(True, cursor, before.sync_id if before and same else None, records)

    def _walk(self, partition: Partition, size: int) -> Pass:
        """One pass: every page, sent out as it comes."""
        done = Pass()
        path = self.retriever.url_path(partition.ids)
        ids = {name: msgspec.json.encode(value) for name, value in partition.ids.items()}
        number, previous_ids = 1, None
        while True:
            page, number, size = self._ask(path, partition, number, size)
            done.pages += 1
            done.totals.add(page.total)
            done.keys.add(page)
            done.latest = max(filter(None, (done.latest, page.latest)), default=None)
            if page.rows:
                self._emit(batch(self.retriever.name, page, ids, {**self._from_request, **page.envelope}))
            if not self.retriever.paged:
                return done
            more = page.has_next or (page.total is not None and len(done.keys) < page.total)
            repeated = done.pages > 1 and page.ids == previous_ids
            too_many = page.total is not None and len(done.keys) > 2 * page.total + 2 * size
            if not page.rows or not more or repeated or too_many:
                done.broken = bool(page.rows) and more
                return done
            if page.page_size and 0 < page.page_size < size and number == 1:
                size = page.page_size  # the server's own limit: offsets must be counted with it
            elif len(page.rows) < size:
                done.shortest = min(done.shortest or size, len(page.rows))
            number, previous_ids = number + 1, page.ids

    def _ask(self, path: str, partition: Partition, number: int, size: int) -> tuple[Page, int, int]:
        """One page, smaller where Codat times out on it, unordered where Codat refuses the order."""
        while True:
            if partition.answer is not None:
                return self._decoder.decode(partition.answer), number, size
            params = self._parameters(partition, number, size)
            try:
                page = self._client.get(path, params, lambda answer: self._decoder.decode(answer.body))
            except PartitionFailed as error:
                if error.status == 400 and "orderBy" in params:
                    self._give_up_order(path, params)
                    continue
                if error.timed_out and self.retriever.paged and size > _SMALLEST_PAGE:
                    offset = (number - 1) * size
                    size = max(_SMALLEST_PAGE, size // 4)
                    number = offset // size + 1  # from there some rows come twice, none is passed over
                    logger.info("Codat: %s takes too long; asking for pages of %d.", path, size)
                    continue
                raise
            return page, number, size

    def _give_up_order(self, path: str, params: dict[str, Any]) -> None:
        """Go on without orderBy, if that is what Codat refused: raises what it says otherwise."""
        plain = {name: value for name, value in params.items() if name != "orderBy"}
        self._client.get(path, plain, lambda _: None)
        self._order_by = ""
        logger.info("Codat: %s can't be ordered by %s; reading it as it comes.", path, params["orderBy"])

    def _parameters(self, partition: Partition, number: int, size: int) -> dict[str, Any]:
        params: dict[str, Any] = {**self._fixed, **partition.params}
        if self.retriever.paged:
            params.update(page=number, pageSize=size)
            if self._order_by:
                params["orderBy"] = self._order_by
        query = self.query(partition.since)
        if query:
            params["query"] = query
        return params

    def query(self, since: int | None) -> str:
        """What is asked of Codat's query language: changes since an instant, and the user's part."""
        terms = []
        if since is not None and self.retriever.queryable and self.retriever.cursor_field:
            terms.append(f"{self.retriever.cursor_field}>={timestamps.query_date(since)}")
        if self.retriever.marks_deleted and not self._settings.include_deleted:
            terms.append("metadata.isDeleted!=true")
        filtered = self._settings.filters.get(self.retriever.name, "")
        if filtered:
            terms.append("{" + filtered + "}" if "||" in filtered else filtered)
        return "&&".join(terms)
