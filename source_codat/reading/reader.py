"""Reading one partition completely, or saying that it isn't known to be complete.

Why these rules and no others: docs/behaviour.md, "Complete, or says so".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from source_codat.companies.company import StatusReport
from source_codat.companies.context import DataTypeView
from source_codat.config.settings import Settings
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.reading.pages import Page
from source_codat.reading.passes import Pass, Turn, hashes
from source_codat.reading.requests import SMALLEST_PAGE, Partition, Questions
from source_codat.reading.row_keys import HeldRows, RowKeys
from source_codat.reading.rows import RowBatch, batch
from source_codat.reading.shapes import shaped
from source_codat.streams.definition import CodatRetriever

MAX_PASSES = 4


@dataclass(frozen=True)
class Finished:
    """A partition's end: complete or not, and where its next read may start.

    cursor: the instant that was reached, never past the safe point; None where none was.
    unkeyed: rows without ids were among them, so that the next read must be of everything again.
    server_time: Codat's clock at the first answer, an instant.
    """

    complete: bool
    cursor: int | None = None
    sync_id: str | None = None
    records: int = 0
    unkeyed: bool = False
    server_time: int | None = None


class PartitionReader:
    """Reads the partitions of one stream; one instance serves several threads."""

    def __init__(
        self,
        client: CodatClient,
        retriever: CodatRetriever,
        settings: Settings,
        emit: Callable[[RowBatch], None],
        stats: RequestStats | None = None,
    ) -> None:
        self.retriever = retriever
        self.questions = Questions(client, retriever, settings, stats)
        self._settings = settings
        self._emit = emit

    def read(self, partition: Partition) -> Finished:
        """Send out all rows of a partition, in as many passes as the proof needs."""
        reading = self.begin(partition)
        while (finished := reading.walk()) is None:
            if reading.awaited is not None and partition.context is not None:
                finished = reading.judge(partition.context.refreshed(reading.awaited))
                if finished:
                    return finished
        return finished

    def begin(self, partition: Partition) -> Reading:
        """A reading to be walked step by step, so that nobody needs to wait between its steps."""
        return Reading(self, partition, self._settings.page_size)

    def proven(
        self, done: Pass, previous: Pass | None, before: DataTypeView | None, after: DataTypeView | None
    ) -> bool:
        """Whether a pass is known to be complete."""
        paging = self.retriever.paging
        if not paging or (paging == "token" and done.pages == 1):
            return not done.broken
        keys_repeat = self.retriever.shape == "row_key"
        agree = done.counts_agree(keys_repeat=keys_repeat)
        same_syncs = bool(before and after and before.same_syncs(after))
        if agree and (done.pages == 1 or (same_syncs and not keys_repeat)):
            return True
        # No sync to compare, one under way, or keys that repeat: two equal passes have to do.
        unsaid = not done.broken and done.totals == {None}
        return (
            (agree or unsaid)
            and previous is not None
            and not previous.broken
            and previous.totals == done.totals
            and previous.keys.fingerprint() == done.keys.fingerprint()
        )

    def release(self, held: HeldRows) -> None:
        """Send out the rows that waited for a proof."""
        held.release(self._emit)

    def finish(
        self, done: Pass, before: DataTypeView | None, after: DataTypeView | None, records: int
    ) -> Finished:
        """What a proven pass means for the state."""
        if before is None:  # no data type to ask about, but rows that tell whether they will change
            points = [point for point in (done.oldest_unfinished, done.server_time) if point is not None]
        else:
            views = [view for view in (before, after) if view is not None]
            points = [point for view in views if (point := view.safe_point) is not None]
            points = points if len(points) == len(views) else []
        cursor = min(done.latest, *points) if done.latest is not None and points else None
        same = before is not None and (after is None or before.sync_id == after.sync_id)
        return Finished(
            complete=True,
            cursor=None if done.unkeyed else cursor,
            sync_id=before.sync_id if before and same else None,
            records=records,
            unkeyed=done.unkeyed,
            server_time=done.server_time,
        )

    def walk(self, partition: Partition, size: int, held: HeldRows) -> Pass:
        """One pass: every page, sent out as it comes, or held back where keys need the whole."""
        done, turn = Pass(), Turn(size=size)
        keys = RowKeys(self._settings.start) if self.retriever.shape == "row_key" else None
        path = self.retriever.url_path(partition.ids)
        ids = {name: msgspec.json.encode(value) for name, value in partition.ids.items()}
        previous = None
        while True:
            page, turn = self.questions.page(path, partition, turn)
            rows = hashes(page)
            if len(page.rows) and rows == previous:  # the same page again, and so it might go on
                done.broken = page.total is not None
                return done
            done.note(page, rows)
            if page.rows:
                shown = keys.keyed(page) if keys else shaped(self.retriever, page)
                beside = {**self.questions.added, **partition.beside, **page.envelope}
                done.rows += len(shown.rows)
                if shown.rows:  # a start date may leave all of a page out
                    rows_out = batch(self.retriever.name, shown, ids, beside)
                    if done.pages == 1:
                        of = partition.ids.get("companyId", "")
                        rows_out = replace(rows_out, total=page.total or len(shown.rows), company_id=of)
                    (held.add if keys else self._emit)(rows_out)
            done.unkeyed = keys is not None and keys.missing
            more = self._more(page, done, turn)
            too_many = page.total is not None and len(done.keys) > 2 * page.total + 2 * turn.size
            if not page.rows or not more or too_many:
                done.broken = bool(page.rows) and more
                return done
            if page.page_size and 0 < page.page_size < turn.size and turn.number == 1:
                turn = replace(turn, size=page.page_size)  # the server's own limit counts the offsets
            elif len(page.rows) < turn.size:
                done.shortest = min(done.shortest or turn.size, len(page.rows))
            turn, previous = replace(turn, number=turn.number + 1, token=page.token), rows

    def _more(self, page: Page, done: Pass, turn: Turn) -> bool:
        """Whether another page may follow; where an answer doesn't say, one may."""
        if self.retriever.paging != "pages":
            return bool(page.token) and page.token != turn.token
        if page.total is None:
            return page.has_next or not page.linked
        return page.has_next or len(done.keys) < page.total


