"""One pass through a partition's pages: what came of it, as evidence for a proof."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import pairwise

from source_codat.reading.pages import Page, PageHashes
from source_codat.trust.proof import PassEvidence

_BUCKETS = 64
_FEW = 10_000


class RowTally:
    """Counts distinct rows in eight bytes each: a set of a million would cost over 100 MB."""

    def __init__(self) -> None:
        self._hashes: array[int] = array("q")
        self._page_starts: list[int] = []

    def add(self, hashes: array[int]) -> None:
        """Note the rows of a page."""
        self._page_starts.append(len(self._hashes))
        self._hashes.extend(hashes)

    def add_all(self, other: RowTally) -> None:
        """Note the rows of another tally."""
        self.add(other._hashes)

    def __len__(self) -> int:
        return len(self._hashes)

    def distinct(self) -> int:
        """How many different rows there were."""
        if len(self._hashes) < _FEW:
            return len(set(self._hashes))
        buckets: list[array[int]] = [array("q") for _ in range(_BUCKETS)]
        for value in self._hashes:
            buckets[value % _BUCKETS].append(value)
        return sum(len(set(bucket)) for bucket in buckets)

    def distinct_by_page(self) -> int:
        """How many different rows each page had, all pages together."""
        bounds = pairwise([*self._page_starts, len(self._hashes)])
        return sum(len(set(self._hashes[start:end])) for start, end in bounds)

    def has_all(self, hashes: array[int]) -> bool:
        """Whether rows with these hashes were all noted before."""
        return set(hashes).issubset(self._hashes)

    def fingerprint(self) -> tuple[int, int]:
        """Equal for two tallies of the same rows, in whatever order."""
        return len(self._hashes), sum(self._hashes)


@dataclass
class Pass:
    """What one walk through a partition's pages brought.

    ids, without_id: its rows with an id, and the others. records: how many records it has for the
    destination: a statement may be many, an old row none.
    totals: what the pages gave as totalResults. is_broken: it ended although more was to come.
    page_size: how many rows a page could have had. shortest: the number of rows of the shortest page
    but the last, 0 where none was short. first_page, last_page: the rows of the first page, and of the
    last that had any. tokens: those that its pages named.
    seen_pages: a hash of each page that had rows. pages_seen_before: how many pages in a row, up to the last
    one, had the same rows as an earlier page. has_equal_pages: whether any had.
    has_rows_without_id: whether keys had to be made for some rows.
    has_rows_without_date: whether there are rows that no question for changes since a date finds.
    latest, oldest_unfinished, answered_at: instants, see PassEvidence.
    """

    page_size: int
    ids: RowTally = field(default_factory=RowTally)
    without_id: RowTally = field(default_factory=RowTally)
    records: int = 0
    pages: int = 0
    totals: set[int | None] = field(default_factory=set)
    latest: int | None = None
    oldest_unfinished: int | None = None
    answered_at: int | None = None
    is_broken: bool = False
    has_rows_without_id: bool = False
    has_rows_without_date: bool = False
    shortest: int = 0
    first_page: int = 0
    last_page: int = 0
    pages_with_rows: int = 0
    empty_pages_in_a_row: int = 0
    tokens: set[str] = field(default_factory=set)
    seen_pages: set[int] = field(default_factory=set)
    pages_seen_before: int = 0
    has_equal_pages: bool = False

    def note(self, page: Page, hashes: PageHashes) -> None:
        """Add a page and the hashes of its rows."""
        if not self.pages:
            self.answered_at = page.server_time
            self.first_page = len(page.rows)
        if page.rows:
            self.last_page = len(page.rows)
            self.pages_with_rows += 1
        self.empty_pages_in_a_row = 0 if page.rows else self.empty_pages_in_a_row + 1
        self.pages += 1
        self.totals.add(page.total)
        self.ids.add(hashes.ids)
        self.without_id.add(hashes.without_id)
        self.latest = max(filter(None, (self.latest, page.latest)), default=None)
        unfinished = (self.oldest_unfinished, page.oldest_unfinished)
        self.oldest_unfinished = min((instant for instant in unfinished if instant is not None), default=None)
        self.has_rows_without_date |= page.has_rows_without_date
        if page.rows:
            self._note_equal(hashes)

    def _note_equal(self, hashes: PageHashes) -> None:
        known, page = len(self.seen_pages), hash((hashes.ids.tobytes(), hashes.without_id.tobytes()))
        self.seen_pages.add(page)
        is_new = len(self.seen_pages) > known
        self.pages_seen_before = 0 if is_new else self.pages_seen_before + 1
        self.has_equal_pages |= not is_new

    def is_whole_before(
        self, page: Page, hashes: PageHashes, *, is_last_again: bool, equal_rows_count: bool
    ) -> bool:
        """Whether all rows that were announced have come, and a page after them brings no other.

        is_last_again: whether it has the same rows as the page before it. equal_rows_count: see `evidence`.
        """
        if page.total is None or self.totals != {page.total} or self.rows < page.total:
            return False
        without_id = len(self.without_id) if equal_rows_count else self.without_id.distinct()
        if self.ids.distinct() + without_id != page.total:
            return False
        return not page.rows or is_last_again or (not hashes.without_id and self.ids.has_all(hashes.ids))

    @property
    def rows(self) -> int:
        """How many rows came."""
        return len(self.ids) + len(self.without_id)

    def _ends_past_single_rows(self) -> bool:
        """Whether pages of one row, which no server cuts shorter, were followed by one without any."""
        return self.page_size == 1 and self.empty_pages_in_a_row > 0

    def evidence(self, earlier_ids: RowTally, *, is_numbered: bool, equal_rows_count: bool) -> PassEvidence:
        """What the pass says for its proof.

        earlier_ids: of the passes before it, as long as nothing was synced. is_numbered: whether its
        pages were asked for by number. equal_rows_count: whether rows without id may be equal without
        being the same; in one answer they always are.
        """
        apart = equal_rows_count or self.pages == 1
        without_id = len(self.without_id) if apart else self.without_id.distinct()
        ids = self.ids.distinct()
        overlap, so_far = 0, ids
        if len(self.ids) > ids and self.pages > 1:
            overlap = self.ids.distinct_by_page() - ids
        if not apart:
            overlap += self.without_id.distinct_by_page() - without_id
        if len(earlier_ids):
            together = RowTally()
            together.add_all(earlier_ids)
            together.add_all(self.ids)
            so_far = together.distinct()
        filled = self.first_page if self.pages_with_rows > 1 else self.page_size
        return PassEvidence(
            rows=self.rows,
            distinct=ids + without_id,
            overlap=overlap,
            distinct_so_far=so_far + without_id,
            equal_rows_count=equal_rows_count and len(self.without_id) > 0,
            has_equal_pages=self.has_equal_pages,
            is_uncut=self.first_page > self.page_size and self.totals == {None},
            fingerprint=(*self.ids.fingerprint(), *self.without_id.fingerprint()),
            totals=frozenset(self.totals),
            pages=self.pages,
            first_page=self.first_page,
            ends_short=not is_numbered or self.last_page < filled or self._ends_past_single_rows(),
            is_broken=self.is_broken,
            is_numbered=is_numbered,
            latest=self.latest,
            oldest_unfinished=self.oldest_unfinished,
            answered_at=self.answered_at,
        )
