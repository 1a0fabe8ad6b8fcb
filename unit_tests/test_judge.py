"""What may be believed of Codat's syncs: the judge's verdicts, by what dataStatus and the history say."""

from dataclasses import replace

import pytest

from source_codat.foundation import timestamps
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.foundation.timestamps import TICKS_PER_SECOND, instant
from source_codat.trust import judge
from source_codat.trust.evidence import DataTypeStatus, Entry, Evidence, History, HistoryEntry, Look
from source_codat.trust.judge import Change, Doubt, Identity
from source_codat.trust.refusals import Conflict, is_sure_conflict, meaning_of_conflict, ruled_out

NOON = instant("2026-01-02T12:00:00Z") or 0
TEN = "2026-01-02T10:00:00.9999999Z"
TEN_CUT = instant("2026-01-02T10:00:00Z")
NINE = "2026-01-02T09:00:00Z"
SINCE = instant("2026-01-01T00:00:00Z") or 0
GOOD = DataTypeStatus(TEN, "Complete", "S", "S")
RUNNING = [
    "Fetching",
    "MapQueued",
    "Mapping",
    "ValidationQueued",
    "Validating",
    "ProcessingQueued",
    "Processing",
]
FAILED = ["FetchError", "MapError", "ValidationError", "ProcessingError", "InternalError", "AuthError",
          "RateLimitError", "PermissionsError", "PrerequisiteNotMet", "Cancelled"]  # fmt: skip
ODD = ["complete", "COMPLETE", "Complete ", "Done", "Paused", "", None, "5"]


def one(status="Complete", requested=NINE, sync="S", connection="mine", data_type="invoices", completed=None):
    return HistoryEntry(sync, connection, data_type, status, requested, completed)


def single(status=GOOD, *, types=("invoices",), now=NOON, connection=None):
    """Evidence where one connection holds the data types."""
    return Evidence(Look(dict.fromkeys(types, status), now), tuple(types), connection)


def several(*entries, status=GOOD, connection=None, since=SINCE, now=NOON):
    """Evidence where several connections may hold the data type."""
    history = History(entries, since)
    look = Look({"invoices": status}, now, needs_history=frozenset({"invoices"}), history=history)
    return Evidence(look, ("invoices",), connection)


def unanswered():
    """The history was needed and didn't answer."""
    found = several(one())
    return replace(found, look=replace(found.look, history=History(None, SINCE)))


# --- may rows still appear? -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Complete", "Queued", "Initial"])
def test_what_has_ended_well_or_waits_holds_everything_that_was_stamped_before_codat_answered(status):
    known = GOOD if status == "Complete" else GOOD._replace(currentStatus=status, latestSyncId="T")
    assert judge.safe_point(single(known)) == (NOON, None)


@pytest.mark.parametrize("status", [*RUNNING, *FAILED])
def test_what_runs_or_has_failed_holds_everything_that_was_stamped_before_the_last_success(status):
    # Cut to the second, as the stamps of its rows may be.
    known = GOOD._replace(currentStatus=status, latestSyncId="T")
    assert judge.safe_point(single(known)) == (TEN_CUT, None)


@pytest.mark.parametrize("status", ODD)
def test_a_status_that_is_not_known_is_doubt_wherever_it_stands(status):
    assert judge.safe_point(single(GOOD._replace(currentStatus=status))).doubt is Doubt.STATUS
    assert judge.safe_point(several(one(status), one(sync="S2"))).doubt is Doubt.HISTORY_ENTRY
    assert judge.identity(single(GOOD._replace(currentStatus=status))) is None
    assert judge.change_between(single(), single(GOOD._replace(currentStatus=status))) is Change.DOUBT
    assert judge.change_between(several(one()), several(one(status))) is Change.DOUBT


@pytest.mark.parametrize(
    "date", ["", "soon", "2026-13-01T00:00:00Z", "2026-01-02T12:00:02Z", "9999-12-31T23:59:59-10:00"]
)
def test_a_date_that_cannot_be_read_or_is_later_than_codats_clock_is_doubt(date):
    assert judge.safe_point(single(GOOD._replace(lastSuccessfulSync=date))).instant is None
    assert judge.safe_point(several(one(requested=date))).doubt is Doubt.HISTORY_ENTRY


