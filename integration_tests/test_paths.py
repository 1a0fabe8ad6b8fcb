"""Ids become parts of paths, and lead to no other path than their own."""

from urllib.parse import unquote

import pytest

from codat_simulator import Fault
from integration_tests.support.connector import config, read
from source_codat.foundation.errors import PartitionFailed
from source_codat.foundation.paths import path_segment
from source_codat.http.transport import Transport
from unit_tests.support.source import source

ODD = [
    *(
        "...",
        ".a",
        "%2e",
        "%2E%2e",
        "%252e",
        "/",
        "//",
        "../x",
        "a/../b",
        "a/b",
        "\\",
        "..\\..",
        "?x=1",
        "#f",
    ),
    *(
        "#f",
        " ",
        "a b",
        "é",
        "a%20b",
        "%2F",
        "\x00",
        "\n",
        "a:b=c@d",
        ";v=1",
        "&",
        "+",
        "~",
        "𝄞",
        "*",
        "'",
        '"',
    ),
]
NOWHERE = [".", "..", "", "\ud800"]


@pytest.mark.parametrize("identifier", NOWHERE)
def test_an_id_that_leads_elsewhere_is_refused_by_name(identifier):
    with pytest.raises(PartitionFailed, match="can't be part of an address") as raised:
        path_segment(identifier)
    assert repr(identifier) in raised.value.message


def test_every_other_id_reaches_the_server_as_itself_in_its_own_place(sim):
    _, streams = source()._prepare(config(sim))
    transport = Transport(streams["companies"].retriever.requester, 2, (30.0, 30.0), 30.0)
    accounts = streams["bank_account_transactions"].retriever
    for identifier in ODD:
        ids = {"companyId": identifier, "connectionId": "link", "accountId": identifier}
        transport.send("GET", accounts.url_path(ids), {"query": "id=.."})
        _, *parts = sim.requests[-1].raw_path.partition("?")[0].split("/")
        wanted = ["companies", identifier, "connections", "link", "data", "bankAccounts", identifier]
        assert [unquote(part) for part in parts] == [*wanted, "bankTransactions"]


def listed(rows):
    return {"results": rows, "pageNumber": 1, "pageSize": 1000, "totalResults": len(rows)}


@pytest.mark.usefixtures("naps")
@pytest.mark.parametrize("identifier", [".", ".."])
def test_a_company_whose_id_leads_elsewhere_fails_alone_and_is_asked_for_nowhere(sim, identifier):
    odd, *others = sim.world.companies
    rows = [{**odd, "id": identifier}, *others]
    sim.faults.add(Fault(path="/companies$", times=None, status=200, body=listed(rows)))
    said = read(sim, "invoices", "bills")
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")
    assert f"'{identifier}' as an ID" in said.errors[0]["message"]
    assert {one["companyId"] for one in said.records("invoices")} == {one["id"] for one in others}
    of_companies = [one.path for one in sim.requests if one.path not in ("/companies", "/integrations")]
    assert all(any(company["id"] in path for company in others) for path in of_companies)


@pytest.mark.usefixtures("naps")
@pytest.mark.parametrize("identifier", [".", ".."])
def test_an_account_whose_id_leads_elsewhere_is_named_and_asked_for_nowhere(sim, only, identifier):
    accounts = [{"id": identifier, "modifiedDate": "2024-03-01T00:00:00Z"}]
    sim.faults.add(Fault(path="/data/bankAccounts$", times=None, status=200, body=listed(accounts)))
    said = read(sim, "bank_account_transactions", **only)
    assert said.statuses("bank_account_transactions")[-1] == "INCOMPLETE"
    assert f"'{identifier}' as an ID" in said.errors[0]["message"]
    assert not [one.path for one in sim.requests if one.path.endswith("bankTransactions")]
