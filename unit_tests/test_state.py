"""A state is written in one shape, and read from whatever wrote it."""

import uuid
from unittest import mock

import pytest
from airbyte_cdk.models import AirbyteStateMessageSerializer
from hypothesis import given
from hypothesis import strategies as st

from source_codat.config.settings import Settings
from source_codat.foundation import timestamps
from source_codat.run.output import line_of
from source_codat.state.store import SavedStates, StreamState, fingerprint
from source_codat.streams.definition import CodatRetriever
from source_codat.trust.evidence import Entry

KEY = "Jp2fEXAMPLEkey0000000000000000000000abcd"
DATE = "2024-05-01T10:22:43.6464237Z"
MAY = timestamps.instant(DATE) or 0
TEXT = st.text(min_size=1, max_size=20)


def options(**config):
    row = CodatRetriever(
        requester=mock.Mock(**{"get_request_params.return_value": {}}),
        name="invoices",
        path="/companies/{companyId}/data/invoices",
        records="results",
        marks_deleted=True,
        cursor_field="modifiedDate",
    )
    return fingerprint(row, Settings.from_config({"api_key": KEY, **config}))


def state(scope=("companyId",), **config):
    return StreamState("invoices", scope, "modifiedDate", options(**config))


def test_the_shape_of_a_state_is_the_one_that_was_decided():
    one = state(scope=("companyId", "connectionId"), start_date="2024-01-01")
    one.set(("c1", "k1"), Entry(MAY, "s1"))
    one.set(("c1", "k2"), Entry(None, "s2"))
    one.set(("c2", "k3"), Entry(MAY, None))
    assert one.blob() == {
        "states": [
            {
                "partition": {"company_id": "c1", "connection_id": "k1"},
                "cursor": {"modifiedDate": DATE, "syncId": "s1"},
            },
            {"partition": {"company_id": "c1", "connection_id": "k2"}, "cursor": {"syncId": "s2"}},
            {"partition": {"company_id": "c2", "connection_id": "k3"}, "cursor": {"modifiedDate": DATE}},
        ],
        "fingerprint": {"start_date": "2024-01-01", "deleted_records": "keep", "filter": None},
    }


@given(st.dictionaries(TEXT, st.tuples(st.none() | st.integers(0, MAY), st.none() | TEXT).filter(any)))
def test_what_was_written_is_read_again(entries):
    first = state()
    for company, (cursor, sync_id) in entries.items():
        first.set((company,), Entry(cursor, sync_id))
    message = AirbyteStateMessageSerializer.load(AirbyteStateMessageSerializer.dump(first.message(0).state))
    second = state()
    assert second.load(SavedStates([message]).of("invoices")) == ""
    assert second.entries == first.entries


@pytest.mark.parametrize(
    ("before", "now", "kept"),
    [
        ({}, {}, True),
        ({"start_date": "2024-01-01"}, {"start_date": "2024-06-01"}, True),
        ({}, {"start_date": "2024-06-01"}, True),
        ({"start_date": "2024-01-01"}, {"start_date": "2024-01-01T00:00:00Z"}, True),
        ({"start_date": "2024-06-01"}, {"start_date": "2024-01-01"}, False),
        ({"start_date": "2024-06-01"}, {}, False),
        ({"deleted_records": "leave_out"}, {}, False),
        ({}, {"deleted_records": "leave_out"}, False),
        ({}, {"deleted_records": "remove"}, False),
        ({"deleted_records": "remove"}, {"deleted_records": "keep"}, False),
        ({}, {"filters": [{"stream": "invoices", "query": "a=1"}]}, False),
        ({}, {"filters": [{"stream": "bills", "query": "a=1"}]}, True),
        ({"lookback_hours": 3, "page_size": 5}, {"skip_unchanged": False}, True),
    ],
)
def test_partitions_start_again_when_an_option_changes_what_is_read(before, now, kept):
    first = state(**before)
    first.set(("c1",), Entry(MAY, "s1"))
    second = state(**now)
    warning = second.load(first.blob())
    assert bool(second.entries) is kept
    assert bool(warning) is not kept


@pytest.mark.parametrize(
    "partition",
    [
        {"company_id": "c1"},
        {"companyId": "c1"},
        {"company_id": "c1", "extra": 3},
        {"id": "x", "parent_slice": {"company_id": "c1", "parent_slice": {}}},
    ],
)
def test_a_foreign_state_that_names_a_company_keeps_its_date_but_not_its_sync(partition):
    one = state()
    blob = {
        "use_global_cursor": False,
        "state": {"modifiedDate": "2030-01-01T00:00:00Z"},
        "lookback_window": 5,
        "states": [
            {"partition": partition, "cursor": {"modifiedDate": "2024-05-01T10:22:43.6464237", "syncId": "s"}}
        ],
    }
    assert one.load(blob) == ""
    assert one.entries == {("c1",): Entry(MAY, None)}


