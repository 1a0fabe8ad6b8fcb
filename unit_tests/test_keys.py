"""Keys in the warehouse: for all streams, no part is ever null or empty, whatever Codat leaves out."""

import json
from typing import Any
from unittest import mock

import pytest

from source_codat.config.settings import Settings
from source_codat.foundation.errors import MalformedAnswer
from source_codat.reading.reader import StreamReader
from source_codat.reading.requests import Partition
from source_codat.reading.row_keys import is_made_up
from source_codat.reading.rows import RowBatch
from unit_tests.support.source import source

CONFIG = {"api_key": "none-is-needed-but-a-long-one", "custom_data_types": ["loyalty"]}
STREAMS = {one.name: one for one in source().streams(CONFIG)}
CONNECTIONS = ("c0ffee00-0000-4000-8000-000000000001", "c0ffee00-0000-4000-8000-000000000002")
ONE_ROW = {name for name, one in STREAMS.items() if not (one.retriever.own_key or one.retriever.has_row_key)}
KEYED = sorted(set(STREAMS) - ONE_ROW - {"companies"})


def columns_that_tell_rows_apart(name):
    """The fields of Codat's rows that a key is made of, at any depth."""
    retriever = STREAMS[name].retriever
    nested = {path.split(".")[0] for path in retriever.from_nested.values()}
    return {retriever.own_key, *(retriever.key_fields or ["id"])} - {
        "",
        "lineKey",
        *retriever.from_nested,
    } | nested


def body_of(name, rows):
    records = STREAMS[name].retriever.records
    if name.endswith("_lines"):  # what is told apart are the lines of the statements
        rows = [{"assets": {"value": 1}, **row} for row in rows]
    if records == "*":
        return json.dumps({f"type{number}": row for number, row in enumerate(rows)}).encode()
    if not records:
        return json.dumps(rows[0] if len(rows) == 1 else rows).encode()
    return json.dumps({records: rows, "totalResults": len(rows)}).encode()


def partition_ids(name, *, connection=0, company="company 1"):
    retriever = STREAMS[name].retriever
    known = {"companyId": company, "connectionId": CONNECTIONS[connection]}
    return {part: known.get(part, f"{part} 1") for part in retriever.scope}


def read(name, *rows, start_date=None, **where) -> list[dict[str, Any]]:
    """The records that come of an answer with these rows."""
    settings = Settings.from_config({**CONFIG, "start_date": start_date})
    batches: list[RowBatch] = []
    reader = StreamReader(mock.Mock(), STREAMS[name].retriever, settings, batches.append)
    done = reader.read(Partition(partition_ids(name, **where), answer=body_of(name, rows)))
    lines = b"".join(batch.lines() for batch in batches).splitlines()
    assert done.records == len(lines)
    return [json.loads(line)["record"]["data"] for line in lines]


def keys_of(name, records):
    return [tuple(record.get(part) for part in STREAMS[name].primary_key) for record in records]


def rows_that_lack(name):
    """By what is left out: rows as Codat could send them, also those that differ in nothing."""
    apart = columns_that_tell_rows_apart(name)
    odd = {"null": None, "empty": "", "number": 5, "object": {"a": 1}, "list": [1]}
    nested = {field: {"id": "r1", "dataConnectionId": None} for field in apart if field.endswith("Ref")}
    every = {what: [dict.fromkeys(apart, value)] * 2 for what, value in odd.items() if what != "number"}
    return {
        "everything": [{}, {}],
        "all but a note": [{"note": "a"}, {"note": "b"}],
        **every,
        "all but numbers": [dict.fromkeys(apart, 5), dict.fromkeys(apart, 6)],
        "nested ids": [{**nested, "note": "a"}, {**nested, "note": "b"}],
    }


@pytest.mark.parametrize("name", STREAMS)
def test_no_part_of_a_key_is_null_or_empty_whatever_codat_leaves_out(name):
    if name == "companies":
        return  # the list of companies isn't used at all where a row has no id: see below
    for left_out, rows in rows_that_lack(name).items():
        records = read(name, *(rows[:1] if name in ONE_ROW else rows))
        assert len(records) == (1 if name in ONE_ROW else 2), left_out
        for key in keys_of(name, records):
            assert all(part not in (None, "") for part in key), (left_out, key)
            assert all(isinstance(part, str | int) for part in key), (left_out, key)


@pytest.mark.parametrize("name", KEYED)
def test_rows_without_ids_have_keys_of_their_own_that_stay(name):
    for left_out, rows in rows_that_lack(name).items():
        if left_out == "nested ids" and name == "categorized_bank_statement_transactions":
            continue  # accountRef.id says which account, and without the row's own id that isn't enough
        first, again = (keys_of(name, read(name, *rows)) for _ in range(2))
        assert len(set(first)) == 2, left_out
        assert first == again, left_out


