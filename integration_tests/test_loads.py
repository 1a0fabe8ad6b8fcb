"""The suggested streams in a warehouse equal what Codat has, after everything that can happen to it."""

from contextlib import ExitStack

import pytest

from integration_tests.support.extras import require
from integration_tests.support.loads import DELETED, SUGGESTED, Step, Story, key_of_row, marks_deletions
from integration_tests.support.postgres import postgresql
from integration_tests.support.warehouses import same

require("airbyte", "PyAirbyte")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("loads")]  # one story for all tests of it

WHOLE = {"companies", "connections", "data_status"}
GOES_ON = {"continue_past_failures": True}
# Each database with and without options. With `remove` every row that arrives stays, and Airbyte's rule is
# applied in SQL; the others are PyAirbyte's tables as they are.
STORIES = {
    "DuckDB keep": ("DuckDB", "keep", {}),
    "DuckDB remove": ("DuckDB", "remove", GOES_ON),
    "PostgreSQL keep": ("PostgreSQL", "keep", {}),
    "PostgreSQL leave_out": ("PostgreSQL", "leave_out", GOES_ON),
}


@pytest.fixture(scope="module", params=STORIES)
def story(request, load, tmp_path_factory):
    database, choice, options = STORIES[request.param]
    folder = tmp_path_factory.mktemp("load")
    with ExitStack() as stack:
        server = database == "PostgreSQL"
        address = stack.enter_context(postgresql()) if server else str(folder / "warehouse.duckdb")
        yield Story(folder, load, address, choice, **options).tell()


@pytest.mark.parametrize("step", Step, ids=lambda step: step.value)
def test_after_each_step_every_record_is_there_as_codat_has_it_and_no_other(story, step):
    found, compared, wrong = story.loads[step], 0, []
    for name, wanted in found.wanted.items():
        rows = {key_of_row(name, row): row for row in found.rows[name]}
        assert len(rows) == len(found.rows[name]), name
        assert rows.keys() == wanted.keys(), name
        for key, record in wanted.items():
            for label, value in record.items():
                compared += 1
                if not same(value, rows[key][label.lower()], guessing="://" in story.address):
                    wrong.append((name, key, label, value, rows[key][label.lower()]))
    assert compared > 1000
    assert not wrong[:10]


@pytest.mark.parametrize("step", Step, ids=lambda step: step.value)
def test_after_each_step_the_guides_query_finds_the_lines_of_codats_statements(story, step):
    found = story.loads[step]
    assert found.lines == found.true_lines


def test_all_that_is_suggested_is_compared(story):
    found = story.loads[Step.FIRST_READ]
    assert set(found.wanted) | set(found.lines) == set(SUGGESTED)
    assert all(found.wanted.values())
    assert all(found.lines.values())


def test_a_line_that_a_restatement_took_away_is_in_the_table_and_not_in_the_guides_answer(story):
    found = story.loads[Step.RESTATEMENT]
    for name, lines in found.lines.items():
        assert found.table_sizes[name] > lines.total(), name


def test_deleted_records_stay_or_go_as_the_option_says(story):
    """What is expected differs from what Codat has live exactly where the guide says so."""
    before, after = story.loads[Step.RESTATEMENT], story.loads[Step.DELETION]
    for name in filter(marks_deletions, DELETED):
        gone = before.wanted[name].keys() - after.wanted[name].keys()
        assert bool(gone) is (story.choice == "remove"), name
    marked = [row for row in after.rows["invoices"] if "true" in str(row["metadata"]).lower()]
    assert bool(marked) is (story.choice == "keep")


def test_where_nothing_changed_it_costs_one_request_a_company_and_brings_no_row(story):
    before, after = story.loads[Step.DELETION], story.loads[Step.NOTHING]
    asked = [path for path in after.requests if path != "/companies"]
    assert sorted(asked) == sorted(f"/companies/{company}/dataStatus" for company in story.companies)
    assert len(after.requests) == len(asked) + 1
    ids = {name: {row["_airbyte_raw_id"] for row in rows} for name, rows in before.rows.items()}
    for name in SUGGESTED:
        if name not in WHOLE:
            assert after.table_sizes[name] == before.table_sizes[name], name
    for name, rows in after.rows.items():
        if name not in WHOLE:
            assert {row["_airbyte_raw_id"] for row in rows} == ids[name], name


def test_one_company_that_fails_holds_back_the_others_unless_the_option_lets_them_go_on(story):
    failed, company = story.loads[Step.FAILURE], story.companies[0]
    assert bool(failed.error) is not story.goes_on
    for stream in ("invoices", "bills"):
        arrived = {row["companyid"] for row in failed.rows[stream] if row["id"] == "after the failure"}
        there = set(story.companies) if story.goes_on else set()
        assert arrived == there - ({company} if stream == "invoices" else set())


def test_once_mended_it_has_all_that_the_others_have(story):
    rows = story.loads[Step.REPAIR].rows["invoices"]
    arrived = {row["companyid"] for row in rows if row["id"] == "after the failure"}
    assert arrived == set(story.companies)
