"""The console script: arguments and files in, protocol lines out, and an exit code."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence

from source_codat.run.arguments import parse

__all__ = ["run"]


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process: with 0 when it did what was asked, else with another code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of what is being imported
    parsed = parse(sys.argv[1:] if arguments is None else arguments)
    # The rest takes a second to import: help, version and wrong arguments don't wait for it. What is imported
    # stays, so that looking for garbage in it finds nothing; it would be a sixth of that second.
    gc.disable()
    from source_codat.run.process import run_command  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    run_command(parsed)
