"""The children of a list of parents, planned a few at a time: there may be a hundred thousand of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation.errors import PartitionFailed, own_error
from source_codat.planning.planner import PartitionEnd, Plan, PlannedPartition

FEW = 100
_LOW = 50


class Children:
    """Plans the next children of one list of parents when most of those before have ended.

    above: the partition that stands for all of them. Safe to use from several threads.
    """

    def __init__(self, above: PlannedPartition, planned: Iterator[PlannedPartition | PartitionEnd]) -> None:
        self.above = above
        self._planned = planned
        self._lock = threading.Lock()
        self._under_way = 0
        self._is_planning = True
        self._are_all_planned = False

    def next_few(self) -> tuple[Plan, bool]:
        """The next children, and whether they are the last: those to read, and those that have ended already.

        Only one thread may call it: the first one, and then each to which `ended` says so. Raises
        AirbyteTracedException where the whole read must stop.
        """
        plan, count = Plan(), 0
        try:
            for planned in islice(self._planned, FEW):
                plan.add(planned)
                count += 1
            self._are_all_planned = count < FEW
        except AirbyteTracedException:
            raise
        except Exception as error:  # noqa: BLE001 - one partition fails no other
            self._are_all_planned = True
            told = own_error(error, self.above.stream.outcome.name)
            failed = PartitionFailed(told, FailureType.system_error)
            plan.add(PartitionEnd(self.above, error if isinstance(error, PartitionFailed) else failed))
        with self._lock:
            self._under_way += len(plan.to_read)
            self._is_planning = not (plan.to_read or self._are_all_planned)
        return plan, self._are_all_planned

    def ended(self) -> bool:
        """Note that a child was read; returns whether the caller has to ask for the next few."""
        with self._lock:
            self._under_way -= 1
            is_due = not (self._is_planning or self._are_all_planned) and self._under_way <= _LOW
            self._is_planning |= is_due
        return is_due
