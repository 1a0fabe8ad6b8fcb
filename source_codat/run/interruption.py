"""SIGTERM and SIGINT: the read ends after its last state, and the process by the signal itself."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from source_codat.foundation.errors import ReadInterrupted
from source_codat.run.output import Output
from source_codat.source import SourceCodat

PATIENCE_SECONDS = 2.0  # for a reader that takes nothing more, of what a read has left to say
_LOOK_EVERY_SECONDS = 0.5


class Interruption:
    """Takes signals; a second one, or one while nothing is read, ends the process at once."""

    def __init__(self, source: SourceCodat, output: Output) -> None:
        self._source = source
        self._output = output
        self._number: int | None = None

    def install(self) -> None:
        """Answer to signals from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def end(self) -> None:
        """End the process by the signal that came, if one did."""
        if self._number is not None:
            end_by(self._number)

    def _stop(self, number: int, _: FrameType | None) -> None:
        reason = ReadInterrupted(f"The read was ended by {signal.Signals(number).name}.")
        if self._number is not None or not self._source.stop(reason):
            end_by(number)
        self._number = number
        if sys.platform != "win32":
            # The alarm also cuts a write short that waits for the reader.
            signal.signal(signal.SIGALRM, self._look)
            signal.setitimer(signal.ITIMER_REAL, _LOOK_EVERY_SECONDS, _LOOK_EVERY_SECONDS)

    def _look(self, _: int, __: FrameType | None) -> None:
        if self._output.seconds_stuck() > PATIENCE_SECONDS:
            self.end()


def end_by(number: int) -> None:
    """End this process as the signal does where nobody handles it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # the first process of a container is immune to its own signals
