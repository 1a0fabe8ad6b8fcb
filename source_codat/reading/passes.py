"""One walk through a partition's pages: what came, and whether its counts agree."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from source_codat.reading.pages import Page

_BUCKETS = 64
_FEW = 100_000


def hashes(page: Page) -> array[int]:
    """The rows of a page, by id, or by what they say where they have none: eight bytes each."""
    if None not in page.ids:
        return array("q", map(hash, page.ids))
    pairs = zip(page.ids, page.rows, strict=True)
    return array("q", (hash(bytes(row) if key is None else key) for key, row in pairs))


@dataclass
class KeyTally:
    """Counts distinct keys in eight bytes a row: a set of a million would cost over 100 MB."""

    _hashes: array[int] = field(default_factory=lambda: array("q"))

    def add(self, keys: array[int]) -> None:
        """Note the rows of a page."""
        self._hashes.extend(keys)

    def __len__(self) -> int:
        return len(self._hashes)

    def distinct(self) -> int:
        """How many different keys there were."""
        if len(self._hashes) < _FEW:
            return len(set(self._hashes))
        buckets: list[array[int]] = [array("q") for _ in range(_BUCKETS)]
        for value in self._hashes:
            buckets[value % _BUCKETS].append(value)
        return sum(len(set(bucket)) for bucket in buckets)

    def fingerprint(self) -> tuple[int, int]:
        """Equal for two passes that saw the same rows, in whatever order."""
        return len(self._hashes), sum(self._hashes)


@dataclass(frozen=True)
class Turn:
    """Which page to ask for: by number and size, or by the token that the last one gave."""

    size: int
    number: int = 1
    token: str = ""


@dataclass
class Pass:
    """What one walk through a partition's pages brought.

    totals: what the pages gave as totalResults. broken: it ended although more was to come.
    unkeyed: rows without ids were among them. shortest: the rows of the shortest page but the last.
    rows: how many rows it has for the destination: a statement may be many, an old row none.
    latest, oldest_unfinished, server_time: instants, see Page; the server's of the first answer.
    """

    keys: KeyTally = field(default_factory=KeyTally)
    pages: int = 0
    rows: int = 0
    totals: set[int | None] = field(default_factory=set)
    latest: int | None = None
    oldest_unfinished: int | None = None
    server_time: int | None = None
    broken: bool = False
    unkeyed: bool = False
    shortest: int = 0

    @property
    def total(self) -> int | None:
        """What every page gave as the total; None where they differ or don't say."""
        return next(iter(self.totals)) if len(self.totals) == 1 else None

    def note(self, page: Page, keys: array[int]) -> None:
        """Take a page into account."""
        if not self.pages:
            self.server_time = page.server_time
        self.pages += 1
        self.totals.add(page.total)
        self.keys.add(keys)
        self.latest = max(filter(None, (self.latest, page.latest)), default=None)
        unfinished = (self.oldest_unfinished, page.oldest_unfinished)
        self.oldest_unfinished = min((one for one in unfinished if one is not None), default=None)

    def counts_agree(self, *, keys_repeat: bool = False) -> bool:
        """Whether every page gave the same total, and that many different rows came."""
        if self.broken or self.total is None:
            return False
        return (len(self.keys) if keys_repeat else self.keys.distinct()) == self.total
