"""What a read must see before it calls a partition complete, whatever counters and pages say."""

import pytest

from integration_tests.support.scripted import STAMP, ScriptedCodat, company, company_id, page, status

INVOICES = "/data/invoices"
ROWS = [{"id": f"i{number:03}", "modifiedDate": STAMP} for number in range(60)]


def invoices(answer, **options):
    """A Codat whose invoices are what `answer` makes of a query."""
    return ScriptedCodat(lambda path, query: answer(query) if path.endswith(INVOICES) else None, **options)


def ids(said, stream="invoices"):
    return {one["id"] for one in said.records(stream)}


def cursor(said, stream="invoices"):
    """What the only entry of a stream's state holds: the date reached, and the Codat sync read."""
    states = said.stream_state(stream)["states"]
    names = ("modifiedDate", "syncId")
    return (
        {name: states[0]["cursor"][name] for name in names if name in states[0]["cursor"]} if states else None
    )


def warnings(said):
    return [one["message"] for one in said.of("LOG") if one["level"] == "WARNING"]


# --- counters that contradict the rows ------------------------------------------------------------


def test_an_id_that_stands_twice_in_one_answer_is_complete_after_one_answer_and_told():
    twice = [{"id": "1", "currency": "GBP", "modifiedDate": STAMP}, {"id": "1", "modifiedDate": STAMP}]
    with invoices(lambda query: page(twice, query)) as codat:
        said = codat.read("invoices", mode="full_refresh")
        assert (said.code, len(said.records("invoices"))) == (0, 2)
        assert len(codat.asked_for(INVOICES)) == 1
    (warning,) = warnings(said)
    assert "announces 2 rows and sends 2, 1 of them with an id that another one has" in warning


@pytest.mark.parametrize("announced", [2, 59, 61, 75, 1000])
@pytest.mark.parametrize("cap", [25, 5000])
def test_counters_that_are_wrong_in_the_same_way_twice_hold_no_cursor_up_and_are_told_once(announced, cap):
    with invoices(lambda query: page(ROWS, query, cap=cap, totalResults=announced)) as codat:
        said = codat.read("invoices")
        assert (said.code, ids(said)) == (0, {row["id"] for row in ROWS})
        assert cursor(said) == {"modifiedDate": STAMP, "syncId": "s1"}
        first_pages = [query for query in codat.asked_for(INVOICES) if query["page"] == "1"]
        assert len(first_pages) == 2
    (warning,) = warnings(said)
    assert f"announces {announced:,} rows and sends 60" in warning
    assert "Company 1" in warning


@pytest.mark.parametrize("rows", [1, 3, 4])
def test_so_it_is_with_the_few_rows_that_an_incremental_read_brings(rows):
    with invoices(lambda query: page(ROWS[:rows], query, totalResults=rows + 1)) as codat:
        said = codat.read("invoices")
        assert (len(ids(said)), cursor(said)) == (rows, {"modifiedDate": STAMP, "syncId": "s1"})


def test_wrong_counters_are_doubt_while_something_is_synced_between():
    syncs = iter(range(100))

    def answer(path, query):
        if path.endswith("/dataStatus"):
            return status("invoices", sync=f"s{next(syncs)}")
        return page(ROWS, query, cap=25, totalResults=61) if path.endswith(INVOICES) else None

    with ScriptedCodat(answer) as codat:
        said = codat.read("invoices")
    assert (ids(said), cursor(said)) == ({row["id"] for row in ROWS}, None)
    assert any("kept changing" in one for one in warnings(said))


@pytest.mark.parametrize("cap", [25, 5000])
@pytest.mark.parametrize("links", [True, False])
def test_pages_that_stay_empty_are_no_whole_list(cap, links):
    """The first page has what it can hold, or nothing; the others are empty for ever."""

    def answer(query):
        whole = page(ROWS, query, cap=cap)
        if query["page"] != "1" or cap == 5000:
            whole["results"] = []
        if not links:
            del whole["_links"]
        return whole

    with invoices(answer) as codat:
        full, incremental = codat.read("invoices", mode="full_refresh"), codat.read("invoices")
    assert full.statuses("invoices")[-1] == "INCOMPLETE"
    assert full.code == 1
    assert cursor(incremental) is None


