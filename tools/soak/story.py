"""One connection's story: changes, reads, kills and restarts in a row; after any of it, nothing is lost.

Each step has a number that stands for all that is random in it. `python -m tools.soak` draws the steps
itself; in integration_tests/test_nothing_lost.py Hypothesis draws them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from random import Random
from signal import SIGKILL, SIGTERM

from codat_simulator import Simulator
from tools.soak import oracle
from tools.soak.codat_syncs import CodatSyncs
from tools.soak.companies import CompanyChanges
from tools.soak.connector import (
    LONG_TIME_OUT,
    SHORT_TIME_OUT,
    ReadResult,
    ReadTask,
    read_and_kill,
    read_in_process,
)
from tools.soak.destination import Destination
from tools.soak.disturbances import USUAL, Disturbances, Storm
from tools.soak.faults import InjectedFaults, few_faults
from tools.soak.options import Options
from tools.soak.oracle import PromiseBroken
from tools.soak.outcomes import check_outcomes
from tools.soak.record_changes import Journal, RecordChanges
from tools.soak.statements import check_statements
from tools.soak.streams import COMPANIES, READ_OUTCOMES, STREAM_NAMES, visible_records

Step = tuple[str, int]
_START = datetime(2026, 5, 10, tzinfo=timezone.utc)
# How often each step is drawn, in proportion to the others. A process to be killed isn't among them: it takes
# seconds.
_WEIGHTS = {
    "let_codat_sync": 6,
    "change_companies": 1,
    "pass_time": 1,
    "change_an_option": 2,
    "select_companies": 1,
    "read": 2,
    "read_while_changing": 5,
    "read_with_faults": 2,
    "read_in_a_storm": 2,
    "roll_back": 1,
    "check": 2,
    "check_every_state": 1,
}
STEPS_TO_DRAW = tuple(name for name, weight in _WEIGHTS.items() for _ in range(weight))


def play(seed: int, steps: Iterable[Step]) -> Counter[str]:
    """Play a story in a world of its own, with a check at its end; return what it came to, in numbers."""
    story = Story(seed)
    try:
        for name, number in (*steps, ("check", 0)):
            story.step(name, number)
    finally:
        story.close()
    return story.counts


class Story:
    """A simulated Codat, a destination, and the connection between them; use `close` at the end.

    counts: what happened, in numbers: steps, reads, records, kills, faults, checks; `struck/…` each kind of
    trouble; `storm/…` each way in which a read in a storm ended.
    """

    def __init__(self, seed: int) -> None:
        rng = Random(f"world/{seed}")
        companies, records = rng.randint(1, 2), rng.randint(2, 10)
        self.sim = Simulator(companies=companies, seed=seed, records=records, start=_START).start()
        self.sim.world.add_company(connections=("Accounting", "Accounting", "Banking", "Banking"))
        self.journal = Journal(self.sim)
        self.changes = RecordChanges(self.sim, self.journal)
        self.syncs = CodatSyncs(self.changes)
        self.companies = CompanyChanges(self.syncs)
        self.destination = Destination()
        self.options = Options(page_size=rng.randint(2, 9))
        self.counts: Counter[str] = Counter()
        self._time_out = LONG_TIME_OUT
        self._known_companies: set[str] = set()
        self._remember_companies()
        for place in self.changes.places():
            self.syncs.sync(rng, place, rng.randint(0, 6))
        self._leave_dates_out(rng)

    def close(self) -> None:
        """End the simulator."""
        self.sim.stop()

    def step(self, name: str, number: int) -> None:
        """Take the step of that name; raises PromiseBroken, with all that happened until then."""
        self.counts["steps"] += 1
        self.journal.add(f"step {name} {number}")
        try:
            getattr(self, name)(Random(f"{name}/{number}"))
        except PromiseBroken as error:
            error.args = ("\n".join((*error.args, "What happened:", *self.journal.lines)),)
            raise

    def _leave_dates_out(self, rng: Random) -> None:
        """Let a few records be without a date: only a partition's first read brings them."""
        for place in self.changes.places():
            rows = self.changes.rows_at(place)
            if rows and rng.random() < 0.3:
                row, (company_id, connection_id, data_type) = rows[rng.choice(list(rows))], place
                self.sim.world.put(company_id, data_type, row.record, connection_id, "", row.group)

    def _remember_companies(self) -> None:
        self._known_companies.update(company.id for company in self.sim.world.known_companies())

    # --- steps without a read

    def let_codat_sync(self, rng: Random) -> None:
        """Let a few things happen at Codat."""
        places = self.changes.places()
        for _ in range(rng.randint(1, 5)):
            if places:
                self.syncs.advance(rng, rng.choice(places))

    def change_companies(self, rng: Random) -> None:
        """Let a company or a connection come, go, or change."""
        self.companies.change(rng)
        self._remember_companies()

    def pass_time(self, rng: Random) -> None:
        """Put Codat's clock forward."""
        self.syncs.pass_time(rng)

    def change_an_option(self, rng: Random) -> None:
        """Change an option of the connection, or what the server does."""
        if rng.random() < 0.2:
            self.sim.page_size_cap = rng.choice((3, 5, 5000))
            self.sim.drop_links = rng.random() < 0.5
            self.sim.world.conflict_while_syncing = rng.random() < 0.5
        else:
            self.options = self.options.with_one_changed(rng)
        self.journal.add(f"options: {self.options}, pages of {self.sim.page_size_cap} at most")

    def select_companies(self, rng: Random) -> None:
        """Select other companies."""
        self.options = self.options.with_other_companies(rng, sorted(self._known_companies))
        self.journal.add(f"selected: {self.options.companies}")

    def roll_back(self, rng: Random) -> None:
        """Go back to an earlier state of some streams, with the rows that were kept by then."""
        for name in STREAM_NAMES:
            if rng.random() < 0.6:
                steps = rng.randint(1, 6)
                if self.destination.roll_back(name, steps):
                    self.journal.add(f"{name} goes back {steps} states")

    # --- steps that read

    def read(self, rng: Random) -> None:
        """Read with nothing going on meanwhile."""
        self._read(rng, self._modes(rng), *self._when_it_ends(rng))

    def read_while_changing(self, rng: Random) -> None:
        """Read while records change under the pages."""
        with self._changing(rng):
            self._read(rng, self._modes(rng), *self._when_it_ends(rng))

    def read_with_faults(self, rng: Random) -> None:
        """Read while a few answers are faulty and records change."""
        faults = InjectedFaults(self.sim)
        for name, fault in few_faults(rng):
            self.journal.add(faults.add(name, fault))
        try:
            with self._short_time_out():
                self.read_while_changing(rng)
        finally:
            for name, times in faults.clear().items():
                self.counts[f"struck/{name}"] += times

    def read_in_a_storm(self, rng: Random) -> None:
        """Read while everything goes wrong at once, again and again; when it is calm, nothing was lost."""
        if rng.random() < 0.7:
            self.options = self.options.with_everything()
        if rng.random() < 0.5:
            self.options = self.options.with_other_refreshes(rng)
        self.options = replace(
            self.options, page_size=rng.choice((2, 5, 9, 60)), num_workers=rng.choice((2, 6, 16))
        )
        self.journal.add(f"a storm; options: {self.options}")
        with self._short_time_out(), Storm(self.sim, self.companies, rng, self.counts) as storm:
            for _ in range(rng.randint(1, 4)):
                with storm.outage():
                    result = self._read(rng, self._modes(rng), *self._when_it_ends(rng))
                self._count_ending(result)
                if result.code == 0:
                    break
                storm.between_reads()
        self._remember_companies()
        self.check(rng)

    def kill_a_process(self, rng: Random) -> None:
        """Read with the console script, end it by a signal at some line, and go on from what it wrote."""
        task = ReadTask(
            self.options.config(self.sim), self._modes(rng), self.destination.state, time_out=SHORT_TIME_OUT
        )
        number = rng.choice((SIGKILL, SIGKILL, SIGTERM))
        storm: AbstractContextManager[object] = nullcontext()
        if rng.random() < 0.5:
            storm = Storm(self.sim, self.companies, rng, self.counts)
        with self._changing(rng), storm:
            result = read_and_kill(task, rng.randint(1, 200), number)
        if result.was_stopped:
            self.counts[f"struck/{number.name}"] += 1
        self._check_and_write(rng, task, result, frozenset())

    def check(self, rng: Random) -> None:
        """Read everything with nothing going wrong: then the destination has all that Codat shows."""
        self._calm_down(rng)
        before, self.options = self.options, self.options.with_everything()
        self.journal.add("nothing goes wrong now; everything is selected")
        self._read_everything(rng)
        if rng.random() < 0.5:
            self.options = before

    def check_every_state(self, rng: Random) -> None:
        """From every state that was committed of late, such a read brings what was missing."""
        self._calm_down(rng)
        before, kept = self.options, self.destination
        self.options = self.options.with_everything()
        for back in range(min(4, max(len(table.earlier) for table in kept.tables.values()))):
            self.destination = kept.copy()
            for name in STREAM_NAMES:
                self.destination.roll_back(name, back)
            self.journal.add(f"from {back} states back; nothing goes wrong")
            self._read_everything(rng)
        self.options, self.destination = before, kept

    # --- what the steps have in common

    def _calm_down(self, rng: Random) -> None:
        self.syncs.end_all(rng)
        self.sim.world.conflict_while_syncing = False

    def _modes(self, rng: Random) -> dict[str, str]:
        """Some of the streams in some order, now and then in full refresh."""
        most = len(STREAM_NAMES)
        names = rng.sample(STREAM_NAMES, rng.choice((most, most, rng.randint(1, most))))
        has_full_refresh = rng.random() < 0.1
        modes = {
            name: "full_refresh"
            if name == COMPANIES or (has_full_refresh and rng.random() < 0.5)
            else "incremental"
            for name in names
        }
        if rng.random() < 0.9:
            modes[READ_OUTCOMES] = "incremental"
        return modes

    def _when_it_ends(self, rng: Random) -> tuple[int | None, int | None]:
        """After how many messages a read is killed, or asked to stop; mostly neither."""
        kind = rng.choices(("none", "kill", "stop"), (5, 4, 1))[0]
        messages = rng.randint(1, rng.choice((10, 40, 200)))
        return (messages if kind == "kill" else None, messages if kind == "stop" else None)

    def _changing(self, rng: Random) -> Disturbances:
        return Disturbances(self.sim, self.companies, rng, rng.randint(1, 10), USUAL)

    @contextmanager
    def _short_time_out(self) -> Iterator[None]:
        self._time_out = SHORT_TIME_OUT
        try:
            yield
        finally:
            self._time_out = LONG_TIME_OUT

    def _read_everything(self, rng: Random) -> None:
        modes = {name: "full_refresh" if name == COMPANIES else "incremental" for name in STREAM_NAMES}
        modes[READ_OUTCOMES] = "incremental"
        result = self._read(rng, modes, is_calm=True)
        if result.code != 0:
            raise PromiseBroken(f"a read that nothing troubled ended with exit code {result.code}")
        self.counts["checks"] += 1
        oracle.check_destination(visible_records(self.sim), self.changes.keys_ever, self.destination)
        compared = check_statements(self.sim, self.destination, self.options.report_periods)
        self.counts["statements compared"] += compared
        self.sim.clear_log()

    def _read(
        self,
        rng: Random,
        modes: Mapping[str, str],
        kill_after: int | None = None,
        stop_after: int | None = None,
        *,
        is_calm: bool = False,
    ) -> ReadResult:
        config = self.options.config(self.sim)
        task = ReadTask(config, modes, self.destination.state, kill_after, stop_after, self._time_out)
        overwritten = frozenset(
            name for name, mode in modes.items() if mode == "full_refresh" and rng.random() < 0.5
        )
        if self.options.refresh_older_than_hours:
            self.syncs.plan_refreshes(rng)
        before = visible_records(self.sim)
        result = read_in_process(task)
        self._check_and_write(rng, task, result, overwritten, is_calm=is_calm)
        if result.code is not None and self.options.leave_nothing_out:
            oracle.check_first_reads(task, result, before, visible_records(self.sim))
        return result

    def _check_and_write(
        self,
        rng: Random,
        task: ReadTask,
        result: ReadResult,
        overwritten: frozenset[str],
        *,
        is_calm: bool = False,
    ) -> None:
        """Check what a read wrote, and let the destination write it down."""
        records = sum(message["type"] == "RECORD" for message in result.messages)
        requests = self.sim.requests
        faults = sum(bool(request.fault) for request in requests)
        self.counts.update(reads=1, records=records, kills=result.code is None, faults=faults)
        queued = sum((one.method, one.status) == ("POST", 200) for one in requests)
        self.counts["struck/refreshes queued"] += queued
        self.sim.clear_log()
        how = "killed" if result.code is None else f"exit code {result.code}"
        self.journal.add(
            f"read {dict(task.modes)}: {how} after {len(result.messages)} messages, {records} records"
        )
        for line in (*result.logs, *result.errors):
            self.journal.add(f"    {line}")
        oracle.check_ending(task, result, requests)
        oracle.check_protocol(task, result, self.sim.api_key, self.sim.world.clock.ticks())
        check_outcomes(task, result, requests, is_calm=is_calm)
        self.destination.write(result, overwritten=overwritten, keep_rows_after_state=rng.random() < 0.5)

    def _count_ending(self, result: ReadResult) -> None:
        ends = [error["failure_type"].removesuffix("_error") for error in result.traces]
        how = "killed" if result.code is None else f"failed, {ends[0]}" if ends else "ended well"
        self.counts[f"storm/{how}"] += 1
