"""Rows leave as Codat sent them, whatever they look like."""

import json
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer
from source_codat.reading.pages import PageDecoder
from source_codat.reading.rows import batch
from source_codat.streams.columns import Columns
from source_codat.streams.definition import CodatRetriever

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["id", "modifiedDate", "companyId", "total", "é", ""]), JSON), max_size=5
)
IDS = {"companyId": b'"c1"', "connectionId": b'"k1"'}


def retriever(**changes):
    options = {
        "path": "/companies/{companyId}/connections/{connectionId}/x",
        "records": "results",
        "paging": "pages",
    }
    return CodatRetriever(requester=mock.Mock(), name="things", **{**options, **changes})


def lines(body, **changes):
    page = PageDecoder(retriever(**changes)).decode(body)
    return page, batch("things", page, IDS, {}, Columns())


@given(ROWS, st.sampled_from([None, 1, 3]), st.booleans())
def test_every_row_arrives_with_its_ids_and_nothing_changed(rows, indent, ascii_only):
    body = json.dumps({"results": rows, "totalResults": len(rows)}, indent=indent, ensure_ascii=ascii_only)
    page, out = lines(body.encode())
    written = [json.loads(line) for line in out.lines().split(b"\n")[:-1]] if len(out) else []
    expected = [{**row, "companyId": "c1", "connectionId": "k1"} for row in rows]
    assert [one["record"]["data"] for one in written] == expected
    assert all(one["type"] == "RECORD" and one["record"]["stream"] == "things" for one in written)
    assert page.total == len(rows)


@given(ROWS.filter(bool))
def test_a_batch_means_the_same_as_lines_and_as_messages(rows):
    _, out = lines(json.dumps({"results": rows}).encode())
    written = [json.loads(line)["record"] for line in out.lines().split(b"\n")[:-1]]
    said = [message.record for message in out.messages()]
    assert [(one.stream, one.data, one.emitted_at) for one in said] == [
        (one["stream"], one["data"], one["emitted_at"]) for one in written
    ]


def test_every_number_keeps_every_digit_it_came_with():
    row = b'{"id":"1","a":1.10,"b":123456789012345678901234567890.123456789,"c":1E+2,"companyId":null}'
    _, out = lines(b'{"results":[' + row + b"]}")
    for digits in (b"1.10,", b"123456789012345678901234567890.123456789", b"1E+2"):
        assert digits in out.lines()


@pytest.mark.parametrize("row", [b"{}", b"{ }", b"{\r\n}"])
def test_an_empty_row_is_a_record_and_not_the_end(row):
    _, out = lines(b'{"results":[' + row + b"]}")
    assert json.loads(out.lines())["record"]["data"] == {"companyId": "c1", "connectionId": "k1"}


def test_line_breaks_between_tokens_never_reach_the_output():
    _, out = lines(b'{\r\n "results": [\n  {\n  "id": "a\\nb" }\r\n ]\n}')
    assert out.lines().count(b"\n") == 1
    assert json.loads(out.lines())["record"]["data"]["id"] == "a\nb"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>busy</html>",
        b'{"results":[{"id":"a"}',
        b'{"results":[1]}',
        b'{"results":[null]}',
        b'{"results":{}}',
        b"{}",
    ],
)
def test_what_cannot_be_a_list_is_refused(body):
    with pytest.raises(MalformedAnswer):
        lines(body)


def test_plain_ids_of_any_type_tell_rows_apart_and_others_are_none():
    page, _ = lines(b'{"results":[{"id":{"a":1}},{"id":[2]},{"id":""},{"id":3},{"id":3.5},{"id":true}]}')
    assert page.ids[:3] == [None] * 3
    assert len(set(page.ids)) == 4


def test_a_null_list_is_an_empty_one():
    page, _ = lines(b'{"results":null,"totalResults":0}')
    assert (list(page.rows), page.total) == ([], 0)


def test_rows_under_another_field_take_their_envelope_along():
    body = b'{"currency":"GBP","reports":[{"date":"2024-01-31","netAssets":1.50}],"x":1}'
    page = PageDecoder(retriever(records="reports", from_envelope=["currency"])).decode(body)
    out = batch("things", page, {**IDS, "periodLength": b"1"}, page.envelope, Columns())
    assert json.loads(out.lines())["record"]["data"] == {
        "currency": "GBP",
        "date": "2024-01-31",
        "netAssets": 1.5,
        "periodLength": 1,
        "companyId": "c1",
        "connectionId": "k1",
    }


def test_what_a_row_says_itself_wins_over_its_envelope_but_not_over_its_partition():
    body = b'{"currency":"GBP","reports":[{"currency":"EUR","companyId":"other"}]}'
    page = PageDecoder(retriever(records="reports", from_envelope=["currency"])).decode(body)
    data = json.loads(batch("things", page, IDS, page.envelope, Columns()).lines())["record"]["data"]
    assert (data["currency"], data["companyId"]) == ("EUR", "c1")


@pytest.mark.parametrize(
    ("records", "body", "count"),
    [
        ("", b'{"a":1}', 1),
        ("", b'[{"a":1},{"a":2}]', 2),
        ("", b"", 0),
        ("*", b'{"x":{"a":1},"y":{"a":2}}', 2),
        ("attachments", b'{"attachments":null}', 0),
        ("data", b'{"data":null,"totalResults":0}', 0),
    ],
)
def test_other_shapes_of_answers_are_taken_apart_as_well(records, body, count):
    page = PageDecoder(retriever(records=records)).decode(body)
    assert len(page.rows) == count