@pytest.mark.parametrize("size", [25, 20])
def test_a_server_that_cuts_pages_as_it_likes_and_overlaps_them_is_not_believed(size):
    """The second page begins with the first one's last row, so that the last row of all never comes."""

    def answer(query):
        start = (int(query["page"]) - 1) * size - (int(query["page"]) > 1)
        return {"results": ROWS[:-1][start : start + size], "totalResults": 60}

    with invoices(answer) as codat:
        said = codat.read("invoices", mode="full_refresh")
    assert said.statuses("invoices")[-1] == "INCOMPLETE"


def test_pages_that_say_different_numbers_are_no_proof():
    with invoices(lambda query: page(ROWS, query, cap=25, totalResults=59 + int(query["page"]))) as codat:
        said = codat.read("invoices", mode="full_refresh")
    assert said.statuses("invoices")[-1] == "INCOMPLETE"


def test_a_company_list_with_wrong_counters_is_read_and_told():
    companies = [company(number) for number in range(1, 8)]

    def answer(path, query):
        if path == "/companies":
            return page(companies, query, totalResults=9)
        return page(ROWS[:1], query) if path.endswith(INVOICES) else None

    with ScriptedCodat(answer) as codat:
        said = codat.read("invoices")
    assert (said.code, len(said.records("invoices"))) == (0, 7)
    assert any("list of companies" in one and "announces 9 rows and sends 7" in one for one in warnings(said))


# --- ids where they exist -------------------------------------------------------------------------


def transactions(rows_of):
    def answer(path, query):
        if path.endswith("/bankAccounts"):
            return page([{"id": "account", "modifiedDate": STAMP}], query)
        return rows_of(query) if path.endswith("/bankTransactions") else None

    return ScriptedCodat(answer, data_types=("bankAccounts", "bankTransactions"))


def overlapping(rows):
    """Pages whose ties fall differently on later pages, always in the same way."""

    def answer(query):
        if "orderBy" in query:
            return 400, {"statusCode": 400, "error": "orderBy isn't supported", "correlationId": "0"}
        shown = rows if query["page"] == "1" else [*rows[1:], rows[0]]
        return page(shown, {**query, "query": ""}, cap=25)

    return answer


def test_ids_are_counted_also_where_rows_get_keys_so_that_overlapping_pages_hide_no_row():
    rows = [{"id": f"t{number:03}", "amount": number, "modifiedDate": STAMP} for number in range(60)]
    with transactions(overlapping(rows)) as codat:
        said = codat.read("bank_account_transactions")
    assert ids(said, "bank_account_transactions") == {row["id"] for row in rows}
    assert said.statuses("bank_account_transactions")[-1] == "COMPLETE"
    assert not warnings(said)


def test_overlapping_pages_of_an_ordinary_list_are_put_together_from_passes_that_are_cut_elsewhere():
    with invoices(overlapping(ROWS)) as codat:
        said = codat.read("invoices")
    assert (ids(said), cursor(said)["modifiedDate"]) == ({row["id"] for row in ROWS}, STAMP)
    assert not warnings(said)


def test_rows_without_id_are_all_counted_in_one_answer():
    rows = [{"amount": 1, "modifiedDate": STAMP}] * 3
    with transactions(lambda query: page(rows, query)) as codat:
        said = codat.read("bank_account_transactions")
        assert len(said.records("bank_account_transactions")) == 3
        assert len(codat.asked_for("/bankTransactions")) == 1
    assert not warnings(said)


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
@pytest.mark.parametrize("code", [404, 403, 451, 409])
@pytest.mark.parametrize("named", [True, False])
def test_a_refusal_after_the_first_page_is_a_failure_and_never_no_data(mode, code, named):
    def answer(query):
        if query["page"] == "1":
            return page(ROWS, query, cap=25)
        return code, {"statusCode": code, "error": "no", "correlationId": "0"}

    with invoices(answer, data_types=("invoices",) if named else ("bills",)) as codat:
        said = codat.read("invoices", mode=mode)
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")
    assert mode == "full_refresh" or said.stream_state("invoices")["states"] == []
    assert "after its first page" in said.errors[0]["message"]


