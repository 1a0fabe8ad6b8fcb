"""Answers that are good by their status and odd inside: nothing is lost, and nobody else is harmed."""

from functools import partial

import pytest

from integration_tests.support.scripted import STAMP, ScriptedCodat, company, company_id, page

INVOICES = "/data/invoices"
ROWS = [{"id": f"i{number:03}", "modifiedDate": STAMP} for number in range(12)]
ERROR = {"statusCode": 500, "service": "x", "error": "Internal failure", "correlationId": "0"}


def invoices(answer, **options):
    """A Codat whose invoices are what `answer` makes of a query."""
    return ScriptedCodat(lambda path, query: answer(query) if path.endswith(INVOICES) else None, **options)


def _answer_to(ending, body, path, _):
    return body if path.endswith(ending) else None


def ids(said, stream="invoices"):
    return {one["id"] for one in said.records(stream)}


# --- answers without their list --------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
@pytest.mark.parametrize(
    ("stream", "ending", "bodies"),
    [
        ("invoices", INVOICES, [ERROR, {"results": None}, {"results": None, "totalResults": 3}, {}]),
        ("balance_sheets", "/balanceSheet", [ERROR, {"reports": None}, {"currency": "GBP"}]),
        ("aged_debtors", "/agedDebtor", [ERROR, {"data": None}, {}]),
        ("reconciled_invoices", "/enhancedInvoices", [ERROR, {"reportItems": None}, {"reportInfo": {}}]),
        ("company_info", "/data/info", [ERROR]),
        ("files", "/files", [ERROR]),
    ],
)
def test_an_answer_without_its_list_is_no_empty_list(naps, mode, stream, ending, bodies):
    types = ("invoices", "balanceSheet", "company", "customers", "payments")
    for body in bodies:
        answer = partial(_answer_to, ending, body)
        with ScriptedCodat(answer, data_types=types) as codat:
            said = codat.read(stream, mode=mode)
            assert codat.asked_for(ending), stream
        assert (said.code, said.statuses(stream)[-1], said.records(stream)) == (1, "INCOMPLETE", []), body
        assert not (said.stream_state(stream) or {}).get("states")
    assert naps  # it was asked for again


@pytest.mark.parametrize("body", [{"attachments": None}, {"attachments": []}])
def test_no_attachments_are_null_or_an_empty_list(body):
    def answer(path, query):
        if path.endswith("/attachments"):
            return body
        return page(ROWS[:1], query) if path.endswith(INVOICES) else None

    with ScriptedCodat(answer) as codat:
        said = codat.read("invoice_attachments", mode="full_refresh")
        assert codat.asked_for("/attachments")
    assert (said.code, said.statuses("invoice_attachments")[-1]) == (0, "COMPLETE")


def test_null_beside_a_number_of_no_rows_is_an_empty_list():
    with invoices(lambda _: {"results": None, "totalResults": 0}) as codat:
        assert codat.read("invoices", mode="full_refresh").code == 0


# --- links and counters that say nothing -----------------------------------------------------------


@pytest.mark.parametrize("links", [[], "x", 5, {"next": "x"}, {"next": []}, {"next": {"href": 5}}, None])
@pytest.mark.parametrize("counted", [True, False])
def test_odd_links_say_nothing_and_hold_nothing_up(links, counted):
    def answer(query):
        whole = page(ROWS, query, cap=5)
        whole["_links"] = links
        if not counted:
            del whole["totalResults"]
        return whole

    with invoices(answer) as codat:
        said = codat.read("invoices", mode="full_refresh", page_size=5)
    assert (said.code, ids(said)) == (0, {row["id"] for row in ROWS})


@pytest.mark.parametrize("odd", [True, [], {"all": 12}, "many", -1])
def test_odd_counters_count_as_none(odd):
    with invoices(lambda query: page(ROWS, query, cap=5, totalResults=odd, pageSize=odd)) as codat:
        said = codat.read("invoices", mode="full_refresh", page_size=5)
    assert (said.code, ids(said)) == (0, {row["id"] for row in ROWS})


