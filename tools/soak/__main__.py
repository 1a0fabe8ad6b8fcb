"""`python -m tools.soak --minutes 10`: stories at random until the time is over or something is lost."""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from tools.soak.oracle import PromiseBroken
from tools.soak.story import STEPS_TO_DRAW, Step, play

_STEPS = 20
_KILL_EVERY = 10  # stories
_REPORT_SECONDS = 60.0
_SHORTEN_SECONDS = 240.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and return the exit code: 1 as soon as a promise is broken."""
    options = _parser().parse_args(arguments)
    # The simulator is stopped in the middle of answers, of which its server complains.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    if options.replay:
        return _replay(options.seed or 0, _parsed(options.replay))
    first = options.seed if options.seed is not None else secrets.randbelow(2**32)
    _say(f"{options.minutes:g} minutes of stories from seed {first} on")
    began = reported = time.monotonic()
    counts: Counter[str] = Counter()
    for seed in _seeds(first, options.stories):
        steps = steps_of(seed)
        try:
            counts += play(seed, steps)
        except PromiseBroken as error:
            _say(_progress(seed, began, counts, losses=1))
            _say(_tables(counts))
            _say(f"{str(error).splitlines()[0]}\nAgain: {_command(seed, steps)}\nMaking the story shorter.")
            steps, error = _shortened(seed, steps, error)
            _say(f"{error}\nAgain: {_command(seed, steps)}")
            return 1
        counts["stories"] += 1
        now = time.monotonic()
        if now - reported >= _REPORT_SECONDS:
            reported = now
            _say(_progress(seed, began, counts))
        if now - began >= options.minutes * 60:
            break
    _say(_progress(seed, began, counts))
    _say(_tables(counts))
    return 0


def steps_of(seed: int) -> list[Step]:
    """The steps of the story that a seed stands for; now and then one that kills a process."""
    rng = Random(f"story/{seed}")
    steps = [(rng.choice(STEPS_TO_DRAW), rng.getrandbits(24)) for _ in range(_STEPS)]
    if seed % _KILL_EVERY == 0:
        steps.insert(rng.randrange(_STEPS), ("kill_a_process", rng.getrandbits(24)))
    return steps


def _seeds(first: int, most: int | None) -> Iterator[int]:
    seed = first
    while most is None or seed < first + most:
        yield seed
        seed += 1


def _replay(seed: int, steps: list[Step]) -> int:
    error = _failure(seed, steps)
    _say(f"The story went well.\nAgain: {_command(seed, steps)}" if error is None else str(error))
    return 0 if error is None else 1


def _shortened(seed: int, steps: list[Step], error: PromiseBroken) -> tuple[list[Step], PromiseBroken]:
    """Leave out the steps without which the story fails all the same, and return its error then.

    How threads meet may decide whether a story fails: then some steps may stay that weren't needed.
    """
    end = time.monotonic() + _SHORTEN_SECONDS
    size = len(steps) // 2
    while size and time.monotonic() < end:
        for at in range(len(steps) - size, -1, -1):
            fewer = steps[:at] + steps[at + size :]
            found = _failure(seed, fewer)
            if found is not None:
                steps, error = fewer, found
                break
        else:
            size //= 2
    return steps, error


def _failure(seed: int, steps: list[Step]) -> PromiseBroken | None:
    try:
        play(seed, steps)
    except PromiseBroken as error:
        return error
    return None


def _command(seed: int, steps: list[Step]) -> str:
    written = " ".join(f"{name}:{number}" for name, number in steps)
    return f"python -m tools.soak --seed {seed} --replay {written}"


def _parsed(words: list[str]) -> list[Step]:
    return [(name, int(number)) for name, _, number in (word.partition(":") for word in words)]


def _progress(seed: int, began: float, counts: Counter[str], losses: int = 0) -> str:
    names = ("stories", "steps", "reads", "records", "kills", "faults", "checks")
    done = ", ".join(f"{counts[name]} {name}" for name in names)
    return f"{(time.monotonic() - began) / 60:5.1f} min, up to seed {seed}: {done}, {losses} losses"


def _tables(counts: Counter[str]) -> str:
    """How often each kind of trouble struck, and how the reads in storms ended."""
    lines = []
    for heading, kind in (("What struck, and how often", "struck/"), ("How reads in storms ended", "storm/")):
        rows = sorted((name.removeprefix(kind), n) for name, n in counts.items() if name.startswith(kind))
        lines += [f"{heading}:", *(f"  {number:8}  {name}" for name, number in rows)]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--seed", type=int, help="the first story's seed (any)")
    parser.add_argument("--stories", type=int, help="how many stories at most")
    parser.add_argument(
        "--replay", nargs="+", metavar="STEP:NUMBER", help="play these steps, in the world of the seed"
    )
    return parser


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
