"""What date rows carry that are dated by the Codat sync that they were read from."""

from dataclasses import replace

import pytest

from source_codat.foundation import timestamps
from source_codat.trust import judge
from source_codat.trust.evidence import DataTypeStatus, Entry, Evidence, History, HistoryEntry, Look
from source_codat.trust.proof import PassEvidence, SyncLook, advanced, reached

NOW = timestamps.instant("2026-05-20T12:00:00Z") or 0
SUCCESS, SECOND = "2026-05-20T10:00:00.1234567", "2026-05-20T10:00:00Z"
EARLIER, LATER = "2026-05-19T10:00:00Z", "2026-05-20T11:00:00Z"


def at(date):
    return timestamps.instant(date)


def status(current="Complete", success=SUCCESS, latest="a", good="a"):
    return DataTypeStatus(success, current, latest, good)


def evidence(*statuses, now=NOW, history=None, by_month=False):
    types = {f"type{number}": one for number, one in enumerate(statuses)}
    needs = frozenset(types) if history else frozenset()
    look = Look({name: one for name, one in types.items() if one}, now, needs_history=needs, history=history)
    return Evidence(look, tuple(types), is_by_month=by_month)


def test_it_is_the_last_success_cut_to_the_second():
    """Codat gives such dates with all digits or with none: a later one that is cut mustn't seem earlier."""
    assert timestamps.iso(judge.synced_at(evidence(status()), None)) == "2026-05-20T10:00:00Z"


@pytest.mark.parametrize("current", ["Fetching", "Queued", "FetchError", "Cancelled"])
def test_whatever_came_after_the_last_success_it_is_that(current):
    assert judge.synced_at(evidence(status(current, latest="b")), None) == at(SECOND)


def test_of_several_data_types_it_is_the_one_that_is_longest_ago():
    assert judge.synced_at(evidence(status(), status(success=EARLIER)), None) == at(EARLIER)


UNDATED = {
    "not named": evidence(None),
    "one of two isn't named": evidence(status(), None),
    "in the future": evidence(status(success="2026-06-01T00:00:00Z")),
    "no date": evidence(status(success="yesterday")),
    "year one": evidence(status(success="0001-01-01T00:00:00")),
    "never synced well": evidence(status("Fetching", success=None, good=None)),
    "waits for the first time": evidence(status("Queued", success=None, good=None)),
}
DATED = {
    "no clock": evidence(status(), now=None),
    "unknown status": evidence(status("Thinking")),
    "another case": evidence(status("complete")),
    "no ids": evidence(status(latest=None, good=None)),
    "no history": evidence(status(), history=History(None, 0)),
    "an odd history": evidence(status(), history=History([HistoryEntry(dataType="type0")], 0)),
}
SURE_POINT = {"year one", "waits for the first time"}
DOUBT = {name: seen for name, seen in {**UNDATED, **DATED}.items() if name not in SURE_POINT}


@pytest.mark.parametrize("seen", UNDATED.values(), ids=UNDATED)
def test_without_a_date_that_can_be_used_it_is_that_of_the_state_or_one_that_means_none(seen):
    assert timestamps.iso(judge.synced_at(seen, None)) == "1970-01-01T00:00:00Z"
    assert judge.synced_at(seen, Entry(at(EARLIER), "x", EARLIER)) >= at(EARLIER)


@pytest.mark.parametrize("seen", DATED.values(), ids=DATED)
def test_in_doubt_of_anything_else_it_is_what_was_shown_so_that_no_row_seems_older_than_it_is(seen):
    """What an earlier read sent, and no state has noted, may carry that date already."""
    assert judge.synced_at(seen, None) == at(SECOND)
    assert judge.synced_at(seen, Entry(at(EARLIER), "x", EARLIER)) == at(SECOND)
    assert judge.synced_at(seen, Entry(at(LATER), "x", LATER)) == at(LATER)


@pytest.mark.parametrize("seen", DOUBT.values(), ids=DOUBT)
def test_in_doubt_the_cursor_stays_where_it_is(seen):
    entry = Entry(at(EARLIER), "x", EARLIER)
    date = judge.synced_at(seen, entry)
    look = SyncLook(judge.safe_point(seen).instant, judge.identity(seen))
    found = reached(a_pass(), [look], date)
    after = advanced(entry, cursor=found.cursor, read_from=found.read_from, now=NOW, is_read_whole=False)
    assert after is None or after.cursor == at(EARLIER)


