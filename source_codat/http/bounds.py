"""How long an answer may take and how large it may be, from its first byte to its last.

The read time-out of `requests` starts anew with each byte, and nothing there bounds a size. Here
the connection itself reads under a bound, whatever it is that comes: interim answers, headers,
chunk extensions, a body, trailers, and what a proxy says before it lets a connection through.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_UNHURRIED = 60.0  # seconds for what is read outside of a request, if anything ever is


class AnswerTooSlow(TimeoutError):
    """An answer has begun, and didn't come to its end in the time that it may take."""


class AnswerTooLarge(Exception):
    """An answer has more bytes than may be held in memory."""


class Bounds:
    """What is left of the seconds and the bytes that one answer may take."""

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._ends = time.monotonic() + seconds
        self._bytes_left = most_bytes
        self._begun = False

    def seconds_left(self) -> float:
        """The seconds until the answer must be there; raises TimeoutError where none are left."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise AnswerTooSlow if self._begun else TimeoutError
        return left

    def received(self, number: int) -> None:
        """Count bytes as they come; raises AnswerTooLarge where they are too many."""
        self._begun = True
        self._bytes_left -= number
        if self._bytes_left < 0:
            raise AnswerTooLarge


class _Current(threading.local):
    """The bounds of the request that a thread has under way."""

    bounds: Bounds | None = None


_current = _Current()


@contextmanager
def bounded(bounds: Bounds) -> Iterator[None]:
    """Let all that this thread reads from a BoundedAdapter's connections count against these bounds."""
    _current.bounds = bounds
    try:
        yield
    finally:
        _current.bounds = None


class _BoundedReader(io.RawIOBase):
    """Reads from a socket, each time no longer than the read time-out and the answer's time allow."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, bounds: Bounds) -> None:
        self._raw = raw
        self._socket = sock
        self._read_timeout = sock.gettimeout()
        self._bounds = bounds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._bounds.seconds_left()
        self._socket.settimeout(left if self._read_timeout is None else min(left, self._read_timeout))
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            self._bounds.seconds_left()  # whichever of the two it was that ended
            raise
        self._bounds.received(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    """An answer, or a proxy's answer to CONNECT, that is read under its request's bounds."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        bounds = _current.bounds or Bounds(_UNHURRIED, 1 << 20)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock, bounds))


class _BoundedConnection(HTTPConnection):
    response_class = _BoundedResponse

    def request(self, *args: Any, **kwargs: Any) -> None:
        # What was left of the last answer's time is no bound on sending the next question.
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        super().request(*args, **kwargs)


class _BoundedSecureConnection(_BoundedConnection, HTTPSConnection):
    pass


class _BoundedPool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _BoundedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _BoundedSecureConnection


class BoundedAdapter(HTTPAdapter):
    """The adapter of `requests`, with connections that read under the bounds of their thread's request."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections bounded ones."""
        super().init_poolmanager(*args, **kwargs)
        self._bind(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """The pools of connections through a proxy, which are bounded ones as well."""
        manager = super().proxy_manager_for(*args, **kwargs)
        self._bind(manager)
        return manager

    @staticmethod
    def _bind(manager: Any) -> None:
        manager.pool_classes_by_scheme = {"http": _BoundedPool, "https": _BoundedSecurePool}
