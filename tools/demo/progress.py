"""What a person sees while a step of the demo runs."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_TITLE = 45
_MOST_DOTS = 12  # so that the outcome stands in the same line


@contextmanager
def step(title: str) -> Iterator[list[str]]:
    """Show the title at once, a dot every three seconds, then what the block appended to the list."""
    print(f"{title:<{_TITLE}}", end="", flush=True)
    outcome: list[str] = []
    done = threading.Event()

    def tick() -> None:
        for _ in range(_MOST_DOTS):
            if done.wait(3):
                return
            print(".", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    started = time.monotonic()
    ticker.start()
    try:
        yield outcome
    except KeyboardInterrupt:
        raise
    except BaseException:
        outcome.append("failed")
        raise
    finally:
        done.set()
        ticker.join()
        dots = " " if time.monotonic() - started > 3 else ""
        print(dots + ", ".join(outcome) if outcome else "")
        sys.stdout.flush()
