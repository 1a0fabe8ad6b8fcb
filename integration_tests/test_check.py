"""What `check` finds out by asking Codat, in which words, and with how few requests."""

import logging
import re
import uuid

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import catalog, config, selected
from integration_tests.support.sentences import assert_sentence, refusal
from source_codat import SourceCodat

UNKNOWN = [str(uuid.UUID(int=number)) for number in range(1, 13)]
CODAT = r"\(Codat says: .+ \(correlation id \w+\) \[HTTP {}\]\)$"


def tags(query):
    return {"companies": {"selection": "tags", "tags_query": query}}


def filters(**queries):
    return {"filters": [{"stream": stream, "query": query} for stream, query in queries.items()]}


def company(sim, number=0):
    return sim.world.companies[number]["id"]


@pytest.fixture(scope="module")
def source():
    return SourceCodat()


@pytest.fixture
def check(source, mocker):
    """Checks in process, without sleeping between tries; returns the status and the message."""
    mocker.patch("source_codat.http.client.CodatClient._sleep")

    def run(sim, **options):
        found = source.check(logging.getLogger("airbyte"), config(sim, **options))
        return found.status.name, found.message

    return run


def asked(sim):
    """The paths asked for, ids left out, in order."""
    names = {one["id"]: "C" for one in sim.world.companies}
    names |= {link["id"]: "L" for one in sim.world.companies for link in one["dataConnections"]}
    return ["/".join(names.get(part, part) for part in request.path.split("/")) for request in sim.requests]


REFUSED = {
    "401": "Codat doesn't accept the API key: copy it again from Developers > API keys in the Codat portal. ",
    "402": "Codat says that your plan doesn't allow this: check your plan and billing in the Codat portal. ",
    "403": "Codat doesn't let this API key read your companies: use a current key of the account whose "
    "companies you want. ",
}


@pytest.mark.parametrize("status", REFUSED)
@pytest.mark.parametrize("selection", ["all", "ids"])
def test_401_402_and_403_have_a_sentence_each_that_says_what_to_do(sim, script, tmp_path, status, selection):
    sim.faults.add(Fault(path="/companies", status=int(status), times=None))
    chosen = selected(company(sim)) if selection == "ids" else {}
    message = refusal(script.run("check", tmp_path, config=config(sim, **chosen)))
    assert message.startswith(REFUSED[status])
    assert re.search(CODAT.format(status), message)
    assert_sentence(message)
    assert len(sim.requests) == 1


@pytest.mark.parametrize("status", REFUSED)
def test_a_read_that_codat_refuses_says_the_same(sim, script, tmp_path, status):
    sim.faults.add(Fault(path="/companies", status=int(status), times=None))
    said = script.run("read", tmp_path, config=config(sim), catalog=catalog("invoices"))
    assert (said.code, {one["failure_type"] for one in said.errors}) == (1, {"config_error"})
    assert said.errors[0]["message"].startswith(REFUSED[status])


def test_a_key_that_is_another_clients_is_told_apart_from_none(sim, script, tmp_path):
    message = refusal(script.run("check", tmp_path, config=config(sim, api_key=sim.api_key[::-1])))
    assert message.startswith(REFUSED["401"])


SELECTIONS = {
    "one unknown id": (
        lambda sim: selected(company(sim), UNKNOWN[0]),
        (
            f"Codat doesn't know these companies in 'company_ids': {UNKNOWN[0]}. Check their IDs in the "
            "Codat portal, or remove them from the list."
        ),
    ),
    "all ids unknown": (
        lambda _: selected(*UNKNOWN[:2]),
        (
            f"Codat knows none of the companies in 'company_ids' ({UNKNOWN[0]}, {UNKNOWN[1]}): check the IDs "
            "in the Codat portal, and that the API key belongs to the account they are in."
        ),
    ),
    "twelve unknown ids": (
        lambda sim: selected(company(sim), *UNKNOWN),
        (
            f"Codat doesn't know these companies in 'company_ids': {', '.join(UNKNOWN[:10])} and 2 more. "
            "Check their IDs in the Codat portal, or remove them from the list."
        ),
    ),
    "tags that Codat refuses": (
        lambda _: tags("region>uk"),
        "Codat refused the tags query 'region>uk': correct it. (Codat says: Error parsing query",
    ),
    "tags that nothing matches": (
        lambda _: tags("region=nowhere"),
        (
            "No company matches the tags query 'region=nowhere': check it against the tags that your "
            "companies have in the Codat portal."
        ),
    ),
    "a start date that is yet to come": (
        lambda _: {"start_date": "2099-01-01"},
        (
            "'start_date' is '2099-01-01', which is in the future, so nothing would be read: use an earlier "
            "date, or leave it empty to read everything."
        ),
    ),
    "a property that isn't there": (
        lambda _: filters(invoices="colour=red"),
        (
            "Codat refused the filter for 'invoices', 'colour=red': correct it. (Codat says: Error parsing "
            "query - Could not resolve property colour on Invoice"
        ),
    ),
    "a query that can't be parsed": (
        lambda _: filters(invoices="{status="),
        (
            "Codat refused the filter for 'invoices', '{status=': correct it. (Codat says: Error parsing "
            "query - Malformed query."
        ),
    ),
    "a filter on what an account holds": (
        lambda _: filters(bank_account_transactions="colour=red"),
        "Codat refused the filter for 'bank_account_transactions', 'colour=red': correct it. (Codat says: ",
    ),
    "a custom type that no platform has": (
        lambda _: {"custom_data_types": ["NoSuchThing"]},
        (
            "No platform of your companies has the custom data type 'NoSuchThing': check its identifier in "
            "Codat, or remove it from 'custom_data_types'."
        ),
    ),
}


