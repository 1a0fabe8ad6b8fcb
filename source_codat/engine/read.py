"""One read: workers ask Codat, one thread writes rows, states and statuses in their right order."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from airbyte_cdk.models import AirbyteMessage, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.companies.company import Company
from source_codat.companies.context import CompanyContext
from source_codat.engine.children import Children
from source_codat.engine.outbox import Outbox
from source_codat.engine.outcome_stream import OutcomeStream
from source_codat.engine.refresh import Refresher, Refreshing
from source_codat.engine.scheduler import Scheduler, Task
from source_codat.engine.steps import step
from source_codat.engine.writer import TICK_SECONDS, Writer
from source_codat.foundation import timestamps
from source_codat.foundation.errors import (
    PartitionFailed,
    PartitionSkipped,
    ReadStopped,
    own_error,
)
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.foundation.wording import counted, first_of
from source_codat.http.client import CodatClient
from source_codat.planning.company_list import CompanyList, refuse_future_start
from source_codat.planning.planner import PartitionEnd, Plan, PlannedPartition, Planner, SelectedStream
from source_codat.reading.reader import Finished, PartitionReading
from source_codat.reading.rows import RowBatch
from source_codat.reporting.progress import OPENING, Progress
from source_codat.reporting.read_outcomes import Ended, Outcome

logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class CompanyGone:
    """Codat doesn't know a selected company any more: what is known of it is dropped."""

    company_id: str


@dataclass(frozen=True)
class AllRead:
    """The last worker has ended."""


Event = RowBatch | PartitionEnd | CompanyGone | AllRead