@pytest.mark.parametrize("field", ["latestSyncId", "latestSuccessfulSyncId", "lastSuccessfulSync"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_id_or_date_is_doubt(field, value):
    known = GOOD._replace(**{field: value})
    assert judge.safe_point(single(known)).instant is None
    assert judge.identity(single(known)) is None


def test_a_complete_sync_that_is_not_the_latest_successful_one_is_doubt_where_one_connection_holds_the_data():
    assert judge.safe_point(single(GOOD._replace(latestSyncId="T"))).doubt is Doubt.DISAGREE
    assert judge.safe_point(several(one(), status=GOOD._replace(latestSyncId="T"))).doubt is None


def test_nothing_is_sure_without_codats_clock_or_where_data_status_does_not_name_the_type():
    assert judge.safe_point(single(now=None)).doubt is Doubt.NO_CLOCK
    assert judge.safe_point(Evidence(Look({}, NOON), ("invoices",))).doubt is Doubt.NOT_NAMED
    assert judge.safe_point(Evidence(Look({"Invoices": GOOD}, NOON), ("invoices",))).doubt is Doubt.NOT_NAMED


def test_a_first_sync_that_runs_has_no_safe_point_and_nobody_is_told():
    known = DataTypeStatus(None, "Fetching", "T", None)
    point = judge.safe_point(single(known))
    assert point == (None, Doubt.SYNCING)
    assert Doubt.SYNCING in judge.PASSING


def test_of_several_data_types_the_least_sure_decides():
    look = Look({"a": GOOD, "b": GOOD._replace(currentStatus="Fetching")}, NOON)
    assert judge.safe_point(Evidence(look, ("a", "b"))).instant == TEN_CUT
    look = Look({"a": GOOD, "b": GOOD._replace(currentStatus="Odd")}, NOON)
    assert judge.safe_point(Evidence(look, ("a", "b"))).instant is None


def test_the_safe_point_is_not_after_any_sync_of_the_history_that_runs_was_requested():
    entries = [
        one(),
        one("Processing", "2026-01-02T11:00:00.9Z", "T"),
        one("Fetching", "2026-01-02T11:30:00Z", "U"),
    ]
    assert judge.safe_point(several(*entries)).instant == instant("2026-01-02T11:00:00Z")
    own = several(one(), one("Fetching", "2026-01-02T11:00:00Z", "T", "other"), connection="mine")
    assert judge.safe_point(own).instant == NOON


def test_a_sync_that_a_history_asked_for_another_data_type_shows_running_counts():
    running = one("Fetching", "2026-01-02T11:00:00Z", "T")
    history = History((running,), SINCE)
    look = Look({"invoices": GOOD}, NOON, needs_history=frozenset({"bills"}), history=history)
    found = Evidence(look, ("invoices",))
    assert judge.safe_point(found).instant == instant("2026-01-02T11:00:00Z")
    assert judge.identity(found) is None
    assert judge.change_between(found, found) is Change.SOMETHING
    undated = replace(look, history=replace(history, entries=(running._replace(requested=None),)))
    assert judge.safe_point(found.at(undated)).instant is None


def test_a_running_sync_whose_connection_is_not_named_may_be_the_partitions_own():
    found = several(one(), one("Fetching", "2026-01-02T11:00:00Z", "T", None), connection="mine")
    assert judge.safe_point(found).instant is None


@pytest.mark.parametrize(
    "odd",
    [
        one(sync=None), one(sync=""), one(connection=None), one(data_type=None), one(data_type="Invoices"),
        one(data_type="invoices "), one(requested=None), HistoryEntry(),
    ],
)  # fmt: skip
def test_an_entry_of_the_history_that_lacks_something_is_doubt(odd):
    found = several(one(), odd)
    assert judge.safe_point(found).doubt is Doubt.HISTORY_ENTRY
    assert judge.identity(found) is None


def test_an_entry_of_another_data_type_is_nobodys_doubt():
    assert judge.safe_point(several(one(), one("Odd", data_type="bills"))).instant == NOON


def test_a_history_that_does_not_answer_is_doubt():
    assert judge.safe_point(unanswered()).doubt is Doubt.HISTORY
    assert judge.identity(unanswered()) is None
    assert judge.change_between(unanswered(), unanswered()) is Change.DOUBT


def test_a_success_that_the_history_does_not_know_is_doubt():
    assert judge.safe_point(several()).doubt is Doubt.DISAGREE
    assert judge.safe_point(several(one(sync="R"))).doubt is Doubt.DISAGREE
    assert judge.safe_point(several(one("Fetching"))).doubt is Doubt.DISAGREE
    before_it_was_asked = several(since=(instant(TEN) or 0) + TICKS_PER_SECOND)
    assert judge.safe_point(before_it_was_asked).instant == NOON


def test_a_success_that_is_later_than_the_history_says_of_the_same_sync_is_doubt():
    assert judge.safe_point(several(one(completed="2026-01-02T09:30:00Z"))).doubt is Doubt.DISAGREE
    assert judge.safe_point(several(one(completed="2026-01-02T10:00:00Z"))).doubt is None  # cut to the second


@pytest.mark.parametrize("status", ["Queued", "Fetching"])
def test_what_is_under_way_by_data_status_has_to_be_in_the_history(status):
    known = GOOD._replace(currentStatus=status, latestSyncId="T")
    assert judge.safe_point(several(one(), status=known)).doubt is Doubt.DISAGREE
    there = several(one(), one(status, "2026-01-02T11:00:00Z", "T"), status=known)
    assert judge.safe_point(there).instant == (NOON if status == "Queued" else TEN_CUT)


# --- does the history have to be asked? -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (GOOD, False),
        (GOOD._replace(lastSuccessfulSync="2026-01-02T11:00:00Z"), True),  # as old as the list
        (GOOD._replace(lastSuccessfulSync="odd"), True),
        (GOOD._replace(currentStatus="Queued"), True),
        (GOOD._replace(currentStatus="Fetching"), True),  # the last success may be another connection's
        (GOOD._replace(currentStatus="FetchError"), True),
        (DataTypeStatus(None, "Fetching", "T"), True),
        (DataTypeStatus(None, "Queued", "T"), True),
        (DataTypeStatus(None, "FetchError", "T"), False),
        (DataTypeStatus(), False),
        (None, False),
    ],
)
def test_the_history_is_asked_where_a_connection_linked_since_may_hide(status, asked):
    listed = instant("2026-01-02T11:00:00Z")
    assert judge.needs_history(status, listed, several=False, now=NOON) is asked
    if status and status.has_data:
        assert judge.needs_history(status, listed, several=True, now=NOON)
        assert judge.needs_history(status, None, several=False, now=NOON)


