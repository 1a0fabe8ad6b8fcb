"""Statements and company infos come when a Codat sync has touched them, dated by that Codat sync."""

from collections import Counter
from datetime import datetime, timezone
from unittest import mock

import pytest
import requests

from codat_simulator import Simulator
from codat_simulator.instants import known
from integration_tests.support.connector import by_key, read
from integration_tests.support.current_lines import query_of_current_lines, true_lines
from unit_tests.support.catalogue import key_of

BALANCE = ("balance_sheets", "balance_sheet_lines")
STATEMENTS = (
    *BALANCE,
    "profit_and_loss",
    "profit_and_loss_lines",
    "cash_flow_statements",
    "cash_flow_lines",
)
DATA_TYPES = {
    **dict.fromkeys(BALANCE, "balanceSheet"),
    **dict.fromkeys(("profit_and_loss", "profit_and_loss_lines"), "profitAndLoss"),
    **dict.fromkeys(("cash_flow_statements", "cash_flow_lines"), "cashFlowStatement"),
    "company_info": "company",
    "commerce_company_info": "commerce-companyInfo",
    "commerce_locations": "commerce-locations",
    "custom_DynamicsPurchaseOrders": "custom/DynamicsPurchaseOrders",
}
CUSTOM = {"custom_data_types": ["DynamicsPurchaseOrders"]}
NEVER = "1970-01-01T00:00:00.000000Z"


@pytest.fixture
def sim():
    with Simulator(companies=0, seed=5, records=6, start=datetime(2026, 5, 10, tzinfo=timezone.utc)) as made:
        dyna = {"source_type": "Accounting", "platform": "dyna"}
        made.world.add_company(name="One", connections=(dyna, "Commerce"))
        made.world.clock.advance(86_400)
        yield made


@pytest.fixture
def company(sim):
    return sim.world.companies[0]["id"]


def codat_says(sim, company, path):
    url = f"{sim.url}/companies/{company}/{path}"
    answer = requests.get(url, headers={"Authorization": sim.authorization}, timeout=60).json()
    sim.clear_log()
    return answer


def last_success(sim, company, data_type):
    return codat_says(sim, company, "dataStatus")[data_type]["lastSuccessfulSync"]


def asked(sim):
    """What the simulator was asked since it was last looked at, but for the company list."""
    paths = [one.path.partition("/companies/")[2].partition("/")[2] for one in sim.requests]
    sim.clear_log()
    return sorted(filter(None, paths))


def dates(said, stream):
    return {one["syncedAt"] for one in said.records(stream)}


def cursors(said, stream):
    return [one["cursor"] for one in said.stream_state(stream)["states"]]


@pytest.mark.parametrize("stream", DATA_TYPES)
def test_a_row_carries_the_last_successful_sync_that_data_status_showed(sim, company, stream):
    shown = last_success(sim, company, DATA_TYPES[stream])
    said = read(sim, stream, **CUSTOM)
    assert dates(said, stream) == {f"{shown[:19]}.000000Z"}


@pytest.mark.parametrize("stream", DATA_TYPES)
def test_what_no_codat_sync_has_touched_is_not_asked_for_again(sim, stream):
    first = read(sim, stream, **CUSTOM)
    assert first.records(stream)
    sim.clear_log()
    second = read(sim, stream, state=first.state, **CUSTOM)
    assert second.code == 0
    assert second.records(stream) == []
    # Any connection may hold a custom data type, and the company has two.
    assert asked(sim) == ["data/history"] * stream.startswith("custom_") + ["dataStatus"]
    assert cursors(second, stream) == cursors(first, stream)


@pytest.mark.parametrize("stream", DATA_TYPES)
def test_what_a_codat_sync_has_touched_comes_with_its_date(sim, company, stream):
    first = read(sim, stream, **CUSTOM)
    sim.world.clock.advance(3600)
    sim.world.sync(company, DATA_TYPES[stream])
    second = read(sim, stream, state=first.state, **CUSTOM)
    assert len(second.records(stream)) == len(first.records(stream)) or stream in STATEMENTS
    [before], [after] = dates(first, stream), dates(second, stream)
    assert after == f"{last_success(sim, company, DATA_TYPES[stream])[:19]}.000000Z"
    assert before < after


def test_only_the_statement_that_was_synced_comes_again(sim, company):
    first = read(sim, *STATEMENTS)
    sim.world.sync(company, "profitAndLoss")
    second = read(sim, *STATEMENTS, state=first.state)
    assert {name for name in STATEMENTS if second.records(name)} == {
        "profit_and_loss",
        "profit_and_loss_lines",
    }


def test_a_statement_and_its_lines_are_one_request(sim):
    read(sim, *STATEMENTS)
    assert [path for path in asked(sim) if "financials" in path] == [
        "data/financials/balanceSheet",
        "data/financials/cashFlowStatement",
        "data/financials/profitAndLoss",
    ]


