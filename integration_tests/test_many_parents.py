"""Children of many parents: planned a few at a time, each asked for once, whatever else goes on."""

from collections import Counter

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import read
from source_codat.engine.children import FEW
from source_codat.engine.scheduler import Scheduler
from source_codat.reporting.progress import Progress

PARENTS = 450


@pytest.fixture(autouse=True)
def no_budget(mocker):
    """More than a minute's requests: the limit is no business of these tests."""
    mocker.patch("source_codat.http.rate_limit.WINDOW_SECONDS", 0.0)


@pytest.fixture
def codat():
    with Simulator(companies=0, records=3) as simulator:
        company = simulator.world.add_company(connections=("Accounting",))
        simulator.world.add_synthetic(company, "bills", PARENTS, 400)
        yield simulator


@pytest.fixture
def most_waiting(mocker):
    """The most tasks that waited at any time."""
    most = [0]
    add = Scheduler.add

    def counted(scheduler, tasks):
        add(scheduler, tasks)
        most[0] = max(most[0], len(scheduler._ready))

    mocker.patch.object(Scheduler, "add", counted)
    return most


def asked(sim):
    return Counter(one.path for one in sim.requests if one.path.endswith("/attachments"))


@pytest.mark.parametrize("workers", [2, 10])
def test_each_parent_is_asked_once_and_few_wait_at_a_time(codat, most_waiting, workers):
    said = read(codat, "bill_attachments", mode="full_refresh", num_workers=workers)
    assert (said.code, said.statuses("bill_attachments")[-1]) == (0, "COMPLETE")
    assert len(asked(codat)) == PARENTS
    assert set(asked(codat).values()) == {1}
    assert most_waiting[0] <= 2 * FEW


@pytest.mark.usefixtures("naps")
def test_children_that_fail_fail_the_stream_and_all_others_are_read(codat):
    codat.faults.add(Fault(path=r"/bills/00000123-.*/attachments", status=503, times=None))
    said = read(codat, "bill_attachments", "invoices", mode="full_refresh")
    assert (said.statuses("bill_attachments")[-1], said.statuses("invoices")[-1]) == (
        "INCOMPLETE",
        "COMPLETE",
    )
    assert len(asked(codat)) == PARENTS


def test_children_that_have_nothing_are_told_once(codat):
    codat.faults.add(Fault(path=r"/bills/.*/attachments", status=404, times=None))
    said = read(codat, "bill_attachments", mode="full_refresh")
    assert said.code == 0
    assert len(asked(codat)) == PARENTS
    assert [one for one in said.logs if "1 company skipped" in one]


def test_the_progress_knows_that_the_company_has_ended_only_after_the_last_child(codat, mocker):
    done = []
    ended = Progress.ended

    def noted(progress, *args):
        ended(progress, *args)
        done.append((progress.done, len(asked(codat))))

    mocker.patch.object(Progress, "ended", noted)
    read(codat, "bill_attachments", mode="full_refresh")
    assert {number for is_done, number in done if is_done} == {PARENTS}
