"""What holds for every stream, whatever its family: one full read, looked at stream by stream."""

import functools
from collections import Counter
from types import SimpleNamespace

import pytest
from airbyte_cdk.test.standard_tests._read_assertions import RecordFormatChecker, StrictIntegerDraft7Validator

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import config, read
from source_codat import SourceCodat
from unit_tests.support.catalogue import CATALOGUE, cursor_of

pytestmark = pytest.mark.xdist_group("families")  # one read for all

CUSTOM = {"custom_DynamicsPurchaseOrders": "companyId connectionId customDataIdentifier id"}
KEYS = {**{name: key for name, (_, key, _) in CATALOGUE.items()}, **CUSTOM}
INCREMENTAL = [name for name in CATALOGUE if cursor_of(name)]
PAGE_SIZE = 10
OPTIONS = {"custom_data_types": ["DynamicsPurchaseOrders"], "page_size": PAGE_SIZE}


@functools.cache
def everything():
    """A world of two companies, read once, and once more with the state."""
    with Simulator(companies=2, seed=11, records=12) as sim:
        sim.world.add_company(name="D", connections=({"source_type": "Accounting", "platform": "dyna"},))
        first = read(sim, *KEYS, **OPTIONS)
        pages = {(one.path, one.query.get("page")) for one in sim.requests}
        second = read(sim, *KEYS, state=first.state, **OPTIONS)
        with_schemas = SourceCodat().discover(None, config(sim, **OPTIONS))  # type: ignore[arg-type]  # unused there
    retrievers = {one.name: one.retriever for one in SourceCodat().streams(config(sim, **OPTIONS))}
    schemas = {one.name: one.json_schema for one in with_schemas.streams}
    companies = {one["id"] for one in first.records("companies")}
    return SimpleNamespace(
        first=first,
        second=second,
        schemas=schemas,
        companies=companies,
        pages=pages,
        retrievers=retrievers,
    )


@pytest.fixture(scope="module")
def world():
    return everything()


def test_a_full_read_of_all_streams_ends_well(world):
    assert (world.first.code, world.first.errors) == (0, [])
    assert (world.second.code, world.second.errors) == (0, [])


@pytest.mark.parametrize("stream", KEYS)
def test_every_stream_brings_rows_and_ends_complete(world, stream):
    assert world.first.records(stream)
    assert world.first.statuses(stream) == ["STARTED", "RUNNING", "COMPLETE"]
    assert world.first.stream_state(stream) is not None


@pytest.mark.parametrize("stream", KEYS)
def test_keys_are_top_level_scalar_never_null_and_unique(world, stream):
    keys = [tuple(one.get(part) for part in KEYS[stream].split()) for one in world.first.records(stream)]
    for key in keys:
        assert all(isinstance(part, (str, int, float)) and part != "" for part in key), key
    retriever = world.retrievers[stream]
    # A list of several pages is read twice where no Codat sync tells whether they changed meanwhile.
    rows = {
        (tuple(one.get(name) for name in retriever.scope), key)
        for one, key in zip(world.first.records(stream), keys, strict=True)
    }
    most = max(Counter(partition for partition, _ in rows).values())
    passes = 2 if retriever.has_pages and not retriever.data_types and most > PAGE_SIZE else 1
    assert max(Counter(keys).values()) <= passes, f"rows of {stream} came more than {passes} times"


@pytest.mark.parametrize("stream", KEYS)
def test_records_fit_their_schema_and_no_column_is_undeclared(world, stream):
    schema = world.schemas[stream]
    validator = StrictIntegerDraft7Validator(schema, format_checker=RecordFormatChecker())
    for record in world.first.records(stream):
        assert [error.message for error in validator.iter_errors(record)] == []
        assert set(record) <= set(schema["properties"])


