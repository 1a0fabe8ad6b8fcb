"""What became of the refreshes: counted while they run, told at the end by company and by name."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from enum import Enum

from source_codat.companies.company import Company
from source_codat.foundation.wording import counted, first_of
from source_codat.trust.statuses import COMPLETE

# What a status of Codat's that isn't Complete means, and what can be done.
MEANINGS = {
    "FetchError": "the platform answered with an error",
    "MapError": "Codat couldn't map what the platform sent",
    "ValidationError": "what the platform sent didn't pass Codat's validation",
    "ProcessingError": "Codat couldn't process what the platform sent",
    "InternalError": "Codat met an error of its own",
    "AuthError": "the connection has to be linked again by the company",
    "RateLimitError": "the platform's own limit of requests was reached",
    "PermissionsError": "who linked the company lacks a permission on the platform",
    "PrerequisiteNotMet": "something that the platform needs first is missing",
    "Cancelled": "it was cancelled",
    "NotSupported": "the platform doesn't have this data",
}
_LINES = 20  # companies that get a line each when they are waited for
logger = logging.getLogger("airbyte")


class RefreshTrouble(Enum):
    """Why data isn't as fresh as the user wants, as a sentence of the log begins."""

    UNFINISHED = "Refresh didn't finish within refresh_wait_minutes ({minutes})"
    LATE = "Refresh not asked for, as refresh_wait_minutes ({minutes}) were over before their turn"
    REFUSED = "Refresh refused by Codat"
    UNLINKED = "Refresh not possible, as the connection isn't linked any more: the company must link it"


class RefreshReport:
    """Counts refreshes and tells of those that went wrong; safe to use from several threads.

    minutes: how long a read waits for them at most.
    """

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}
        self._found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._words: dict[str, str] = {}
        self._lines = 0
        self.queued = 0
        self.running = 0
        self.complete = 0

    def begun(self, company: Company, data_types: list[str]) -> None:
        """Start to wait for a company's refreshes."""
        self.left(company, len(data_types))
        with self._lock:
            self._lines += 1
            loud = self._lines <= _LINES
        if loud:
            logger.info("%s: waiting for Codat to refresh %s.", company.label, ", ".join(data_types))

    def asked(self, *, is_new: bool) -> None:
        """Count a data type that Codat fetches; is_new: whether it wasn't at it already."""
        with self._lock:
            self.queued += is_new
            self.running += not is_new

    def left(self, company: Company, pulls: int) -> None:
        """Set how many refreshes of a company are still waited for; with 0 it is waited for no longer."""
        with self._lock:
            if pulls:
                self._waiting[company.id] = pulls
            else:
                self._waiting.pop(company.id, None)

    def ended(self, status: str, company: Company, data_type: str, links: list[str]) -> None:
        """Count a refresh that has ended with a status of Codat's.

        links: the labels of the connections that it may have been about.
        """
        if status == COMPLETE:
            with self._lock:
                self.complete += 1
            return
        sentence = f"Refresh ended with {status}"
        self._note(sentence, company, data_type, MEANINGS.get(status, ""))
        if status == "AuthError":
            for link in links:
                self._note(sentence, company, link)

    def note(self, trouble: RefreshTrouble, company: Company, what: str = "", words: str = "") -> None:
        """Remember a company whose data isn't refreshed.

        what: the data type or connection that it is about. words: why, as Codat says it.
        """
        self._note(trouble.value.format(minutes=self._minutes), company, what, words)

    def _note(self, sentence: str, company: Company, what: str, words: str = "") -> None:
        with self._lock:
            items = self._found[sentence][company.label]
            if what and what not in items:
                items.append(what)
            self._words.setdefault(sentence, words)

    @property
    def waiting(self) -> tuple[int, int]:
        """How many companies are waited for, and how many of their refreshes."""
        with self._lock:
            return len(self._waiting), sum(self._waiting.values())

    def warnings(self) -> list[str]:
        """One sentence for each way in which refreshes didn't end well."""
        sentences = []
        with self._lock:
            for sentence, companies in self._found.items():
                words = f" ({self._words[sentence]})" if self._words.get(sentence) else ""
                named = [
                    f"{label}: {', '.join(items)}" if items else label for label, items in companies.items()
                ]
                sentences.append(
                    f"{sentence}{words}, {counted(len(companies), 'company')}: {first_of(named, '; ')}. "
                    "What Codat had was read."
                )
        return sentences

    def summary(self) -> str:
        """The refreshes in one sentence: how many were queued, under way already, and complete."""
        running = f", {self.running} under way already" if self.running else ""
        return f"Refresh: {counted(self.queued, 'data type')} queued{running}, {self.complete} complete."
