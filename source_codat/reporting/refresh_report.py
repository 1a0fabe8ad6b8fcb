"""What became of the refreshes: counted while they run, told at the end by company and by name."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict

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
_OTHER = {
    "unfinished": "Refresh didn't finish within refresh_wait_minutes ({minutes})",
    "late": "Refresh not asked for, as refresh_wait_minutes ({minutes}) were over before their turn",
    "refused": "Refresh refused by Codat",
    "unlinked": "Refresh not possible, as the connection isn't linked any more: the company must link it",
}
_LINES = 20  # companies that get a line each when they are waited for
logger = logging.getLogger("airbyte")


class RefreshReport:
    """Tallies refreshes; safe to use from several threads."""

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
        """A company is waited for."""
        self.left(company, len(data_types))
        with self._lock:
            self._lines += 1
            loud = self._lines <= _LINES
        if loud:
            logger.info("%s: waiting for Codat to refresh %s.", company.label, ", ".join(data_types))

    def asked(self, *, is_new: bool) -> None:
        """Codat was asked for one data type; it may have been at it already."""
        with self._lock:
            self.queued += is_new
            self.running += not is_new

    def left(self, company: Company, pulls: int) -> None:
        """So many refreshes of a company are still waited for."""
        with self._lock:
            if pulls:
                self._waiting[company.id] = pulls
            else:
                self._waiting.pop(company.id, None)

    def ended(self, status: str, company: Company, data_type: str, links: list[str]) -> None:
        """One refresh has ended; links: the connections that it may have been about."""
        if status == COMPLETE:
            with self._lock:
                self.complete += 1
            return
        self.note(status, company, data_type, MEANINGS.get(status, ""))
        if status == "AuthError":
            for link in links:
                self.note(status, company, link)

    def note(self, kind: str, company: Company, what: str = "", words: str = "") -> None:
        """Something that the user should know of a company's refresh."""
        with self._lock:
            items = self._found[kind][company.label]
            if what and what not in items:
                items.append(what)
            self._words.setdefault(kind, words)

    @property
    def waiting(self) -> tuple[int, int]:
        """How many companies are waited for, and how many of their refreshes."""
        with self._lock:
            return len(self._waiting), sum(self._waiting.values())

    def warnings(self) -> list[str]:
        """One sentence for each way in which refreshes didn't end well."""
        sentences = []
        with self._lock:
            for kind, companies in self._found.items():
                what = _OTHER.get(kind, f"Refresh ended with {kind}").format(minutes=self._minutes)
                words = f" ({self._words[kind]})" if self._words.get(kind) else ""
                named = [
                    f"{label}: {', '.join(items)}" if items else label for label, items in companies.items()
                ]
                sentences.append(
                    f"{what}{words}, {counted(len(companies), 'company')}: {first_of(named, '; ')}. "
                    "What Codat had was read."
                )
        return sentences

    def summary(self) -> str:
        """The closing line."""
        running = f", {self.running} under way already" if self.running else ""
        return f"Refresh: {counted(self.queued, 'data type')} queued{running}, {self.complete} complete."
