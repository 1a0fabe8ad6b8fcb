import json
import re
from decimal import Decimal

import pytest

from codat_simulator import DATA_TYPES, Simulator
from codat_simulator.definitions.shape import lookup
from codat_simulator.instants import instant, known, render

pytestmark = pytest.mark.xdist_group("records")  # they are made once


@pytest.fixture(scope="module")
def world():
    simulator = Simulator(companies=4, seed=11, records=120)
    return simulator.world


@pytest.fixture(scope="module")
def everything(world):
    return {key: world.records(key) for key in DATA_TYPES if DATA_TYPES[key].is_list}


def test_every_data_type_has_records(everything):
    assert min(map(len, everything.values())) > 0


def test_every_property_that_can_be_queried_occurs(everything):
    # Banking data has no clock of its own, and tracking categories say nothing of deletion.
    banking = {key for key in everything if key.startswith("banking")}
    never = {"trackingCategories.metadata.isDeleted"} | {f"{key}.sourceModifiedDate" for key in banking}
    missing = {
        f"{key}.{name}"
        for key, rows in everything.items()
        for name in DATA_TYPES[key].shape.kinds
        if DATA_TYPES[key].shape.kind(name)
        if all(lookup(row, tuple(name.split("."))) is None for row in rows)
    }
    assert missing == never


def test_ids_are_unique_within_a_connection_and_repeat_across_companies(world):
    seen = []
    for company in world.companies:
        for link in company["dataConnections"]:
            ids = [row["id"] for row in world.records("customers", company["id"], link["id"])]
            assert len(ids) == len(set(ids))
            seen += ids
    assert all(isinstance(name, str) for name in seen)


def test_ids_hold_what_breaks_careless_urls(everything):
    ids = {row["id"] for row in everything["bankAccounts"]} | {row["id"] for row in everything["customers"]}
    for mark in "/:= @?#%&+":
        assert any(mark in name for name in ids), mark
    assert any(not name.isascii() for name in ids)


def test_dates_come_in_every_form(everything):
    stamps = {row["modifiedDate"] for rows in everything.values() for row in rows if "modifiedDate" in row}
    forms = {re.sub(r"\d", "9", stamp) for stamp in stamps}
    assert {"9999-99-99T99:99:99Z", "9999-99-99T99:99:99", "9999-99-99T99:99:99.9999999Z"} <= forms
    assert "9999-99-99T99:99:99.999Z" in forms
    assert any("modifiedDate" not in row for row in everything["items"])
    issued = {re.sub(r"\d", "9", row["issueDate"]) for row in everything["invoices"] if row.get("issueDate")}
    assert {
        "9999-99-99",
        "9999-99-99T99:99:99",
        "9999-99-99T99:99:99Z",
        "9999-99-99T99:99:99-99:99",
    } <= issued


def test_most_datasets_share_one_stamp_and_some_have_several(world):
    counts = [
        len({row.get("modifiedDate") for row in world.records(key, company["id"])})
        for company in world.companies
        for key in ("invoices", "bills", "payments", "customers", "suppliers", "journalEntries", "taxRates")
    ]
    assert counts.count(1) > len([count for count in counts if count]) / 3
    assert max(counts) > 1


def test_fields_are_missing_null_and_false(everything):
    invoices = everything["invoices"]
    flags = [row.get("metadata", "none") for row in invoices]
    deleted = [flag if not isinstance(flag, dict) else flag["isDeleted"] for flag in flags]
    for wanted in ("none", None, True, False):
        assert wanted in deleted
    assert any("note" not in row for row in invoices)
    assert any(row.get("note", "") is None for row in invoices)


def test_texts_hold_what_breaks_careless_writers(everything):
    text = json.dumps(list(everything.values()), ensure_ascii=False)
    for mark in ("株", "é", "\u2028", "\\n", '\\"', "\\\\", "\U0001d518", "☕", "<b>", "e\u0301"):
        assert mark in text, mark


def test_amounts_hold_more_digits_than_a_double(world):
    raw = b",".join(row for one in world.companies for row in world.raw_records("invoices", one["id"]))
    numbers = re.findall(rb":(-?\d[\d.eE+-]*)", raw)
    assert any(Decimal(number.decode()) != Decimal(repr(float(number))) for number in numbers)
    assert any(re.fullmatch(rb"\d+\.\d*0", number) for number in numbers)


def test_some_bank_lines_have_no_id_and_stand_twice(world):
    company = world.companies[0]["id"]
    lines = world.records("bankTransactions", company)
    assert not any("id" in line for line in lines)
    texts = [json.dumps({**line, "sourceModifiedDate": 0}, sort_keys=True) for line in lines]
    assert len(set(texts)) < len(texts)
    assert any(line["accountId"] is None for line in lines)
    other = world.records("bankTransactions", world.companies[1]["id"])
    assert all("id" in line for line in other)


def test_platforms_differ_in_what_they_support(world):
    companies = [company["id"] for company in world.companies]
    assert [bool(world.records("itemReceipts", one)) for one in companies] == [False, True, False, True]


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("2024-02-29T10:00:00", "2024-02-29T10:00:00.0000000Z"),
        ("2024-02-29T10:00:00.5Z", "2024-02-29T10:00:00.5000000"),
        ("2024-02-29T10:00:00+02:00", "2024-02-29T08:00:00Z"),
        ("2024-02-29T23:30:00-0130", "2024-03-01T01:00Z"),
        ("2024-02-29 10:00:00", "2024-02-29T10:00:00"),
    ],
)
def test_spellings_of_one_instant_are_equal(one, same):
    assert instant(one) == instant(same) is not None


@pytest.mark.parametrize(
    "text", ["", "2024", "2024-13-01", "2023-02-29", "2024-01-01T24:00:00", "yesterday", "1/2/24"]
)
def test_what_is_no_date_is_none(text):
    assert instant(text) is None


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00.0000000", "1969-12-31T23:59:59.9999999", "2024-02-29T01:02:03.1234567"]
)
def test_instants_are_written_as_they_were_read(text):
    assert render(known(text), 7, "") == text
    assert render(known(text), 3, "Z") == text[:-4] + "Z"
    assert render(known(text), 0, "") == text.partition(".")[0]
