"""Reading one partition completely, or saying that it isn't known to be complete.

Here the evidence is collected; whether it is a proof, `source_codat.trust.proof` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from source_codat.config.settings import Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.reading.deletions import with_deletion_dates
from source_codat.reading.pages import Page, PageHashes
from source_codat.reading.passes import Pass, RowTally
from source_codat.reading.requests import SMALLEST_PAGE, PageRequest, Partition, StreamRequests
from source_codat.reading.row_keys import HeldRows, RowKeys
from source_codat.reading.rows import RowBatch, batch, shaped
from source_codat.streams.definition import CodatRetriever, Paging
from source_codat.trust import judge
from source_codat.trust.evidence import Evidence
from source_codat.trust.judge import Change, Identity
from source_codat.trust.proof import (
    PassEvidence,
    Proof,
    SyncLook,
    contradiction_in_words,
    prove,
    reached,
)

MAX_PASSES = 4
MOST_EMPTY_PAGES = 100  # in a row: more can't be told from an endless list
MOST_EQUAL_PAGES = 100  # in a row, each with the rows of an earlier one, where no number is announced


@dataclass(frozen=True)
class Finished:
    """A partition's end: complete or not, and where its next read may start.

    cursor: the instant that was reached, never past the safe point; None where none was.
    read_from: the Codat syncs that its rows come from; None in doubt.
    needs_whole_read: rows without ids, or without dates that could be asked for, were among them, so that
    the next read must be of everything again. has_rows_without_date: such dates were the reason.
    peculiarity: what contradicts what in Codat's answers, in words, where it is complete all the same.
    server_time: Codat's clock at the first answer, an instant.
    """

    is_complete: bool
    cursor: int | None = None
    read_from: Identity | None = None
    records: int = 0
    needs_whole_read: bool = False
    has_rows_without_date: bool = False
    peculiarity: str = ""
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
        self._start = settings.start
        self._emit = emit
        self._partition = partition
        self._path = self._retriever.url_path(partition.ids)
        self._fixed = {
            **requests.request_fields,
            **{name: msgspec.json.encode(value) for name, value in partition.ids.items()},
        }
        # What rows carry that are dated by the Codat sync that they are read from.
        self._synced_at = judge.NEVER if self._retriever.by_codat_sync else None
        self._page_size = settings.page_size
        self._held = HeldRows()
        self._syncs_before = partition.source
        self._pass = Pass(settings.page_size)
        self._previous: PassEvidence | None = None
        self._earlier_ids = RowTally()
        self._was_answered = False
        self._passes_left = MAX_PASSES
        self._records = 0

    def step(self) -> Finished | None:
        """Do the next piece of work; None where another step is needed."""
        return self._read_pages() if self.recheck_after is None else self._recheck(self.recheck_after)

    def _read_pages(self) -> Finished | None:
        self._passes_left -= 1
        seen = self._pass = self._read_pass()
        self._records += seen.records
        if seen.has_rows_without_id and self._partition.since is not None:
            # By its state all rows of this partition had ids: they don't any more.
            self._partition, self._previous = replace(self._partition, since=None), None
            self._drop_held()
            return None if self._passes_left else self._unproven()
        can_look = self._syncs_before is not None and self._partition.context is not None
        if can_look and (seen.pages > 1 or self._contradicts_itself()):
            self.recheck_after = time.monotonic()
            return None
        return self._conclude(None)  # a single answer is a snapshot

    def _contradicts_itself(self) -> bool:
        """Whether a single answer isn't a proof although it says how many rows there are."""
        seen = self._evidence()
        return seen.announced is not None and prove(seen, None, Change.DOUBT) is Proof.UNPROVEN

    def _recheck(self, after: float) -> Finished | None:
        """Compare Codat's syncs with those before the last pass."""
        self.recheck_after = None
        before, context = self._syncs_before, self._partition.context
        if before is None or context is None:
            raise ValueError(self._path)
        try:
            look = context.look_taken_after(after)
        except PartitionSkipped as refused:
            raise _refused_late(refused, "after its pages were read") from None
        return self._conclude(before.at(look))

    def _conclude(self, syncs_after: Evidence | None) -> Finished | None:
        """End the reading where the last pass is proven, or where there have been enough."""
        before, seen = self._syncs_before, self._evidence()
        synced = _synced_between(before, syncs_after)
        proof = prove(seen, self._previous, synced)
        if proof is not Proof.UNPROVEN or not self._passes_left:
            self._held.release(self._emit)
        if proof is not Proof.UNPROVEN:
            looks = [_look(view) for view in (before, syncs_after) if view]
            return self._finished(
                seen, looks, contradiction_in_words(seen) if proof is Proof.PECULIAR else ""
            )
        if self._pass.has_rows_without_id:
            self._drop_held()
        if synced is Change.NOTHING:
            self._earlier_ids.add_all(self._pass.ids)
        else:
            self._earlier_ids = RowTally()
        self._previous, self._syncs_before = seen, syncs_after or before
        self._page_size = _next_page_size(self._page_size, self._pass, seen)
        return None if self._passes_left else self._unproven()

    def _evidence(self) -> PassEvidence:
        return self._pass.evidence(
            self._earlier_ids,
            is_numbered=self._retriever.paging is Paging.NUMBERS,
            equal_rows_count=self._retriever.has_row_key or self._pass.has_rows_without_id,
        )

    def _drop_held(self) -> None:
        """Forget rows whose keys were counted in a pass that proved nothing."""
        self._records -= self._held.drop()

    def _finished(self, seen: PassEvidence, looks: list[SyncLook], peculiarity: str) -> Finished:
        place = reached(seen, looks, self._synced_at)
        has_rows_without_date = self._pass.has_rows_without_date and self._retriever.queryable
        # What is dated by Codat's syncs is read whole each time, and has a cursor all the same.
        is_asked_by_date = not self._retriever.by_codat_sync
        needs_whole_read = is_asked_by_date and (self._pass.has_rows_without_id or has_rows_without_date)
        return Finished(
            is_complete=True,
            cursor=None if needs_whole_read else place.cursor,
            read_from=None if self._parents_may_have_come() else place.read_from,
            records=self._records,
            needs_whole_read=needs_whole_read,
            has_rows_without_date=has_rows_without_date,
            peculiarity=peculiarity,
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
        return Finished(is_complete=False, records=self._records)

    def _read_pass(self) -> Pass:
        """Read every page once: rows go out as they come, or are held back where keys need the whole.

        Raises PartitionSkipped only as the answer to the very first page.
        """
        self._date_rows()
        seen = Pass(self._page_size)
        request: PageRequest | None = PageRequest(self._page_size)
        # Codat is asked for what changed since the start date, unless rows have to be counted.
        is_dated = self._retriever.queryable and bool(self._retriever.row_cursor_field)
        is_whole = self._retriever.has_row_key or self._partition.since is None
        start = self._start if is_dated and is_whole else None
        keys = RowKeys(self._retriever, self._partition.ids, start)
        previous: PageHashes | None = None
        while request is not None:
            asked = request.size
            page, request = self._ask(request)
            if request.size < asked:  # what took too long once would in the next pass as well
                self._page_size = min(self._page_size, request.size)
            hashes = PageHashes.of(page)
            is_same = bool(page.rows) and hashes == previous
            counts = self._retriever.has_row_key or keys.has_rows_without_id
            if seen.is_whole_before(page, hashes, is_last_again=is_same, equal_rows_count=counts):
                break  # whatever links the pages have
            if is_same and _is_same_page(page, hashes, seen, request.size):
                seen.has_equal_pages = True
                seen.is_broken = self._might_go_on(page)
                break
            seen.note(page, hashes)
            seen.page_size = request.size
            seen.records += self._send(page, keys, is_first=not seen.records)
            seen.has_rows_without_id = keys.has_rows_without_id
            if seen.empty_pages_in_a_row > MOST_EMPTY_PAGES:
                raise PartitionFailed(
                    f"Codat gave {MOST_EMPTY_PAGES} empty pages in a row for {self._path}, each of which "
                    "names another one."
                )
            if page.total is None and seen.pages_seen_before >= MOST_EQUAL_PAGES:
                seen.is_broken = True
                break
            previous = hashes
            if self._retriever.paging is Paging.NUMBERS:
                request = _next_by_number(page, seen, request)
            else:
                request = _next_by_token(page, seen, request)
        return seen

    def _date_rows(self) -> None:
        """Date the rows of the next pass by their Codat sync, where they are: never before the last pass."""
        if self._synced_at is None:
            return
        if self._syncs_before is not None:
            shown = judge.synced_at(self._syncs_before, self._partition.noted)
            self._synced_at = max(self._synced_at, shown)
        date = timestamps.iso_to_the_microsecond(self._synced_at)
        self._fixed[self._retriever.cursor_field] = msgspec.json.encode(date)

    def _ask(self, request: PageRequest) -> tuple[Page, PageRequest]:
        try:
            is_first_pass = self._passes_left == MAX_PASSES - 1
            answered = self._requests.page(self._path, self._partition, request, may_share=is_first_pass)
        except PartitionSkipped as refused:
            if not self._was_answered:
                raise
            raise _refused_late(refused, "after its first page") from None
        self._was_answered = True
        return answered

    def _might_go_on(self, page: Page) -> bool:
        """Whether a page that came twice says that there is more, or leaves that open."""
        if self._retriever.paging is not Paging.NUMBERS:
            return True
        return page.has_next or (page.total is not None and not page.has_links)

    def _send(self, page: Page, keys: RowKeys, *, is_first: bool) -> int:
        """Send out a page's rows, or hold them back; returns how many records they are."""
        if not page.rows:
            return 0
        shown = keys.keyed(shaped(self._retriever, page))
        if self._retriever.dates_deletions:
            shown = with_deletion_dates(shown)
        if not shown.rows:  # a start date may leave all of a page out
            return 0
        extra_fields = {**self._partition.extra_fields, **page.envelope}
        rows = batch(self._retriever.name, shown, self._fixed, extra_fields, self._retriever.columns)
        total = page.total or len(shown.rows) if is_first else None
        rows = replace(rows, total=total, company_id=self._partition.ids.get("companyId", ""))
        is_held = self._retriever.has_row_key or keys.has_rows_without_id
        (self._held.add if is_held else self._emit)(rows)
        return len(shown.rows)


def _is_same_page(page: Page, hashes: PageHashes, seen: Pass, size: int) -> bool:
    """Whether a page that has the same rows as the one before is that one, given again without end.

    Rows without id may be equal without being the same: as long as fewer came than are announced, or, where
    no number is, as the page is as full as one of that size can be.
    """
    if hashes.ids:
        return True
    return seen.rows >= page.total if page.total is not None else len(page.rows) != size


def _next_by_token(page: Page, seen: Pass, request: PageRequest) -> PageRequest | None:
    """What to ask for after a page that names a token: no token, and nothing else, is the end."""
    if not page.token:
        cut_short = (
            page.total is not None and seen.rows < page.total and 0 < (page.page_size or 0) <= seen.rows
        )
        seen.is_broken = page.has_next or cut_short
        return None
    if page.token in seen.tokens:  # they go round in circles
        seen.is_broken = True
        return None
    seen.tokens.add(page.token)
    return replace(request, number=request.number + 1, token=page.token)


def _next_by_number(page: Page, seen: Pass, request: PageRequest) -> PageRequest | None:
    """What to ask for after a page by number; where an answer doesn't say whether more follows, it may."""
    if page.total is None:
        more = page.has_next or (not page.has_links and bool(page.rows))
    else:
        more = page.has_next or (seen.rows < page.total and bool(page.rows))
        seen.is_broken = more and seen.rows > 2 * page.total + 2 * request.size  # more than can be true
    if not more or seen.is_broken:
        return None
    if page.page_size and 0 < page.page_size < request.size and request.number == 1:
        request = replace(request, size=page.page_size)  # the server's own limit counts the offsets
    elif 0 < len(page.rows) < request.size:
        seen.shortest = min(seen.shortest or request.size, len(page.rows))
    return replace(request, number=request.number + 1)


def _next_page_size(size: int, done: Pass, seen: PassEvidence) -> int:
    """How many rows a page may have in the pass after one that proved nothing."""
    if done.shortest:
        size = max(SMALLEST_PAGE, min(size, done.shortest))
    if done.first_page and (seen.may_repeat_pages or (seen.announced is not None and not seen.counts_agree)):
        # Cut elsewhere, pages that overlap, end too early or are one and the same aren't so again.
        smaller = max(1, min(size, done.first_page) * 4 // 5)
        size = size + 1 if smaller == size and seen.may_repeat_pages else smaller
    return size


def _refused_late(refused: PartitionSkipped, when: str) -> PartitionFailed:
    """What a refusal means where some of the partition was read: a part of what there is is missing."""
    return PartitionFailed(f"Codat refused the partition {when}: {refused.detail}")


def _synced_between(before: Evidence | None, after: Evidence | None) -> Change | None:
    if before is None:
        return None
    return Change.DOUBT if after is None else judge.change_between(before, after)


def _look(evidence: Evidence) -> SyncLook:
    return SyncLook(judge.safe_point(evidence).instant, judge.identity(evidence))
