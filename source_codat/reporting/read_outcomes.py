"""What became of each company in each stream of one read, held in a few bytes each until the read ends."""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

from source_codat.foundation import timestamps
from source_codat.foundation.secrets import masked
from source_codat.http.stats import RequestStats

NO_COMPANY = "*"  # in place of a company's id: the account as a whole, or companies that aren't known
_MOST_TEXT = 8 << 20  # characters of messages that are held; later ones are left out
_CORRELATION = re.compile(r"\(correlation id ([^)]+)\)")
_NOT_SET, _NO_DATE = -2, -1


class Outcome(IntEnum):
    """What became of a company in a stream; of several partitions the highest number tells."""

    NONE = 0
    UNCHANGED = 1
    COMPLETE = 2
    SKIPPED = 3
    UNPROVEN = 4
    FAILED = 5


class Reason(Enum):
    """Why a company failed or is unproven, where its partition doesn't say it; the rows' words."""

    NOT_REACHED = "not_reached"
    KEPT_CHANGING = "kept_changing"


@dataclass(frozen=True)
class Ended:
    """What became of one partition.

    reason: one word. message: what the log says. before, after: its cursor when it was planned and now,
    instants; None where the next read starts from the beginning.
    """

    outcome: Outcome
    reason: str = ""
    message: str = ""
    before: int | None = None
    after: int | None = None


