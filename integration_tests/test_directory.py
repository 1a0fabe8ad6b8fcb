"""Which companies are read: those that were selected, asked for the cheaper way, listed before all else."""

import logging

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import config, read, selected
from source_codat import SourceCodat


@pytest.fixture
def sim():
    with Simulator(companies=6, seed=7, records=3) as simulator:
        yield simulator


@pytest.fixture
def three(sim):
    return [one["id"] for one in sim.world.companies[1:4]]


def test_the_companies_stream_holds_the_selected_ones_however_they_were_asked_for(sim, three):
    for page_size, paths in (
        (1000, ["/companies", "/companies"]),
        (2, ["/companies", *["/companies/C"] * 3]),
    ):
        sim.clear_log()
        said = read(sim, "companies", **selected(*three), page_size=page_size)
        assert {one["id"] for one in said.records("companies")} == set(three)
        assert ["/companies/C" if one.company_id else one.path for one in sim.requests] == paths


def test_pages_that_hold_nothing_are_not_followed_for_ever(sim):
    empty = {"results": [], "totalResults": 9, "pageNumber": 1, "pageSize": 1000}
    sim.faults.add(Fault(path="/companies$", status=200, body=empty, times=None))
    filtered = config(sim, filters=[{"stream": "invoices", "query": "status=Paid"}])
    assert SourceCodat().check(logging.getLogger("airbyte"), filtered).status.name == "FAILED"
    assert len(sim.requests) == 1


def test_what_changed_since_the_first_company_was_asked_for_is_in_doubt(sim):
    """One that was linked between two questions, whose sync hides that of another."""
    late = sim.world.add_company(connections=("Banking",))
    another = sim.world.add_company(connections=("Banking",))
    [link] = sim.world.company(late).connections
    first = read(sim, "banking_transactions", **selected(late, another))
    sim.world.clock.advance(3600)
    sync = sim.world.start_sync(late, "banking-transactions", link.id)
    sim.world.stage(sync, {"id": "stamped first, shown last"})
    sim.world.clock.advance(60)
    sim.world.put(late, "banking-transactions", {"id": "shown"}, link.id)

    def between(request):
        if request.path.endswith(f"/companies/{another}"):
            sim.world.clock.advance(60)
            added = sim.world.add_connection(late, "Banking", sync=False)
            sim.world.sync(late, "banking-transactions", added, changes=lambda: {"id": "other"})
            sim.world.clock.advance(60)

    unregister = sim.on_request(between)
    second = read(sim, "banking_transactions", **selected(late, another), state=first.state)
    unregister()
    sim.world.finish_sync(sync)
    third = read(sim, "banking_transactions", **selected(late, another), state=second.state)
    rows = {one["id"] for said in (second, third) for one in said.records("banking_transactions")}
    assert {"shown", "stamped first, shown last"} <= rows