@pytest.mark.parametrize("mistake", SELECTIONS)
def test_a_selection_that_codat_does_not_know_is_told_in_its_words_and_ours(sim, check, mistake):
    options, sentence = SELECTIONS[mistake]
    status, message = check(sim, **options(sim))
    assert status == "FAILED"
    assert message.startswith(sentence)
    assert_sentence(message)


@pytest.mark.parametrize(
    "mistake", ["all ids unknown", "tags that Codat refuses", "tags that nothing matches"]
)
def test_a_read_says_the_same_of_a_selection(sim, script, tmp_path, mistake):
    options, sentence = SELECTIONS[mistake]
    said = script.run("read", tmp_path, config=config(sim, **options(sim)), catalog=catalog("invoices"))
    assert (said.code, {one["failure_type"] for one in said.errors}) == (1, {"config_error"})
    assert said.errors[0]["message"].startswith(sentence)


@pytest.mark.parametrize("mistake", ["a property that isn't there", "a query that can't be parsed"])
def test_a_read_says_the_same_of_a_filter(sim, script, tmp_path, mistake):
    options, sentence = SELECTIONS[mistake]
    said = script.run("read", tmp_path, config=config(sim, **options(sim)), catalog=catalog("invoices"))
    assert (said.code, {one["failure_type"] for one in said.errors}) == (1, {"config_error"})
    assert sentence in said.errors[0]["message"]


def test_a_client_without_companies_fails_and_says_so(script, tmp_path):
    with Simulator(companies=0) as sim:
        message = refusal(script.run("check", tmp_path, config=config(sim)))
    assert message == "This Codat account has no company yet: add one in the Codat portal, then try again."


SOUND = {
    "everything": (lambda _: {}, ["/companies"]),
    "fields that the spec doesn't have": (lambda _: {"uat_urls": "false", "credentials": {}}, ["/companies"]),
    "an id in upper case, twice": (
        lambda sim: selected(company(sim).upper(), f" {company(sim)}\n"),
        ["/companies/C"],
    ),
    "three ids": (
        lambda sim: selected(*(company(sim, number) for number in range(3))),
        ["/companies", "/companies"],
    ),
    "tags": (lambda _: tags("region=uk && tier!=trial"), ["/companies"]),
    "a filter": (lambda _: filters(invoices="status=Paid"), ["/companies", "/companies/C/data/invoices"]),
    "a filter of a connection's data": (
        lambda _: filters(banking_transactions="amount>0"),
        ["/companies", "/companies/C/connections/L/data/banking-transactions"],
    ),
    "a filter of an account's data": (
        lambda _: filters(bank_account_transactions="amount>0"),
        [
            "/companies",
            "/companies/C/connections/L/data/bankAccounts",
            "/companies/C/connections/L/data/bankAccounts/{account}/bankTransactions",
        ],
    ),
    "a filter of what is asked for by data type": (
        lambda _: filters(data_integrity_summaries="type=banking-accounts"),
        ["/companies", "/data/companies/C/assess/dataTypes/banking-accounts/dataIntegrity/summaries"],
    ),
    "a filter and an id": (
        lambda sim: {**selected(company(sim)), **filters(invoices="status=Paid||status=Void")},
        ["/companies/C", "/companies/C/data/invoices"],
    ),
    "a filter of what the first company's platform lacks": (
        lambda _: filters(item_receipts="note=x"),
        ["/companies", *["/companies/C/connections/L/data/itemReceipts"] * 3],
    ),
    "a date of today": (lambda sim: {"start_date": f"{sim.world.clock.now():%Y-%m-%d}"}, ["/companies"]),
    "a calendar that is ahead of Codat's": (
        lambda sim: {"start_date": f"{sim.world.clock.now():%Y-%m-%dT23:59:59Z}"},
        ["/companies"],
    ),
}


