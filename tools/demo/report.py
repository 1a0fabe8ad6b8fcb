"""What the demo shows and checks after its reads: each stream's rows beside what Codat holds."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from tools.demo import ROOT
from tools.demo.tables import table


@dataclass
class StreamRows:
    """One stream in numbers, or several streams summed up under a title.

    rows: in DuckDB. expected: in the simulated Codat; None where the simulator can't count without being
    asked. changed: records that are new or different since the first read; None where that isn't counted.
    second, third: rows that the second and third read brought; third is None for a stream that wasn't read
    a third time. gone: records that Codat no longer has and doesn't mark as deleted; their rows stay until a
    resync.
    """

    stream: str
    rows: int
    expected: int | None
    changed: int | None
    second: int
    third: int | None
    gone: int = 0


def rows_table(lines: list[StreamRows], *, read_whole: bool) -> str:
    """The streams that most people want first one by one, the others summed up."""
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))
    suggested = metadata["data"]["suggestedStreams"]["streams"]
    others = [line for line in lines if line.stream not in suggested]
    shown = [line for line in lines if line.stream in suggested]
    counted = [line for line in others if line.expected is not None]
    asked = [line for line in others if line.expected is None]
    shown += [_sum(f"{len(counted)} other{'s' if len(counted) > 1 else ''}", counted)] if counted else []
    shown += [_sum(f"{len(asked)} that only Codat can count", asked)] if asked else []
    shown.append(_sum(f"all {len(lines)}", lines))
    if read_whole:
        head = ["stream", "in DuckDB", "in Codat", "2nd read"]
        return table(head, [(one.stream, one.rows, _or_dash(one.expected), one.second) for one in shown])
    head = ["stream", "in DuckDB", "in Codat", "changed", "2nd read", "3rd read"]
    cells = [
        (one.stream, one.rows, *map(_or_dash, (one.expected, one.changed)), one.second, _or_dash(one.third))
        for one in shown
    ]
    return table(head, cells)


def what_is_wrong(lines: list[StreamRows]) -> Iterator[str]:
    """A sentence for each kind of mistake in what arrived; none where all is right."""
    wrong = [
        line.stream for line in lines if line.expected is not None and line.rows != line.expected + line.gone
    ]
    if wrong:
        yield f"the number of rows differs from Codat's own for {', '.join(wrong)}"
    missed = [line.stream for line in lines if line.changed is not None and line.second < line.changed]
    if missed:
        yield f"the second read missed changes of {', '.join(missed)}"
    empty = [line.stream for line in lines if line.rows == 0]
    if empty:
        yield f"nothing arrived of {', '.join(empty)}"


def _or_dash(number: int | None) -> int | str:
    return "-" if number is None else number


def _sum(title: str, lines: list[StreamRows]) -> StreamRows:
    """Add streams up: rows in Codat only where all are known, changes as far as they are known."""
    changed = [line.changed for line in lines if line.changed is not None]
    third = [line.third for line in lines if line.third is not None]
    expected = [line.expected for line in lines if line.expected is not None]
    return StreamRows(
        stream=title,
        rows=sum(line.rows for line in lines),
        expected=sum(expected) if len(expected) == len(lines) else None,
        changed=sum(changed) if changed else None,
        second=sum(line.second for line in lines),
        third=sum(third) if third else None,
    )
