import base64
from urllib.parse import quote

import pytest

from codat_simulator.definitions.data_types import DATA_TYPES


def walk(codat, path, **params):
    """Follow continuation tokens to the end."""
    rows: list[dict] = []
    pages, token = 0, None
    while True:
        body = codat.get(path, **params, **({"continuationToken": token} if token else {})).json()
        rows, pages, token = rows + body["results"], pages + 1, body["pagination"].get("continuationToken")
        if token is None:
            return rows, pages


def test_payable_bills_are_those_still_to_be_paid_unless_asked_otherwise(codat, link, sim):
    path = link("Accounting") + "/payables/bills"
    sim.default_page_size = 3
    rows, pages = walk(codat, path)
    assert {row["status"] for row in rows} == {"Open", "PartiallyPaid"}
    assert pages == -(-len(rows) // 3) > 1
    paid, _ = walk(codat, path, query="status=Paid")
    every, _ = walk(codat, path, query="status!=nosuch")
    dated, _ = walk(codat, path, query="sourceModifiedDate>2001-01-01")
    assert {row["status"] for row in paid} == {"Paid"}
    assert len(every) == 25
    assert {row["status"] for row in dated} == {"Open", "PartiallyPaid"}
    assert len({row["id"] for row in every}) == 25


def test_payables_know_only_two_properties_and_their_own_tokens(codat, link):
    path = link("Accounting") + "/payables/suppliers"
    assert codat.get(path, query="supplierName~a").status_code == 400
    for token in ("x", base64.b64encode(b"[]").decode()):
        assert codat.get(path, continuationToken=token).status_code == 400
    assert len(walk(codat, path)[0]) == 25


@pytest.mark.parametrize(
    "kind", ["bills", "invoices", "customers", "suppliers", "directCosts", "directIncomes", "purchaseOrders"]
)
def test_attachments_are_listed_per_record_and_may_be_null(codat, sim, link, kind):
    base = link("Accounting")
    found = []
    for row in sim.world.records(kind, base.split("/")[2]):
        answer = codat.get(f"{base}/data/{kind}/{quote(row['id'], safe='')}/attachments")
        found.append(answer.json()["attachments"])
    assert None in found
    assert any(found)
    assert codat.get(f"{base}/data/{kind}/nosuch/attachments").status_code == 404


def test_bare_arrays_are_bare(codat, first, link):
    for path in (
        first + "/files",
        first + "/sync/expenses/syncs/list/status",
        link("BankFeed") + "/connectionInfo/bankFeedAccounts",
    ):
        assert isinstance(codat.get(path).json(), list), path
        assert codat.get(path).json(), path
    assert codat.get(link("Accounting") + "/connectionInfo/bankFeedAccounts").status_code == 404


def test_each_expense_sync_lists_its_transactions(codat, first, sim):
    base = first + "/sync/expenses/syncs/"
    syncs = [row["syncId"] for row in codat.get(base + "list/status").json()]
    rows = [row for name in syncs for row in codat.pages(f"{base}{name}/transactions", pageSize=2)]
    assert len(rows) == len(sim.world.addon(first.rpartition("/")[2], "expenseTransactions")) > 0
    assert codat.get(base + "nosuch/transactions").status_code == 404


def test_push_operations_can_be_queried_and_changed(codat, first, sim):
    company, path = first.rpartition("/")[2], first + "/push"
    rows = codat.pages(path, orderBy="-requestedOnUtc", query="requestedOnUtc>2001-01-01")
    assert {row["status"] for row in rows} == {"Success", "Failed", "TimedOut"}
    sim.world.put_addon(company, "pushes", {**rows[0], "status": "Pending"})
    assert [row["status"] for row in codat.pages(path, query="status=Pending")] == ["Pending"]
    assert len(codat.pages(path)) == len(rows)


def test_sync_settings_belong_to_the_company(codat, first):
    body = codat.get(first + "/syncSettings").json()
    assert body["companyId"] == first.rpartition("/")[2]
    assert [one["dataType"] for one in body["settings"]] == list(DATA_TYPES)


def test_integrations_say_what_each_platform_supports(codat):
    rows = {row["name"]: row for row in codat.pages("/integrations", pageSize=4)}
    features = {
        one["dataType"]: one["supportedFeatures"][0]["featureState"]
        for one in rows["Xero"]["datatypeFeatures"]
    }
    assert features["invoices"] == "Release"
    assert features["itemReceipts"] == "NotSupported"
    assert codat.get("/integrations/gbol").json()["name"] == "Xero"
    assert codat.get("/integrations/nono").status_code == 404
