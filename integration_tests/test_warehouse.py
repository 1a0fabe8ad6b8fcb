"""What a person finds in their warehouse: PyAirbyte into DuckDB and PostgreSQL."""

import re
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from integration_tests.support.extras import require
from integration_tests.support.postgres import postgresql
from integration_tests.support.warehouses import LISTS, OWN, fill, query, same
from source_codat import SourceCodat
from unit_tests.support.catalogue import CATALOGUE, cursor_of, key_of

require("airbyte", "PyAirbyte")
pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parent.parent / "docs" / "analysis.md"

# The one stream that isn't Codat's, and its key.
ACCOUNT, ACCOUNT_KEY = "read_outcomes", ["companyId", "stream", "readStartedAt"]

INCREMENTAL = {name for name in CATALOGUE if cursor_of(name)}
STAGES = ["first", "second", "resynced"]


DATABASES = [
    pytest.param(name, marks=pytest.mark.xdist_group(name), id=name) for name in ("DuckDB", "PostgreSQL")
]


@pytest.fixture(scope="session", params=DATABASES)
def warehouse(request, load, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        if request.param == "DuckDB":
            yield fill(str(folder / "warehouse.duckdb"), folder, load)
        else:
            yield fill(stack.enter_context(postgresql()), folder, load)


def row_of(rows, record_key, record):
    company, link, _ = record_key
    [row] = [
        row
        for row in rows
        if row["id"] == record["id"] and row["companyid"] == company and row.get("connectionid", link) == link
    ]
    return row


def test_every_stream_has_a_table_with_rows(warehouse):
    filled = {name for name, rows in warehouse.first.tables.items() if rows}
    assert filled == {ACCOUNT, *CATALOGUE} - nothing_of(warehouse)


def nothing_of(warehouse):
    """Streams of which this small world has nothing, as the simulator counts."""
    return {name for name, number in warehouse.first.expected.items() if number == 0}


@pytest.mark.parametrize("stage", STAGES)
def test_a_table_has_as_many_rows_as_codat(warehouse, stage):
    found, moment = getattr(warehouse, stage), {}
    for name, number in found.expected.items():
        moment[name] = (len(found.tables.get(name, [])), number)
    wrong = {name: pair for name, pair in moment.items() if pair[0] != pair[1]}
    # Banking doesn't mark what was deleted: only a resync is rid of it.
    kept = warehouse.second.expected["banking_transactions"]
    assert wrong == ({"banking_transactions": (kept + 1, kept)} if stage == "second" else {})


@pytest.mark.parametrize("stage", STAGES)
def test_no_key_comes_twice(warehouse, stage):
    for name, rows in getattr(warehouse, stage).tables.items():
        key = [part.lower() for part in (ACCOUNT_KEY if name == ACCOUNT else key_of(name))]
        count = Counter(tuple(row[part] for part in key) for row in rows)
        assert not [one for one, number in count.items() if number > 1], name
        assert all(part not in (None, "") for one in count for part in one), name


@pytest.mark.parametrize("stage", STAGES)
def test_every_value_is_that_of_codat(warehouse, stage):
    found, compared, wrong = getattr(warehouse, stage), 0, []
    for name in LISTS:
        if "rowKey" in key_of(name):
            continue  # an id may repeat: their key is the row's
        for key, record in found.records[name].items():
            row = row_of(found.tables[name], key, record)
            for label, value in record.items():
                compared += 1
                if not same(value, row[label.lower()], guessing="://" in warehouse.address):
                    wrong.append((name, label, value, row[label.lower()]))
    assert compared > 1000
    assert not wrong[:10]


def test_the_second_load_brings_changes_and_leaves_the_rest_alone(warehouse):
    before = {row["_airbyte_raw_id"] for row in warehouse.first.tables["bills"]}
    assert before == {row["_airbyte_raw_id"] for row in warehouse.second.tables["bills"]}
    rows = {row["id"]: row for row in warehouse.second.tables["invoices"]}
    assert "brand new" in rows
    assert "changed" in {row["note"] for row in rows.values()}


def test_a_resync_reads_everything_anew(warehouse):
    for name in INCREMENTAL & set(warehouse.second.tables):
        before = {row["_airbyte_raw_id"] for row in warehouse.second.tables[name]}
        assert not before & {row["_airbyte_raw_id"] for row in warehouse.resynced.tables[name]}, name


@pytest.mark.parametrize("stage", STAGES)
def test_rows_that_no_warehouse_takes_as_they_are_sent_have_arrived_and_stay_two(warehouse, stage):
    tables = getattr(warehouse, stage).tables
    accounts = [row for row in tables["accounts"] if row["name"] == "Without an id"]
    lines = [row for row in tables["bank_account_transactions"] if row["description"] == "a\ufffdb"]
    companies = {row["id"] for row in tables["companies"]}
    assert (len(accounts), len(lines)) == (2, 2)
    for row in accounts:
        assert (row["companyid"] in companies, row["currentbalance"]) == (True, None)
    for row in lines:
        assert row["companyid"] in companies
        assert row["rowkey"] != "other"
        assert (row["amount"], row["clearedondate"], float(row["balance"])) == (None, None, 1.5)


def test_a_record_that_vanished_is_gone_after_a_resync(warehouse):
    company, link, key = warehouse.gone
    for stage, there in [("first", True), ("second", True), ("resynced", False)]:
        rows = getattr(warehouse, stage).tables["banking_transactions"]
        assert ((company, link, key) in {(r["companyid"], r["connectionid"], r["id"]) for r in rows}) is there


def test_columns_have_the_types_that_the_analysis_page_names(warehouse):
    place = 3 if "://" in warehouse.address else 2
    told: dict = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[place]:
            told |= dict.fromkeys(cells[1], cells[place][0])
    found = {
        f"{row['name']}.{row['col']}": row["kind"]
        + (f"({row['digits']},{row['decimals']})" if row["kind"] == "numeric" else "")
        for row in query(
            warehouse.address,
            "SELECT table_name AS name, column_name AS col, data_type AS kind, numeric_precision AS digits,"
            " numeric_scale AS decimals FROM information_schema.columns WHERE table_schema = 'codat'",
        )
    }
    assert len(told) > 20
    assert {column: found.get(column) for column in told} == told
    of_streams = {kind for column, kind in found.items() if "_airbyte" not in column}
    assert of_streams == set(told.values())


def test_every_field_has_a_column_of_its_own(warehouse):
    catalog = SourceCodat().discover(None, {"api_key": "any"})  # type: ignore[arg-type]  # unused there
    for stream in catalog.streams:
        wanted = {re.sub(r"[^a-z0-9]", "_", name.lower()) for name in stream.json_schema["properties"]}
        assert len(wanted) == len(stream.json_schema["properties"]), stream.name
        if stream.name in warehouse.columns:
            assert set(warehouse.columns[stream.name]) - OWN == wanted, stream.name
