"""Reading one partition completely, or saying that it isn't known to be complete.

Why these rules and no others: docs/behaviour.md, "Complete, or says so".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from source_codat.client import CodatClient
from source_codat.components import CodatRetriever
from source_codat.context import DataTypeView
from source_codat.pages import Page
from source_codat.passes import Pass, Turn, hashes
from source_codat.questions import Partition, Questions
from source_codat.row_keys import HeldRows, RowKeys
from source_codat.rows import RowBatch, batch
from source_codat.settings import Settings
from source_codat.shapes import shaped

MAX_PASSES = 4
_SMALLEST_PAGE = 25


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
    ) -> None:
        self.retriever = retriever
        self.questions = Questions(client, retriever, settings)
        self._settings = settings
        self._emit = emit

    def read(self, partition: Partition) -> Finished:
        """Send out all rows of a partition, in as many passes as the proof needs."""
        before, previous, records = partition.source, None, 0
        size, held = self._settings.page_size, HeldRows()
        for left in reversed(range(MAX_PASSES)):
            done = self._walk(partition, size, held)
            if done.unkeyed and partition.since is not None:
                # By its state all rows of this partition had ids: they don't any more.
                partition, previous = replace(partition, since=None), None
                held.drop()
                continue
            records += len(done.keys)
            after = self._after(partition, before, done, time.monotonic())
            proven = self._proven(done, previous, before, after)
            if proven or not left:
                held.release(self._emit)
            if proven:
                return self._finish(done, before, after, records)
            held.drop()
            previous, before = done, after or before
            if done.shortest:
                size = max(_SMALLEST_PAGE, min(size, done.shortest))
        return Finished(complete=False, records=records)

    def _after(
        self, partition: Partition, before: DataTypeView | None, done: Pass, ended: float
    ) -> DataTypeView | None:
        """The syncs after a pass, where one answer wasn't all of it: a single answer is a snapshot."""
        if before is None or partition.context is None or done.pages == 1:
            return None
        return replace(before, report=partition.context.refreshed(ended))

    def _proven(
        self, done: Pass, previous: Pass | None, before: DataTypeView | None, after: DataTypeView | None
    ) -> bool:
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

    def _finish(
        self, done: Pass, before: DataTypeView | None, after: DataTypeView | None, records: int
    ) -> Finished:
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

    def _walk(self, partition: Partition, size: int, held: HeldRows) -> Pass:
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
                if shown.rows:  # a start date may leave all of a page out
                    (held.add if keys else self._emit)(batch(self.retriever.name, shown, ids, beside))
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
