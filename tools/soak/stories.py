"""Stories: steps in a row, each with a number that stands for all that is random in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tools.soak.trial import Trial

Step = tuple[str, int]
# How often each step of a Trial is drawn; a process of its own takes seconds, so it isn't among them.
_WEIGHTS = {
    "live": 6,
    "roster": 1,
    "jump": 1,
    "vary": 2,
    "select": 1,
    "read": 2,
    "read_while_changing": 5,
    "read_in_bad_weather": 2,
    "read_in_a_storm": 2,
    "roll_back": 1,
    "check": 2,
    "check_every_state": 1,
}
DRAWN = tuple(name for name, weight in _WEIGHTS.items() for _ in range(weight))


def play(seed: int, steps: Iterable[Step]) -> Counter[str]:
    """Play a story in a world of its own, with a check at its end; return what it came to."""
    trial = Trial(seed)
    try:
        for name, number in (*steps, ("check", 0)):
            trial.step(name, number)
    finally:
        trial.close()
    return trial.counts
