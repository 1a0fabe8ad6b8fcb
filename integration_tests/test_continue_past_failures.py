"""A company that fails holds back no other, where the user wants it so."""

import json

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import config, read
from integration_tests.support.extras import require
from integration_tests.support.warehouses import query

ON = {"continue_past_failures": True}


@pytest.fixture
def eight():
    with Simulator(companies=0, seed=7, records=5) as simulator:
        for number in range(8):
            simulator.world.add_company(name=f"Company {number}", connections=("Accounting",))
        yield simulator


def fail(sim, company, stream="invoices"):
    """Let Codat refuse one company's records of a stream in a way that is no sign of absence."""
    return sim.faults.add(Fault(path=f"/companies/{company}/data/{stream}$", status=422, times=None))


def companies_of(said, stream="invoices"):
    return {record["companyId"] for record in said.records(stream)}


def entries(said, stream="invoices"):
    return {one["partition"]["company_id"]: one["cursor"] for one in said.stream_state(stream)["states"]}


def test_a_failed_company_keeps_its_place_and_its_stream_ends_complete(eight):
    broken, *others = [company["id"] for company in eight.world.companies]
    fail(eight, broken)
    said = read(eight, "invoices", "bills", **ON)
    assert (said.code, said.errors) == (0, [])
    assert said.statuses("invoices")[-1] == said.statuses("bills")[-1] == "COMPLETE"
    assert companies_of(said) == set(others) == entries(said).keys()
    [warning] = [line for line in said.logs if "'continue_past_failures' is on" in line]
    assert broken in warning
    assert warning.startswith("invoices: 1 company")


def test_after_the_repair_the_company_arrives_whole(eight):
    broken = eight.world.companies[0]["id"]
    first = read(eight, "invoices", **ON)
    before = entries(first)[broken]
    record = eight.world.records("invoices", company_id=broken)[0]["id"]
    eight.world.sync(broken, "invoices", changes=lambda: eight.world.change(broken, "invoices", record))
    fail(eight, broken)
    state = first.state
    for _ in range(2):
        said = read(eight, "invoices", state=state, **ON)
        state = said.state
        assert (said.code, entries(said)[broken]) == (0, before)
    eight.faults.clear()
    said = read(eight, "invoices", state=state, **ON)
    assert record in [one["id"] for one in said.records("invoices")]  # those of its old date come again too
    assert companies_of(said) == {broken}


def test_it_is_off_unless_asked_for(eight):
    fail(eight, eight.world.companies[0]["id"])
    said = read(eight, "invoices")
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")


def test_a_full_refresh_is_never_loosened(eight):
    fail(eight, eight.world.companies[0]["id"])
    said = read(eight, "invoices", mode="full_refresh", **ON)
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")


def test_a_stop_of_the_whole_read_is_never_loosened(eight):
    eight.on_request(lambda request: eight.revoke_key() if "/data/invoices" in request.path else None)
    said = read(eight, "invoices", **ON)
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")
    assert said.errors[-1]["failure_type"] == "config_error"


@pytest.mark.slow
@pytest.mark.xdist_group("PyAirbyte")
def test_with_pyairbyte_the_seven_others_are_loaded_every_time_and_the_eighth_after_its_repair(
    eight, load, tmp_path
):
    require("airbyte", "PyAirbyte")
    settings, database = tmp_path / "config.json", tmp_path / "warehouse.duckdb"
    settings.write_text(json.dumps(config(eight, **ON)), encoding="utf-8")

    def loaded():
        load(settings, database, "--streams", "invoices")
        rows = query(str(database), "SELECT companyid, id FROM codat.invoices")
        return sorted((row["companyid"], row["id"]) for row in rows)

    def there(*left_out):
        return sorted(
            (company["id"], record["id"])
            for company in eight.world.companies
            if company["id"] not in left_out
            for record in eight.world.records("invoices", company_id=company["id"])
        )

    broken, other = (company["id"] for company in eight.world.companies[:2])
    fail(eight, broken)
    assert loaded() == there(broken)
    eight.world.sync(
        other, "invoices", changes=lambda: eight.world.put(other, "invoices", {"id": "brand new"})
    )
    assert loaded() == there(broken)
    assert (other, "brand new") in there(broken)
    eight.faults.clear()
    assert loaded() == there()
