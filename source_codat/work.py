"""One step of a partition's reading, and what it came to."""

from __future__ import annotations

import logging

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.errors import PartitionFailed, PartitionSkipped
from source_codat.planning import Plan, Planned, Planner, as_failure
from source_codat.reader import Finished, Reading

Result = Finished | PartitionSkipped | PartitionFailed
logger = logging.getLogger("airbyte")


def step(planner: Planner, planned: Planned, reading: Reading | None) -> Result | Plan | Reading:
    """Do one piece of a partition's reading: its result, or what there is to do next.

    A plan where the partition turned out to be a group; the reading where it needs another step.
    Raises AirbyteTracedException where the whole read must stop.
    """
    stream, company = planned.stream, planned.company
    try:
        result = _advance(planner, planned, reading)
    except PartitionSkipped as skipped:
        refused = skipped.reason == "not_allowed"
        planner.refusals.note(stream.retriever, company.id, refused=refused)
        known = stream.state is None or planned.key in stream.state.entries
        return as_failure(skipped, planned.partition.source, known=known) or skipped
    except PartitionFailed as failed:
        return failed
    except AirbyteTracedException:
        raise
    except Exception as error:
        logger.exception("%s: the connector met an error of its own.", stream.outcome.name)
        return PartitionFailed(f"The connector met an error of its own: {error!r}", FailureType.system_error)
    planner.refusals.note(stream.retriever, company.id, refused=False)
    return result


def _advance(planner: Planner, planned: Planned, reading: Reading | None) -> Finished | Plan | Reading:
    stream, partition = planned.stream, planned.partition
    if planned.grouped:
        return planner.expand(planned)
    if stream.parents and stream.retriever.by_new_parents:
        return stream.parents.read_new(partition, stream.reader)
    reading = reading or stream.reader.begin(partition)
    if reading.awaited is not None and partition.context is not None:
        return reading.judge(partition.context.refreshed(reading.awaited)) or reading
    return reading.walk() or reading
