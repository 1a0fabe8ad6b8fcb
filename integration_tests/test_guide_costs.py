"""The figures of the setup guide that tell what a read costs are measured ones."""

import pytest

from tools.scripts import read_costs
from tools.scripts.read_costs import Cost, Job

JOBS = read_costs.all_jobs()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.title)
def test_a_read_costs_what_the_guide_says(job: Job) -> None:
    measured, told = read_costs.measure(job), read_costs.committed()[job.title]
    for kind in Cost.__annotations__:
        assert getattr(measured, kind) == pytest.approx(getattr(told, kind), rel=0.05, abs=1), (
            f"{kind}: run `python -m tools.scripts.read_costs` and `make docs`"
        )


def test_every_job_has_been_measured_and_nothing_else() -> None:
    assert list(read_costs.committed()) == [job.title for job in JOBS]


@pytest.mark.parametrize(("requests", "minutes"), [(1, 1), (900, 1), (901, 2), (2001, 3)])
def test_minutes_are_those_of_the_rate_that_the_connector_keeps_to(requests: int, minutes: int) -> None:
    assert read_costs.minutes(requests) == minutes
