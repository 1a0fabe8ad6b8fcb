"""One read: workers ask Codat, one thread writes rows, states and statuses in their right order."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus, FailureType, StreamDescriptor
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as status_message
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.client import CodatClient
from source_codat.company import Company
from source_codat.directory import Directory
from source_codat.errors import PartitionFailed, PartitionSkipped, ReadStopped
from source_codat.outbox import Outbox
from source_codat.planning import (
    PartitionEnd,
    Plan,
    Planned,
    Planner,
    SelectedStream,
    advanced,
    after_refusal,
)
from source_codat.questions import Partition
from source_codat.reader import Finished, Reading
from source_codat.rows import RowBatch
from source_codat.scheduler import Scheduler, Task
from source_codat.state import FULL_REFRESH, state_message
from source_codat.work import step

logger = logging.getLogger("airbyte")
_SILENCE_SECONDS = 120.0  # the platform's heartbeat counts records and states
_TICK_SECONDS = 0.5
NO_COMPANY = Company(id="")


@dataclass(frozen=True)
class CompanyGone:
    """Codat doesn't know a selected company any more: what is known of it is dropped."""

    company_id: str


@dataclass(frozen=True)
class AllRead:
    """The last worker has ended."""


Event = RowBatch | PartitionEnd | CompanyGone | AllRead


