import random

import pytest

from codat_simulator import DATA_TYPES, World, evolve
from codat_simulator.instants import known

HISTORY = "/companies/{}/data/history"


@pytest.fixture
def company(sim):
    return sim.world.add_company("New", connections=("Accounting", "Banking"))


def test_equal_seeds_give_equal_worlds_and_others_differ(sim):
    start = sim.world.clock.now()
    one, same, other = (World(2, seed, 10, start) for seed in (1, 1, 2))

    def ids(world):
        return [row["id"] for row in world.records("invoices")]

    assert ids(one) == ids(same) != ids(other)
    assert [row["id"] for row in one.companies] == [row["id"] for row in same.companies]


def test_a_record_put_is_served_last_and_replaced_in_place(sim, codat, company):
    path = f"/companies/{company}/data/customers"
    sim.world.put(company, "customers", {"id": "x/1", "customerName": "Été"})
    assert codat.pages(path)[-1]["customerName"] == "Été"
    sim.world.put(company, "customers", {"id": "y"})
    sim.world.put(company, "customers", {"id": "x/1", "customerName": "Hiver"})
    assert [row["id"] for row in codat.pages(path)[-2:]] == ["x/1", "y"]
    assert codat.pages(path)[-2]["customerName"] == "Hiver"


def test_a_put_keeps_the_date_it_is_given(sim, company):
    put = sim.world.put
    assert (
        put(company, "items", {"id": "1", "modifiedDate": "2001-01-01T00:00:00"})["modifiedDate"][:4]
        == "2001"
    )
    assert put(company, "items", {"id": "2"}, modified="2002-01-01T00:00:00Z")["modifiedDate"][:4] == "2002"
    assert "modifiedDate" not in put(company, "items", {"id": "3", "modifiedDate": "2003-01-01"}, modified="")
    assert known(put(company, "items", {"id": "4"})["modifiedDate"]) <= sim.world.clock.ticks()


def test_a_deleted_accounting_record_stays_flagged_and_dated_anew(sim, codat, company):
    path = f"/companies/{company}/data/invoices"
    before = codat.pages(path)[3]
    sim.world.delete(company, "invoices", before["id"])
    after = codat.pages(path)[3]
    assert after["metadata"] == {"isDeleted": True}
    assert after["sourceModifiedDate"] is None
    assert known(after["modifiedDate"]) > known(before["modifiedDate"])
    assert after["id"] not in codat.ids(path, query="metadata.isDeleted!=true")


def test_a_deleted_banking_record_is_gone(sim, company):
    victim = sim.world.records("banking-transactions", company)[0]["id"]
    sim.world.delete(company, "banking-transactions", victim)
    assert victim not in {row["id"] for row in sim.world.records("banking-transactions", company)}


def test_a_vanished_record_is_gone_for_good(sim, codat, company):
    victim = sim.world.records("invoices", company)[0]["id"]
    sim.world.vanish(company, "invoices", victim)
    assert victim not in codat.ids(f"/companies/{company}/data/invoices")


def test_the_truth_is_what_clients_see_digit_for_digit(sim, codat, company):
    path = f"/companies/{company}/data/invoices"
    assert codat.pages(path) == sim.world.records("invoices", company)
    raw = b",".join(sim.world.raw_records("invoices", company))
    assert raw in codat.get(path).content


def test_what_a_test_gets_is_a_copy(sim, company):
    sim.world.records("invoices", company)[0]["id"] = "spoilt"
    sim.world.companies[0]["dataConnections"].clear()
    assert "spoilt" not in {row["id"] for row in sim.world.records("invoices", company)}
    assert sim.world.companies[0]["dataConnections"]


def test_every_stamp_is_later_than_the_one_before_whatever_its_form(sim):
    forms = [None, 0, 7, "3Z", "0", "7", 1, "6"] * 10
    random.Random(1).shuffle(forms)
    stamps = [known(sim.world.clock.stamp(form)) for form in forms]
    assert stamps == sorted(set(stamps))
    assert stamps[-1] <= sim.world.clock.ticks()


def test_the_clock_moves_and_so_does_the_date_header(sim, codat):
    sim.world.clock.set(sim.world.clock.now().replace(year=2031, month=5, day=6))
    assert " May 2031 " in codat.get("/companies").headers["Date"]
    sim.world.clock.advance(86_400 * 365)
    assert " May 2032 " in codat.get("/companies").headers["Date"]
    assert sim.world.clock.stamp().startswith("2032-05")


