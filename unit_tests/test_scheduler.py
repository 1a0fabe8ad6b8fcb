"""Which piece of work a worker takes next."""

import pytest

from source_codat.engine.scheduler import PER_COMPANY, Scheduler, Task


def tasks(company_id, number):
    return [Task(company_id, lambda: None) for _ in range(number)]


@pytest.mark.parametrize("workers", [2, 3, 5, 50])
def test_one_company_never_takes_the_last_worker_while_others_wait(workers):
    scheduler = Scheduler(workers)
    scheduler.add(tasks("silent", 20))
    scheduler.add_openers([Task(str(number), lambda: None) for number in range(workers)])
    taken = [scheduler.take() for _ in range(workers)]
    of_one = sum(task is not None and task.company_id == "silent" for task in taken)
    assert of_one == min(PER_COMPANY, workers - 1)


@pytest.mark.parametrize("workers", [2, 50])
def test_a_company_alone_gets_all_workers_that_codat_allows(workers):
    scheduler = Scheduler(workers)
    scheduler.add(tasks("alone", 20))
    for _ in range(min(PER_COMPANY, workers)):
        task = scheduler.take()
        assert task is not None
        assert task.company_id == "alone"


def test_work_that_was_put_off_comes_first_and_keeps_to_its_companys_share(mocker):
    clock = mocker.patch("source_codat.engine.scheduler.time.monotonic", return_value=0.0)
    scheduler = Scheduler(50)
    for task in tasks("held back", 20):
        scheduler.add_later(task, 5.0)
    scheduler.add(tasks("other", 1))
    assert scheduler.take() == Task("other", mocker.ANY)
    clock.return_value = 5.0
    scheduler.add_openers(tasks("new", 1))
    taken = [scheduler.take() for _ in range(PER_COMPANY + 1)]
    assert [task.company_id for task in taken if task] == ["held back"] * PER_COMPANY + ["new"]
