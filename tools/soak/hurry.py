"""The connector in a hurry: short time-outs and no back-off, so that a story meets minutes of trouble in one.

`python -m tools.soak.hurry read …` is the console script in a hurry.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from source_codat.run import run

PATIENT = 20.0
IMPATIENT = 0.4  # seconds without a byte; an answer of the simulator takes a few milliseconds


@contextmanager
def hurried(read_time_out: float = IMPATIENT) -> Iterator[None]:
    """Let requests be given up after a moment and be tried again at once, as many as are wanted a minute.

    A minute of waiting for refreshes is a sixtieth of a second.
    """
    with (
        mock.patch("source_codat.http.client.CodatClient._back_off", return_value=0.0),
        mock.patch("source_codat.http.client.time_outs", return_value=(5.0, read_time_out)),
        mock.patch("source_codat.http.rate_limit.PER_MINUTE", 1_000_000),
        mock.patch("source_codat.engine.refresh.MINUTE_SECONDS", 1 / 60),
        mock.patch("source_codat.engine.refresh.FIRST_PAUSE_SECONDS", 0.01),
        mock.patch("source_codat.engine.refresh.LONGEST_PAUSE_SECONDS", 0.05),
    ):
        yield


if __name__ == "__main__":
    with hurried():
        run()