def test_it_never_goes_back_and_what_another_codat_sync_brought_is_later():
    after = at("2026-05-20T11:00:00.000001Z")
    assert judge.synced_at(evidence(status()), Entry(at(LATER), "x", LATER)) == after
    assert judge.synced_at(evidence(status()), Entry(at(SUCCESS), "x", SUCCESS)) > at(SUCCESS)


def test_what_the_same_codat_sync_brought_has_the_same_date():
    for seen in (evidence(status()), evidence(status(), by_month=True)):
        entry = Entry(at(LATER), *(judge.identity(seen) or ()))
        assert judge.synced_at(seen, entry) == at(LATER)
    next_month = evidence(status(), now=at("2026-06-01T00:00:00Z"), by_month=True)
    assert judge.synced_at(next_month, entry) == at(LATER)


@pytest.mark.parametrize("current", ["Fetching", "FetchError"])
def test_while_another_codat_sync_runs_or_has_failed_it_stays(current):
    seen = evidence(status(current, latest="b"))
    assert judge.synced_at(seen, Entry(at(LATER), "x", LATER)) == at(LATER)


def test_a_date_of_the_state_that_no_clock_can_have_shown_is_not_believed(monkeypatch):
    monkeypatch.setattr(timestamps, "now", lambda: NOW)
    future = NOW + 2 * timestamps.TICKS_PER_DAY
    assert judge.synced_at(evidence(status()), Entry(future, "x", None)) == at(SECOND)


def test_a_clock_of_codats_that_is_wrong_for_once_dates_no_row_before_those_that_came(monkeypatch):
    monkeypatch.setattr(timestamps, "now", lambda: NOW)
    noted, days_ago = Entry(at(LATER), "x", LATER), NOW - 5 * timestamps.TICKS_PER_DAY
    assert judge.synced_at(evidence(status(), now=days_ago), noted) >= at(LATER)


def test_without_codats_clock_rows_are_no_older_than_what_a_read_has_sent_that_noted_nothing():
    sent = judge.synced_at(evidence(status(current="Thinking")), Entry(at(EARLIER), "x", EARLIER))
    assert judge.synced_at(evidence(status(), now=None), Entry(at(EARLIER), "x", EARLIER)) >= sent


def test_a_state_without_a_date_is_no_hindrance():
    assert judge.synced_at(evidence(status()), Entry(None, "x", SUCCESS)) == at(SECOND)


def a_pass(latest=None):
    return PassEvidence(1, 1, (1,), frozenset({1}), 1, latest=latest)


def test_the_cursor_is_what_the_rows_carry():
    """It says where the next rows' dates go on from, not up to where rows were read."""
    before = SyncLook(at(SECOND), None)
    assert reached(a_pass(), [before], at(LATER)).cursor == at(LATER)
    assert reached(a_pass(at(LATER)), [before]).cursor == at(SECOND)


def test_a_date_that_means_none_is_no_cursor():
    assert reached(a_pass(), [SyncLook(NOW, None)], judge.NEVER).cursor is None


def test_where_a_look_is_in_doubt_there_is_no_cursor():
    looks = [SyncLook(NOW, None), SyncLook(None, None)]
    assert reached(a_pass(), looks, at(SUCCESS)).cursor is None


def test_rows_that_go_by_the_calendar_are_unchanged_in_the_same_month_only():
    seen = evidence(status(), by_month=True)
    found = judge.identity(seen)
    assert found
    entry = Entry(at(SUCCESS), *found)
    next_month = evidence(status(), now=at("2026-06-01T00:00:00Z"), by_month=True)
    assert judge.is_unchanged(seen, entry)
    assert not judge.is_unchanged(next_month, entry)
    assert judge.is_unchanged(evidence(status(), now=at("2026-06-01T00:00:00Z")), Entry(None, "a", SUCCESS))


def test_the_month_does_not_hide_that_the_latest_success_was_read():
    found = judge.identity(evidence(status(), by_month=True))
    assert found
    entry = Entry(at(SUCCESS), *found)
    assert judge.is_latest_read(status(), "type0", ("type0",), entry)


def test_other_connections_are_other_rows_of_a_later_date():
    one, other = (replace(evidence(status(), by_month=True), links=links) for links in ("a", "b"))
    entry = Entry(at(SECOND), *(judge.identity(one) or ()))
    assert judge.is_unchanged(one, entry)
    assert not judge.is_unchanged(other, entry)
    assert judge.synced_at(one, entry) == at(SECOND)
    assert judge.synced_at(other, entry) == at("2026-05-20T10:00:00.000001Z")
    assert judge.is_latest_read(status(), "type0", ("type0",), entry)