SCHEMA = {
    "properties": {
        "id": {"type": ["null", "string"]},
        "note": {"type": ["null", "string"]},
        "amount": {"type": ["null", "number"]},
        "days": {"type": ["null", "integer"]},
        "paid": {"type": ["null", "boolean"]},
        "dueDate": {"type": ["null", "string"], "airbyte_type": "timestamp_without_timezone"},
        "modifiedDate": {"type": ["null", "string"], "format": "date-time"},
    }
}
COLUMNS = Columns(["companyId", "connectionId", "id"], "modifiedDate", lambda: SCHEMA)


def record(row):
    """What becomes of one row in a stream that has these columns."""
    body = json.dumps({"results": [{"id": "other", "amount": 1}, row]}) if isinstance(row, dict) else row
    page = PageDecoder(retriever(columns=COLUMNS, cursor_field="modifiedDate")).decode(
        body if isinstance(body, bytes) else body.encode()
    )
    out = batch("things", page, IDS, {}, COLUMNS)
    return [json.loads(line)["record"]["data"] for line in out.lines().splitlines()][-1]


@pytest.mark.parametrize("name", ["companyId", "connectionId", "id", "modifiedDate"])
@pytest.mark.parametrize("spelling", [str.upper, str.lower, str.capitalize, str.swapcase, "Pascal"])
def test_a_field_that_differs_from_a_key_in_case_alone_leaves_the_key_its_column(name, spelling):
    odd = name[0].upper() + name[1:] if spelling == "Pascal" else spelling(name)
    if odd == name:
        return
    one = record({"id": "1", "modifiedDate": "2024-01-01T00:00:00Z", odd: "other"})
    assert (one["companyId"], one["connectionId"], one["id"]) == ("c1", "k1", "1")
    assert one[f"{odd}_as_sent"] == "other"
    assert len({field.lower() for field in one}) == len(one)


@pytest.mark.parametrize("name", ["amount", "days", "paid", "dueDate", "modifiedDate"])
def test_an_empty_text_is_null_where_the_column_is_no_text(name):
    assert record({"id": "1", "note": "", name: ""}) == {**IDS_READ, "id": "1", "note": "", name: None}


IDS_READ = {"companyId": "c1", "connectionId": "k1"}


def test_the_text_of_a_number_becomes_the_number_with_all_its_digits():
    row = b'{"results":[{"id":"1","amount":"1.10","days":"30","paid":"true"}]}'
    page = PageDecoder(retriever(columns=COLUMNS)).decode(row)
    assert b'"amount":1.10,"days":30,"paid":true' in batch("things", page, IDS, {}, COLUMNS).lines()


@pytest.mark.parametrize("name", ["amount", "days", "paid"])
@pytest.mark.parametrize("text", ["n/a", "1,000", "0x10", "NaN", " "])
def test_a_text_that_is_no_number_goes_on_beside_its_column(name, text):
    assert record({"id": "1", name: text}) == {**IDS_READ, "id": "1", f"{name}_as_sent": text}


def test_what_a_column_holds_without_trouble_stays_the_bytes_that_codat_sent():
    row = b'{"id":"1","amount":1E+2,"days":30.0,"dueDate":"soon","note":"","more":{"amount":""}}'
    page = PageDecoder(retriever(columns=COLUMNS)).decode(b'{"results":[' + row + b"]}")
    assert row[1:] in batch("things", page, IDS, {}, COLUMNS).lines()
    assert not page.is_irregular


def test_the_zero_character_which_no_database_takes_is_replaced_and_nothing_like_it():
    body = rb'{"results":[{"id":"1","note":"a\u0000\u0000b","more":["\\u0000","\\\u0000"]}]}'
    one = record(body)
    assert one["note"] == "a\ufffd\ufffdb"
    assert one["more"] == ["\\u0000", "\\\ufffd"]


def test_a_row_that_cant_leave_as_it_is_still_moves_the_cursor():
    rows = [
        {"id": "1", "amount": "", "modifiedDate": "2024-01-02"},
        {"id": "2", "modifiedDate": "2024-01-01"},
    ]
    page = PageDecoder(retriever(columns=COLUMNS, cursor_field="modifiedDate")).decode(
        json.dumps({"results": rows}).encode()
    )
    assert page.is_irregular
    assert page.latest == timestamps.instant("2024-01-02")
    assert page.ids == ["1", "2"]


def test_a_field_that_goes_on_beside_its_column_is_told_once(caplog):
    columns = Columns(["companyId", "connectionId", "id"], "modifiedDate", lambda: SCHEMA)
    body = b'{"results":[{"id":"1","ID":"2","amount":"n/a"},{"id":"3","ID":"4"}]}'
    for _ in range(2):
        page = PageDecoder(retriever(columns=columns)).decode(body)
        batch("things", page, IDS, {}, columns)
    told = [line.getMessage() for line in caplog.records]
    assert len(told) == 2
    assert told[0].startswith("things: a row has 'ID' with what can't stand in the column")
    assert told[1].endswith("it goes on as 'amount_as_sent'.")
