"""The way out: whole lines on stdout, whatever kind of file or pipe that is, and sentences on stderr."""

from __future__ import annotations

import logging
import os
import select
import stat
import sys
import threading
import time
from collections import deque
from contextlib import suppress

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import AirbyteLogFormatter
from airbyte_cdk.models import AirbyteMessage

from source_codat.foundation.secrets import masked
from source_codat.foundation.wording import cannot_write

_LOOK_AGAIN_SECONDS = 1.0


class ReaderGoneError(Exception):
    """Nobody reads stdout any more: there is nobody to tell."""


class CannotWriteError(Exception):
    """Stdout takes nothing more, for a reason that stderr should tell."""


def line_of(message: AirbyteMessage) -> bytes:
    """A message as it stands on stdout."""
    return AirbyteEntrypoint.airbyte_message_to_string(message).encode() + b"\n"


class Output:
    """Stdout, written from one thread, with the log lines of all threads between its lines.

    It writes to the descriptor itself: a buffered writer repeats bytes when a signal comes, and
    loses them where a pipe doesn't block. descriptor: None where there is no stdout.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._logged: deque[bytes] = deque()
        self._failed: Exception | None = None
        self._waiting_since: float | None = None

    def write(self, line: bytes) -> None:
        """Write one or several whole lines; raises ReaderGoneError or CannotWriteError."""
        with self._lock:
            self._write_logged()
            self._send(line)
        self._relay()

    def log(self, line: bytes) -> None:
        """Write a line as soon as nobody else writes: no thread waits for another's line to leave."""
        self._logged.append(line)
        self._relay()

    def seconds_stuck(self) -> float:
        """How long stdout has taken nothing although there was something to write."""
        since = self._waiting_since
        return 0.0 if since is None else time.monotonic() - since

    def _relay(self) -> None:
        while self._logged and self._lock.acquire(blocking=False):
            try:
                with suppress(ReaderGoneError, CannotWriteError):  # the next `write` raises it
                    self._write_logged()
            finally:
                self._lock.release()

    def _write_logged(self) -> None:
        while self._logged:
            self._send(self._logged.popleft())

    def _send(self, line: bytes) -> None:
        if self._failed is not None:
            raise self._failed
        if self._descriptor is None:
            self._failed = CannotWriteError("There is no stdout to write to.")
            raise self._failed
        rest = memoryview(line)
        try:
            while rest:
                self._waiting_since = self._waiting_since or time.monotonic()
                rest = rest[self._write_some(self._descriptor, rest) :]
        except BrokenPipeError:
            self._failed = ReaderGoneError()
            raise self._failed from None
        except OSError as error:
            self._failed = CannotWriteError(cannot_write(error))
            raise self._failed from None

    def _write_some(self, descriptor: int, rest: memoryview) -> int:
        """Write what there is room for; a signal may cut it short, and a pipe may not block."""
        try:
            written = os.write(descriptor, rest)
        except BlockingIOError:
            select.select([], [descriptor], [], _LOOK_AGAIN_SECONDS)
            return 0
        self._waiting_since = None
        return written


class LogLines(logging.Handler):
    """Sends what is logged to stdout, as messages of the protocol."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self.setFormatter(AirbyteLogFormatter())
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            text = self.format(record)
        except (TypeError, ValueError):  # half a surrogate pair: orjson takes only valid texts
            record.msg, record.args = record.getMessage().encode(errors="replace").decode(), None
            text = self.format(record)
        self._output.log(text.encode() + b"\n")


def tell_a_person(sentence: str) -> None:
    """Write a sentence to stderr where stdout is a terminal or a file: nobody else reads it aloud there."""
    if sys.__stdout__ is None:
        tell(sentence)
        return
    with suppress(OSError):
        out = os.fstat(sys.__stdout__.fileno())
        one_file = stat.S_ISREG(out.st_mode) and os.path.samestat(out, os.fstat(2))
        if (sys.__stdout__.isatty() or stat.S_ISREG(out.st_mode)) and not one_file:
            tell(sentence)


def tell(sentence: str) -> None:
    """Write a sentence to stderr."""
    with suppress(OSError):
        os.write(2, masked(f"{sentence}\n").encode(errors="replace"))