def test_a_refusal_in_a_second_pass_is_a_failure():
    passes = iter([True, False])

    def answer(query):
        if query["page"] == "1" and not next(passes):
            return 404, {"statusCode": 404, "error": "no", "correlationId": "0"}
        return page(ROWS, query, cap=25, totalResults=61)

    with invoices(answer) as codat:
        said = codat.read("invoices", mode="full_refresh")
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")


@pytest.mark.parametrize("code", [404, 403, 409])
def test_a_refusal_at_the_look_after_the_pages_is_a_failure(code):
    looks = iter([True, False])

    def answer(path, query):
        if path.endswith("/dataStatus") and not next(looks):
            return code, {"statusCode": code, "error": "no", "correlationId": "0"}
        return page(ROWS, query, cap=25) if path.endswith(INVOICES) else None

    with ScriptedCodat(answer) as codat:
        said = codat.read("invoices")
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")
    assert said.stream_state("invoices")["states"] == []
    assert "after its pages were read" in said.errors[0]["message"]


# --- tokens --------------------------------------------------------------------------------------

BILLS = [{"id": f"b{number}", "status": "Open"} for number in range(10)]


def token_pages(*pages, last=None):
    """Bill pay's bills in pages that name the next one's token; the last one names `last`."""

    def answer(path, query):
        if not path.endswith("/payables/bills"):
            return None
        number = int(query.get("continuationToken", 0))
        token = number + 1 if number + 1 < len(pages) else last
        return {"results": pages[number], "pagination": {"continuationToken": token} if token else {}}

    return ScriptedCodat(answer)


@pytest.mark.parametrize(
    "pages",
    [
        [[], BILLS[:5], [], BILLS[5:]],
        [BILLS[:5], [], BILLS[5:]],
        [BILLS[:5], [], [], [], BILLS[5:], []],
        [[], [], BILLS],
        [BILLS],
    ],
)
def test_token_paging_ends_when_there_is_no_token_and_not_when_a_page_is_empty(pages):
    with token_pages(*pages) as codat:
        said = codat.read("bill_pay_bills")
    assert ids(said, "bill_pay_bills") == {row["id"] for row in BILLS}
    assert said.statuses("bill_pay_bills")[-1] == "COMPLETE"


def test_tokens_that_are_text_or_numbers_are_both_followed():
    def answer(path, query):
        if not path.endswith("/payables/bills"):
            return None
        token = query.get("continuationToken")
        rows = {None: BILLS[:3], "7": BILLS[3:6], "x": BILLS[6:]}[token]
        return {"results": rows, "pagination": {"continuationToken": {None: 7, "7": "x", "x": ""}[token]}}

    with ScriptedCodat(answer) as codat:
        assert len(ids(codat.read("bill_pay_bills"), "bill_pay_bills")) == 10


@pytest.mark.parametrize("last", ["1", "2"])
def test_tokens_that_go_round_in_circles_end_the_pass_and_are_no_whole_list(last):
    with token_pages([], BILLS[:5], BILLS[5:], last=last) as codat:
        said = codat.read("bill_pay_bills")
        assert len(codat.asked) < 40
    assert said.statuses("bill_pay_bills")[-1] == "INCOMPLETE"


@pytest.mark.parametrize("rows", [[], BILLS[:2]])
def test_pages_without_end_that_bring_nothing_new_fail_the_partition_after_a_bounded_number(rows):
    def answer(path, query):
        if not path.endswith("/payables/bills"):
            return None
        number = int(query.get("continuationToken", 0))
        return {"results": rows, "pagination": {"continuationToken": number + 1}}

    with ScriptedCodat(answer) as codat:
        said = codat.read("bill_pay_bills")
        assert len(codat.asked) < 120
    assert (said.code, said.statuses("bill_pay_bills")[-1]) == (1, "INCOMPLETE")


# --- rows without a usable date ------------------------------------------------------------------

