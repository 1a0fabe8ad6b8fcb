"""What a story's world is like: drawn once from its seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

MISSING = object()  # stands for a field that isn't there


ODD_KINDS = ("status", "status", "requested", "id", "connection", "data_type", "done", "ids", "day")


class Odd:
    """The odd way in which one sync is told of, the same at every look; pick: which of its kind, below 1."""

    def __init__(self, rng: Random, kinds: tuple[str, ...], pick: float | None) -> None:
        self.what = rng.choice(kinds)
        self.pick = rng.random() if pick is None else pick


def odd_word(word: str, pick: float) -> Any:
    """A word that isn't on any list, in place of the true one."""
    swapped = word.lower() if word != word.lower() else word.upper()
    choices: tuple[Any, ...] = (swapped, "Throttled", "", None, MISSING, f" {word}", word + "d")
    return choices[int(pick * len(choices))]


def odd_date(pick: float) -> Any:
    """A date that can't be used, in place of the true one."""
    choices: tuple[Any, ...] = (
        None,
        MISSING,
        "",
        "yesterday",
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59Z",
        "2031-01-01T00:00:00Z",
        "2024-13-41T00:00:00Z",
    )
    return choices[int(pick * len(choices))]


@dataclass
class Nature:
    """The rates and habits of one world; all chances are between 0 and 1.

    events: something happens at a request. traps: what happens is what a careless reader misses. finishing:
    a sync that goes on ends. swaps: a whole sync takes one row away and brings another. whole: a sync
    begins and ends at once. late: a connection comes just before dataStatus is asked. odd: a sync is told
    of in an odd way, of one of odd_kinds, and of each kind in the way of odd_pick where it is given;
    odd_answers: an answer is odd. errors: a request is refused; history_errors: one for the history.
    at_once: a stamped row shows without delay. merging: whose status dataStatus shows, the sync's that was
    requested last or that changed last. sync_time: whether lastSuccessfulSync is the sync's end or its
    request. page_cap: rows that an answer holds at most. long_history: the history comes in pages.
    happenings: how much happens at most. syncing: statuses of connections that still sync, beside Linked.
    empty_pages: where pages follow each other by tokens, some are empty. forgets: with a connection, its
    syncs are gone.
    """

    companies: int
    connections: tuple[int, ...]
    kinds: tuple[str, ...]
    data_types: tuple[str, ...]
    events: float
    traps: float
    finishing: float
    swaps: float
    whole: float
    late: float
    arrivals: float
    waits: float
    stalls: float
    fails: float
    odd: float
    odd_kinds: tuple[str, ...]
    odd_pick: float | None
    odd_answers: float
    errors: float
    history_errors: float
    at_once: float
    one_stamp: bool
    digits: tuple[int, ...]
    row_digits: tuple[int, ...]
    zones: tuple[str, ...]
    undated: float
    idless: float
    changes: tuple[str, ...]
    most_rows: int
    merging: str
    sync_time: str
    page_cap: int
    long_history: bool
    happenings: int
    links: str
    totals: str
    conflict: bool
    refuses_order: bool
    restless: bool
    empty_pages: bool
    attachments: bool
    forgets: bool
    kindless: float
    dateless: float
    bare_types: bool
    syncing: tuple[str, ...]

    @classmethod
    def drawn(cls, rng: Random, kinds: tuple[str, ...], data_types: tuple[str, ...]) -> Nature:
        """Draw a nature for a world that holds these data types."""
        pick = rng.choice
        return cls(
            companies=pick((1, 1, 1, 2, 3)),
            connections=pick(((1,), (1,), (1, 2), (2,), (0, 1, 2), (3,))),
            kinds=kinds,
            data_types=data_types,
            events=pick((0.1, 0.3, 0.6)),
            traps=pick((0.0, 0.2, 0.5)),
            finishing=pick((0.05, 0.15, 0.4)),
            swaps=pick((0.2, 0.5, 0.9)),
            whole=pick((0.2, 0.5, 1.0)),
            late=pick((0.0, 0.0, 0.3)),
            arrivals=pick((0.0, 0.02, 0.1)),
            waits=pick((0.1, 0.4, 0.8)),
            stalls=pick((0.0, 0.5, 0.9)),
            fails=pick((0.0, 0.0, 0.2, 0.5)),
            odd=pick((0.0, 0.0, 0.03, 0.15)),
            odd_kinds=ODD_KINDS,
            odd_pick=rng.random() if rng.random() < 0.3 else None,
            odd_answers=pick((0.0, 0.0, 0.03, 0.15)),
            errors=pick((0.0, 0.0, 0.0, 0.03, 0.1)),
            history_errors=pick((0.0, 0.0, 0.0, 0.2)),
            at_once=pick((0.0, 0.4, 0.8)),
            one_stamp=rng.random() < 0.4,
            digits=pick(((7,), (0,), (0, 3, 7), (3,))),
            row_digits=pick(((7,), (0,), (0, 3, 7), (3,))),
            zones=pick((("Z",), ("",), ("Z", ""))),
            undated=pick((0.0, 0.0, 0.0, 0.2)),
            idless=pick((0.0, 0.5, 1.0)),
            changes=pick(
                (
                    ("new", "new", "change"),
                    ("new", "change", "change", "delete", "vanish"),
                    ("new", "new", "change", "vanish"),
                )
            ),
            most_rows=pick((3, 6, 12)),
            merging=pick(("requested", "requested", "changed")),
            sync_time=pick(("done", "done", "requested")),
            page_cap=pick((1000, 1000, 2, 3)),
            long_history=rng.random() < 0.3,
            happenings=pick((20, 60, 150)),
            links=pick(("always", "always", "never", "sometimes")),
            totals=pick(("right",) * 8 + ("none", "more")),
            conflict=rng.random() < 0.15,
            refuses_order=rng.random() < 0.1,
            restless=rng.random() < 0.3,
            empty_pages=rng.random() < 0.5,
            attachments="invoices" in data_types,
            forgets=rng.random() < 0.5,
            kindless=pick((0.0, 0.0, 0.0, 0.3)),
            dateless=pick((0.0,) * 8 + (0.2, 1.0)),
            bare_types=rng.random() < 0.3,
            syncing=pick(((), ("Unlinked",))),
        )

    def calm(self) -> None:
        """Let nothing happen any more, and everything be told as it is."""
        self.late = self.odd_answers = 0.0
        self.events = self.arrivals = self.odd = self.errors = self.dateless = self.history_errors = (
            self.traps
        ) = 0.0
        self.conflict = self.restless = False


