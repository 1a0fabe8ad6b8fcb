"""The writing side of a read: rows, states and statuses in their right order, from one thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus, FailureType, StreamDescriptor
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as status_message
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.engine.outcome_stream import UNPROVEN, OutcomeStream, cursor_of
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped, ReadInterrupted, ReadStopped
from source_codat.foundation.skip_reasons import SKIP_RULES, SkipReason, StateEffect
from source_codat.foundation.wording import counted, first_of
from source_codat.planning.planner import PartitionEnd, PlannedPartition, SelectedStream
from source_codat.reading.reader import Finished
from source_codat.reading.rows import RowBatch
from source_codat.reporting.progress import Progress
from source_codat.state.store import LARGE_BYTES, NO_CURSOR_STATE, StreamState, state_message
from source_codat.trust import judge, proof
from source_codat.trust.evidence import Entry
from source_codat.trust.judge import Doubt

TICK_SECONDS = 0.5
SILENCE_SECONDS = 120.0  # the platform's heartbeat counts records and states
logger = logging.getLogger("airbyte")


@dataclass
class Writer:
    """Turns what workers have done into messages; only one thread uses it.

    continues_past_failures: whether a company that fails leaves an incremental stream COMPLETE.
    outcome_stream: what is written last, where it is selected.
    """

    streams: Sequence[SelectedStream]
    progress: Progress
    continues_past_failures: bool = False
    outcome_stream: OutcomeStream | None = None
    _last_sign: float = field(default_factory=lambda: time.monotonic())  # noqa: PLW0108 - looked up late, for tests of the clock

    def __post_init__(self) -> None:
        self._ticked = self._last_sign
        self._large: set[str] = set()
        self._by_name = {stream.outcome.name: stream for stream in self.streams}

    def started(self) -> Iterator[AirbyteMessage]:
        """Yield the status STARTED of every stream."""
        for stream in self.streams:
            yield _status(stream, AirbyteStreamStatus.STARTED)
        if self.outcome_stream:
            yield self.outcome_stream.started()

    def rows(self, rows: RowBatch) -> Iterator[AirbyteMessage | RowBatch]:
        """Count a batch of records and yield it, after the stream's status RUNNING where it is the first."""
        stream = self._by_name[rows.stream]
        outcome = stream.outcome
        if not outcome.is_running:
            outcome.is_running = True
            yield _status(stream, AirbyteStreamStatus.RUNNING)
        outcome.records += len(rows)
        outcome.since_state += len(rows)
        outcome.size += rows.size
        if rows.total is not None:
            outcome.expected += rows.total
            outcome.companies_seen.add(rows.company_id)
        if self.outcome_stream:
            self.outcome_stream.account.sent(rows.stream, rows.company_id, len(rows))
        if stream.state:
            stream.state.count_written(rows.size)
        self._last_sign = time.monotonic()
        yield rows

    def ended(self, end: PartitionEnd) -> Iterator[AirbyteMessage]:
        """Note what became of a partition, in counts and state; yields the state where one is due."""
        partition, stream = end.partition, end.partition.stream
        outcome, state, company = stream.outcome, stream.state, partition.company
        label = company.label
        outcome.companies_seen.add(company.id)
        self._note(end)
        if isinstance(end.result, PartitionSkipped):
            outcome.skip(end.result.reason, label, end.result.detail)
            return
        if isinstance(end.result, PartitionFailed):
            self._failed(stream, label, end.result)
            return
        outcome.companies_read.add(company.id)
        outcome.is_finished = not partition.key
        if not end.result.is_complete:
            if state:
                outcome.unproven.append(label)
            else:  # a part never replaces the whole
                outcome.failures.append((label, UNPROVEN, FailureType.transient_error))
        if end.result.peculiarity:
            outcome.peculiarities[label] = end.result.peculiarity
        if state and end.result.has_rows_without_date:
            outcome.without_date.append(label)
        doubt = _lasting_doubt(partition, end.result)
        if doubt:
            outcome.doubts[doubt][label] = None
        records = end.result.records if partition.key else outcome.records
        self.progress.partition(outcome, partition.label, records)
        if state and state.is_due:
            yield self._state(stream)

    def _note(self, end: PartitionEnd) -> None:
        """Put what became of a partition into its stream's state, and into the account of the read."""
        partition, state = end.partition, end.partition.stream.state
        before = cursor_of(partition) if self.outcome_stream else None
        if state:
            _note(state, end)
        if self.outcome_stream:
            self.outcome_stream.ended(end, before)

    def _failed(self, stream: SelectedStream, label: str, failure: PartitionFailed) -> None:
        logger.warning("%s: %s couldn't be read. %s", stream.outcome.name, label, failure.message)
        if stream.state and self.continues_past_failures:
            stream.outcome.passed_over.append((label, failure.message))
        else:  # a part never replaces the whole
            stream.outcome.failures.append((label, failure.message, failure.failure_type))

    def gone(self, company_id: str) -> None:
        """Drop the entries of a company that Codat doesn't know any more from all states."""
        for stream in self.streams:
            if stream.state:
                stream.state.forget_company(company_id)

    def tick(self, wait_in_words: Callable[[], str]) -> Iterator[AirbyteMessage]:
        """What is due by the clock: estimates, a line on how far the read is, a state as a sign of life.

        wait_in_words: gives what the read waits for, "" where for nothing but answers.
        """
        if time.monotonic() - self._ticked < TICK_SECONDS:
            return
        self._ticked = time.monotonic()
        yield from self.progress.estimates()
        self.progress.line(wait_in_words)
        if time.monotonic() - self._last_sign > SILENCE_SECONDS:
            # Any state will do: one that says where its stream stands, or else that it has no cursor.
            stateful = [stream for stream in self.streams if stream.state]
            yield self._state((stateful or [*self.streams])[0])

    def close(self, stopped: AirbyteTracedException | None) -> Iterator[AirbyteMessage | RowBatch]:
        """Yield each stream's last state and its status COMPLETE or INCOMPLETE, then the failures.

        Raises `stopped` where the read was stopped, else ReadStopped where a stream failed.
        """
        failed = [stream.outcome for stream in self.streams if stream.outcome.failures]
        for stream in self.streams:
            stream.outcome.has_ended = True
        yield from self.progress.estimates()
        for stream in self.streams:
            outcome = stream.outcome
            whole = self._is_whole(stream, stopped)
            if stream.state or whole:
                yield self._state(stream)
            for sentence in outcome.warnings():
                logger.warning(sentence)
            logger.info(outcome.summary())
            yield _status(stream, AirbyteStreamStatus.COMPLETE if whole else AirbyteStreamStatus.INCOMPLETE)
        if self.outcome_stream:
            yield from self.outcome_stream.messages(stopped)
        if stopped is not None:
            self._tell_what_is_whole(stopped)
            raise stopped
        # The platform goes by the first error it sees: one that a new attempt may mend comes first.
        failed.sort(key=lambda outcome: outcome.failure_type.value != "transient_error")
        for outcome in failed:
            yield outcome.error().as_airbyte_message()
        if failed:
            names = ", ".join(outcome.name for outcome in failed)
            raise ReadStopped(
                f"These streams couldn't be read for all companies: {names}. Everything else was read.",
                failed[0].failure_type,
            )

    def _is_whole(self, stream: SelectedStream, stopped: AirbyteTracedException | None) -> bool:
        """Whether all of a stream was read, also where the read was stopped after that."""
        outcome = stream.outcome
        if outcome.failures or stopped is None:
            return not outcome.failures
        return outcome.is_finished or (outcome.per_company and self.progress.is_whole(outcome.name))

    def _tell_what_is_whole(self, stopped: AirbyteTracedException) -> None:
        """Tell what a read that was stopped leaves behind, in the error too where nothing else is wrong."""
        if self.progress.companies is None:
            return  # nothing was begun
        names: dict[bool, list[str]] = {True: [], False: []}
        for stream in self.streams:
            names[self._is_whole(stream, stopped)].append(stream.outcome.name)
        told = (
            f"Read whole: {first_of(names[True]) or 'no stream'}; not whole: "
            f"{first_of(names[False]) or 'no stream'}. The state that was written continues from there."
        )
        if isinstance(stopped, ReadInterrupted):
            stopped.message = stopped.internal_message = f"{stopped.message} {told}"
        else:
            logger.warning(told)

    def _state(self, stream: SelectedStream) -> AirbyteMessage:
        count, stream.outcome.since_state = stream.outcome.since_state, 0
        self._last_sign = time.monotonic()
        if stream.state:
            self._warn_of_size(stream.state)
            return stream.state.message(count)
        return state_message(stream.outcome.name, NO_CURSOR_STATE, count)

    def _warn_of_size(self, state: StreamState) -> None:
        """Warn once of a state that platforms and destinations, which hold it whole, have trouble with."""
        if state.size > LARGE_BYTES and state.name not in self._large:
            self._large.add(state.name)
            logger.warning(
                "%s: its state has about %.1f MiB in one message, for %s: divide the companies among several "
                "connections with the option 'part', or among more of them.",
                state.name,
                state.size / (1 << 20),
                counted(len(state.entries), "entry"),
            )


