"""What Codat's limits ask to wait for: one company's requests, or everybody's."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

SEVERAL = 3  # companies that are refused one after the other: nobody else would be let through either


class Limits:
    """Knows from when on which company may be asked again; safe to use from several threads.

    A 429 is its company's own, until the quota headers or several companies say that it is the quota.
    Moments are those of this machine's monotonic clock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Companies that were refused one after the other, each asked when the one before was known:
        # answers to requests that were on their way together say nothing of each other.
        self._refused: set[str] = set()
        self._first_refused_at = self._last_refused_at = 0.0
        self._company_until: dict[str, float] = {}
        self._until = 0.0

    def answered(self, asked_at: float) -> None:
        """Codat let a request through: it isn't the quota that holds others back."""
        with self._lock:
            if self._refused and asked_at > self._first_refused_at:
                self._refused.clear()

    def refused(self, company_id: str | None, headers: Mapping[str, str], asked_at: float) -> bool:
        """Take in a 429; returns whether everybody's quota is used up, and not one company's limit.

        company_id: None where the request was about no company.
        """
        if company_id is None or headers.get("X-Rate-Limit-Remaining", "").strip() == "0":
            return True
        with self._lock:
            if not self._refused:
                self._first_refused_at = asked_at = self._last_refused_at = time.monotonic()
            if company_id not in self._refused and asked_at >= self._last_refused_at:
                self._refused.add(company_id)
                self._last_refused_at = time.monotonic()
            return len(self._refused) >= SEVERAL

    def hold_back(self, company_id: str | None, seconds: float) -> None:
        """Let nobody ask for so many seconds; company_id: only for this company, where it isn't None."""
        until = time.monotonic() + seconds
        with self._lock:
            if company_id is None:
                self._until = max(self._until, until)
            else:
                now = time.monotonic()
                self._company_until = {held: end for held, end in self._company_until.items() if end > now}
                self._company_until[company_id] = max(until, self._company_until.get(company_id, 0.0))

    @property
    def held_back(self) -> tuple[int, float]:
        """How many companies must not be asked now, and for how many seconds the longest of them."""
        now = time.monotonic()
        with self._lock:
            left = [until - now for until in self._company_until.values() if until > now]
        return len(left), max(left, default=0.0)

    def seconds_left(self, company_id: str | None = None) -> float:
        """How long a request about a company, or (None) about none, has to wait; 0 or less: not at all."""
        until = max(self._until, self._company_until.get(company_id, 0.0) if company_id else 0.0)
        return until - time.monotonic()
