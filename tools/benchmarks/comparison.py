"""The same invoices read by four programs: CPU and wall clock per record, beyond start-up."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tools.benchmarks.client_process import ClientFailedError, Cost, run
from tools.benchmarks.programs import ALL, BARE_LOOP, SOURCE_CODAT, STOCK, TAP, Program
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_least, at_most
from tools.benchmarks.tap import NotInstalledError

Tell = Callable[[str], None]


@dataclass(frozen=True)
class PerRecord:
    """Microseconds for each record beyond start-up.

    cpu: the median, between low and high. wall: by the wall clock. start: start-up, in seconds of CPU.
    """

    cpu: float
    low: float
    high: float
    wall: float
    start: float

    @classmethod
    def between(cls, idle: Sequence[Cost], full: Sequence[Cost], records: int) -> PerRecord:
        """Take the median of the runs that read nothing (`idle`) off those that read `records` (`full`)."""
        start, begun = median(one.cpu for one in idle), median(one.wall for one in idle)
        costs = [(one.cpu - start) / records * 1e6 for one in full]
        wall = (median(one.wall for one in full) - begun) / records * 1e6
        return cls(median(costs), min(costs), max(costs), wall, start)


def compare(folder: Path, repeat: int, quick: bool, tell: Tell) -> Iterable[Figure]:
    """Run all programs in turn, in an order that chance gives, and yield their figures."""
    missing = {one.name: reason for one in ALL if (reason := _reason_to_miss(one))}
    there = [one for one in ALL if one.name not in missing]
    content = Content(3, {"invoices": 600}) if quick else Content(20, {"invoices": 4000})
    with Server(Content(1, {"invoices": 0})) as nothing, Server(content) as everything:
        comparison = Comparison(folder, tell, nothing, everything)
        results = comparison.run(there, 1 if quick else repeat, missing, quick)
    yield from _costs(results, missing)
    yield from _ratios(results, missing)


def _reason_to_miss(program: Program) -> str:
    try:
        program.install()
    except NotInstalledError as error:
        return f"not installed: {error}"
    return ""


@dataclass
class Comparison:
    """The runs of all programs: each on a server that has no invoices, and on one that has all of them."""

    folder: Path
    tell: Tell
    nothing: Server
    everything: Server

    def run(
        self, programs: Sequence[Program], repeat: int, missing: dict[str, str], quick: bool
    ) -> dict[str, PerRecord]:
        """Return what each program's records cost; programs that fail go to `missing`, with the reason."""
        runs: dict[tuple[str, int], list[Cost]] = defaultdict(list)
        commands = {}
        for program in programs:
            for server in (self.nothing, self.everything):
                records = server.content.total
                place = self.folder / f"{program.name.replace(' ', '-')}-{records}"
                commands[program.name, records] = program.command(server, place)
        for number in range(repeat):
            turns = [
                (one, records)
                for one in programs
                for records in (0, self.everything.content.total)
                for _ in range(1 if quick else one.turns)
            ]
            random.shuffle(turns)
            for program, records in turns:
                if program.name in missing:
                    continue
                try:
                    cost = run(commands[program.name, records])
                    if cost.output.records != records:
                        raise ClientFailedError(f"{cost.output.records} of {records} records came out")
                except ClientFailedError as error:
                    missing[program.name] = str(error)
                    self.tell(f"{program.name}: {error}")
                    continue
                runs[program.name, records].append(cost)
                self.tell(
                    f"round {number + 1} of {repeat}: {program.name}, {records:,} records: "
                    f"{cost.cpu:.2f} s CPU, {cost.wall:.2f} s wall clock"
                )
        total = self.everything.content.total
        return {
            one.name: PerRecord.between(runs[one.name, 0], runs[one.name, total], total)
            for one in programs
            if one.name not in missing
        }


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:160]


def _costs(results: dict[str, PerRecord], missing: dict[str, str]) -> Iterable[Figure]:
    for program in ALL:
        name = f"{program.name}: CPU per record"
        found = results.get(program.name)
        if found is None:
            yield Figure(name, None, "µs", note=_one_line(missing[program.name]))
            continue
        wall = f"{found.wall:.0f} µs"
        note = f"start-up, taken off: {found.start:.2f} s CPU"
        yield Figure(name, found.cpu, "µs", found.low, found.high, wall, note=note)


def _ratios(results: dict[str, PerRecord], missing: dict[str, str]) -> Iterable[Figure]:
    ours = results.get(SOURCE_CODAT.name)
    if ours is None:
        return
    for other in (STOCK, TAP):
        name, theirs = f"{other.name} ÷ source-codat", results.get(other.name)
        if theirs is None:
            yield Figure(name, None, "", bar="at least 20", note=_one_line(missing[other.name]))
            continue
        wall = f"{theirs.wall / ours.wall:.1f} times"
        spread = {"low": theirs.low / ours.high, "high": theirs.high / ours.low}
        yield at_least(name, theirs.cpu / ours.cpu, "times", 20, "at least 20", wall=wall, **spread)
    loop = results.get(BARE_LOOP.name)
    if loop is not None:
        wall = f"{ours.wall / loop.wall:.2f} times"
        spread = {"low": ours.low / loop.high, "high": ours.high / loop.low}
        name = f"source-codat ÷ {BARE_LOOP.name}"
        yield at_most(name, ours.cpu / loop.cpu, "times", 0.5, "at most 0.5", wall=wall, **spread)
