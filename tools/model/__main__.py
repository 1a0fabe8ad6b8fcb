"""`python -m tools.model --stories 1000 --seed 1`: stories, how fast they went, and what was lost."""

from __future__ import annotations

import argparse
import ast
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence

from tools.model.mutation_check import check
from tools.model.oracle import Broken
from tools.model.story import Story


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and return the exit code: 1 where a promise was broken."""
    options = _parser().parse_args(arguments)
    if options.mutations is not None:
        return _mutations(options.stories or 5000, options.seed, options.mutations)
    stories = options.stories or 1000
    began = time.process_time()
    counts: Counter[str] = Counter()
    failing = []
    given = {name: ast.literal_eval(value) for name, _, value in (one.partition("=") for one in options.set)}
    for seed in range(options.seed, options.seed + stories):
        story = None
        try:
            story = Story(seed, tell=options.verbose, given=given)
            counts += story.play()
        except Broken as broken:
            failing.append(seed)
            print(broken, flush=True)
        except Exception:  # noqa: BLE001 - a fault of the connector's or of the model's: told, and counted
            failing.append(seed)
            print(f"seed {seed}: an exception\n{traceback.format_exc()}", flush=True)
        if options.verbose and story:
            print(story.nature)
            print("\n".join(story.world.told))
        if options.first and failing:
            break
    took = time.process_time() - began
    done = ", ".join(f"{number} {name}" for name, number in counts.items())
    rate = stories / took * 60
    print(f"{rate:.0f} stories a minute of one core; {done}; {len(failing)} failed: {failing[:20]}")
    return 1 if failing else 0


def _mutations(stories: int, seed: int, only: str) -> int:
    """Tell which rules, undone, make the model fail; return 1 where one doesn't."""
    missed = []
    for caught in check(stories, seed, only):
        name = caught.mutation.name
        if caught.seed is None:
            missed.append(name)
            print(f"MISSED  {name}: nothing in {caught.stories} stories", flush=True)
        else:
            words = caught.words.partition(": ")[2][:100]
            print(f"seed {caught.seed:5} ({caught.seconds:4.1f} s)  {name}: {words}", flush=True)
    print(f"{len(missed)} missed: {missed}")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.model", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first story (1)")
    parser.add_argument(
        "--stories", type=int, help="how many (1000), or how many at most for each mutation (5000)"
    )
    parser.add_argument("--first", action="store_true", help="end at the first that fails")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="fix a habit of the worlds (see nature.py)"
    )
    parser.add_argument(
        "--mutations", nargs="?", const="", metavar="NAME", help="undo each rule (or one) instead"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="tell everything that happens")
    return parser


if __name__ == "__main__":
    sys.exit(main())
