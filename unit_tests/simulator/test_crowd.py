"""More companies than fit into memory: records are made when asked for, requests are counted, not kept."""

import pytest

from codat_simulator.server.meter import Meter


@pytest.fixture
def company(sim):
    company = sim.world.add_company(connections=("Accounting",))
    for link in sim.world.company(company).connections:
        link.alike = (7, 900)
    return company


def test_each_data_type_has_so_many_records_of_one_size(codat, company):
    for path in ("invoices", "customers"):
        rows = codat.pages(f"/companies/{company}/data/{path}", pageSize=3)
        assert len({row["id"] for row in rows}) == 7


def test_what_was_forgotten_is_made_anew_as_it_was(sim, codat, company):
    def shown():
        status = codat.get(f"/companies/{company}/dataStatus").json()
        return status, codat.pages(f"/companies/{company}/data/invoices", pageSize=3)

    before = shown()
    sim.world.company(company).forget_made()
    assert shown() == before


def test_no_record_is_stamped_after_the_codat_sync_that_brought_it(codat, company):
    synced = codat.get(f"/companies/{company}/dataStatus").json()["invoices"]["lastSuccessfulSync"]
    rows = codat.pages(f"/companies/{company}/data/invoices", pageSize=100)
    assert all(row["modifiedDate"][:19] <= synced[:19] for row in rows)


def test_a_meter_knows_the_most_of_any_minute():
    meter = Meter(minute=10.0)
    for at in (0.0, 1.0, 9.9, 10.0, 30.0, 39.0, 39.5, 39.9, 40.1):
        meter.note(at)
    assert (meter.total, meter.most) == (9, 4)


def test_the_simulator_counts_every_request(sim, codat):
    for _ in range(3):
        codat.get("/companies")
    assert (sim.meter.total, sim.meter.most) == (3, 3)
    sim.clear_log()
    codat.get("/nowhere")
    assert sim.meter.total == 4
