"""The stream read_outcomes: the account of a read as messages, written when everything else has been."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus, StreamDescriptor
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as status_message
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation.errors import PartitionFailed
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.foundation.wording import counted
from source_codat.planning.planner import PartitionEnd, PlannedPartition
from source_codat.reading.reader import Finished
from source_codat.reading.rows import RowBatch
from source_codat.reporting.read_outcomes import Ended, Outcome, ReadOutcomes, Reason
from source_codat.state.store import NO_CURSOR_STATE, state_message
from source_codat.streams.read_outcomes import READ_OUTCOMES

_ROWS_PER_BATCH = 500
UNPROVEN = "Its data kept changing while it was read, so that a part of it might have been missed."
logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class OutcomeStream:
    """Writes the account of a read.

    Its state says nothing, in any mode: a read's rows go by no earlier read's.
    """

    account: ReadOutcomes

    def started(self) -> AirbyteMessage:
        """The status STARTED."""
        return _status(AirbyteStreamStatus.STARTED)

    def ended(self, end: PartitionEnd, before: int | None) -> None:
        """Note what became of a partition, once it is in the state; before: its cursor until then."""
        name, after = end.partition.stream.outcome.name, cursor_of(end.partition)
        self.account.ended(name, end.partition.company.id, _told(end, before, after))

    def messages(self, stopped: AirbyteTracedException | None) -> Iterator[AirbyteMessage | RowBatch]:
        """Yield all rows, the state and the status COMPLETE: the account is whole, however the read ended.

        stopped: why the read didn't come to its end, None where it did.
        """
        count = 0
        for batch in self._batches((stopped.message or "") if stopped else ""):
            if not count:
                yield _status(AirbyteStreamStatus.RUNNING)
            count += len(batch)
            yield batch
        yield state_message(READ_OUTCOMES, NO_CURSOR_STATE, count)
        logger.info("%s: %s.", READ_OUTCOMES, counted(count, "record"))
        yield _status(AirbyteStreamStatus.COMPLETE)

    def _batches(self, stopped: str) -> Iterator[RowBatch]:
        rows: list[bytes] = []
        for row in self.account.rows(stopped):
            rows.append(msgspec.json.encode(row))
            if len(rows) == _ROWS_PER_BATCH:
                yield _batch(rows)
                rows = []
        if rows:
            yield _batch(rows)


def cursor_of(partition: PlannedPartition) -> int | None:
    """Where a partition's next read starts by its state: the earliest of what is below it."""
    stream, key, company_id = partition.stream, partition.key, partition.company.id
    if stream.state is None:
        return None
    entry = stream.entry(key)
    if entry is not None or len(key) == len(stream.state.scope):
        return entry.cursor if entry else None
    keys = [child for child in stream.state.keys_of(company_id) if child[: len(key)] == key]
    cursors = [stream.state.entries[child].cursor for child in keys]
    known = [cursor for cursor in cursors if cursor is not None]
    return min(known, default=None) if len(known) == len(cursors) else None


def _told(end: PartitionEnd, before: int | None, after: int | None) -> Ended:
    """What became of a partition, as read_outcomes tells it."""
    result = end.result
    if isinstance(result, PartitionFailed):
        return Ended(Outcome.FAILED, result.failure_type.value, result.message, before, after)
    if isinstance(result, Finished):
        if result.is_complete:
            return Ended(Outcome.COMPLETE, before=before, after=after)
        return Ended(Outcome.UNPROVEN, Reason.KEPT_CHANGING.value, UNPROVEN, before, after)
    if result.reason is SkipReason.UNCHANGED:
        return Ended(Outcome.UNCHANGED, before=before, after=after)
    return Ended(Outcome.SKIPPED, result.reason.value, result.detail, before, after)


def _batch(rows: list[bytes]) -> RowBatch:
    return RowBatch(READ_OUTCOMES, rows, b"", time.time_ns() // 1_000_000, sum(map(len, rows)))


def _status(status: AirbyteStreamStatus) -> AirbyteMessage:
    return status_message(StreamDescriptor(name=READ_OUTCOMES), status)
