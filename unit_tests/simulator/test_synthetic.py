import time

import pytest


@pytest.fixture
def company(sim):
    company = sim.world.add_company(connections=("Accounting",))
    sim.world.add_synthetic(company, "invoices", 1003, size=900)
    return company


def test_a_synthetic_dataset_pages_like_any_other(sim, codat, company):
    path = f"/companies/{company}/data/invoices"
    up = codat.ids(path, orderBy="id", pageSize=100)
    assert len(set(up)) == 1003
    assert up == sorted(up) == codat.ids(path, orderBy="-id", pageSize=250)[::-1]
    assert codat.pages(path, pageSize=500) == sim.world.records("invoices", company)


def test_its_records_are_as_large_as_asked(codat, company):
    content = codat.get(f"/companies/{company}/data/invoices", pageSize=1000).content
    assert 800_000 < len(content) < 1_000_000


def test_it_is_filtered_by_stamp_and_by_anything_else(codat, sim, company):
    path = f"/companies/{company}/data/invoices"
    stamps = sorted({row["modifiedDate"] for row in sim.world.records("invoices", company)})
    assert len(stamps) == 4
    found = codat.pages(path, query=f"modifiedDate>={stamps[2]}", orderBy="modifiedDate", pageSize=200)
    assert [row["modifiedDate"] for row in found] == sorted(row["modifiedDate"] for row in found)
    assert len(found) == 501
    assert codat.ids(path, query="invoiceNumber=INV-77") == [up_id(77)]
    assert codat.get(path, query="nosuch=1").status_code == 400


def up_id(number):
    return f"{number:08d}-0000-4000-8000-{number:012d}"


def test_it_changes_like_any_other(codat, sim, company):
    path = f"/companies/{company}/data/invoices"
    sim.world.change(company, "invoices", up_id(5), note="changed")
    sim.world.put(company, "invoices", {"id": up_id(7) + "x"})
    sim.world.vanish(company, "invoices", up_id(9))
    ids = codat.ids(path, orderBy="id", pageSize=300)
    assert ids[5:10] == [up_id(5), up_id(6), up_id(7), up_id(7) + "x", up_id(8)]
    assert up_id(9) not in ids
    assert len(ids) == 1003
    since = max(row["modifiedDate"] for row in sim.world.records("invoices", company)[:4])
    assert set(codat.ids(path, query=f"modifiedDate>{since}", orderBy="id")) == {up_id(5), up_id(7) + "x"}
    assert codat.pages(path, query=f"id={up_id(5)}")[0]["note"] == "changed"


def test_a_million_records_cost_next_to_nothing_until_asked_for(sim, codat):
    company = sim.world.add_company(connections=("Accounting",))
    began = time.process_time()
    sim.world.add_synthetic(company, "invoices", 1_000_000)
    body = codat.get(f"/companies/{company}/data/invoices", page=1000, pageSize=1000, orderBy="id").json()
    assert time.process_time() - began < 1
    assert (body["totalResults"], len(body["results"])) == (1_000_000, 1000)
    assert "next" not in body["_links"]
