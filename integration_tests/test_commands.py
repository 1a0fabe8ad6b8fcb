"""spec, check, discover and read, as a user runs them."""

import json
import logging
from pathlib import Path

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

from integration_tests.support.connector import REPO, catalog, config, read, selected
from source_codat import SourceCodat
from unit_tests.support.catalogue import CATALOGUE, cursor_of, key_of

STREAMS = {
    "companies": ["id"],
    "connections": ["id"],
    "data_status": ["companyId", "dataType"],
    "accounts": ["companyId", "id"],
    "customers": ["companyId", "id"],
    "suppliers": ["companyId", "id"],
    "items": ["companyId", "id"],
    "invoices": ["companyId", "id"],
    "bills": ["companyId", "id"],
    "payments": ["companyId", "id"],
    "bank_accounts": ["companyId", "connectionId", "id"],
    "banking_transactions": ["companyId", "connectionId", "id"],
    "commerce_orders": ["companyId", "connectionId", "id"],
    "company_info": ["companyId"],
    "balance_sheets": ["companyId", "periodLength", "date"],
    "profit_and_loss": ["companyId", "periodLength", "fromDate", "toDate"],
}
DATASETS = {
    "accounts": "chartOfAccounts",
    "customers": "customers",
    "suppliers": "suppliers",
    "items": "items",
    "invoices": "invoices",
    "bills": "bills",
    "payments": "payments",
    "bank_accounts": "bankAccounts",
    "banking_transactions": "banking-transactions",
    "commerce_orders": "commerce-orders",
}


def test_spec_is_the_file_in_the_package(script, tmp_path):
    said = script.run("spec", tmp_path)
    written = json.loads(Path(REPO / "source_codat" / "spec.json").read_text())
    assert said.code == 0
    assert said.of("SPEC")[0]["connectionSpecification"] == written["connectionSpecification"]


def test_check_succeeds_with_two_requests_at_most(sim, script, tmp_path):
    said = script.run("check", tmp_path, config=config(sim))
    assert (said.code, said.status) == (0, {"status": "SUCCEEDED"})
    assert len(sim.requests) <= 2


def test_discover_matches_codats_catalogue_stream_by_stream(sim, script, tmp_path):
    said = script.run("discover", tmp_path, config=config(sim))
    found = {one["name"]: one for one in said.of("CATALOG")[0]["streams"]}
    assert found.pop("read_outcomes")["supported_sync_modes"] == ["full_refresh", "incremental"]
    assert set(found) == set(CATALOGUE)
    for name, one in found.items():
        cursor = cursor_of(name)
        assert [part for (part,) in one["source_defined_primary_key"]] == key_of(name)
        assert one["supported_sync_modes"] == ["full_refresh", "incremental"][: 2 if cursor else 1]
        assert one.get("default_cursor_field") == ([cursor] if cursor else None)
        # A second attempt of a full refresh would bring again what the first one brought.
        assert one["is_resumable"] is False
        assert "$ref" not in json.dumps(one["json_schema"])
    assert not sim.requests


def test_read_brings_every_record_the_simulator_has(sim, script, tmp_path):
    said = script.run("read", tmp_path, config=config(sim), catalog=catalog(*STREAMS))
    assert (said.code, said.unparsed, said.errors) == (0, [], [])
    for stream, data_type in DATASETS.items():
        expected = [
            {**record, "companyId": company["id"]}
            for company in sim.world.companies
            for record in sim.world.records(data_type, company_id=company["id"])
        ]
        got = said.records(stream)
        assert len(got) == len(expected) > 0, stream
        plain = [{key: value for key, value in one.items() if key != "connectionId"} for one in got]
        assert sorted(map(_text, plain)) == sorted(
            _text({key: value for key, value in one.items() if key != "connectionId"}) for one in expected
        ), stream
    assert {one["id"] for one in said.records("companies")} == {one["id"] for one in sim.world.companies}


def _text(record):
    return json.dumps(record, sort_keys=True)


