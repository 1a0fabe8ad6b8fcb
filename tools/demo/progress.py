"""What a person sees while a step of the demo runs."""

import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from unicodedata import east_asian_width

WIDEST = 40


@contextmanager
def step(title: str) -> Iterator[list[str]]:
    """Show the title at once, a dot every two seconds, then what the block appended to the list."""
    print(f"{title:<44}", end="", flush=True)
    outcome: list[str] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(2):
            print(".", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    started = time.monotonic()
    ticker.start()
    try:
        yield outcome
    except BaseException:
        outcome.append("failed")
        raise
    finally:
        done.set()
        ticker.join()
        dots = " " if time.monotonic() - started > 2 else ""
        print(dots + ", ".join(outcome or ["done"]))
        sys.stdout.flush()


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out rows in columns: numbers to the right, with thousands marked; long texts are cut."""
    lines = [list(row) for row in rows]
    columns = [[line[n] for line in lines] for n in range(len(head))]
    numeric = [all(isinstance(cell, int | Decimal) or cell == "-" for cell in column) for column in columns]
    texts = [list(head), *([_text(cell) for cell in line] for line in lines)]
    widths = [max(_width(line[n]) for line in texts) for n in range(len(head))]
    texts.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in texts
    )


def _text(cell: object) -> str:
    if isinstance(cell, int | Decimal):
        return f"{cell:,}"
    text = "" if cell is None else " ".join(str(cell).split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _width(text: str) -> int:
    """Count terminal columns: Chinese and Japanese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
