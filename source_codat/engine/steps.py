"""One step of a partition's reading, and what it comes to where Codat refuses or fails."""

from __future__ import annotations

import time

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.engine.children import Children
from source_codat.foundation.errors import (
    MalformedAnswer,
    PartitionFailed,
    PartitionSkipped,
    own_error,
)
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.planning.planner import PlannedPartition, Planner
from source_codat.reading.reader import Finished, PartitionReading
from source_codat.trust import refusals
from source_codat.trust.refusals import Conflict

Result = Finished | PartitionSkipped | PartitionFailed


def step(
    planner: Planner, partition: PlannedPartition, reading: PartitionReading | None
) -> Result | Children | PartitionReading:
    """Do one piece of a partition's reading: its result, or what there is to do next.

    Its children where it stands for several partitions; the reading where it needs another step.
    Raises AirbyteTracedException where the whole read must stop.
    """
    stream, company = partition.stream, partition.company
    try:
        result = _advance(planner, partition, reading)
    except PartitionSkipped as skipped:
        if reading is not None:  # refused at a later look: no sign that there is nothing
            return PartitionFailed(f"Codat refused a request half-way: {skipped.detail}")
        is_refusal = skipped.reason is SkipReason.NOT_ALLOWED
        planner.refused.note(stream.retriever, company.id, is_refusal=is_refusal)
        return _result_of_refusal(skipped, partition)
    except PartitionFailed as failed:
        return failed
    except MalformedAnswer as malformed:
        return PartitionFailed(f"Codat's answer can't be read: {malformed}.")
    except AirbyteTracedException:
        raise
    except Exception as error:  # noqa: BLE001 - one partition fails no other
        return PartitionFailed(own_error(error, stream.outcome.name), FailureType.system_error)
    planner.refused.note(stream.retriever, company.id, is_refusal=False)
    return result


def _advance(
    planner: Planner, partition: PlannedPartition, reading: PartitionReading | None
) -> Finished | Children | PartitionReading:
    stream = partition.stream
    if partition.needs_parents:
        return Children(partition, planner.children(partition))
    if stream.parents and stream.retriever.by_new_parents:
        return stream.parents.read_new(partition, stream.reader)
    reading = reading or stream.reader.begin(partition)
    return reading.step() or reading


def _result_of_refusal(
    skipped: PartitionSkipped, partition: PlannedPartition
) -> PartitionSkipped | PartitionFailed:
    """What a refusal amounts to: where dataStatus shows data, 409 is a failure and no reason to skip it."""
    stream, context = partition.stream, partition.context
    before = partition.source
    if stream.parents and (partition.needs_parents or stream.retriever.by_new_parents):
        before = stream.parents.evidence(partition)  # it was the parents that were asked for
    if skipped.reason is not SkipReason.NOT_SYNCED or before is None or context is None:
        return skipped
    incremental = stream.state is not None
    entry = stream.any_entry(partition.company.id, partition.key)
    if refusals.is_sure_conflict(before, entry, incremental=incremental):
        return skipped
    try:
        now = before.at(context.look_taken_after(time.monotonic()))
    except (PartitionFailed, PartitionSkipped):
        now = None
    meaning = refusals.meaning_of_conflict(before, now, entry)
    if meaning is Conflict.NEVER_SYNCED:
        return skipped
    if meaning is Conflict.SYNCING:
        return PartitionFailed(
            f"Codat doesn't give out the data while it is being synced: {skipped.detail}",
            FailureType.transient_error,
        )
    if incremental:
        return PartitionSkipped(SkipReason.WITHHELD, skipped.detail)
    return PartitionFailed(
        "Codat holds back data that it has, although nothing is being synced (the connection may have lost "
        f"its authorisation: the company has to link it again): {skipped.detail}",
        FailureType.config_error,
    )