NO_DATES = [{}, {"modifiedDate": None}, {"modifiedDate": "0001-01-01T00:00:00"}, {"modifiedDate": ""}]
NO_DATES += [{"modifiedDate": "0001-01-01T00:00:00+01:00"}, {"modifiedDate": 0}, {"modifiedDate": "soon"}]


@pytest.mark.parametrize("undated", NO_DATES)
def test_rows_without_a_usable_date_arrive_when_they_are_new_or_have_changed(undated):
    rows = [*ROWS[:10], {"id": "old", "total": 1, **undated}]
    with invoices(lambda query: page(rows, query)) as codat:
        first = codat.read("invoices")
        assert cursor(first) == {"syncId": "s1"}
        assert any("no usable date" in one and "Company 1" in one for one in warnings(first))
        unchanged = codat.read("invoices", state=first.state)
        assert not unchanged.records("invoices")

        rows[-1] = {"id": "old", "total": 2, **undated}
        rows.append({"id": "new", "total": 1, **undated})
        codat.status = status("invoices", sync="s2")
        second = codat.read("invoices", state=first.state)
    assert {one["id"]: one["total"] for one in second.records("invoices") if "total" in one} == {
        "old": 2,
        "new": 1,
    }


def test_a_partition_whose_rows_have_dates_again_is_read_from_its_cursor_again():
    rows = [{"id": "1"}, *ROWS[:2]]
    with invoices(lambda query: page(rows, query)) as codat:
        first = codat.read("invoices")
        rows[0]["modifiedDate"] = STAMP
        codat.status = status("invoices", sync="s2")
        second = codat.read("invoices", state=first.state)
        assert cursor(second) == {"modifiedDate": STAMP, "syncId": "s2"}
        codat.status = status("invoices", sync="s3")
        codat.read("invoices", state=second.state)
        assert "modifiedDate>=" in codat.asked_for(INVOICES)[-1]["query"]


def test_a_full_refresh_says_nothing_of_rows_without_date():
    with invoices(lambda query: page([{"id": "1"}], query)) as codat:
        assert not warnings(codat.read("invoices", mode="full_refresh"))


# --- one company's answers -------------------------------------------------------------------------


def odd(body):
    """Three companies, of which the first one's invoices are `body` and the others' are ordinary."""

    def answer(path, query):
        if not path.endswith(INVOICES):
            return None
        return body if company_id(1) in path else page(ROWS[:2], query)

    return ScriptedCodat(answer, companies=[company(number) for number in (1, 2, 3)])


@pytest.fixture
def hurried(mocker):
    mocker.patch("source_codat.http.client.CodatClient._back_off", return_value=0.0)


@pytest.mark.parametrize(
    "body",
    [
        b'{"results":[{"id":"1","a":' + b"[" * 100_000 + b"]" * 100_000 + b'}],"totalResults":1}',
        b'{"results":[{"id":"1"},null],"totalResults":2}',
        b'{"results":[{"id":"1"},7],"totalResults":2}',
        b'{"results":{"id":"1"},"totalResults":1}',
        b'{"results":"none"}',
        b"null",
        b"7",
        b'"results"',
    ],
    ids=["nested", "null row", "number row", "an object", "a text", "null", "number", "string"],
)
@pytest.mark.usefixtures("hurried")
def test_an_answer_that_cannot_be_read_fails_its_own_partition_and_no_other(body):
    with odd(body) as codat:
        said = codat.read("invoices")
    assert {one["companyId"] for one in said.records("invoices")} == {company_id(2), company_id(3)}
    assert len(said.stream_state("invoices")["states"]) == 2
    assert "Company 1" in said.errors[0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"results":[{"id":"1"}],"totalResults":1}',
        '{"results":[{"id":"1"}],"totalResults":1}'.encode("utf-16"),
        b'{"results":[{"id":"1","name":"\xff\xfe"}],"totalResults":1}',
        b'{"results":[{"id":"1"}],"totalResults":"1"}',
        b'{"results":[{"id":"1"}],"totalResults":1.0,"pageSize":null,"_links":null,"pagination":null}',
        b'{"results":[{"id":"1","modifiedDate":{"a":[]}}],"totalResults":1}',
        b'{"results":[{"id":"1","modifiedDate":"9999-12-31T23:59:59-14:00"}],"totalResults":1}',
    ],
    ids=["mark", "UTF-16", "not UTF-8", "text counter", "nulls", "date object", "year 9999"],
)
def test_an_odd_answer_that_can_be_read_is(body):
    with odd(body) as codat:
        said = codat.read("invoices")
    assert said.code == 0
    assert {one["companyId"] for one in said.records("invoices")} == {company_id(one) for one in (1, 2, 3)}