@pytest.mark.parametrize("options", [{"report_periods": 6}, {"report_period_months": 3}])
def test_a_change_of_report_options_starts_statements_again_and_nothing_else(sim, options):
    first = read(sim, *STATEMENTS, "company_info")
    second = read(sim, *STATEMENTS, "company_info", state=first.state, **options)
    assert all(second.records(name) for name in STATEMENTS)
    assert not second.records("company_info")


def test_a_start_date_has_no_part_in_it(sim):
    first = read(sim, *STATEMENTS, start_date="2026-05-01")
    assert all(first.records(name) for name in STATEMENTS)
    second = read(sim, *STATEMENTS, state=first.state, start_date="2020-01-01")
    assert not any(second.records(name) for name in STATEMENTS)


@pytest.mark.parametrize("stream", DATA_TYPES)
def test_full_refresh_stays_possible_with_the_same_rows(sim, stream):
    incremental = read(sim, stream, **CUSTOM)
    whole = read(sim, stream, mode="full_refresh", state=incremental.state, **CUSTOM)
    assert by_key(whole.records(stream), *keys(stream)) == by_key(incremental.records(stream), *keys(stream))
    assert whole.stream_state(stream) == {"__ab_no_cursor_state_message": True}


def keys(stream):
    if stream.startswith("custom_"):
        return ("companyId", "connectionId", "customDataIdentifier", "id")
    return key_of(stream)


@pytest.mark.parametrize("stream", BALANCE)
def test_while_a_codat_sync_runs_rows_claim_the_success_before_it_and_come_again(sim, company, stream):
    first = read(sim, stream)
    sim.world.clock.advance(60)
    running = sim.world.start_sync(company, "balanceSheet")
    meanwhile = read(sim, stream, state=first.state)
    assert meanwhile.records(stream)
    assert dates(meanwhile, stream) == dates(first, stream)
    sim.world.finish_sync(running)
    after = read(sim, stream, state=meanwhile.state)
    assert after.records(stream)
    assert max(dates(first, stream)) < max(dates(after, stream))


@pytest.mark.parametrize("stream", BALANCE)
def test_in_doubt_rows_come_in_every_read_and_nothing_is_noted(sim, company, stream):
    shown = f"{last_success(sim, company, 'balanceSheet')[:19]}.000000Z"
    sim.world.set_status(company, "balanceSheet", "Thinking")
    first = read(sim, stream)
    second = read(sim, stream, state=first.state)
    for said in (first, second):
        assert said.records(stream)
        assert dates(said, stream) == {shown}
        assert cursors(said, stream) == []


@pytest.mark.parametrize("stream", BALANCE)
def test_in_doubt_the_cursor_stays_and_rows_are_no_older_for_a_destination_than_those_that_it_has(
    sim, company, stream
):
    first = read(sim, stream)
    sim.world.clock.advance(60)
    sim.world.sync(company, "balanceSheet")
    sim.world.set_status(company, "balanceSheet", "Thinking")
    second = read(sim, stream, state=first.state)
    assert second.records(stream)
    assert min(dates(second, stream)) >= max(dates(first, stream))
    assert cursors(second, stream)[0]["syncedAt"] == max(dates(first, stream))
    assert "syncId" not in cursors(second, stream)[0]


@pytest.mark.parametrize("stream", ["company_info", *BALANCE])
def test_where_codat_shows_no_date_rows_carry_one_that_means_none(sim, stream):
    nothing = {"currentStatus": "Complete", "latestSyncId": "a"}
    with mock.patch("codat_simulator.world.pulls.data_status", lambda key, _: {"dataType": key, **nothing}):
        said = read(sim, stream)
    assert dates(said, stream) == {NEVER}


def test_of_two_connections_the_older_sync_makes_no_row_older_than_it_was(sim):
    first = read(sim, *BALANCE)
    state = first.stream_state("balance_sheets")
    assert set(state["states"][0]["cursor"]) == {"syncedAt", "syncId", "lastSuccessfulSync"}
    later = "2026-05-10T05:00:00Z"
    sim.world.clock.advance(86_400)
    state["states"][0]["cursor"] |= {"syncedAt": later, "syncId": "of a connection that is gone"}
    for one in first.state:
        if one["stream"]["stream_descriptor"]["name"] == "balance_sheets":
            one["stream"]["stream_state"] = state
    second = read(sim, *BALANCE, state=first.state)
    assert dates(second, "balance_sheets") == {"2026-05-10T05:00:00.000001Z"}