@pytest.mark.parametrize(
    "blob",
    [
        {"modifiedDate": "2024-01-01T00:00:00Z"},
        {"states": "none", "use_global_cursor": True, "state": {"modifiedDate": "2024-01-01"}},
        {"states": [{"partition": {"company_id": 5}, "cursor": {"modifiedDate": "2024-01-01"}}]},
        {"states": [{"partition": {"company_id": "c1"}, "cursor": {"modifiedDate": "soon"}}]},
        {"states": [{"partition": {"company_id": "c1"}, "cursor": []}, None, 5, {"cursor": {}}]},
        {"states": [{"partition": "c1", "cursor": {"modifiedDate": "2024-01-01"}}]},
    ],
)
def test_what_cannot_be_used_of_a_state_is_read_from_the_start_and_said_so(blob):
    one = state()
    assert "from the start" in one.load(blob) or not one.entries
    assert one.entries == {}


def test_a_connection_stream_needs_both_ids():
    one = state(scope=("companyId", "connectionId"))
    states = [{"partition": {"company_id": "c1"}, "cursor": {"modifiedDate": "2024-01-01T00:00:00Z"}}]
    assert one.load({"states": states})
    assert one.entries == {}


def test_a_stream_that_was_read_in_full_before_starts_without_a_word():
    one = state()
    assert one.load({"__ab_no_cursor_state_message": True}) == ""


def test_a_state_is_due_when_ten_times_its_bytes_were_written():
    one = state()
    one.set(("c1",), Entry(MAY, "s1"))
    assert not one.is_due
    one.count_written(1_000_000)
    assert one.is_due
    one.message(3)
    assert not one.is_due
    one.count_written(1_000_000)
    assert not one.is_due, "it would say the same again"
    one.message(0)
    for number in range(1000):
        one.set((f"c{number}",), Entry(MAY, "s1"))
    size = len(str(one.blob()))
    one.count_written(9 * size // 2)
    assert not one.is_due


def test_a_state_is_due_after_five_minutes(mocker):
    clock = mocker.patch("source_codat.state.store.time.monotonic", return_value=1000.0)
    one = StreamState("invoices", ("companyId",), "modifiedDate", options())
    one.set(("c1",), Entry(MAY, None))
    assert not one.is_due
    clock.return_value = 1301.0
    assert one.is_due


def test_a_large_state_waits_for_half_an_hour(mocker):
    clock = mocker.patch("source_codat.state.store.time.monotonic", return_value=1000.0)
    one = StreamState("invoices", ("companyId",), "modifiedDate", options())
    for number in range(1000):
        one.set((f"c{number}",), Entry(MAY, None))
    clock.return_value = 2799.0
    assert not one.is_due
    clock.return_value = 2801.0
    assert one.is_due


def test_the_size_of_a_state_is_known_without_writing_it():
    one = state(scope=("companyId", "connectionId"))
    ids = [str(uuid.UUID(int=number)) for number in range(1000)]
    for company_id in ids:
        one.set((company_id, company_id[::-1]), Entry(MAY, company_id, "2026-11-28T10:22:43Z"))
    written = len(line_of(one.message(0)))
    assert one.size == pytest.approx(written, rel=0.1)
    for company_id in ids[:500]:
        one.forget_company(company_id)
    assert one.size == pytest.approx(written / 2, rel=0.1)


def test_a_company_that_is_gone_loses_its_state_alone():
    one = state(scope=("companyId", "connectionId"))
    for key in (("c1", "k1"), ("c1", "k2"), ("c2", "k3")):
        one.set(key, Entry(MAY, None))
    one.forget_company("c1")
    assert list(one.entries) == [("c2", "k3")]


def test_what_is_dropped_is_read_from_the_beginning_and_no_longer_written():
    one = state(scope=("companyId", "connectionId"))
    for key in (("c1", "k1"), ("c1", "k2")):
        one.set(key, Entry(MAY, "s1", DATE))
    one.drop(("c1", "k1"))
    one.drop(("c1", "k1"))
    assert one.keys_of("c1") == list(one.entries) == [("c1", "k2")]
    alone = state(scope=("companyId", "connectionId"))
    alone.set(("c1", "k2"), Entry(MAY, "s1", DATE))
    assert (one.blob(), one.size) == (alone.blob(), alone.size)


def test_rows_dated_by_their_codat_sync_keep_their_dates_when_options_change_and_nothing_else():
    saved = state(start_date="2024-01-01")
    saved.set(("c1",), Entry(MAY, "s1", DATE))
    saved.set(("c2",), Entry(None, "s2", DATE))
    again = StreamState("invoices", ("companyId",), "modifiedDate", options(), keeps_dates=True)
    assert "have changed since the last read" in again.load(saved.blob())
    assert again.entries == {("c1",): Entry(MAY)}
    assert again.starts_again
    other = state()
    assert "have changed since the last read" in other.load(saved.blob())
    assert other.entries == {}
