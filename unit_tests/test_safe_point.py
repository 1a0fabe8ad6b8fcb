"""How far a cursor may go, by what dataStatus and the sync history say."""

import pytest

from source_codat.companies.company import DataTypeStatus, StatusReport, SyncEntry
from source_codat.companies.context import DataTypeView
from source_codat.foundation.timestamps import instant
from source_codat.trust.entry import Entry
from source_codat.trust.proof import PassEvidence, SyncLook, reached

NOON = instant("2026-01-02T12:00:00Z") or 0
AN_HOUR_AGO = instant("2026-01-02T11:00:00Z") or 0
BEFORE = "2026-01-02T10:00:00.9999999Z"


def view(status="Complete", *, history=(), shared=False, types=("invoices",)):
    """What is known at noon of data types that were last synced at ten."""
    known = DataTypeStatus(
        lastSuccessfulSync=BEFORE, currentStatus=status, latestSyncId="S", latestSuccessfulSyncId="S"
    )
    report = StatusReport(dict.fromkeys(types, known), NOON, 0.0, b"", history)
    return DataTypeView(report, tuple(types), "one" if shared else None, shared)


def entry(status, requested=BEFORE, sync="S"):
    return SyncEntry(id=sync, connectionId="one", dataType="invoices", status=status, requested=requested)


def finished(before, after):
    """What is noted of a pass whose latest row is an hour old."""
    seen = PassEvidence(
        rows=1, distinct=1, fingerprint=(1, 1), totals=frozenset({1}), pages=1, latest=AN_HOUR_AGO
    )
    return reached(seen, [SyncLook(one.safe_point, one.sync_id) for one in (before, after) if one])


def test_without_a_safe_point_before_or_after_the_cursor_stays():
    sure, unsure = view(), view(history=None, shared=True)
    assert unsure.safe_point is None
    assert finished(sure, sure).cursor == AN_HOUR_AGO
    assert finished(sure, None).cursor == AN_HOUR_AGO
    for before, after in ((unsure, sure), (sure, unsure), (unsure, None)):
        assert finished(before, after).cursor is None


@pytest.mark.parametrize("status", ["Fetching", "Mapping", "Processing", "FetchError", "AuthError"])
def test_the_cursor_stays_at_the_last_successful_sync_where_another_is_not_known_to_have_ended_well(status):
    # Cut to the second, as the stamps of its rows may be.
    assert finished(view(status), None).cursor == instant("2026-01-02T10:00:00Z")


@pytest.mark.parametrize("status", ["Complete", "Queued", "Initial"])
def test_a_sync_that_has_not_begun_to_write_holds_nothing_up(status):
    assert finished(view(status), None).cursor == AN_HOUR_AGO


def test_nothing_is_unchanged_while_a_sync_runs_or_may_run():
    read = Entry(AN_HOUR_AGO, "S")
    assert view().unchanged_since(read)
    assert view(shared=True, history=[entry("Complete")]).unchanged_since(read)
    doubts = [
        view("Processing"),
        view("FetchError"),
        view("Processing", shared=True, history=[entry("Complete")]),
        view(shared=True, history=[entry("Processing", sync="T")]),
        view(shared=True, history=[entry("Complete", "2026-01-02T11:30:00Z", sync="T")]),
        view(shared=True, history=None),
        view(shared=True, types=("invoices", "bills")),
    ]
    assert not any(doubt.unchanged_since(read) for doubt in doubts)