@dataclass
class Use:
    """How a story's user runs the connector; streams, page_size and reads apart, all are chances.

    full_refresh: a stream is read whole. kills, stops: a read is killed, or told to stop. peace: nothing
    happens while a read goes on. turns: options change, or an older state is handed on, between two reads.
    foreign: a state says that a partition was read until long after now. scene: what each read is put into,
    if anything (scenes.py).
    """

    streams: tuple[str, ...]
    page_size: int
    reads: int
    full_refresh: float
    kills: float
    stops: float
    peace: float
    turns: float
    foreign: float
    scene: str

    @classmethod
    def drawn(cls, rng: Random, selections: Sequence[tuple[str, ...]], scenes: Sequence[str]) -> Use:
        """Draw how the connector is used, with one of these selections of streams, perhaps in a scene."""
        return cls(
            streams=rng.choice(selections),
            page_size=rng.choice((2, 3, 5, 1000)),
            reads=rng.choice((1, 2, 3, 3)),
            full_refresh=rng.choice((0.0, 0.0, 0.15, 0.5)),
            kills=rng.choice((0.0, 0.25, 0.5)),
            stops=0.05,
            peace=rng.choice((0.2, 0.4)),
            turns=rng.choice((0.0, 0.05, 0.2)),
            foreign=rng.choice((0.0, 0.0, 0.1)),
            scene=rng.choice(scenes) if rng.random() < 0.2 else "",
        )
