"""Children are planned a few at a time, each exactly once, whichever thread asks for the next."""

from types import SimpleNamespace
from typing import Any

import pytest

from source_codat.engine.children import FEW, Children
from source_codat.foundation.errors import PartitionFailed, PartitionSkipped, ReadStopped
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.planning.planner import PartitionEnd, PlannedPartition

STREAM: Any = SimpleNamespace(outcome=SimpleNamespace(name="attachments"))
ABOVE = PlannedPartition(ids={}, stream=STREAM)


def child(number):
    return PlannedPartition(ids={"billId": str(number)}, stream=STREAM)


def unread(number):
    return PartitionEnd(child(number), PartitionSkipped(SkipReason.UNCHANGED))


class Counted:
    """An iterator that knows how many were taken from it."""

    def __init__(self, items):
        self.items, self.taken = iter(items), 0

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.items)
        self.taken += 1
        return item


def test_no_more_than_a_few_are_planned_ahead():
    supply = Counted(child(number) for number in range(100_000))
    children = Children(ABOVE, supply)
    plan, are_last = children.next_few()
    under_way, read, most = len(plan.to_read), 0, 0
    while under_way:
        most = max(most, supply.taken - read)
        read, under_way = read + 1, under_way - 1
        if children.ended():
            plan, are_last = children.next_few()
            under_way += len(plan.to_read)
    assert (read, are_last) == (100_000, True)
    assert most <= 2 * FEW


@pytest.mark.parametrize("number", [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW])
def test_every_child_comes_once_and_the_end_is_told_once(number):
    children, found, ends = Children(ABOVE, map(child, range(number))), [], 0
    due = True
    waiting: list[PlannedPartition] = []
    while due or waiting:
        if due:
            plan, are_last = children.next_few()
            found += plan.to_read
            waiting += plan.to_read
            ends += are_last
            due = not plan.to_read and not are_last
        if waiting:
            waiting.pop()
            due = children.ended()
    assert [one.ids["billId"] for one in found] == [str(one) for one in range(number)]
    assert ends == 1


def test_while_one_thread_plans_no_other_is_told_to():
    children = Children(ABOVE, map(child, range(1000)))
    assert len(children.next_few()[0].to_read) == FEW
    told = [children.ended() for _ in range(FEW)]
    assert told.count(True) == 1


def test_a_few_that_need_not_be_read_leave_the_same_thread_to_plan_on():
    children = Children(ABOVE, map(unread, range(2 * FEW)))
    few = [children.next_few() for _ in range(3)]
    assert [(len(plan.ended), plan.to_read, are_last) for plan, are_last in few] == [
        (FEW, [], False),
        (FEW, [], False),
        (0, [], True),
    ]


def failing(error):
    yield child(0)
    raise error


@pytest.mark.parametrize("error", [PartitionFailed("no answer"), KeyError("odd")])
def test_what_goes_wrong_in_planning_fails_the_rest_of_them_and_nothing_else(error):
    children = Children(ABOVE, failing(error))
    plan, are_last = children.next_few()
    assert ([end.partition for end in plan.ended], plan.to_read, are_last) == ([ABOVE], [child(0)], True)
    assert isinstance(plan.ended[0].result, PartitionFailed)


def test_what_stops_the_read_is_raised():
    with pytest.raises(ReadStopped):
        Children(ABOVE, failing(ReadStopped("quota"))).next_few()
