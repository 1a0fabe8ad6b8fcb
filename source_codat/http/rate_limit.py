"""How many requests a minute this process may send."""

from __future__ import annotations

import os
import threading
import time
from collections import deque

PER_MINUTE = 900  # Codat guards each address at 1,000 a minute and may block without notice
_OVERRIDE = "SOURCE_CODAT_REQUESTS_PER_MINUTE"  # for benchmarks only, see CONTRIBUTING.md


class RateLimiter:
    """Lets requests pass in bursts, and never more than `per_minute` in any sixty seconds."""

    def __init__(self, per_minute: int | None = None) -> None:
        self._size = per_minute or int(os.environ.get(_OVERRIDE, PER_MINUTE))
        self._starts: deque[float] = deque(maxlen=self._size)
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Reserve one request; returns the seconds to wait before it may start."""
        with self._lock:
            now = time.monotonic()
            start = now
            if len(self._starts) == self._size:
                start = max(now, self._starts[0] + 60.0)
            self._starts.append(start)
            return start - now