# --- did anything change? -------------------------------------------------------------------------------


def test_nothing_changed_between_two_equal_looks_at_which_nothing_runs():
    for found in (single(), several(one()), single(GOOD._replace(currentStatus="AuthError"))):
        assert judge.change_between(found, found) is Change.NOTHING


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (single(), single(GOOD._replace(latestSyncId="T", latestSuccessfulSyncId="T"))),
        (
            single(),
            single(GOOD._replace(lastSuccessfulSync="2026-01-02T11:00:00Z")),
        ),  # the same id, another date
        (single(), single(GOOD._replace(currentStatus="Queued"))),
        (single(), single(GOOD._replace(currentStatus="Mapping"))),
        (several(one()), several(one(), one("Queued", sync="T"))),
        (several(one()), several(one(), one("Fetching", sync="T"))),
        (several(one(), one("Fetching", sync="T")), several(one(), one("Fetching", sync="T"))),
    ],
)
def test_something_changed_where_anything_was_synced_or_runs(before, after):
    assert judge.change_between(before, after) is Change.SOMETHING


def test_looks_that_were_asked_differently_are_doubt():
    assert judge.change_between(single(), several(one())) is Change.DOUBT


# --- which sync, and may it be skipped? -----------------------------------------------------------------

READ = Entry(NOON, "S", TEN)


def test_a_date_with_an_offset_is_one_date_of_one_data_type():
    offset = GOOD._replace(lastSuccessfulSync="2026-01-02T10:00:00+00:00")
    found = judge.identity(single(offset, types=("a", "b")))
    assert found is not None
    assert judge.is_unchanged(single(offset, types=("a", "b")), Entry(None, *found))


def test_a_success_before_codat_was_is_doubt():
    year_one = GOOD._replace(lastSuccessfulSync="0001-01-01T00:00:00Z")
    assert judge.safe_point(single(year_one)) == judge.SafePoint(None, judge.Doubt.DATES)
    assert judge.identity(single(year_one)) is None


def test_what_was_read_from_the_success_that_is_shown_is_unchanged():
    assert judge.identity(single()) == Identity("S", TEN)
    assert judge.is_unchanged(single(), READ)
    assert judge.is_unchanged(several(one()), READ)
    assert judge.is_unchanged(single(GOOD._replace(currentStatus="Queued", latestSyncId="T")), READ)
    assert judge.is_unchanged(single(types=("a", "b")), Entry(None, "S|S", f"{TEN}|{TEN}"))


@pytest.mark.parametrize(
    ("evidence", "entry"),
    [
        (single(), None),
        (single(), Entry(NOON)),
        (single(), Entry(NOON, "S")),  # without the date, another success of the same id can't be told apart
        (single(), Entry(NOON, "R", TEN)),
        (single(GOOD._replace(lastSuccessfulSync="2026-01-02T11:00:00Z")), READ),
        (single(), READ._replace(sync_id="part:S")),
        (single(GOOD._replace(currentStatus="Processing")), READ),
        (single(GOOD._replace(currentStatus="FetchError")), READ),
        (single(types=("a", "b")), READ),
        (single(now=None), READ),
        (unanswered(), READ),
        (several(one(), one("Processing", sync="T")), READ),
        (several(one(), one("FetchError", "2026-01-02T11:00:00Z", "T")), READ),
        (several(one(), one("Queued", sync="T"), connection="mine"), READ),
    ],
)
def test_in_doubt_nothing_is_unchanged(evidence, entry):
    assert not judge.is_unchanged(evidence, entry)