class ReadOutcomes:
    """The account of one read; safe to use from several threads.

    A cell is one company in one stream; the first company is the account as a whole. Twenty streams of
    20,000 companies are 400,000 cells, which as Python objects would take half a gigabyte: each is a number
    in some arrays, about fifty bytes.
    stats: by stream, the requests, from which those of a company are taken when it has ended. by_company:
    the streams that are read company by company.
    """

    def __init__(
        self, stats: Mapping[str, RequestStats], by_company: Iterable[str], started_at: int | None = None
    ) -> None:
        self._started_at = timestamps.iso(timestamps.now() if started_at is None else started_at)
        self._streams = list(stats)
        self._stats = list(stats.values())
        self._number = {name: number for number, name in enumerate(self._streams)}
        self._by_company = frozenset(by_company)
        self._lock = threading.Lock()
        self._companies: dict[str, tuple[int, str]] = {}
        self._is_listed = False
        self._texts: dict[str, int] = {"": 0}
        self._text_of: Sequence[str] = ()
        self._text_size = 0
        self._outcome, self._was_planned = bytearray(), bytearray()
        self._to_end, self._reason, self._message, self._requests = (array("i") for _ in range(4))
        self._seconds = array("f")
        self._rows, self._before, self._after, self._ended_at = (array("q") for _ in range(4))
        self._add(NO_COMPANY, "")
        for one in self._stats:
            one.count_by_company()

    def listed(self, companies: Iterable[tuple[str, str]]) -> None:
        """Take in the ids and names of the companies to read; they are known from now on."""
        with self._lock:
            for company_id, name in companies:
                self._add(company_id, name)
            self._is_listed = True

    def planned(self, company_id: str, streams: Sequence[str], instead_of: str = "") -> None:
        """Note partitions of a company by their streams' names: each of them has to end.

        instead_of: the stream of the one partition that they replace.
        """
        with self._lock:
            for name in streams:
                cell = self._cell(company_id, name)
                self._to_end[cell] += 1
                self._was_planned[cell] = 1
            if instead_of:
                self._to_end[self._cell(company_id, instead_of)] -= 1

    def sent(self, stream: str, company_id: str, rows: int) -> None:
        """Count rows that have left."""
        with self._lock:
            self._rows[self._cell(company_id, stream)] += rows

    def ended(self, stream: str, company_id: str, ended: Ended) -> None:
        """Note what became of a partition."""
        with self._lock:
            cell = self._cell(company_id, stream)
            self._to_end[cell] -= 1
            if ended.outcome > self._outcome[cell]:
                self._outcome[cell] = ended.outcome
                self._reason[cell] = self._text(ended.reason)
                self._message[cell] = self._text(masked(ended.message))
            for cursors, cursor in ((self._before, ended.before), (self._after, ended.after)):
                known = cursors[cell]
                found = _NO_DATE if cursor is None else cursor
                cursors[cell] = found if known == _NOT_SET else min(known, found)
            self._ended_at[cell] = timestamps.now()
            self._take_requests(cell, company_id)

    def rows(self, stopped: str = "") -> Iterator[dict[str, Any]]:
        """One row for each company and stream; stopped: why the read didn't come to its end, "" where it did.

        What wasn't reached, or not to its end, is failed for that reason.
        """
        with self._lock:
            companies = list(self._companies.items())
        for company_id, (first, name) in companies:
            for number, stream in enumerate(self._streams):
                is_by_company = stream in self._by_company and self._is_listed
                if is_by_company == (company_id != NO_COMPANY):
                    with self._lock:
                        row = self._row(company_id, name, stream, first + number, stopped)
                    yield row

    def _row(self, company_id: str, name: str, stream: str, cell: int, stopped: str) -> dict[str, Any]:
        self._take_requests(cell, company_id)
        if len(self._text_of) != len(self._texts):
            self._text_of = list(self._texts)
        outcome = Outcome(self._outcome[cell])
        reason, message = self._text_of[self._reason[cell]], self._text_of[self._message[cell]]
        is_whole = self._to_end[cell] <= 0 and (outcome is not Outcome.NONE or self._was_planned[cell])
        if not is_whole and outcome is not Outcome.FAILED:
            outcome, reason, message = Outcome.FAILED, Reason.NOT_REACHED.value, masked(stopped)
        elif outcome is Outcome.NONE:  # there was no parent whose children could have been read
            outcome = Outcome.COMPLETE
        found = _CORRELATION.search(message)
        return {
            "companyId": company_id,
            "stream": stream,
            "readStartedAt": self._started_at,
            "companyName": name or None,
            "outcome": outcome.name.lower(),
            "reason": reason or None,
            "message": message or None,
            "correlationId": found.group(1) if found else None,
            "rows": self._rows[cell],
            "cursorBefore": _date(self._before[cell]),
            "cursorAfter": _date(self._after[cell]),
            "requests": self._requests[cell],
            "seconds": round(self._seconds[cell], 3),
            "endedAt": _date(self._ended_at[cell]),
        }

    def _add(self, company_id: str, name: str) -> int:
        if company_id in self._companies:
            return self._companies[company_id][0]
        first, count = len(self._outcome), len(self._streams)
        self._companies[company_id] = (first, name)
        self._outcome.extend(bytes(count))
        self._was_planned.extend(bytes(count))
        for numbers in (self._to_end, self._reason, self._message, self._requests):
            numbers.extend([0] * count)
        self._seconds.extend([0.0] * count)
        self._rows.extend([0] * count)
        for dates in (self._before, self._after, self._ended_at):
            dates.extend([_NOT_SET] * count)
        return first

    def _cell(self, company_id: str, stream: str) -> int:
        return self._add(company_id or NO_COMPANY, "") + self._number[stream]

    def _text(self, text: str) -> int:
        """The number of a text; of the empty one where no more are held."""
        known = self._texts.get(text)
        if known is not None or self._text_size > _MOST_TEXT:
            return known or 0
        self._text_size += len(text)
        self._texts[text] = len(self._texts)
        return self._texts[text]

    def _take_requests(self, cell: int, company_id: str) -> None:
        requests, seconds = self._stats[cell % len(self._streams)].take(company_id.replace(NO_COMPANY, ""))
        self._requests[cell] += requests
        self._seconds[cell] += seconds


def _date(ticks: int) -> str | None:
    return timestamps.iso(ticks) if ticks >= 0 else None