def test_evolution_changes_as_much_as_asked_with_later_stamps_and_finished_syncs(sim, codat):
    def snapshot():
        return {
            (company["id"], kind, row["id"]): row["modifiedDate"]
            for company in sim.world.companies
            for kind in DATA_TYPES
            for row in sim.world.records(kind, company["id"])
            if "id" in row and "modifiedDate" in row
        }

    begun = {row["id"] for one in sim.world.companies for row in codat.pages(HISTORY.format(one["id"]))}
    before, now = snapshot(), sim.world.clock.ticks()
    made = evolve(sim.world, seed=3, changes=60)
    assert sum(made.values()) == 60
    assert min(made.values()) > 0
    after = snapshot()
    changed = {key for key, stamp in after.items() if before.get(key) != stamp}
    assert len(changed) > 20
    assert all(known(after[key]) > now for key in changed)
    later = [row for one in sim.world.companies for row in codat.pages(HISTORY.format(one["id"]))]
    assert {row["status"] for row in later if row["id"] not in begun} == {"Complete"}
    assert evolve(sim.world, seed=4, changes=0) == {"new": 0, "changed": 0, "deleted": 0}


def test_counts_add_up_over_companies(sim):
    assert sim.world.count()["invoices"] == len(sim.world.records("invoices"))
    companies = sim.world.companies
    assert sim.world.count()["companies"] == len(companies)
    assert sim.world.count()["connections"] == sum(len(one["dataConnections"]) for one in companies)


def test_a_company_comes_and_goes(sim, codat):
    company = sim.world.add_company("Später", {"a": "b"}, connections=("Commerce",))
    assert codat.get(f"/companies/{company}").json()["tags"] == {"a": "b"}
    assert company in codat.ids("/companies", pageSize=1)
    sim.world.remove_company(company)
    assert codat.get(f"/companies/{company}/dataStatus").status_code == 404
    assert company not in codat.ids("/companies")


def test_connections_keep_serving_data_unless_pending_or_deleted(sim, codat):
    company = sim.world.add_company(connections=("Banking",))
    link = sim.world.companies[-1]["dataConnections"][0]["id"]
    path = f"/companies/{company}/connections/{link}/data/banking-accounts"
    answers = {}
    for status in ("Linked", "Unlinked", "Deauthorized", "PendingAuth"):
        sim.world.set_connection_status(company, link, status)
        answers[status] = codat.get(path).status_code
        assert codat.pages(f"/companies/{company}/connections")[0]["status"] == status
    assert answers == {"Linked": 200, "Unlinked": 200, "Deauthorized": 200, "PendingAuth": 409}
    sim.world.remove_connection(company, link)
    assert codat.get(path).status_code == 404
    assert codat.pages(f"/companies/{company}/connections") == []


def test_a_company_list_is_the_union_of_its_accounting_connections(sim, codat):
    company = sim.world.add_company(connections=("Accounting",))
    old = codat.ids(f"/companies/{company}/data/invoices")
    second = sim.world.add_connection(company, "Accounting", "Unlinked", platform="ktna")
    new = [row["id"] for row in sim.world.records("invoices", company, second)]
    assert codat.ids(f"/companies/{company}/data/invoices", pageSize=9) == old + new
    sim.world.put(company, "invoices", {"id": "~"}, connection_id=second)
    assert codat.ids(f"/companies/{company}/data/invoices", orderBy="-id")[0] == "~"


def test_a_data_type_of_the_other_scope_or_kind_is_not_found(codat, first, link):
    assert codat.get(first + "/data/directCosts").status_code == 404
    assert codat.get(link("Accounting") + "/data/invoices").status_code == 404
    answer = codat.get(link("Banking") + "/data/directCosts")
    assert answer.json()["error"] == "Datatype [directCosts] not supported by platform(s) [Plaid]"


def test_a_company_added_unsynced_is_empty_until_its_first_sync(sim, codat):
    company = sim.world.add_company(sync=False)
    path = f"/companies/{company}/data/invoices"
    assert codat.get(path).status_code == 409
    sim.world.sync(company, "invoices", changes=lambda: [{"id": "1"}])
    assert codat.ids(path) == ["1"]
    assert codat.get(f"/companies/{company}").json()["lastSync"]


def test_lists_can_refuse_while_a_sync_runs(sim, codat, company):
    sim.world.start_sync(company, "invoices")
    assert codat.get(f"/companies/{company}/data/invoices").status_code == 200
    sim.world.conflict_while_syncing = True
    assert codat.get(f"/companies/{company}/data/invoices").status_code == 409
