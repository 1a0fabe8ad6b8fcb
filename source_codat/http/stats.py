"""What the requests came to: counted for the read as a whole, and for each stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from source_codat.foundation.wording import counted

_NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass
class RequestStats:
    """Requests sent, how many of them were retries, and the seconds waited before those.

    Written under the client's lock.
    """

    requests: int = 0
    retries: int = 0
    waited: float = 0.0

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