def _status(stream: SelectedStream, status: AirbyteStreamStatus) -> AirbyteMessage:
    return status_message(StreamDescriptor(name=stream.outcome.name), status)


def _note(state: StreamState, end: PartitionEnd) -> None:
    """Put a partition's entry into the state: where its next read starts."""
    partition, result = end.partition, end.result
    key, siblings = partition.key, partition.siblings
    before = state.entries.get(key)
    now = partition.context.now if partition.context else None
    if before and not state.keeps_dates and judge.is_in_future(before.cursor, now):
        # In doubt nothing takes its place: it would be believed as soon as its date has come.
        state.drop(key)
        before = None
    is_unchanged = isinstance(result, PartitionSkipped) and result.reason is SkipReason.UNCHANGED
    is_read = isinstance(result, Finished) and result.is_complete
    entry = _entry_after(end, before)
    if siblings and entry and (is_read or is_unchanged):
        for sibling_key, noted in siblings.ended(key, entry):
            state.set(sibling_key, noted)
        return
    if siblings:
        siblings.ended_unread()
    # What was refused for all children at once has no place in the state: each of them has.
    stays = isinstance(result, PartitionFailed) and result.read_until is None
    if entry and not stays and len(key) == len(state.scope):
        state.set(key, entry)


def _entry_after(end: PartitionEnd, entry: Entry | None) -> Entry | None:
    """What a partition's entry says after it has ended; None where there is nothing to note."""
    partition, result = end.partition, end.result
    evidence = partition.source
    if isinstance(result, Finished) and result.is_complete:
        now = evidence.look.taken_at if evidence else result.server_time
        return proof.advanced(
            entry,
            cursor=result.cursor,
            read_from=result.read_from,
            now=now,
            is_read_whole=result.needs_whole_read,
        )
    if isinstance(result, PartitionFailed) and result.read_until is not None:
        now = partition.context.now if partition.context else None
        return proof.advanced(entry, cursor=result.read_until, read_from=None, now=now, is_read_whole=False)
    if not isinstance(result, PartitionSkipped) or evidence is None or (entry and entry.cursor is not None):
        return entry
    links = partition.company.links
    is_noted = SKIP_RULES[result.reason].state is StateEffect.NOTED
    if not is_noted or proof.is_still_nothing_there(entry, evidence, links):
        return entry
    return proof.nothing_there(evidence, links) or entry


def _lasting_doubt(partition: PlannedPartition, finished: Finished) -> Doubt | None:
    """Why a partition's cursor will never move, where that is so: its rows come again in every read."""
    if partition.stream.state is None or partition.source is None or finished.cursor is not None:
        return None
    doubt = judge.safe_point(partition.source).doubt
    return None if doubt in judge.PASSING else doubt