NEW = DataTypeStatus("2026-01-02T11:00:00Z", "Complete", "T", "T")
OTHERS = one(requested="2026-01-02T10:30:00Z", sync="T", connection="other")


def test_what_other_connections_brought_changes_nothing_of_ones_own():
    assert judge.is_unchanged(several(one(), OTHERS, status=NEW, connection="mine"), READ)
    assert not judge.is_unchanged(several(one(), OTHERS, status=NEW), READ)  # the whole company's did


@pytest.mark.parametrize(
    "entries",
    [
        [one()],  # the history doesn't know the new success
        [one(), OTHERS, one(requested="2026-01-02T10:10:00Z", sync="U")],  # one's own after the read
        [one(), OTHERS, one(requested="2026-01-02T10:00:00Z", sync="U")],  # or in the same second
        [one(), OTHERS._replace(connectionId="MINE")],
        [one(), OTHERS._replace(status="Fetching")],
        [one(), OTHERS, one(requested="2026-01-02", sync="U")],  # a day stands for the whole day
    ],
)
def test_a_new_success_that_others_do_not_explain_is_a_change(entries):
    assert not judge.is_unchanged(several(*entries, status=NEW, connection="mine"), READ)


def test_a_note_that_there_was_nothing_is_no_read_that_others_could_explain():
    # Its connection's sync ran already when the note was made, and has brought something since.
    noted = Entry(None, "none:0123456789abcdef", TEN)
    own = one(requested="2026-01-02T09:30:00Z", sync="U")
    assert not judge.is_unchanged(several(own, OTHERS, status=NEW, connection="mine"), noted)


def test_what_was_read_before_the_history_was_asked_from_is_not_explained_by_it():
    found = several(one(), OTHERS, status=NEW, connection="mine", since=instant("2026-01-02T10:00:01Z"))
    assert not judge.is_unchanged(found, READ)


def test_a_cursor_later_than_codats_clock_is_no_safe_reads():
    assert judge.is_in_future(NOON + 2 * TICKS_PER_SECOND, NOON)
    assert not judge.is_in_future(NOON + TICKS_PER_SECOND, NOON)
    assert not judge.is_in_future(None, NOON)


def test_without_codats_clock_a_cursor_is_held_against_this_machines(monkeypatch):
    monkeypatch.setattr(timestamps, "now", lambda: NOON)
    minutes = 300 * TICKS_PER_SECOND
    assert judge.is_in_future(NOON + minutes + 1, None)
    assert not judge.is_in_future(NOON + minutes, None)
    assert not judge.is_in_future(None, None)


# --- what does a refusal mean? --------------------------------------------------------------------------


def test_409_on_data_that_is_there_means_a_sync_or_that_it_is_held_back():
    running = single(GOOD._replace(currentStatus="Fetching"))
    assert meaning_of_conflict(single(), running, READ) is Conflict.SYNCING
    assert meaning_of_conflict(single(), None, READ) is Conflict.SYNCING
    assert meaning_of_conflict(single(), single(GOOD._replace(currentStatus="Odd")), READ) is Conflict.SYNCING
    assert meaning_of_conflict(single(), single(), READ) is Conflict.WITHHELD
    assert meaning_of_conflict(single(), single(), None) is Conflict.WITHHELD


def test_409_of_one_connection_among_several_may_mean_that_it_was_never_synced():
    other = several(one(connection="other"), connection="mine")
    assert is_sure_conflict(other, None, incremental=True)
    assert not is_sure_conflict(other, None, incremental=False)
    assert not is_sure_conflict(other, READ, incremental=True)
    assert meaning_of_conflict(other, other, None) is Conflict.NEVER_SYNCED
    assert meaning_of_conflict(other, other, READ) is Conflict.WITHHELD
    own = several(one(), connection="mine")
    assert meaning_of_conflict(own, own, None) is Conflict.WITHHELD


def test_what_data_status_says_is_not_there_is_not_asked_for_and_what_it_does_not_know_is():
    assert ruled_out(DataTypeStatus()) is SkipReason.NOT_SYNCED
    assert ruled_out(DataTypeStatus(None, "FetchError", "T")) is SkipReason.NOT_SYNCED
    assert ruled_out(DataTypeStatus(None, "NotSupported", "T")) is SkipReason.NOT_SUPPORTED
    for known in (
        GOOD, GOOD._replace(currentStatus="NotSupported"), DataTypeStatus(None, "Odd"),
        DataTypeStatus(None, "Fetching", "T"), DataTypeStatus(None, "Complete"),
        GOOD._replace(currentStatus=None),
    ):  # fmt: skip
        assert ruled_out(known) is None
