"""The queue from the workers to the writer: rows and ends of partitions, bounded by bytes."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

from source_codat.foundation.errors import ReadStopped

T = TypeVar("T")
MAX_BYTES = 24 * 1024 * 1024  # a queue bounded by items is gigabytes behind a slow destination
ITEM_BYTES = 2000  # what an item takes beside its own bytes: small ones may come by the hundred thousand


class Outbox(Generic[T]):
    """A first-in, first-out queue; `put` waits while more than `max_bytes` are in it.

    Each item counts with ITEM_BYTES beside its own, except for notices of size 0, which never wait.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._items: deque[tuple[T, int]] = deque()
        lock = threading.Lock()
        self._filled, self._drained = threading.Condition(lock), threading.Condition(lock)
        self._closed = False

    def put(self, item: T, size: int = 0) -> None:
        """Add an item that holds `size` bytes; raises ReadStopped once the outbox is closed."""
        size += ITEM_BYTES if size else 0
        with self._drained:
            while size and self._bytes > self._max_bytes and not self._closed:
                self._drained.wait()
            if self._closed:
                raise ReadStopped("The read was told to stop.")
            self._items.append((item, size))
            self._bytes += size
            self._filled.notify()

    def get(self, timeout: float) -> T | None:
        """The oldest item, or None where there is none within `timeout` seconds."""
        with self._filled:
            if not self._items:
                self._filled.wait(timeout)
            if not self._items:
                return None
            item, size = self._items.popleft()
            self._bytes -= size
            if size:
                self._drained.notify_all()
            return item

    def close(self) -> None:
        """Take nothing more, and let nobody wait."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()
            self._drained.notify_all()
