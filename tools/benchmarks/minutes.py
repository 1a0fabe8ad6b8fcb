"""The connector's console script with minutes of another length.

`python -m tools.benchmarks.minutes SECONDS …`: what follows are arguments of source-codat. Only the budget
of requests goes by these minutes.
"""

from __future__ import annotations

import sys

from source_codat.http import rate_limit
from source_codat.run import run


def main(arguments: list[str]) -> None:
    """Run a command of the connector, and end the process."""
    rate_limit.WINDOW_SECONDS = float(arguments[0])
    run(arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
