"""One pass through a partition's pages: what came of it, as evidence for a proof."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from source_codat.reading.pages import Page
from source_codat.trust.proof import PassEvidence

_BUCKETS = 64
_FEW = 100_000


def row_hashes(page: Page) -> array[int]:
    """The rows of a page, by id, or by what they say where they have none: eight bytes each."""
    if None not in page.ids:
        return array("q", map(hash, page.ids))
    pairs = zip(page.ids, page.rows, strict=True)
    return array("q", (hash(bytes(row) if key is None else key) for key, row in pairs))


@dataclass
class RowTally:
    """Counts distinct rows in eight bytes each: a set of a million would cost over 100 MB."""

    _hashes: array[int] = field(default_factory=lambda: array("q"))

    def add(self, hashes: array[int]) -> None:
        """Note the rows of a page."""
        self._hashes.extend(hashes)

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

    def fingerprint(self) -> tuple[int, int]:
        """Equal for two passes that saw the same rows, in whatever order."""
        return len(self._hashes), sum(self._hashes)


@dataclass
class Pass:
    """What one walk through a partition's pages brought.

    records: how many records it has for the destination: a statement may be many, an old row none.
    totals: what the pages gave as totalResults. broken: it ended although more was to come.
    has_rows_without_id: whether rows without ids were among them.
    shortest: the number of rows of the shortest page but the last, 0 where none was short.
    latest, oldest_unfinished, answered_at: instants, see PassEvidence.
    """

    tally: RowTally = field(default_factory=RowTally)
    records: int = 0
    pages: int = 0
    totals: set[int | None] = field(default_factory=set)
    latest: int | None = None
    oldest_unfinished: int | None = None
    answered_at: int | None = None
    broken: bool = False
    has_rows_without_id: bool = False
    shortest: int = 0

    def note(self, page: Page, hashes: array[int]) -> None:
        """Take a page into account."""
        if not self.pages:
            self.answered_at = page.server_time
        self.pages += 1
        self.totals.add(page.total)
        self.tally.add(hashes)
        self.latest = max(filter(None, (self.latest, page.latest)), default=None)
        unfinished = (self.oldest_unfinished, page.oldest_unfinished)
        self.oldest_unfinished = min((one for one in unfinished if one is not None), default=None)

    def evidence(self, paging: str, *, keys_repeat: bool) -> PassEvidence:
        """What the pass says for its proof; `paging` as in CodatRetriever."""
        return PassEvidence(
            rows=len(self.tally),
            distinct=self.tally.distinct(),
            fingerprint=self.tally.fingerprint(),
            totals=frozenset(self.totals),
            pages=self.pages,
            broken=self.broken,
            all_at_once=not paging or (paging == "token" and self.pages == 1),
            keys_repeat=keys_repeat,
            latest=self.latest,
            oldest_unfinished=self.oldest_unfinished,
            answered_at=self.answered_at,
        )