@pytest.mark.parametrize("past_the_end", ["empty", "the last page again"])
def test_a_list_ends_with_its_announced_rows_though_every_page_names_another(past_the_end):
    """One more page shows it: that costs a request, and no row that is there is passed over."""

    def answer(query):
        number = int(query["page"])
        shown = page(ROWS, {**query, "page": min(number, 3) if past_the_end != "empty" else number}, cap=4)
        return {**shown, "_links": {"next": {"href": "/x"}}}

    with invoices(answer) as codat:
        said = codat.read("invoices", mode="full_refresh", page_size=4)
        assert len(codat.asked_for(INVOICES)) == 4
    assert (said.code, said.statuses("invoices")[-1], len(said.records("invoices"))) == (0, "COMPLETE", 12)


def test_one_page_that_names_another_is_still_one_answer():
    with invoices(lambda query: page(ROWS, query, _links={"next": {"href": "/x"}})) as codat:
        assert codat.read("invoices", mode="full_refresh").code == 0
        assert len(codat.asked_for(INVOICES)) == 2
        assert len(codat.asked_for("/dataStatus")) == 1


def test_what_links_name_past_the_announced_rows_is_read():
    with invoices(lambda query: page(ROWS, query, totalResults=8)) as codat:
        assert ids(codat.read("invoices", mode="full_refresh", page_size=4)) == {row["id"] for row in ROWS}


# --- pages that a server cuts short ----------------------------------------------------------------


@pytest.mark.parametrize("cap", range(1, 8))
def test_pages_that_are_cut_short_hide_no_row_however_few_they_hold(cap):
    """Offsets are counted by the size that was asked for, and fewer rows come."""

    def answer(query):
        number, size = int(query["page"]), int(query["pageSize"])
        return {"results": ROWS[(number - 1) * size : number * size][:cap], "totalResults": 12, "_links": {}}

    with invoices(answer) as codat:
        said = codat.read("invoices", mode="full_refresh")
    assert (said.code, ids(said)) == (0, {row["id"] for row in ROWS})


# --- equal rows without ids ------------------------------------------------------------------------

TRANSACTIONS = "bank_account_transactions"


def fees(number):
    return [{"description": "fee", "amount": 1, "modifiedDate": STAMP}] * number


def transactions(answer):
    """A Codat with one bank account, whose transactions are what `answer` makes of a query."""

    def respond(path, query):
        if path.endswith("/bankAccounts"):
            return page([{"id": "account", "modifiedDate": STAMP}], query)
        return answer(query) if path.endswith("/bankTransactions") else None

    return ScriptedCodat(respond, data_types=("bankAccounts", "bankTransactions"))


def silent(answer, *, links=True, counters=True):
    return {
        name: value
        for name, value in answer.items()
        if (links or name != "_links") and (counters or name not in ("totalResults", "pageSize"))
    }