@dataclass
class Read:
    """Reads the selected streams; `messages` may be walked through once.

    company_streams are read per company, client_streams (GET /integrations, say) once.
    refresher: only where the user wants Codat to fetch anew before anything is read. outcome_stream: only
    where the stream read_outcomes is selected.
    """

    client: CodatClient
    company_list: CompanyList
    planner: Planner
    client_streams: Sequence[SelectedStream]
    company_streams: Sequence[SelectedStream]
    companies: SelectedStream | None
    outbox: Outbox[Event]
    refresher: Refresher | None = None
    outcome_stream: OutcomeStream | None = None
    _stopped_by: AirbyteTracedException | None = None
    _requested: AirbyteTracedException | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._scheduler = Scheduler(self.client.workers)
        first = [self.companies] if self.companies else []
        self._streams = [*first, *self.client_streams, *self.company_streams]
        self._progress = Progress([stream.outcome for stream in self._streams], self.client.stats)

    def messages(self) -> Iterator[AirbyteMessage | RowBatch]:
        """Everything the read says, up to its last state; raises at the end where it failed."""
        continues = self.company_list.settings.continue_past_failures
        writer = Writer(self._streams, self._progress, continues, self.outcome_stream)
        yield from writer.started()
        self._scheduler.add([Task(None, self._list_companies), *map(self._client_task, self.client_streams)])
        self._start_workers()
        try:
            yield from self._forward(writer)
        finally:
            self.halt(None)
        try:
            yield from writer.close(self._stopped_by)
        finally:
            self._log_summary()

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

    def _forward(self, writer: Writer) -> Iterator[AirbyteMessage | RowBatch]:
        while True:
            if self._requested is not None:
                self.halt(self._requested)
            event = self.outbox.get(TICK_SECONDS)
            if isinstance(event, AllRead) or (event is None and self.client.stop.is_set()):
                return
            if isinstance(event, RowBatch):
                yield from writer.rows(event)
            elif isinstance(event, PartitionEnd):
                yield from writer.ended(event)
            elif isinstance(event, CompanyGone):
                writer.gone(event.company_id)
            yield from writer.tick(self._wait_in_words)

    def _wait_in_words(self) -> str:
        """What the read waits for, in words for the log; empty where for nothing but answers."""
        waits = [self.client.wait_in_words, self.refresher.wait_in_words if self.refresher else ""]
        return "; ".join(wait for wait in waits if wait)

    def _log_summary(self) -> None:
        if self.refresher:
            for sentence in self.refresher.report.warnings():
                logger.warning(sentence)
            logger.info(self.refresher.report.summary())
        logger.info("Read: %s", self._progress.closing())
        logger.info(self.client.stats.sentence())

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
        held_back = self.client.seconds_held_back(task.company_id) if task.company_id else 0.0
        try:
            if held_back > 0:  # no worker waits for what Codat limits for one company
                self._scheduler.add_later(task, held_back)
            else:
                task.run()
        except AirbyteTracedException as error:
            self.halt(error)
        except Exception as error:  # the writer must know, or it waits for ever  # noqa: BLE001
            self.halt(ReadStopped(own_error(error, "The read"), FailureType.system_error))
        finally:
            self._scheduler.done(task)

    def _list_companies(self) -> None:
        found = self.company_list.load()
        refuse_future_start(self.company_list.settings, self.company_list.listed_at)
        self._account_for(found, self.company_list.gone)
        for company_id in self.company_list.gone:
            logger.warning(
                "Codat doesn't know the company %s: it is left out, and its state dropped.", company_id
            )
            self.outbox.put(CompanyGone(company_id))
        if self.companies:
            whole = PlannedPartition(ids={}, stream=self.companies)
            self.outbox.put(PartitionEnd(whole, Finished(is_complete=True)))
        self._log_oddities(found)
        self._progress.companies = len(found)
        streams = counted(len(self._streams), "stream")
        part = self.company_list.settings.part
        of_part = f", those of part {part}" if part else ""
        logger.info("Reading %s of %s%s.", streams, counted(len(found), "company"), of_part)
        if not self.company_streams:
            return
        if self.refresher:
            # Those that were synced longest ago first: the wait may be over before the last one's turn.
            found = sorted(found, key=lambda company: timestamps.instant(company.lastSync or "") or 0)
            self._scheduler.add(
                [Task(company.id, partial(self._refresh, self.refresher, company)) for company in found]
            )
        else:
            self._scheduler.add_openers([self._opener(company) for company in found])

    def _account_for(self, companies: Sequence[Company], gone: Sequence[str]) -> None:
        """Let read_outcomes have a row for each selected company."""
        if self.outcome_stream:
            account = self.outcome_stream.account
            account.listed([*((one.id, one.name or "") for one in companies), *((one, "") for one in gone)])
            for company_id in gone:
                for stream in self.company_streams:
                    skipped = Ended(Outcome.SKIPPED, SkipReason.COMPANY_GONE.value)
                    account.ended(stream.outcome.name, company_id, skipped)

    @staticmethod
    def _log_oddities(companies: Sequence[Company]) -> None:
        """Name the companies whose rows in the list couldn't be used whole."""
        odd = [f"{company.label}: {', '.join(company.oddities)}" for company in companies if company.oddities]
        if odd:
            logger.warning(
                "%s in Codat's list with values that can't be used; the rest of each was used: %s.",
                counted(len(odd), "company"),
                first_of(odd, "; "),
            )

    def _opener(self, company: Company, context: CompanyContext | None = None) -> Task:
        return Task(company.id, partial(self._open_company, company, context))

    def _refresh(self, refresher: Refresher, company: Company, known: Refreshing | None = None) -> None:
        """Let Codat fetch what is stale of a company; no worker waits for that."""
        context = known.context if known else self.planner.context(company, self.company_list.listed_at)
        try:
            waiting = refresher.begin(context) if known is None else refresher.look(known)
        except AirbyteTracedException:
            raise
        except (PartitionFailed, PartitionSkipped):  # opening the company meets that as well, and tells it
            waiting = None
        except Exception as error:  # noqa: BLE001 - one company fails no other
            own_error(error, f"The refresh of {company.label}")
            waiting = None
        if waiting:
            task = Task(company.id, partial(self._refresh, refresher, company, waiting))
            self._scheduler.add_later(task, refresher.pause(waiting))
        else:
            self._scheduler.add_openers(
                [self._opener(company, refresher.context_to_keep(context, waited=known is not None))]
            )

    def _open_company(self, company: Company, context: CompanyContext | None = None) -> None:
        """Plan a company's partitions and queue those that have to be read."""
        self._progress.planned(company.id, [OPENING])
        self._plan(company, context or self.planner.context(company, self.company_list.listed_at))
        self._progress.ended(company.id, OPENING)

    def _plan(self, company: Company, context: CompanyContext) -> None:
        try:
            plan = self.planner.plan(context)
        except PartitionSkipped as skipped:
            self._end_all(company, _refused_company(skipped))
            if skipped.reason is SkipReason.NOT_SUPPORTED:
                self.outbox.put(CompanyGone(company.id))
            return
        except AirbyteTracedException:
            raise
        except Exception as error:  # noqa: BLE001 - one company fails no other
            failed = PartitionFailed(own_error(error, company.label), FailureType.system_error)
            self._end_all(company, failed)
            return
        self._queue(plan, company)

    def _end_all(self, company: Company, result: PartitionSkipped | PartitionFailed) -> None:
        """End all of a company's partitions alike, before any is known."""
        for stream in self.company_streams:
            whole = PlannedPartition(ids={"companyId": company.id}, stream=stream, company=company)
            self._end(PartitionEnd(whole, result))

    def _queue(
        self, plan: Plan, company: Company, children: Children | None = None, instead_of: str = ""
    ) -> None:
        """Queue what a plan has to read, and tell what has ended.

        children: the list that it is from, where it is from one. instead_of: the stream of the partition that
        turned out to be these and no more.
        """
        if self.outcome_stream:
            planned = [*plan.to_read, *(end.partition for end in plan.ended)]
            names = [partition.stream.outcome.name for partition in planned]
            self.outcome_stream.account.planned(company.id, names, instead_of)
        for end in plan.ended:
            self._end(end)
        self._progress.planned(company.id, [partition.stream.outcome.name for partition in plan.to_read])
        self._scheduler.add(
            [Task(company.id, partial(self._read, planned, None, children)) for planned in plan.to_read]
        )

    def _queue_children(self, children: Children) -> None:
        """Queue the next few of a list of children, and end what stands for all of them after the last."""
        above, name = children.above, children.above.stream.outcome.name
        plan, are_last = Plan(), False
        while not (plan.to_read or are_last):
            plan, are_last = children.next_few()
            self._queue(plan, above.company, children, name if are_last else "")
        if are_last:
            self._progress.ended(above.company.id, name)

    def _end(self, end: PartitionEnd) -> None:
        """Tell the writer what became of a partition; waits where it is far behind."""
        self.outbox.put(end, 1)

    def _client_task(self, stream: SelectedStream) -> Task:
        return Task(None, partial(self._read, PlannedPartition(ids={}, stream=stream)))

    def _read(
        self,
        partition: PlannedPartition,
        reading: PartitionReading | None = None,
        siblings: Children | None = None,
    ) -> None:
        """Go one step in reading a partition; what becomes of it is told after its rows.

        siblings: the list of children that it is from, where it is from one.
        """
        company = partition.company
        what = f"{partition.stream.outcome.name} of {company.label}"
        self._progress.reading(what, now=True)
        result = step(self.planner, partition, reading)
        self._progress.reading(what, now=False)
        if isinstance(result, Children):
            self._queue_children(result)
            return
        if isinstance(result, PartitionReading):
            task = Task(company.id or None, partial(self._read, partition, result, siblings))
            # A look at Codat's syncs serves all partitions of the company that wait for one: other
            # work comes first, and no worker waits.
            if result.recheck_after is not None:
                self._scheduler.park(task)
            else:
                self._scheduler.add([task])
            return
        self._end(PartitionEnd(partition, result))
        if siblings and siblings.ended():
            self._queue_children(siblings)
        if company.id:
            self._progress.ended(company.id, partition.stream.outcome.name)


def _refused_company(skipped: PartitionSkipped) -> PartitionSkipped | PartitionFailed:
    """What it means that Codat refuses dataStatus: 404 that the company is gone; 409 says nothing sure."""
    if skipped.reason is SkipReason.NOT_SUPPORTED:
        return PartitionSkipped(SkipReason.COMPANY_GONE, skipped.detail)
    if skipped.reason is SkipReason.NOT_SYNCED:
        return PartitionFailed(f"Codat doesn't say what it has of the company: {skipped.detail}")
    return skipped
