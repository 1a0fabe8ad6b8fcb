"""The connector's console script with minutes of another length.

`python -m tools.benchmarks.minutes SECONDS …`: what follows are arguments of source-codat. Only the budget
of requests goes by these minutes, and the time between states that are due by the clock.
"""

from __future__ import annotations

import sys

from source_codat.http import rate_limit
from source_codat.run import run
from source_codat.state import store


def main(arguments: list[str]) -> None:
    """Run a command of the connector, and end the process."""
    minute = float(arguments[0])
    rate_limit.WINDOW_SECONDS = minute
    if minute:
        store.SECONDS_BETWEEN *= minute / 60
        store.LONGEST_BETWEEN *= minute / 60
    run(arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
