"""What the requests came to: counted for the sync as a whole, and for each stream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """Requests sent, how many of them were retries, and the seconds waited before those.

    Written under the client's lock.
    """

    requests: int = 0
    retries: int = 0
    waited: float = 0.0


@dataclass
class Traffic(Tally):
    """The whole sync's requests, and what Codat said last about the day's quota."""

    quota_limit: str = ""
    quota_left: str = ""

    def sentence(self) -> str:
        """The closing line: what was asked of Codat, and what is left of the quota."""
        left = f"; {self.quota_left} of {self.quota_limit} requests left today" if self.quota_left else ""
        return f"Codat: {self.requests} requests, {self.retries} retries, {self.waited:.0f} s waited{left}."
