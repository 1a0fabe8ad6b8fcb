"""Reading one partition completely, or saying that it isn't known to be complete.

Here the evidence is collected; whether it is a proof, `source_codat.trust.proof` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from source_codat.config.settings import Settings
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.reading.pages import Page
from source_codat.reading.passes import Pass, row_hashes
from source_codat.reading.requests import SMALLEST_PAGE, PageRequest, Partition, StreamRequests
from source_codat.reading.row_keys import HeldRows, RowKeys
from source_codat.reading.rows import RowBatch, batch
from source_codat.reading.shapes import shaped
from source_codat.streams.definition import CodatRetriever
from source_codat.trust import judge
from source_codat.trust.evidence import Evidence
from source_codat.trust.judge import Change, Identity
from source_codat.trust.proof import (
    PassEvidence,
    Proof,
    SyncLook,
    prove,
    reached,
)

MAX_PASSES = 4


@dataclass(frozen=True)
class Finished:
    """A partition's end: complete or not, and where its next read may start.

    cursor: the instant that was reached, never past the safe point; None where none was.
    read_from: the Codat syncs that its rows come from; None in doubt.
    unkeyed: rows without ids were among them, so that the next read must be of everything again.
    server_time: Codat's clock at the first answer, an instant.
    """

    complete: bool
    cursor: int | None = None
    read_from: Identity | None = None
    records: int = 0
    unkeyed: bool = False
    server_time: int | None = None


class StreamReader:
    """Reads the partitions of one stream; one instance serves several threads."""

    def __init__(
        self,
        client: CodatClient,
        retriever: CodatRetriever,
        settings: Settings,
        emit: Callable[[RowBatch], None],
        stats: RequestStats | None = None,
    ) -> None:
        self._requests = StreamRequests(client, retriever, settings, stats)
        self._settings = settings
        self._emit = emit

    def read(self, partition: Partition) -> Finished:
        """Send out all rows of a partition, in as many passes as the proof needs."""
        reading = self.begin(partition)
        while (finished := reading.step()) is None:
            pass
        return finished

    def begin(self, partition: Partition) -> PartitionReading:
        """A reading to be taken step by step, so that nobody needs to wait between its steps."""
        return PartitionReading(self._requests, self._settings, self._emit, partition)


class PartitionReading:
    """One partition's way to its proof: a pass through its pages, a look at Codat's syncs, and so on.

    recheck_after: where it is set, the next step is such a look, which any answer serves that is
    asked for after that moment (of this machine's monotonic clock).
    """

    def __init__(
        self,
        requests: StreamRequests,
        settings: Settings,
        emit: Callable[[RowBatch], None],
        partition: Partition,
    ) -> None:
        self.recheck_after: float | None = None
        self._requests = requests
        self._retriever = requests.retriever
        self._needs_row_keys = self._retriever.shape == "row_key"
        self._start = settings.start
        self._emit = emit
        self._partition = partition
        self._path = self._retriever.url_path(partition.ids)
        self._ids = {name: msgspec.json.encode(value) for name, value in partition.ids.items()}
        self._page_size = settings.page_size
        self._held = HeldRows()
        self._syncs_before = partition.source
        self._pass = Pass()
        self._previous: PassEvidence | None = None
        self._passes_left = MAX_PASSES
        self._records = 0

    def step(self) -> Finished | None:
        """Do the next piece of work; None where another step is needed."""
        return self._read_pages() if self.recheck_after is None else self._recheck(self.recheck_after)

    def _read_pages(self) -> Finished | None:
        self._passes_left -= 1
        seen = self._pass = self._read_pass()
        if seen.has_rows_without_id and self._partition.since is not None:
            # By its state all rows of this partition had ids: they don't any more.
            self._partition, self._previous = replace(self._partition, since=None), None
            self._held.drop()
            return None if self._passes_left else self._unproven()
        # Rows that wait for a proof go out once, whatever number of passes that takes.
        self._records = seen.records + (0 if self._needs_row_keys else self._records)
        if self._syncs_before is None or self._partition.context is None or seen.pages == 1:
            return self._conclude(None)  # a single answer is a snapshot
        self.recheck_after = time.monotonic()
        return None

    def _recheck(self, after: float) -> Finished | None:
        """Compare Codat's syncs with those before the last pass."""
        self.recheck_after = None
        before, context = self._syncs_before, self._partition.context
        if before is None or context is None:
            raise ValueError(self._path)
        return self._conclude(before.at(context.looked_after(after)))

    def _conclude(self, syncs_after: Evidence | None) -> Finished | None:
        """End the reading where the last pass is proven, or where there have been enough."""
        before = self._syncs_before
        seen = self._pass.evidence(self._retriever.paging, keys_repeat=self._needs_row_keys)
        proof = prove(seen, self._previous, _synced_between(before, syncs_after))
        if proof is Proof.PROVEN or not self._passes_left:
            self._held.release(self._emit)
        if proof is Proof.PROVEN:
            return self._finished(seen, [_look(view) for view in (before, syncs_after) if view])
        self._held.drop()
        self._previous, self._syncs_before = seen, syncs_after or before
        if self._pass.shortest:
            self._page_size = max(SMALLEST_PAGE, min(self._page_size, self._pass.shortest))
        return None if self._passes_left else self._unproven()

    def _finished(self, seen: PassEvidence, looks: list[SyncLook]) -> Finished:
        place = reached(seen, looks)
        return Finished(
            complete=True,
            cursor=None if self._pass.has_rows_without_id else place.cursor,
            read_from=None if self._parents_may_have_come() else place.read_from,
            records=self._records,
            unkeyed=self._pass.has_rows_without_id,
            server_time=seen.answered_at,
        )

    def _parents_may_have_come(self) -> bool:
        """Whether parents may have come since they were listed: their children would be passed over."""
        listed, now = self._partition.parents_source, self._syncs_before
        if listed is None or now is None:
            return False
        known = judge.identity(listed)
        return known is None or judge.identity(now.of(listed.data_types)) != known

    def _unproven(self) -> Finished:
        return Finished(complete=False, records=self._records)

    def _read_pass(self) -> Pass:
        """Read every page once: rows go out as they come, or are held back where keys need the whole."""
        seen, request = Pass(), PageRequest(self._page_size)
        keys = RowKeys(self._start) if self._needs_row_keys else None
        previous = None
        while True:
            page, request = self._requests.page(self._path, self._partition, request)
            hashes = row_hashes(page)
            if len(page.rows) and hashes == previous:  # the same page again, and so it might go on
                seen.broken = page.total is not None
                return seen
            seen.note(page, hashes)
            seen.records += self._send(page, keys, is_first=seen.pages == 1)
            seen.has_rows_without_id = keys is not None and keys.missing
            more = self._more_may_follow(page, seen, request)
            too_many = page.total is not None and len(seen.tally) > 2 * page.total + 2 * request.size
            if not page.rows or not more or too_many:
                seen.broken = bool(page.rows) and more
                return seen
            if page.page_size and 0 < page.page_size < request.size and request.number == 1:
                request = replace(request, size=page.page_size)  # the server's own limit counts the offsets
            elif len(page.rows) < request.size:
                seen.shortest = min(seen.shortest or request.size, len(page.rows))
            request, previous = replace(request, number=request.number + 1, token=page.token), hashes

    def _send(self, page: Page, keys: RowKeys | None, *, is_first: bool) -> int:
        """Send out a page's rows, or hold them back; returns how many records they are."""
        if not page.rows:
            return 0
        shown = keys.keyed(page) if keys else shaped(self._retriever, page)
        if not shown.rows:  # a start date may leave all of a page out
            return 0
        extra_fields = {**self._requests.request_fields, **self._partition.extra_fields, **page.envelope}
        rows = batch(self._retriever.name, shown, self._ids, extra_fields)
        if is_first:
            company_id = self._partition.ids.get("companyId", "")
            rows = replace(rows, total=page.total or len(shown.rows), company_id=company_id)
        (self._held.add if keys else self._emit)(rows)
        return len(shown.rows)

    def _more_may_follow(self, page: Page, seen: Pass, request: PageRequest) -> bool:
        """Whether another page may follow; where an answer doesn't say, one may."""
        if self._retriever.paging != "pages":
            return bool(page.token) and page.token != request.token
        if page.total is None:
            return page.has_next or not page.linked
        return page.has_next or len(seen.tally) < page.total


def _synced_between(before: Evidence | None, after: Evidence | None) -> Change:
    return Change.DOUBT if before is None or after is None else judge.change_between(before, after)


def _look(evidence: Evidence) -> SyncLook:
    return SyncLook(judge.safe_point(evidence).instant, judge.identity(evidence))
