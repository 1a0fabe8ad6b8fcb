"""Counts the requests of each minute, as Codat does for each IP address."""

from __future__ import annotations

from collections import deque


class Meter:
    """Counts how many requests came in any one minute.

    minute: its length in seconds; a shorter one stands for a world whose clock runs so much faster.
    most: the most that any minute had. total: all of them.
    """

    def __init__(self, minute: float = 60.0) -> None:
        """Count nothing yet."""
        self.minute = minute
        self.most = self.total = 0
        self._last: deque[float] = deque()

    def note(self, at: float) -> None:
        """Count a request that came at an instant, in seconds."""
        self.total += 1
        self._last.append(at)
        while self._last[0] <= at - self.minute:
            self._last.popleft()
        self.most = max(self.most, len(self._last))
