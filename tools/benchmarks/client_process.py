"""Runs a client as a process of its own, and tells what it cost and what it wrote."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.benchmarks import ROOT

_LONGEST_SECONDS = 900
_BUFFER_BYTES = 1 << 20
_PEAK_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
_SECONDS_BETWEEN_LOOKS = 0.05


class ClientFailedError(Exception):
    """A client ended with an error; the text is what it said last."""


@dataclass
class Output:
    """What a client wrote to stdout, counted line by line: messages by type, and bytes.

    last: the lines of the message types in `keep`.
    """

    records: int = 0
    states: int = 0
    written: int = 0
    state_bytes: int = 0
    last: list[bytes] = field(default_factory=list)
    keep: tuple[str, ...] = ()

    def add(self, line: bytes) -> None:
        """Count one line: Airbyte's and Singer's messages both begin with their type."""
        self.written += len(line)
        head = line[:24]
        if b'"RECORD"' in head:
            self.records += 1
        elif b'"STATE"' in head:
            self.states += 1
            self.state_bytes += len(line)
        if self.keep and any(f'"{kind}"'.encode() in head for kind in self.keep):
            self.last.append(line)


@dataclass(frozen=True)
class Cost:
    """What one run took.

    cpu: seconds, user and system. wall: seconds by the wall clock. peak: the most resident megabytes.
    """

    cpu: float
    wall: float
    peak: float
    output: Output


class _PeakWatch:
    """Watches how much of a process is resident at most.

    What the kernel tells when it has ended counts its first moment too, when it was a copy of this process.
    """

    def __init__(self, process_id: int) -> None:
        self._status = Path(f"/proc/{process_id}/status")
        self._peak = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                found = re.search(r"^VmHWM:\s+(\d+) kB$", self._status.read_text(), re.MULTILINE)
                if found:  # a process that has ended has none
                    self._peak = int(found[1]) * 1024 / 1e6
            if self._is_over.wait(_SECONDS_BETWEEN_LOOKS):
                return

    def end(self) -> float:
        """End watching; the most megabytes, 0 where the system doesn't tell."""
        self._is_over.set()
        self._thread.join()
        return self._peak


def run(
    command: Sequence[str | Path],
    keep: tuple[str, ...] = (),
    pace: Callable[[bytes], None] = lambda _: None,
    longest: float = _LONGEST_SECONDS,
) -> Cost:
    """Run a client to its end, reading its stdout; raises ClientFailedError.

    keep: the message types whose lines are kept. pace: is called with each line before the next is read, and
    may take its time. longest: the seconds after which it is ended.
    """
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            bufsize=_BUFFER_BYTES,
        )
        watchdog = threading.Timer(longest, process.kill)
        watchdog.start()
        watch = _PeakWatch(process.pid)
        output, tail = Output(keep=keep), b""
        try:
            for line in process.stdout or ():
                output.add(line)
                tail = line
                pace(line)
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watchdog.cancel()
            peak = watch.end()
            if process.stdout:
                process.stdout.close()
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            text = errors.read()[-1500:].decode(errors="replace") + tail[-1500:].decode(errors="replace")
            raise ClientFailedError(f"{Path(command[0]).name} ended with {process.returncode}: {text}")
    return Cost(
        usage.ru_utime + usage.ru_stime, wall, peak or usage.ru_maxrss * _PEAK_UNIT_BYTES / 1e6, output
    )
