import pytest


@pytest.fixture
def company(sim):
    return sim.world.add_company("New", connections=("Accounting",))


@pytest.fixture
def status(codat):
    return lambda company, key="invoices": codat.get(f"/companies/{company}/dataStatus").json()[key]


@pytest.fixture
def history(codat):
    return lambda company, **params: codat.pages(f"/companies/{company}/data/history", **params)


def test_a_synced_type_names_its_latest_sync(status, history, company):
    row = history(company, query="dataType=invoices")[0]
    assert status(company) == {
        "dataType": "invoices",
        "currentStatus": "Complete",
        "latestSyncId": row["id"],
        "latestSuccessfulSyncId": row["id"],
        "lastSuccessfulSync": row["completed"],
    }


def test_only_supported_data_types_have_a_status(codat, sim, company):
    keys = set(codat.get(f"/companies/{company}/dataStatus").json())
    assert {"invoices", "chartOfAccounts", "company", "balanceSheet"} <= keys
    assert not {"banking-accounts", "commerce-orders", "itemReceipts"} & keys
    sim.world.unsupported(company, "invoices")
    assert "invoices" not in codat.get(f"/companies/{company}/dataStatus").json()


def test_a_type_that_was_never_synced_is_just_named_and_answers_409(sim, codat, status, company):
    sim.world.forget_sync(company, "invoices")
    assert status(company) == {"dataType": "invoices"}
    answer = codat.get(f"/companies/{company}/data/invoices")
    assert (answer.status_code, answer.json()["error"]) == (409, "The data set has not been requested.")


def test_a_first_sync_that_runs_or_failed_answers_409(sim, codat, status):
    company = sim.world.add_company(sync=False)
    running = sim.world.start_sync(company, "invoices", status="Fetching")
    assert status(company)["currentStatus"] == "Fetching"
    assert "lastSuccessfulSync" not in status(company)
    assert codat.get(f"/companies/{company}/data/invoices").status_code == 409
    sim.world.finish_sync(running, "FetchError")
    assert status(company)["currentStatus"] == "FetchError"
    assert codat.get(f"/companies/{company}/data/invoices").status_code == 409


def test_an_unsupported_type_answers_404_with_the_platforms_name(sim, codat, company):
    sim.world.unsupported("Xero", "bills")
    answer = codat.get(f"/companies/{company}/data/bills")
    assert answer.status_code == 404
    assert answer.json()["error"] == "Datatype [bills] not supported by platform(s) [Xero]"


def test_a_sync_stamps_all_it_changes_alike_and_later_than_anything_before(sim, codat, status, company):
    before = sim.world.records("invoices", company)
    clock = max(row["modifiedDate"] for row in before)

    def changes(world):
        world.change(company, "invoices", before[0]["id"], note="changed")
        world.delete(company, "invoices", before[1]["id"])
        world.put(company, "invoices", {**before[2], "id": "copied"})
        return [{"id": "returned"}]

    sync = sim.world.sync(company, "invoices", changes=changes)
    stamps = {row["id"]: row["modifiedDate"] for row in codat.pages(f"/companies/{company}/data/invoices")}
    touched = {stamps[name] for name in (before[0]["id"], before[1]["id"], "copied", "returned")}
    assert len(touched) == 1
    assert len(codat.pages(f"/companies/{company}/data/invoices", query=f"modifiedDate>{clock}")) == 4
    assert status(company)["latestSuccessfulSyncId"] == sync
    assert len(codat.pages(f"/companies/{company}/data/invoices", query=f"modifiedDate>{touched.pop()}")) == 0


def test_what_a_sync_deleted_is_not_brought_back_by_what_it_returned(sim, company):
    def changes():
        return [sim.world.put(company, "items", {"id": "x"}), sim.world.vanish(company, "items", "x")]

    sim.world.sync(company, "items", changes=changes)
    assert "x" not in {row.get("id") for row in sim.world.records("items", company)}


def test_staged_records_appear_when_the_sync_ends_stamped_when_they_were_staged(sim, codat, status, company):
    sync = sim.world.start_sync(company, "invoices")
    staged = sim.world.stage(sync, {"id": "late"})
    after = sim.world.put(company, "invoices", {"id": "after"})
    path = f"/companies/{company}/data/invoices"
    assert status(company)["currentStatus"] == "Processing"
    assert status(company)["latestSyncId"] == sync != status(company)["latestSuccessfulSyncId"]
    assert "late" not in codat.ids(path)
    sim.world.finish_sync(sync)
    rows = {row["id"]: row for row in codat.pages(path, orderBy="modifiedDate")}
    assert [*rows][-2:] == ["late", "after"]
    assert (rows["late"], rows["after"]) == (staged, after)
    assert status(company)["currentStatus"] == "Complete"


