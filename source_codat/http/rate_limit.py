"""How many requests a minute this process may send."""

from __future__ import annotations

import threading
import time
from collections import deque

WINDOW_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.1


class RateLimiter:
    """Lets requests pass in bursts; in no sixty seconds do more than `per_minute` of them reach Codat.

    A request has a place from before it is sent until a minute after it has ended. However long requests are
    on their way, two that had the same place one after the other reach Codat more than a minute apart.
    Counted from when they were sent, a burst that was delayed and the next one could fall into one minute.
    Safe to use from several threads.
    """

    def __init__(self, per_minute: int) -> None:
        self._unused = per_minute
        self._ended_at: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a place, which `ended` gives back.

        Returns 0 where there was one, else the seconds to wait before trying again.
        """
        with self._lock:
            if self._unused:
                self._unused -= 1
                return 0.0
            if not self._ended_at:  # all are under way
                return _LOOK_AGAIN_SECONDS
            left = self._ended_at[0] + WINDOW_SECONDS - time.monotonic()
            if left > 0:
                return left
            self._ended_at.popleft()
            return 0.0

    def ended(self) -> None:
        """Note that a request which had a place was answered or given up."""
        with self._lock:
            self._ended_at.append(time.monotonic())