@pytest.mark.parametrize("stream", STREAMS)
def test_keys_are_unique_top_level_and_never_null(sim, stream):
    records = read(sim, stream).records(stream)
    keys = [tuple(record[name] for name in STREAMS[stream]) for record in records]
    assert keys, stream
    assert len(set(keys)) == len(keys)
    assert all(isinstance(part, (str, int)) for key in keys for part in key)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_says_started_running_complete_and_leaves_a_state_with_counts(sim, stream):
    said = read(sim, stream)
    assert said.statuses(stream) == ["STARTED", "RUNNING", "COMPLETE"]
    states = [one for one in said.of("STATE") if one["stream"]["stream_descriptor"]["name"] == stream]
    assert states
    assert sum(one["sourceStats"]["recordCount"] for one in states) == len(said.records(stream))


def test_rows_as_messages_equal_rows_as_lines(sim):
    lines = read(sim, *STREAMS)
    source = SourceCodat(config=config(sim))
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog(*STREAMS))
    messages = [
        one.record
        for one in source.read(logging.getLogger("airbyte"), config(sim), configured, [])
        if one.record
    ]
    for stream in STREAMS:
        if stream != "data_status":  # tells the time of the last sync as it is asked
            said = sorted(_text(one.data) for one in messages if one.stream == stream)
            assert said == sorted(map(_text, lines.records(stream))), stream


def test_pages_of_any_size_bring_the_same_records(sim):
    whole = {one["id"] for one in read(sim, "invoices").records("invoices")}
    for size in (1, 7, 39, 40, 41):
        assert {one["id"] for one in read(sim, "invoices", page_size=size).records("invoices")} == whole


def test_statements_carry_their_period_length_and_currency(sim):
    said = read(sim, "balance_sheets", "profit_and_loss", report_period_months=3, report_periods=4)
    for stream in ("balance_sheets", "profit_and_loss"):
        assert {one["periodLength"] for one in said.records(stream)} == {3}
        assert all(one["currency"] for one in said.records(stream))


def test_only_the_selected_companies_are_read(sim):
    first, second, _ = (one["id"] for one in sim.world.companies)
    said = read(sim, "companies", "invoices", **selected(first.upper(), second))
    assert {one["id"] for one in said.records("companies")} == {first, second}
    assert {one["companyId"] for one in said.records("invoices")} == {first, second}


def test_companies_are_selected_by_codats_tags_language(sim):
    added = sim.world.add_company(name="Tagged", tags={"region": "uk", "tier": "gold"})
    said = read(sim, "companies", companies={"selection": "tags", "tags_query": "region=uk && tier!=trial"})
    assert added in {one["id"] for one in said.records("companies")}
    assert all(one["tags"]["region"] == "uk" for one in said.records("companies"))


def test_a_filter_is_added_to_what_is_asked(sim):
    filters = [{"stream": "invoices", "query": "status=Paid||status=Void"}]
    said = read(sim, "invoices", "bills", filters=filters, start_date="2001-01-01")
    assert {one["status"] for one in said.records("invoices")} <= {"Paid", "Void"}
    assert len(said.records("bills")) == len(sim.world.records("bills"))


def test_deleted_records_come_marked_or_not_at_all(sim):
    company = sim.world.companies[0]["id"]
    victim = sim.world.records("invoices", company_id=company)[0]["id"]
    sim.world.delete(company, "invoices", victim)
    everything = read(sim, "invoices").records("invoices")
    assert any(one["id"] == victim and one["metadata"]["isDeleted"] for one in everything)
    rest = read(sim, "invoices", deleted_records="leave_out").records("invoices")
    assert not any((one.get("metadata") or {}).get("isDeleted") for one in rest)
    assert len(rest) == sum(not (one.get("metadata") or {}).get("isDeleted") for one in everything)


def test_connections_that_cannot_sync_any_more_are_read_and_pending_ones_are_not(sim):
    company = sim.world.add_company(name="Four", connections=("Banking",))
    for status in ("Unlinked", "Deauthorized", "PendingAuth"):
        sim.world.set_connection_status(company, sim.world.add_connection(company, "Banking"), status)
    statuses = {
        one["id"]: one["status"]
        for known in sim.world.companies
        if known["id"] == company
        for one in known["dataConnections"]
    }
    said = read(sim, "banking_transactions", **selected(company))
    asked = {one.connection_id for one in sim.requests if one.path.endswith("banking-transactions")}
    assert {statuses[one] for one in asked} <= {"Linked", "Unlinked", "Deauthorized"}
    assert len(asked) == 3
    assert said.code == 0
