"""What is refused isn't asked for again and again, and what the platforms rule out isn't asked for."""

from types import SimpleNamespace
from typing import Any

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import read
from source_codat.planning.refused_products import RefusedProducts


def test_ten_are_ten():
    products = RefusedProducts()
    stream: Any = SimpleNamespace(product="Assess", name="data_integrity_status")
    refused = []
    for number in range(11):
        refused.append(products.is_refused(stream))
        products.note(stream, f"company {number}", is_refusal=True)
    assert refused == [False] * 10 + [True]


def test_a_data_type_that_ten_companies_refuse_is_asked_of_the_next():
    with Simulator(companies=14, seed=2, records=2) as sim:
        companies = [one["id"] for one in sim.world.companies]
        sim.faults.add(Fault(path=f"({'|'.join(companies[:10])})/data/bills$", status=403, times=None))
        said = read(sim, "bills", num_workers=2)
        others = {one for one in companies[10:] if sim.world.records("bills", one)}
    assert said.code == 0
    assert others
    assert {one["companyId"] for one in said.records("bills")} == others


def test_a_product_that_ten_companies_in_a_row_refuse_alike_is_not_asked_of_the_next():
    with Simulator(companies=30, seed=2, records=2) as sim:
        sim.faults.add(Fault(path=r"/assess/", status=403, times=None))
        said = read(sim, "data_integrity_summaries", "data_integrity_status", num_workers=2)
        asked = {one.company_id for one in sim.requests_for("/assess/")}
    assert said.code == 0
    assert 10 <= len(asked) < 20
    warning = next(line for line in said.logs if "companies skipped" in line)
    assert "30 companies skipped, not allowed" in warning
    assert warning.count("(") < 15  # the first ten are named, the others counted
    assert "and 20 more" in warning


def test_one_company_that_has_the_product_breaks_the_row():
    with Simulator(companies=24, seed=2, records=2) as sim:
        lucky = sorted(one["id"] for one in sim.world.companies)[::6]
        refused = "|".join(one["id"] for one in sim.world.companies if one["id"] not in lucky)
        sim.faults.add(Fault(path=f"({refused})/syncSettings", status=403, times=None))
        said = read(sim, "company_sync_settings", num_workers=2)
    assert {one["companyId"] for one in said.records("company_sync_settings")} == set(lucky)


def test_what_the_platform_does_not_support_is_not_asked_for():
    with Simulator(companies=4, seed=2, records=2) as sim:
        platforms = {
            one["id"]: [
                link["platformName"] for link in one["dataConnections"] if link["sourceType"] == "Accounting"
            ]
            for one in sim.world.companies
        }
        said = read(sim, "sales_orders", "invoices")
        asked = {one.company_id for one in sim.requests_for("/data/salesOrders")}
        integrations = len(sim.requests_for("/integrations"))
    assert said.code == 0
    without = {company for company, names in platforms.items() if names in (["Xero"], ["FreshBooks"])}
    assert without
    assert not asked & without
    assert integrations == 1


def test_a_type_that_was_refused_and_is_not_named_is_not_asked_for_until_the_connections_change():
    with Simulator(companies=1, seed=2, records=2) as sim:
        sim.faults.add(Fault(path=r"/integrations", status=404, times=None))
        company = sim.world.companies[0]["id"]
        sim.world.unsupported(company, "journals")
        first = read(sim, "journals", "invoices")
        sim.clear_log()
        second = read(sim, "journals", "invoices", state=first.state)
        assert not sim.requests_for("/data/journals")
        sim.world.add_connection(company, "Banking")
        read(sim, "journals", "invoices", state=second.state)
        assert sim.requests_for("/data/journals")