@dataclass
class Sync:
    """Reads the selected streams; `messages` may be walked through once.

    company_streams are read per company, client_streams (GET /integrations, say) once.
    """

    client: CodatClient
    directory: Directory
    planner: Planner
    client_streams: Sequence[SelectedStream]
    company_streams: Sequence[SelectedStream]
    companies: SelectedStream | None
    outbox: Outbox[Event]
    _scheduler: Scheduler = field(default_factory=Scheduler)
    _stopped_by: AirbyteTracedException | None = None
    _requested: AirbyteTracedException | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def messages(self) -> Iterator[AirbyteMessage | RowBatch]:
        """Everything the read says, up to its last state; raises at the end where it failed."""
        self._by_name = {stream.outcome.name: stream for stream in self._streams}
        self._last_sign = time.monotonic()
        for stream in self._streams:
            yield self._status(stream, AirbyteStreamStatus.STARTED)
        self._scheduler.add([Task(None, self._list_companies), *map(self._client_task, self.client_streams)])
        self._start_workers()
        try:
            yield from self._forward()
        finally:
            self.halt(None)
        yield from self._close()

    def request_stop(self, reason: AirbyteTracedException) -> None:
        """Ask the writer to end the read; takes no lock, so that a signal handler may call it."""
        self._requested = reason

    def halt(self, reason: AirbyteTracedException | None) -> None:
        """End the read: what is finished is kept, and `reason` is raised after the last state."""
        with self._lock:
            self._stopped_by = self._stopped_by or reason
        self.client.stop.set()
        self._scheduler.stop()
        self.outbox.close()

    @property
    def _streams(self) -> list[SelectedStream]:
        first = [self.companies] if self.companies else []
        return [*first, *self.client_streams, *self.company_streams]

    # --- the workers' side ------------------------------------------------------------------------

    def _start_workers(self) -> None:
        self._working = self.client.workers
        for number in range(self.client.workers):
            threading.Thread(target=self._work, name=f"codat-{number}", daemon=True).start()

    def _work(self) -> None:
        while (task := self._scheduler.take()) is not None:
            self._run(task)
        with self._lock:
            self._working -= 1
            last = self._working == 0
        if last:
            with contextlib.suppress(ReadStopped):  # told to stop in this very moment
                self.outbox.put(AllRead())

    def _run(self, task: Task) -> None:
        try:
            task.run()
        except AirbyteTracedException as error:
            self.halt(error)
        except Exception as error:  # the writer must know, or it would wait for ever
            logger.exception("The read met an error of its own.")
            self.halt(
                ReadStopped(f"The connector met an error of its own: {error!r}", FailureType.system_error)
            )
        finally:
            self._scheduler.done(task)

    def _list_companies(self) -> None:
        found = self.directory.load()
        for company_id in self.directory.gone:
            logger.warning(
                "Codat doesn't know the company %s: it is left out, and its state dropped.", company_id
            )
            self.outbox.put(CompanyGone(company_id))
        if self.companies:
            ended = Finished(complete=True)
            self.outbox.put(PartitionEnd(self.companies, NO_COMPANY, (), ended))
        logger.info("Reading %d streams of %d companies.", len(self._streams), len(found))
        if self.company_streams:
            self._scheduler.add_openers([Task(one.id, partial(self._open_company, one)) for one in found])

    def _open_company(self, company: Company) -> None:
        """Plan a company's partitions and queue those that have to be read."""
        try:
            plan = self.planner.plan(company, self.directory.listed_at)
        except PartitionSkipped as skipped:
            reason = "company_gone" if skipped.reason == "not_supported" else skipped.reason
            for stream in self.company_streams:
                result = PartitionSkipped(reason, skipped.detail)
                self.outbox.put(PartitionEnd(stream, company, (company.id,), result))
            if reason == "company_gone":
                self.outbox.put(CompanyGone(company.id))
            return
        self._queue(plan, company)

    def _queue(self, plan: Plan, company: Company) -> None:
        for end in plan.ended:
            self.outbox.put(end)
        self._scheduler.add([Task(company.id, partial(self._read, planned)) for planned in plan.to_read])

    def _client_task(self, stream: SelectedStream) -> Task:
        planned = Planned(stream, NO_COMPANY, (), Partition(ids={}))
        return Task(None, partial(self._read, planned))

    def _read(self, planned: Planned, reading: Reading | None = None) -> None:
        """Go one step in reading a partition; what becomes of it is told after its rows."""
        result = step(self.planner, planned, reading)
        if isinstance(result, Plan):
            self._queue(result, planned.company)
        elif isinstance(result, Reading):
            task = Task(planned.company.id or None, partial(self._read, planned, result))
            # A look at the syncs serves all partitions of the company that wait for one: other
            # work comes first, and no worker waits.
            if result.awaited is not None:
                self._scheduler.park(task)
            else:
                self._scheduler.add([task])
        else:
            view = planned.partition.source
            self.outbox.put(PartitionEnd(planned.stream, planned.company, planned.key, result, view))

    # --- the writer's side ------------------------------------------------------------------------

    def _forward(self) -> Iterator[AirbyteMessage | RowBatch]:
        while True:
            if self._requested is not None:
                self.halt(self._requested)
            event = self.outbox.get(_TICK_SECONDS)
            if isinstance(event, AllRead) or (event is None and self.client.stop.is_set()):
                return
            if isinstance(event, RowBatch):
                yield from self._rows(event)
            elif isinstance(event, PartitionEnd):
                yield from self._ended(event)
            elif isinstance(event, CompanyGone):
                for stream in self._streams:
                    if stream.state:
                        stream.state.forget_company(event.company_id)
            elif time.monotonic() - self._last_sign > _SILENCE_SECONDS:
                yield from self._sign_of_life()

    def _rows(self, rows: RowBatch) -> Iterator[AirbyteMessage | RowBatch]:
        stream = self._by_name[rows.stream]
        if not stream.outcome.running:
            stream.outcome.running = True
            yield self._status(stream, AirbyteStreamStatus.RUNNING)
        stream.outcome.records += len(rows)
        stream.outcome.since_state += len(rows)
        if stream.state:
            stream.state.wrote(rows.size)
        self._last_sign = time.monotonic()
        yield rows

    def _ended(self, end: PartitionEnd) -> Iterator[AirbyteMessage]:
        outcome, state, label = end.stream.outcome, end.stream.state, _label(end)
        if isinstance(end.result, PartitionSkipped):
            outcome.skip(end.result.reason, label, end.result.detail)
            entry = after_refusal(end, state.entries.get(end.key)) if state else None
            if state and entry is not None:
                state.set(end.key, entry)
            return
        if isinstance(end.result, PartitionFailed):
            outcome.failures.append((label, end.result.message, end.result.failure_type))
            logger.warning("%s: %s couldn't be read. %s", outcome.name, label, end.result.message)
            return
        outcome.read.add(end.company.id)
        outcome.finished = not end.key
        if not end.result.complete:
            outcome.unproven.append(label)
        if state:
            entry = advanced(state.entries.get(end.key), end.result, end.view)
            if entry is not None:
                state.set(end.key, entry)
            if state.due:
                yield self._state(end.stream)

    def _sign_of_life(self) -> Iterator[AirbyteMessage]:
        for stream in self._streams:
            if stream.state:
                logger.info("Still waiting for Codat.")
                yield self._state(stream)
                return

    def _state(self, stream: SelectedStream) -> AirbyteMessage:
        count, stream.outcome.since_state = stream.outcome.since_state, 0
        self._last_sign = time.monotonic()
        if stream.state:
            return stream.state.message(count)
        return state_message(stream.outcome.name, FULL_REFRESH, count)

    def _status(self, stream: SelectedStream, status: AirbyteStreamStatus) -> AirbyteMessage:
        return status_message(StreamDescriptor(name=stream.outcome.name), status)

    def _close(self) -> Iterator[AirbyteMessage]:
        """The last states, each stream's status, the summaries; raises where the read failed."""
        stopped = self._stopped_by
        failed = [stream.outcome for stream in self._streams if stream.outcome.failures]
        for stream in self._streams:
            outcome = stream.outcome
            whole = not outcome.failures and (stopped is None or outcome.finished)
            if stream.state or whole:
                yield self._state(stream)
            for sentence in outcome.warnings():
                logger.warning(sentence)
            logger.info(outcome.summary())
            yield self._status(
                stream, AirbyteStreamStatus.COMPLETE if whole else AirbyteStreamStatus.INCOMPLETE
            )
        logger.info(self.client.traffic.sentence())
        if stopped is not None:
            raise stopped
        # The platform goes by the first error it sees: one that a new attempt may mend comes first.
        failed.sort(key=lambda outcome: outcome.failure_type is not FailureType.transient_error)
        for outcome in failed:
            yield outcome.error().as_airbyte_message()
        if failed:
            names = ", ".join(outcome.name for outcome in failed)
            raise ReadStopped(
                f"These streams couldn't be read for all companies: {names}. Everything else was read.",
                failed[0].failure_type,
            )


def _label(end: PartitionEnd) -> str:
    return f"{end.company.name} ({end.company.id})" if end.company.name else end.company.id or "all companies"
