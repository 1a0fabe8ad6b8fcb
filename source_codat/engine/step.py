"""One step of a partition's reading, and what it came to."""

from __future__ import annotations

import time
from dataclasses import replace

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation.errors import PartitionFailed, PartitionSkipped, own_error
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.planning.planner import Plan, Planned, Planner
from source_codat.reading.reader import Finished, PartitionReading

Result = Finished | PartitionSkipped | PartitionFailed


def step(
    planner: Planner, planned: Planned, reading: PartitionReading | None
) -> Result | Plan | PartitionReading:
    """Do one piece of a partition's reading: its result, or what there is to do next.

    A plan where the partition turned out to be a group; the reading where it needs another step.
    Raises AirbyteTracedException where the whole read must stop.
    """
    stream, company = planned.stream, planned.company
    try:
        result = _advance(planner, planned, reading)
    except PartitionSkipped as skipped:
        refused = skipped.reason is SkipReason.NOT_ALLOWED
        planner.refusals.note(stream.retriever, company.id, refused=refused)
        return _as_failure(skipped, planned) or skipped
    except PartitionFailed as failed:
        return failed
    except AirbyteTracedException:
        raise
    except Exception as error:  # noqa: BLE001 - one partition fails no other
        return PartitionFailed(own_error(error, stream.outcome.name), FailureType.system_error)
    planner.refusals.note(stream.retriever, company.id, refused=False)
    return result


def _advance(
    planner: Planner, planned: Planned, reading: PartitionReading | None
) -> Finished | Plan | PartitionReading:
    stream, partition = planned.stream, planned.partition
    if planned.grouped:
        return planner.expand(planned)
    if stream.parents and stream.retriever.by_new_parents:
        return stream.parents.read_new(partition, stream.reader)
    reading = reading or stream.reader.begin(partition)
    return reading.step() or reading


def _as_failure(skipped: PartitionSkipped, planned: Planned) -> PartitionFailed | None:
    """The failure that a refusal amounts to: 409 on a data type that has data means that a sync runs."""
    stream, view, context = planned.stream, planned.partition.source, planned.partition.context
    if skipped.reason is not SkipReason.NOT_SYNCED or view is None or context is None or not view.has_data:
        return None
    if view.shared:
        # dataStatus merges connections: one of them may never have been synced while another was.
        if stream.state is not None and planned.key not in stream.state.entries:
            return None
        try:
            now = replace(view, report=context.refreshed(time.monotonic()))
        except (PartitionFailed, PartitionSkipped):
            now = None  # in doubt it has data: a stream that calls itself complete replaces its table
        if now and not now.moved_since(view):
            return None
    return PartitionFailed(
        f"Codat doesn't give out the data while it is being synced: {skipped.detail}",
        FailureType.transient_error,
    )
