"""Tables of text for a terminal."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from unicodedata import east_asian_width

_WIDEST = 40
_NARROWEST = 12
_BETWEEN = 2
_MOST_DECIMALS = 6


def terminal_width() -> int:
    """How many columns the terminal has; 100 where the output goes elsewhere."""
    return shutil.get_terminal_size((100, 24)).columns


def table(head: Sequence[str], rows: Iterable[Sequence[object]], width: int | None = None) -> str:
    """Lay out rows in columns: numbers to the right, with thousands marked; long texts are cut.

    What doesn't fit into `width` columns even so is laid out as one block of lines a row.
    """
    lines = [list(row) for row in rows]
    columns = [_texts([line[n] for line in lines]) for n in range(len(head))]
    right = [all(_is_number(line[n]) for line in lines) for n in range(len(head))]
    widths = [
        max(map(_width, [name, *(text[:_WIDEST] for text in column)]))
        for name, column in zip(head, columns, strict=True)
    ]
    if width is not None and not _narrow(widths, right, width):
        return _blocks(head, columns, len(lines), width)
    texts = [list(head), ["-" * one for one in widths], *(list(line) for line in zip(*columns, strict=True))]
    shown = [_line(line, widths, right) for line in texts]
    return "\n".join(shown if lines else [*shown, "(no rows)"])


def side_by_side(numbers: Mapping[str, int], width: int) -> str:
    """Lay out names with their numbers in as many columns as fit, read from top to bottom."""
    names = list(numbers)
    for columns in range(len(names), 0, -1):
        height = -(-len(names) // columns)
        parts = [_aligned(names[start : start + height], numbers) for start in range(0, len(names), height)]
        widths = [max(map(_width, part)) for part in parts]
        if sum(widths) + _BETWEEN * (len(widths) - 1) <= width:
            break
    lines = [[part[n] if n < len(part) else "" for part in parts] for n in range(height)]
    return "\n".join(_line(line, widths, [False] * len(widths)) for line in lines)


def _aligned(names: Sequence[str], numbers: Mapping[str, int]) -> list[str]:
    """Names with their numbers below one another."""
    longest, largest = max(map(len, names)), max(len(f"{numbers[name]:,}") for name in names)
    return [f"{name:<{longest}} {numbers[name]:>{largest},}" for name in names]


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, to_the_right in zip(cells, widths, right, strict=True):
        text = _cut(cell, width)
        space = " " * (width - _width(text))
        padded.append(space + text if to_the_right else text + space)
    return (" " * _BETWEEN).join(padded).rstrip()


def _narrow(widths: list[int], right: list[bool], width: int) -> bool:
    """Narrow the columns of texts, the widest first, until all fit; False where they can't."""
    over = sum(widths) + _BETWEEN * (len(widths) - 1) - width
    while over > 0:
        texts = [n for n in range(len(widths)) if not right[n] and widths[n] > _NARROWEST]
        if not texts:
            return False
        widths[max(texts, key=lambda n: widths[n])] -= 1
        over -= 1
    return True


def _blocks(head: Sequence[str], columns: list[list[str]], rows: int, width: int) -> str:
    """Show each row as lines of name and value."""
    longest = max(map(_width, head))
    shown = []
    for row in range(rows):
        shown.append(f"-- {row + 1} --")
        for name, column in zip(head, columns, strict=True):
            text = _cut(column[row], width - longest - _BETWEEN)
            shown.append(f"{name:<{longest + _BETWEEN}}{text}".rstrip())
    return "\n".join(shown)


def _is_number(cell: object) -> bool:
    return cell in (None, "-") or (isinstance(cell, int | float | Decimal) and not isinstance(cell, bool))


def _texts(cells: list[object]) -> list[str]:
    """A column as texts: one number of decimals for all of it, and no time where all are midnights."""
    found = [_exact(cell) for cell in cells]
    fractions = [cell for cell in found if isinstance(cell, Decimal) and cell.is_finite()]
    decimals = max([2, *(-int(cell.normalize().as_tuple().exponent) for cell in fractions)])
    moments = [cell for cell in cells if isinstance(cell, datetime)]
    form = (
        "%Y-%m-%d %H:%M:%S" if any(moment.time() != moment.min.time() for moment in moments) else "%Y-%m-%d"
    )
    return [_text(cell, min(decimals, _MOST_DECIMALS), form) for cell in found]


def _exact(cell: object) -> object:
    return Decimal(repr(cell)) if isinstance(cell, float) else cell


def _text(cell: object, decimals: int, form: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, Decimal):
        return f"{cell:,.{decimals}f}"
    if isinstance(cell, datetime):
        return cell.strftime(form)
    return " ".join(str(cell).split())


def _cut(text: str, width: int) -> str:
    """A text in so many terminal columns at most, with a mark where something is missing."""
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _width(text: str) -> int:
    """Count terminal columns: Chinese and Japanese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