@pytest.mark.parametrize("name", KEYED)
def test_no_two_rows_of_different_connections_share_a_key(name):
    apart = columns_that_tell_rows_apart(name)
    plain = dict.fromkeys((field for field in apart if not field.endswith("Ref")), "same")
    if "connectionId" in STREAMS[name].retriever.scope:
        records = [record for number in (0, 1) for record in read(name, {}, plain, connection=number)]
    else:
        rows = [
            {
                **plain,
                **{field: {"id": f"a {link}", "dataConnectionId": link} for field in apart - set(plain)},
                **({"connectionId": link} if "connectionId" in apart else {}),
            }
            for link in CONNECTIONS
        ]
        records = read(name, *rows) if rows[0] != rows[1] else []
    assert len(set(keys_of(name, records))) == len(records)


@pytest.mark.parametrize("name", KEYED)
def test_no_two_rows_of_different_companies_share_a_key_that_was_made_up(name):
    records = [record for company in ("one", "two") for record in read(name, {}, {}, company=company)]
    if "companyId" not in STREAMS[name].retriever.scope:
        return  # integrations are the account's, not a company's
    assert len(set(keys_of(name, records))) == 4


@pytest.mark.parametrize("name", KEYED)
def test_a_key_doesnt_change_when_another_field_does(name):
    apart = columns_that_tell_rows_apart(name)
    row: dict[str, Any] = dict.fromkeys(apart, "2024-01-31")
    row |= {field: {"id": "x", "dataConnectionId": "y"} for field in apart if field.endswith("Ref")}
    if name in ("banking_account_balances", "loan_transactions"):
        return  # rows that Codat never gives an id
    [before], [after] = (keys_of(name, read(name, {**row, "note": note})) for note in ("a", "b"))
    assert before == after


def test_the_list_of_companies_is_refused_where_a_row_has_no_id():
    for row in ({"name": "Example Ltd"}, {"id": ""}, {"id": None}):
        with pytest.raises(MalformedAnswer, match="without 'id'"):
            read("companies", {"id": "1"}, row)


def test_a_made_up_id_says_so_and_no_other_does():
    [record, other] = read("bank_accounts", {"accountName": "Till"}, {"id": "B3"})
    assert is_made_up(record["id"])
    assert not any(map(is_made_up, [other["id"], "no-id-1", f"{record['id']} "]))


def test_a_data_type_is_named_where_only_its_place_in_the_answer_says_it():
    settings = Settings.from_config(CONFIG)
    batches: list[RowBatch] = []
    reader = StreamReader(mock.Mock(), STREAMS["data_status"].retriever, settings, batches.append)
    body = b'{"invoices":{"currentStatus":"Complete"},"bills":null,"items":{"dataType":"items"}}'
    reader.read(Partition({"companyId": "c1"}, answer=body))
    records = [json.loads(line)["record"]["data"] for line in batches[0].lines().splitlines()]
    assert [record["dataType"] for record in records] == ["invoices", "bills", "items"]


def test_the_same_customer_twice_in_an_aged_report_is_two_rows():
    twice = [{"customerId": "7", "agedCurrencyOutstanding": [number]} for number in (1, 2)]
    keys = keys_of("aged_debtors", read("aged_debtors", *twice, {"customerId": "8"}))
    assert len(set(keys)) == 3
    assert keys[2][-1] == "8"


def test_a_period_has_one_key_however_its_dates_are_written():
    forms = ("2024-01-31", "2024-01-31T00:00:00", "2024-01-31T00:00:00.0000000Z")
    keys = {keys_of("balance_sheets", read("balance_sheets", {"date": form}))[0] for form in forms}
    assert len(keys) == 1


def test_a_line_of_a_statement_without_a_date_is_told_from_that_of_another():
    line = {"assets": {"name": "Assets", "value": 1}}
    records = read("balance_sheet_lines", line, line)
    assert len(set(keys_of("balance_sheet_lines", records))) == 2


@pytest.mark.parametrize("name", ["aged_debtors", "loan_transactions", "balance_sheets", "files"])
def test_a_start_date_leaves_nothing_out_of_a_stream_whose_rows_have_no_date_of_change(name):
    assert len(read(name, {"note": "a"}, {"note": "b"}, start_date="2024-01-01")) == 2


def test_a_row_that_lacks_its_id_loses_nothing_else():
    row = {"id": {"odd": 1}, "name": "Sales", "currentBalance": 1.5}
    [record] = read("accounts", row)
    assert record["id_as_sent"] == {"odd": 1}
    assert (record["name"], record["currentBalance"]) == ("Sales", 1.5)