@pytest.mark.parametrize("stream", BALANCE)
def test_a_new_month_brings_its_statement_although_nothing_was_synced(sim, stream):
    first = read(sim, stream)
    sim.world.clock.advance(10 * 86_400)
    assert not read(sim, stream, state=first.state).records(stream)
    sim.world.clock.advance(20 * 86_400)
    third = read(sim, stream, state=first.state)
    found = {one["date"][:7] for one in third.records(stream)} - {
        one["date"][:7] for one in first.records(stream)
    }
    assert found == {"2026-05"}
    assert not read(sim, stream, state=third.state).records(stream)


def test_a_row_of_codats_that_says_when_it_was_synced_does_not_speak_for_the_connector(sim, company):
    sim.world.put(
        company, "commerce-locations", {"id": "x", "name": "Shop", "syncedAt": "2099-01-01T00:00:00Z"}
    )
    said = read(sim, "commerce_locations")
    assert "2099-01-01T00:00:00Z" not in dates(said, "commerce_locations")


def test_a_list_whose_rows_lack_ids_is_still_skipped_where_nothing_was_synced(sim, company):
    sim.world.put(company, "commerce-locations", {"name": "Nameless"})
    first = read(sim, "commerce_locations")
    assert cursors(first, "commerce_locations")[0]["syncedAt"]
    assert not read(sim, "commerce_locations", state=first.state).records("commerce_locations")


# --- lines that are gone


def deduplicated(kept, said, stream):
    """What a destination that deduplicates by key and cursor has after a read: Airbyte's rule."""
    for row in said.records(stream):
        key = tuple(row[part] for part in key_of(stream))
        if key not in kept or known(row["syncedAt"]) >= known(kept[key]["syncedAt"]):
            kept[key] = row


@pytest.mark.parametrize(
    ("stream", "path", "dated_by"),
    [
        ("balance_sheet_lines", "balanceSheet", ("date",)),
        ("profit_and_loss_lines", "profitAndLoss", ("fromDate", "toDate")),
        ("cash_flow_lines", "cashFlowStatement", ("fromDate", "toDate")),
    ],
)
def test_the_guides_query_finds_the_lines_that_are_current_after_restatements(
    sim, company, stream, path, dated_by
):
    duckdb = pytest.importorskip("duckdb")
    said = read(sim, stream)
    kept: dict = {}
    deduplicated(kept, said, stream)
    gone = 0
    for _ in range(4):
        sim.world.clock.advance(3600)
        sim.world.sync(company, path)
        said = read(sim, stream, state=said.state)
        deduplicated(kept, said, stream)
        truth = true_lines(
            codat_says(sim, company, f"data/financials/{path}?periodLength=1&periodsToCompare=24")["reports"],
            dated_by,
        )
        rows = current_lines(duckdb, stream, kept, dated_by)
        assert rows == truth
        gone += len(kept) - sum(truth.values())
    assert gone > 0, "no restatement has taken a line away, so nothing was tried"


def current_lines(duckdb, stream, kept, dated_by):
    """What the guide's query finds in a table with these rows."""
    names = ["companyId", "periodLength", *dated_by, "rowKey", "section", "path", "value", "syncedAt"]
    with duckdb.connect() as database:
        database.execute("CREATE SCHEMA codat")
        kinds = {"periodLength": "BIGINT", "path": "VARCHAR[]", "value": "DOUBLE", "syncedAt": "TIMESTAMP"}
        columns = ", ".join(f'"{name}" {kinds.get(name, "VARCHAR")}' for name in names)
        database.execute(f"CREATE TABLE codat.{stream} ({columns})")
        places = ", ".join("?" * len(names))
        database.executemany(
            f"INSERT INTO codat.{stream} VALUES ({places})",
            [[row[name] for name in names] for row in kept.values()],
        )
        found = database.execute(query_of_current_lines(stream, f"codat.{stream}"))
        heads = [one[0] for one in found.description]
        rows = [dict(zip(heads, row, strict=True)) for row in found.fetchall()]
    return Counter(
        (
            tuple(row[name][:10] for name in dated_by),
            row["section"],
            tuple(row["path"]),
            row["value"],
        )
        for row in rows
    )


@pytest.mark.parametrize("stream", ["company_info", *BALANCE])
def test_where_one_of_several_connections_is_gone_the_statements_of_another_are_read(stream):
    with Simulator(companies=0, seed=5, records=6) as sim:
        company = sim.world.add_company(connections=("Accounting", "Accounting"))
        sim.world.clock.advance(86_400)
        first = read(sim, stream)
        gone = sim.world.companies[0]["dataConnections"][0]["id"]
        sim.world.remove_connection(company, gone)
        second = read(sim, stream, state=first.state)
        assert second.records(stream)
        [before], [after] = dates(first, stream), dates(second, stream)
        assert known(before) < known(after)
        assert not read(sim, stream, state=second.state).records(stream)
