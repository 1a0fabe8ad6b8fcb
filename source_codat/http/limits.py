"""How long one request is tried before somebody is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """The bounds on one request; waits and time-outs are in seconds.

    retries, connect_timeout, read_timeout: less than the manifest allows, where somebody waits.
    time_outs: how many tries may end without an answer in time. one_wait, all_waits: the most that
    Codat's limits may ask for, at once and in all. answer: how long a whole body may take.
    then: what the user is told of what outlasts them.
    """

    retries: int | None = None
    connect_timeout: float | None = None
    read_timeout: float | None = None
    time_outs: int = 4
    one_wait: float = 600.0
    all_waits: float = 900.0
    answer: float = 300.0
    then: str = "the sync stopped there, and the next one goes on from what was finished"


READING = Patience()
# Somebody looks at a form meanwhile: half a minute is long, and they try again by themselves.
CHECKING = Patience(
    retries=2,
    connect_timeout=5.0,
    read_timeout=20.0,
    time_outs=1,
    one_wait=15.0,
    all_waits=20.0,
    answer=30.0,
    then="try again later",
)


@dataclass
class Tries:
    """What one request has come to so far.

    made: tries of every kind. failed: those without a good answer, Codat's limits left out.
    timed_out: those of them that took too long. waited: seconds, for limits and between tries.
    failing_since: the moment of the first failed one, on this machine's monotonic clock.
    """

    path: str
    made: int = 0
    failed: int = 0
    timed_out: int = 0
    waited: float = 0.0
    failing_since: float = 0.0