def test_staged_records_can_be_revealed_early_and_a_failed_sync_drops_the_rest(sim, codat, company):
    sync = sim.world.start_sync(company, "invoices")
    sim.world.stage(sync, {"id": "early"})
    sim.world.reveal(sync)
    sim.world.stage(sync, {"id": "never"})
    sim.world.finish_sync(sync, "MapError")
    found = codat.ids(f"/companies/{company}/data/invoices")
    assert "early" in found
    assert "never" not in found


def test_data_status_merges_connections_and_history_tells_them_apart(sim, status, history):
    company = sim.world.add_company(connections=("Banking", "Banking"))
    one, two = (link["id"] for link in sim.world.companies[-1]["dataConnections"])
    slow = sim.world.start_sync(company, "banking-accounts", one)
    sim.world.sync(company, "banking-accounts", two)
    assert status(company, "banking-accounts")["currentStatus"] == "Complete"
    rows = history(company, query="dataType=banking-accounts&&status!=Complete")
    assert [(row["id"], row["connectionId"], row["isCompleted"]) for row in rows] == [(slow, one, False)]


def test_history_can_be_queried_but_not_by_is_completed(codat, history, company):
    path = f"/companies/{company}/data/history"
    assert {row["status"] for row in history(company)} == {"Complete"}
    assert history(company, query="status!=Complete&&status!=NotSupported") == []
    answer = codat.get(path, query="isCompleted=false")
    assert (answer.status_code, "isCompleted on PullOperation" in answer.json()["error"]) == (400, True)


def test_a_set_status_shows_in_both(sim, status, history, company):
    good = status(company)["latestSuccessfulSyncId"]
    sync = sim.world.set_status(company, "invoices", "AuthError")
    assert status(company)["currentStatus"] == "AuthError"
    assert status(company)["latestSuccessfulSyncId"] == good
    row = history(company, query=f"id={sync}")[0]
    assert (row["isCompleted"], row["isErrored"]) == (True, True)


def test_a_queued_refresh_goes_through_its_stages_as_it_is_polled(sim, codat, company):
    sim.world.pulls.plan(company, "bills", changes=lambda: [{"id": "fetched"}])
    queued = codat.post(f"/companies/{company}/data/queue/bills").json()
    path = f"/companies/{company}/data/history/{queued['id']}"
    seen = [queued["status"]] + [codat.get(path).json()["status"] for _ in range(6)]
    assert seen == ["Queued", "Fetching", "Mapping", "Validating", "Processing", "Complete", "Complete"]
    assert "fetched" in codat.ids(f"/companies/{company}/data/bills")


def test_a_refresh_is_over_when_its_time_is_however_rarely_it_is_polled(sim, codat, company, status):
    sim.world.pulls.polls = 0
    codat.post(f"/companies/{company}/data/queue/bills")
    assert status(company, "bills")["currentStatus"] == "Queued"
    sim.world.clock.advance(1800)
    assert status(company, "bills")["currentStatus"] == "Mapping"
    sim.world.clock.advance(1800)
    assert status(company, "bills")["currentStatus"] == "Complete"


@pytest.mark.parametrize("ending", ["FetchError", "AuthError", "Queued"])
def test_a_refresh_can_end_badly_or_never(sim, codat, company, status, ending):
    sim.world.pulls.plan(company, "bills", ending)
    codat.post(f"/companies/{company}/data/queue/bills")
    assert [status(company, "bills")["currentStatus"] for _ in range(9)][-1] == ending


def test_a_refresh_that_runs_is_not_queued_twice_and_a_wrong_one_is_refused(codat, company):
    path = f"/companies/{company}/data/queue/"
    assert codat.post(path + "bills").status_code == 200
    assert codat.post(path + "bills").status_code == 409
    assert codat.post(path + "banking-accounts").status_code == 400
    assert codat.post(path + "nosuch").status_code == 400
    assert codat.post(path + "items", connectionId="nosuch").status_code == 404
    assert codat.get(path + "bills").status_code == 405


def test_refreshing_everything_queues_each_type_of_each_linked_connection(sim, codat, history):
    company = sim.world.add_company(connections=("Banking", {"source_type": "Banking", "status": "Unlinked"}))
    assert codat.post(f"/companies/{company}/data/all").status_code == 204
    queued = {
        (row["connectionId"], row["dataType"]) for row in history(company) if row["status"] != "Complete"
    }
    linked = sim.world.companies[-1]["dataConnections"][0]["id"]
    assert queued == {
        (linked, key)
        for key in codat.get(f"/companies/{company}/dataStatus").json()
        if key.startswith("banking")
    }


def test_the_validation_of_a_sync_can_be_read(codat, history, company):
    found = [
        codat.get(f"/companies/{company}/sync/{row['id']}/validation").json() for row in history(company)
    ]
    assert all(set(one) == {"errors", "warnings"} for one in found)
    assert len({str(one) for one in found}) > 1
    assert codat.get(f"/companies/{company}/sync/nosuch/validation").status_code == 404