@pytest.mark.parametrize("kind", SOUND)
def test_check_costs_no_more_than_a_question_for_each_thing_that_may_be_wrong(sim, check, kind):
    options, expected = SOUND[kind]
    assert check(sim, **options(sim)) == ("SUCCEEDED", None)
    paths = [re.sub("(?<=bankAccounts/)[^/]+", "{account}", path) for path in asked(sim)]
    assert paths == expected
    if paths == ["/companies"]:  # whether there is one shows by one
        assert "pageSize=1&" in f"{sim.requests[0].raw_query}&"


def test_a_filter_is_tried_where_there_is_something_to_filter(check):
    """Not at a company that has no connection, nor at one that was never synced."""
    with Simulator(companies=0) as sim:
        sim.world.add_company("Nothing linked", connections=())
        sim.world.add_company("Only a bank", connections=("Banking",))
        never = sim.world.add_company("Never synced", connections=("Accounting",), sync=False)
        good = sim.world.add_company("Synced", connections=("Accounting",))
        assert "Could not resolve property colour" in check(sim, **filters(invoices="colour=red"))[1]
        tried = {one.company_id for one in sim.requests_for("/companies/{id}/data/invoices")}
    assert tried == {never, good}


def test_a_filter_that_cannot_be_tried_anywhere_is_let_through_with_a_warning(script, tmp_path):
    with Simulator(companies=0) as sim:
        for number in range(8):
            sim.world.add_company(f"Never synced {number}", connections=("Accounting",), sync=False)
        said = script.run("check", tmp_path, config=config(sim, **filters(invoices="colour=red")))
        assert said.status == {"status": "SUCCEEDED"}
        assert len(sim.requests_for("/companies/{id}/data/invoices")) == 5
    assert said.logs == [
        "The filter for 'invoices' couldn't be tried: none of the companies asked has such data.",
        "The check succeeded: it sees 8 companies.",
    ]


def test_a_refusal_that_is_not_the_filters_fault_is_not_laid_at_its_door(sim, check):
    broken = company(sim)
    sim.faults.add(Fault(path=f"/companies/{broken}/data/invoices", status=400, times=None))
    assert check(sim, **filters(invoices="status=Paid")) == ("SUCCEEDED", None)


def test_a_filter_that_codat_gives_no_answer_to_is_not_called_wrong(sim, check):
    sim.faults.add(Fault(path="/data/invoices", query="query=", status=503, times=None))
    status, sentence = check(sim, **filters(invoices="status=Paid"))
    assert status == "FAILED"
    assert sentence.startswith("The filter for 'invoices' couldn't be tried: try again later. (")
    assert "in 3 tries" in sentence


def test_a_custom_type_is_looked_for_at_all_companies(check):
    with Simulator(companies=0) as sim:
        for number in range(4):
            sim.world.add_company(f"Bank {number}", connections=("Banking",))
        last = sim.world.add_company("Last", connections=())
        sim.world.add_connection(last, "Accounting", platform="dyna")
        found = check(sim, custom_data_types=["DynamicsPurchaseOrders"], page_size=2)
        assert len(sim.requests_for("/companies$")) == 3
    assert found == ("SUCCEEDED", None)


WRONG_LISTS = {
    "no JSON": Fault(path="/companies", action="html", times=None),
    "an object without rows": Fault(path="/companies", status=200, body={"hello": "world"}, times=None),
    "rows that aren't objects": Fault(path="/companies", status=200, body={"results": [5]}, times=None),
    "rows without ids": Fault(path="/companies", status=200, body={"results": [{"a": 1}]}, times=None),
    "a text": Fault(path="/companies", status=200, body='"hello"', times=None),
    "trouble": Fault(path="/companies", status=503, times=None),
    "a redirect": Fault(path="/companies", action="redirect", times=None),
    "another kind of refusal": Fault(path="/companies", status=400, times=None),
}


@pytest.mark.parametrize("kind", WRONG_LISTS)
def test_a_server_that_does_not_list_companies_is_told_in_one_sentence(sim, check, kind):
    sim.faults.add(WRONG_LISTS[kind])
    status, message = check(sim)
    assert status == "FAILED"
    start = "The list of companies couldn't be read: check your network and 'base_url', or try again later. ("
    assert message.startswith(start)
    assert_sentence(message)
    assert len(sim.requests) <= 3


def test_an_address_without_such_a_list_is_told(sim, check):
    sim.faults.add(Fault(path="/companies", status=404, times=None))
    status, message = check(sim)
    assert status == "FAILED"
    assert message.startswith("There is no list of companies at this address: leave 'base_url' empty, or ")
    assert_sentence(message)


def test_an_address_where_nobody_answers_is_told(script, tmp_path):
    settings = {"api_key": "a-key-Of-nobody-0123456789", "base_url": "http://localhost:9"}
    message = refusal(script.run("check", tmp_path, hurried=True, config=settings))
    assert message.startswith("The list of companies couldn't be read: check your network and 'base_url', ")
    assert_sentence(message)
