"""The console script: arguments and files in, protocol lines out, and an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from source_codat.run.arguments import parse

__all__ = ["run"]


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process: with 0 when it did what was asked, else with another code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of what is being imported
    parsed = parse(sys.argv[1:] if arguments is None else arguments)
    # The rest takes a second to import: help, version and wrong arguments don't wait for it.
    from source_codat.run.process import run_command  # noqa: PLC0415

    run_command(parsed)