class Reading:
    """One partition's way through its passes.

    awaited: the moment (monotonic) after which the syncs have to be looked at, before the next step.
    """

    def __init__(self, reader: PartitionReader, partition: Partition, size: int) -> None:
        self._reader = reader
        self._partition = partition
        self._size = size
        self._held = HeldRows()
        self._before = partition.source
        self._previous: Pass | None = None
        self._done = Pass()
        self._left = MAX_PASSES
        self._records = 0
        self.awaited: float | None = None

    def walk(self) -> Finished | None:
        """Walk through the pages once; None where another step is needed."""
        self._left -= 1
        done = self._done = self._reader.walk(self._partition, self._size, self._held)
        if done.unkeyed and self._partition.since is not None:
            # By its state all rows of this partition had ids: they don't any more.
            self._partition, self._previous = replace(self._partition, since=None), None
            self._held.drop()
            return None if self._left else self._unproven()
        # Rows that wait for a proof go out once, whatever number of passes that takes.
        self._records = done.rows + (0 if self._reader.retriever.shape == "row_key" else self._records)
        if self._before is None or self._partition.context is None or done.pages == 1:
            return self._judge(None)  # a single answer is a snapshot
        self.awaited = time.monotonic()
        return None

    def judge(self, report: StatusReport) -> Finished | None:
        """Compare the syncs with those before the last pass; None where it has to be walked again."""
        self.awaited = None
        return self._judge(replace(self._before, report=report) if self._before else None)

    def _judge(self, after: DataTypeView | None) -> Finished | None:
        done = self._done
        proven = self._reader.proven(done, self._previous, self._before, after)
        if proven or not self._left:
            self._reader.release(self._held)
        if proven:
            finished = self._reader.finish(done, self._before, after, self._records)
            return replace(finished, sync_id=None) if self._parents_moved else finished
        self._held.drop()
        self._previous, self._before = done, after or self._before
        if done.shortest:
            self._size = max(SMALLEST_PAGE, min(self._size, done.shortest))
        return None if self._left else self._unproven()

    @property
    def _parents_moved(self) -> bool:
        """Whether parents may have come since they were listed: their children would be passed over."""
        listed = self._partition.listed
        if listed is None or self._before is None:
            return False
        known = listed.sync_id
        return known is None or replace(self._before, data_types=listed.data_types).sync_id != known

    def _unproven(self) -> Finished:
        return Finished(complete=False, records=self._records)