@pytest.mark.parametrize("cap", [5000, 25])
@pytest.mark.parametrize(("links", "counters"), [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize(
    ("rows", "size"), [([*fees(60), {"description": "rent"}], 25), ([*fees(2), {"description": "rent"}], 1)]
)
def test_equal_rows_on_neighbouring_pages_are_all_read(rows, size, links, counters, cap):
    def answer(query):
        return silent(page(rows, query, cap=cap), links=links, counters=counters)

    with transactions(answer) as codat:
        said = codat.read(TRANSACTIONS, mode="full_refresh", page_size=size)
    assert (said.code, said.statuses(TRANSACTIONS)[-1]) == (0, "COMPLETE")
    assert len({one["rowKey"] for one in said.records(TRANSACTIONS)}) == len(rows)


def test_so_they_are_where_the_server_cuts_its_pages_and_announces_nothing():
    def answer(query):
        return silent(page(fees(60), query, cap=25), links=False, counters=False)

    with transactions(answer) as codat:
        said = codat.read(TRANSACTIONS, mode="full_refresh")
    assert (said.code, len({one["rowKey"] for one in said.records(TRANSACTIONS)})) == (0, 60)


def test_a_list_that_is_not_cut_into_pages_at_all_is_read_once():
    with transactions(lambda _: {"results": [*fees(2), {"description": "rent"}]}) as codat:
        said = codat.read(TRANSACTIONS, mode="full_refresh")
    assert (said.code, len({one["rowKey"] for one in said.records(TRANSACTIONS)})) == (0, 3)


@pytest.mark.parametrize("announced", [None, 40, 50])
def test_a_first_page_that_comes_again_without_end_is_never_taken_for_the_list(announced):
    rows = [{"description": f"row {number}"} for number in range(50)]

    def answer(query):
        found = page(rows, {**query, "page": 1}, totalResults=announced, _links={"next": {"href": "/x"}})
        return found if announced else silent(found, counters=False)

    with transactions(answer) as codat:
        said = codat.read(TRANSACTIONS, mode="full_refresh", page_size=25)
        assert len(codat.asked_for("/bankTransactions")) < 500
    assert said.statuses(TRANSACTIONS)[-1] == "INCOMPLETE"


def test_pages_that_go_round_in_circles_end():
    def answer(query):
        found = page(ROWS, {**query, "page": 1 + int(query["page"]) % 2}, _links={"next": {"href": "/x"}})
        return silent(found, counters=False)

    with invoices(answer) as codat:
        said = codat.read("invoices", mode="full_refresh", page_size=5)
    assert said.statuses("invoices")[-1] == "INCOMPLETE"


# --- what one company's platform can't do ----------------------------------------------------------


def test_a_company_whose_platform_cannot_order_takes_no_order_from_another():
    def answer(path, query):
        if not path.endswith(INVOICES):
            return None
        if company_id(1) in path and "orderBy" in query:
            return 400, {"statusCode": 400, "error": "orderBy isn't supported", "correlationId": "0"}
        return page(ROWS, query)

    with ScriptedCodat(answer, companies=[company(1), company(2)]) as codat:
        said = codat.read("invoices", mode="full_refresh", page_size=5, num_workers=2)
        asked = [(path, query) for path, query in codat.asked if path.endswith(INVOICES)]
    assert said.code == 0
    assert all("orderBy" in query for path, query in asked if company_id(2) in path)
    assert sum("orderBy" in query for path, query in asked if company_id(1) in path) == 1


# --- statement lines -------------------------------------------------------------------------------


def lines_of(*items, **section):
    report = {"date": "2024-01-31", "assets": {"name": "Assets", "value": 1, "items": list(items), **section}}

    def answer(path, _):
        return {"currency": "GBP", "reports": [report]} if path.endswith("/balanceSheet") else None

    with ScriptedCodat(answer, data_types=("balanceSheet",)) as codat:
        return codat.read("balance_sheet_lines", mode="full_refresh")


def test_values_of_other_types_in_statement_lines_go_through_as_they_are():
    said = lines_of(
        {"name": "A", "accountId": 5, "value": 1.10},
        {"name": "B", "accountId": "5", "value": "2"},
        {"name": 7, "accountId": None, "value": {"x": 1}},
        {"name": ["c"], "accountId": {"id": 1}, "items": {"name": "below"}},
        None,
        {"name": True, "items": None},
    )
    assert said.code == 0
    lines = {one["lineKey"]: one for one in said.records("balance_sheet_lines")}
    assert [(one["accountId"], one["name"], one["value"]) for one in lines.values()] == [
        (None, "Assets", 1),
        (5, "A", 1.10),
        ("5", "B", "2"),
        (None, 7, {"x": 1}),
        ({"id": 1}, ["c"], None),
        (None, "below", None),
        (None, True, None),
    ]
    assert list(lines)[:4] == ["assets", "assets/5", "assets/5#2", "assets/7"]


def test_a_line_below_which_nothing_can_be_is_no_error_of_the_connectors_own():
    said = lines_of({"name": "A", "items": 5})
    assert (said.code, said.statuses("balance_sheet_lines")[-1]) == (1, "INCOMPLETE")
    assert "items aren't a list" in said.errors[0]["message"]
