"""What the requests came to: counted for the read as a whole, and for each stream."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from source_codat.foundation.wording import counted

_NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass
class RequestStats:
    """Requests sent, how many of them were retries, and the seconds waited before those.

    Written under the client's lock. by_company: by company's id, its requests and the seconds that they took;
    None where that isn't counted. Each is taken out by the thread that writes, which doesn't hold that lock.
    """

    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    by_company: dict[str, tuple[int, float]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count_by_company(self) -> None:
        """Count the requests of each company apart from now on."""
        self.by_company = {}

    def spent(self, company_id: str | None, requests: int, seconds: float) -> None:
        """Count what was spent on a company; None stands for the account as a whole."""
        if self.by_company is not None:
            with self._lock:
                known = self.by_company.get(company_id or "", (0, 0.0))
                self.by_company[company_id or ""] = (known[0] + requests, known[1] + seconds)

    def take(self, company_id: str) -> tuple[int, float]:
        """The requests and seconds of a company since they were taken last; "" is the account as a whole."""
        if self.by_company is None:
            return 0, 0.0
        with self._lock:
            return self.by_company.pop(company_id, (0, 0.0))

    def sentence(self) -> str:
        """The requests and the retries, in words."""
        asked, again = (
            counted(self.requests, "request"),
            counted(self.retries, "retry"),
        )
        return f"{asked}, {again}"


@dataclass
class ClientStats(RequestStats):
    """The whole read's requests, and what Codat said last about the day's quota."""

    quota_limit: str = ""
    quota_left: str = ""
    _resets: str = ""

    def note_quota(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the quota; answers may come in another order than they were made.

        Numbers only: anything else may be an echo of what was sent.
        """
        limit, left = (headers.get(f"X-Rate-Limit-{name}", "").strip() for name in ("Limit", "Remaining"))
        reset = headers.get("X-Rate-Limit-Reset", "")
        self.quota_limit = limit if _NUMBER.fullmatch(limit) else self.quota_limit
        older = reset == self._resets and bool(self.quota_left)
        if _NUMBER.fullmatch(left) and not (older and int(left) > int(self.quota_left)):
            self.quota_left = left
        self._resets = reset

    def sentence(self) -> str:
        """The closing line: what was asked of Codat, and what is left of the quota."""
        left = f"; {self.quota_left} of {self.quota_limit} requests left today" if self.quota_left else ""
        return f"Codat: {super().sentence()}, {self.waited:.0f} s waited{left}."
