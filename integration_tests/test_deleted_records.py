"""What becomes of accounting records that were deleted at their source, by the option of that name."""

import logging

import pytest

from integration_tests.support.connector import by_key, config, read, touch
from source_codat import SourceCodat
from source_codat.streams.definition import DELETED_AT

KEY = ("companyId", "id")
ACCOUNTING = ["invoices", "direct_costs"]  # by company, and by connection


def delete(sim, company, record_id, data_type="invoices"):
    """Delete a record at its source, which the next Codat sync notes."""
    sim.world.sync(company, data_type, changes=lambda: sim.world.delete(company, data_type, record_id))


def is_deleted(record):
    return (record.get("metadata") or {}).get("isDeleted") is True


def live(sim, data_type="invoices"):
    """The keys of the records that are there at their source."""
    return {
        (company["id"], one["id"])
        for company in sim.world.companies
        for one in sim.world.records(data_type, company_id=company["id"])
        if not is_deleted(one)
    }


class Destination:
    """Follows Airbyte's rule: of a key the newest row by cursor stays, unless it says that it was deleted."""

    def __init__(self):
        self._rows = {}

    def write(self, said, stream="invoices"):
        for record in said.records(stream):
            key = tuple(record[name] for name in KEY)
            # Of two equal dates the later one wins, and no date is older than any.
            if record["modifiedDate"] is None or key not in self._rows:
                self._rows.setdefault(key, record)
            elif record["modifiedDate"] >= (self._rows[key]["modifiedDate"] or ""):
                self._rows[key] = record

    @property
    def live(self):
        return {key for key, record in self._rows.items() if record[DELETED_AT] is None}


def test_with_remove_a_deduplicating_destination_ends_with_the_live_records(sim):
    company = sim.world.companies[0]["id"]
    ids = [one["id"] for one in sim.world.records("invoices", company_id=company) if not is_deleted(one)]
    delete(sim, company, ids[0])
    destination, options = Destination(), {"deleted_records": "remove"}

    said = read(sim, "invoices", **options)
    destination.write(said)
    assert destination.live == live(sim)

    touch(sim, company, ids[1], note="changed")
    delete(sim, company, ids[2])
    said = read(sim, "invoices", state=said.state, **options)
    destination.write(said)
    assert destination.live == live(sim)
    assert (company, ids[2]) not in destination.live

    touch(sim, company, ids[2], metadata={"isDeleted": False})  # it is back
    said = read(sim, "invoices", state=said.state, **options)
    destination.write(said)
    assert destination.live == live(sim)
    assert (company, ids[2]) in destination.live


@pytest.mark.parametrize("stream", ACCOUNTING)
def test_with_remove_a_deleted_record_says_when_and_every_other_says_null(sim, stream):
    said = read(sim, stream, deleted_records="remove")
    records = said.records(stream)
    assert records
    for record in records:
        assert record[DELETED_AT] == (record["modifiedDate"] if is_deleted(record) else None)


@pytest.mark.parametrize("choice", ["keep", "leave_out"])
def test_without_remove_no_record_has_the_column(sim, choice):
    said = read(sim, *ACCOUNTING, deleted_records=choice)
    assert {DELETED_AT in record for name in ACCOUNTING for record in said.records(name)} == {False}


def test_leave_out_asks_for_what_is_not_true_and_the_others_for_everything(sim):
    queries = {}
    for choice in ("keep", "leave_out", "remove"):
        sim.clear_log()
        read(sim, "invoices", deleted_records=choice)
        asked = [one.query.get("query", "") for one in sim.requests if one.path.endswith("/data/invoices")]
        queries[choice] = set(asked)
    assert queries == {"keep": {""}, "leave_out": {"metadata.isDeleted!=true"}, "remove": {""}}


def test_discover_shows_the_column_of_the_accounting_streams_only_with_remove(sim):
    def with_column(**options):
        found = SourceCodat().discover(logging.getLogger(), config(sim, **options)).streams
        return {one.name for one in found if DELETED_AT in one.json_schema["properties"]}

    accounting = with_column(deleted_records="remove")
    assert accounting == {
        one.name for one in SourceCodat().streams(config(sim)) if one.retriever.marks_deleted
    }
    assert {"invoices", "direct_costs"} <= accounting
    assert not accounting & {"bank_account_transactions", "balance_sheet_lines", "banking_transactions"}
    assert with_column() == with_column(deleted_records="leave_out") == set()


@pytest.mark.parametrize("before", ["keep", "leave_out", "remove"])
@pytest.mark.parametrize("now", ["keep", "leave_out", "remove"])
def test_another_choice_reads_the_streams_again_from_the_start(sim, before, now):
    first = read(sim, "invoices", "banking_transactions", deleted_records=before)
    second = read(sim, "invoices", "banking_transactions", state=first.state, deleted_records=now)
    everything = read(sim, "invoices", deleted_records=now)
    expected = by_key(everything.records("invoices"), *KEY) if before != now else {}
    assert by_key(second.records("invoices"), *KEY) == expected
    assert not second.records("banking_transactions")


def test_the_old_name_of_the_option_is_an_unknown_key(sim):
    said = read(sim, "companies", include_deleted=False)
    assert any("'include_deleted'" in line and "'deleted_records'" in line for line in said.logs)