@pytest.mark.parametrize("stream", KEYS)
def test_every_row_says_which_company_it_belongs_to(world, stream):
    if stream in {"companies", "integrations"}:
        return  # these are of the client
    assert {one["companyId"] for one in world.first.records(stream)} <= world.companies


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_an_incremental_stream_leaves_a_place_for_its_partitions(world, stream):
    state = world.first.stream_state(stream)
    assert state["states"]
    assert {"start_date", "filter"} <= set(state["fingerprint"])
    for one in state["states"]:
        assert one["partition"]["company_id"] in world.companies
        assert set(one["cursor"]) <= {cursor_of(stream), "syncId", "syncedAt", "lastSuccessfulSync"}
        assert one["cursor"]


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_second_read_of_an_unchanged_world_brings_ties_at_most(world, stream):
    first, second = world.first.records(stream), world.second.records(stream)
    dated = {"sync_history", "push_history", "lending_reports", "read_validation_results"}
    undoubted = {"reconciled_invoices", "categorized_bank_statement_transactions", *dated}
    if stream in undoubted:  # no sync to go by: what has the cursor's date comes again, or is unfinished
        assert len(second) <= len(first)
    else:
        assert second == []


def test_an_empty_company_and_one_that_was_never_synced_are_no_failure():
    with Simulator(companies=1, seed=3, records=5) as sim:
        for one in sim.world.companies:
            sim.world.remove_company(one["id"])
        sim.world.add_company(name="Bare", connections=())
        sim.world.add_company(name="New", connections=("Accounting", "Banking", "Commerce"), sync=False)
        said = read(sim, *CATALOGUE)
    assert (said.code, said.errors) == (0, [])
    assert not said.records("invoices")
    assert len(said.records("companies")) == 2


@pytest.mark.parametrize("stream", ["aged_debtors", "aged_creditors", "company_info", "profit_and_loss"])
def test_a_company_without_accounting_software_isnt_asked_for_what_only_that_can_hold(stream):
    with Simulator(companies=1, seed=3, records=5) as sim:
        [books] = [one["id"] for one in sim.world.companies]
        bank = sim.world.add_company(name="Bank only", connections=("Banking",))
        said = read(sim, stream)
    asked = [one.path for one in sim.requests if not one.path.endswith("/dataStatus")]
    assert (said.code, said.statuses(stream)[-1]) == (0, "COMPLETE")
    assert {one["companyId"] for one in said.records(stream)} == {books}
    assert not [path for path in asked if bank in path]
    assert any("1 without a connection that could hold this data" in line for line in said.logs)


@pytest.mark.parametrize("status", [403, 404, 409, 451])
@pytest.mark.parametrize("stream", ["invoices", "banking_transactions", "bill_attachments", "loan_summaries"])
def test_what_codat_refuses_for_one_company_is_skipped_with_a_warning_and_kept_in_state(stream, status):
    with Simulator(companies=2, seed=5, records=4) as sim:
        first = read(sim, stream)
        refused = sim.world.companies[0]["id"]
        sim.faults.add(Fault(path=f"/companies/{refused}/(?!dataStatus)", status=status, times=None))
        said = read(sim, stream, state=first.state, skip_unchanged=False)
    if status == 409 and stream == "bill_attachments":
        # Read whole, and dataStatus shows bills that Codat holds back: a part never replaces the whole.
        assert (said.code, said.statuses(stream)[-1]) == (1, "INCOMPLETE")
    else:
        assert (said.code, said.statuses(stream)[-1]) == (0, "COMPLETE")
    assert any(stream in line and refused in line for line in said.logs)
    if stream in INCREMENTAL:
        assert said.stream_state(stream) == first.stream_state(stream)
    assert refused not in {one["companyId"] for one in said.records(stream)}


@pytest.mark.parametrize("stream", ["invoices", "banking_transactions"])
def test_what_codat_holds_back_of_data_that_is_there_never_replaces_a_table(stream):
    with Simulator(companies=2, seed=5, records=4) as sim:
        refused = sim.world.companies[0]["id"]
        sim.faults.add(Fault(path=f"/companies/{refused}/(?!dataStatus)", status=409, times=None))
        said = read(sim, stream, mode="full_refresh")
    assert (said.code, said.statuses(stream)[-1]) == (1, "INCOMPLETE")
    assert said.errors[0]["failure_type"] != "transient_error"
    assert "holds back data that it has" in said.errors[0]["message"]
    assert "being synced:" not in said.errors[0]["message"]
