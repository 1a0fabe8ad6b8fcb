"""How often and how long one request is tried before its failure is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """The bounds on one request; waits and time-outs are in seconds.

    max_retries, connect_timeout, read_timeout: less than the manifest allows; None: what it allows.
    max_time_outs: how many attempts may end without an answer in time. longest_wait,
    longest_waits_in_all: the most that Codat's limits may ask for, at once and for one request.
    answer_timeout: how long a whole answer may take. advice: what the user is told of a request
    that outlasts these bounds.
    """

    max_retries: int | None = None
    connect_timeout: float | None = None
    read_timeout: float | None = None
    max_time_outs: int = 4
    longest_wait: float = 600.0
    longest_waits_in_all: float = 900.0
    answer_timeout: float = 300.0
    advice: str = "the read stopped there, and the next one goes on from what was finished"


READ_POLICY = RetryPolicy()
# Somebody looks at a form meanwhile: half a minute is long, and they try again by themselves.
CHECK_POLICY = RetryPolicy(
    max_retries=2,
    connect_timeout=5.0,
    read_timeout=20.0,
    max_time_outs=1,
    longest_wait=15.0,
    longest_waits_in_all=20.0,
    answer_timeout=30.0,
    advice="try again later",
)


@dataclass
class Attempts:
    """What the attempts at one request have come to so far.

    made: attempts of every kind. failed: those without a good answer, Codat's limits left out.
    timed_out: those of them that took too long. waited: seconds, for limits and between attempts.
    failing_since: the moment of the first failed one, on this machine's monotonic clock.
    """

    path: str
    made: int = 0
    failed: int = 0
    timed_out: int = 0
    waited: float = 0.0
    failing_since: float = 0.0