def test_half_a_surrogate_pair_arrives_as_the_replacement_character_and_fails_nothing():
    body = rb'{"results":[{"id":"a\ud83d","name":"\ude00 \ud83d\ude00 \\ud83d \uD83Dx"}],"totalResults":1}'
    with odd(body) as codat:
        said = codat.read("invoices")
    (row,) = (one for one in said.records("invoices") if one["companyId"] == company_id(1))
    assert row == {
        "companyId": company_id(1),
        "id": "a\ufffd",
        "name": "\ufffd \U0001f600 \\ud83d \ufffdx",
    }


# --- filters -------------------------------------------------------------------------------------

REFUSED = 400, {"statusCode": 400, "error": "This property can't be used in a query", "correlationId": "0"}


def filtered(refusing):
    def answer(path, query):
        if not path.endswith((INVOICES, "/data/bills")):
            return None
        refused = "status" in query.get("query", "") and any(company_id(one) in path for one in refusing)
        return REFUSED if refused else page(ROWS[:2], query)

    companies = [company(number) for number in (1, 2, 3)]
    return ScriptedCodat(answer, companies, data_types=("invoices", "bills"))


FILTER = [{"stream": "invoices", "query": "status=Open"}]


def test_a_filter_that_one_platform_refuses_fails_that_company_and_no_other():
    with filtered([1]) as codat:
        said = codat.read("invoices", "bills", filters=FILTER)
    assert {one["companyId"] for one in said.records("invoices")} == {company_id(2), company_id(3)}
    assert len(said.records("bills")) == 6
    assert said.statuses("bills")[-1] == "COMPLETE"
    assert said.errors[0]["failure_type"] == "system_error"
    assert "can't be used in a query" in said.errors[0]["message"]


def test_a_filter_that_every_company_refuses_is_an_error_of_the_configuration():
    with filtered([1, 2, 3]) as codat:
        said = codat.read("invoices", "bills", filters=FILTER)
    assert len(said.records("bills")) == 6
    assert {one["failure_type"] for one in said.errors} == {"config_error"}
    assert "Codat refused the filter for 'invoices', 'status=Open'" in said.errors[0]["message"]


# --- what is read of each new parent ---------------------------------------------------------------


def validations(answers):
    """Two finished syncs, each with a validation result that answers as told."""
    syncs = [{"id": f"s{one}", "status": "Complete", "requested": STAMP} for one in (1, 2)]

    def answer(path, query):
        if path.endswith("/data/history"):
            return page(syncs, query)
        return answers[path.split("/")[-2]] if path.endswith("/validation") else None

    return ScriptedCodat(answer)


@pytest.mark.parametrize("code", [403, 409, 451])
def test_a_refusal_after_the_first_new_parents_rows_is_a_failure(code):
    refused = code, {"statusCode": code, "error": "no", "correlationId": "0"}
    with validations({"s1": {"results": []}, "s2": refused}) as codat:
        said = codat.read("read_validation_results")
    assert (said.code, len(said.records("read_validation_results"))) == (1, 1)
    (entry,) = said.stream_state("read_validation_results")["states"]
    assert entry["cursor"] == {"requested": STAMP}  # that date is asked for again


def test_a_new_parent_whose_answer_is_not_whole_is_asked_again_by_the_next_read():
    part = {"results": [], "paging": {"totalResults": 20, "pageSize": 10}}
    with validations({"s1": {"results": []}, "s2": part}) as codat:
        said = codat.read("read_validation_results")
    assert said.stream_state("read_validation_results")["states"] == []
    assert any("kept changing" in one for one in warnings(said))
