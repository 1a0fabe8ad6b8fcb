"""When what was seen of a partition is a proof that it was all of it."""

from dataclasses import replace

import pytest

from source_codat.trust.evidence import DataTypeStatus, Evidence, Look
from source_codat.trust.judge import Change
from source_codat.trust.proof import (
    PassEvidence,
    Proof,
    SyncLook,
    contradiction_in_words,
    is_still_nothing_there,
    nothing_there,
    prove,
    reached,
)

# Sixty rows in three pages, as many as every page announces.
WHOLE = PassEvidence(
    rows=60,
    distinct=60,
    distinct_so_far=60,
    fingerprint=(60, 1),
    totals=frozenset({60}),
    pages=3,
    first_page=25,
    ends_short=True,
)
ONE_ANSWER = replace(WHOLE, pages=1, first_page=60)
SHORT = replace(WHOLE, rows=58, distinct=58, distinct_so_far=58, fingerprint=(58, 1))
STILL, MOVED, DOUBT, NO_SYNCS = Change.NOTHING, Change.SOMETHING, Change.DOUBT, None
PROVEN, PECULIAR, UNPROVEN = Proof.PROVEN, Proof.PECULIAR, Proof.UNPROVEN


@pytest.mark.parametrize("synced", [STILL, MOVED, DOUBT, NO_SYNCS])
def test_one_answer_with_as_many_rows_as_it_announces_is_a_snapshot(synced):
    assert prove(ONE_ANSWER, None, synced) is PROVEN


def test_several_answers_hang_together_only_where_nothing_was_synced_or_they_came_twice_alike():
    assert prove(WHOLE, None, STILL) is PROVEN
    for synced in (MOVED, DOUBT, NO_SYNCS):
        assert prove(WHOLE, None, synced) is UNPROVEN
        assert prove(WHOLE, WHOLE, synced) is PROVEN
        assert prove(WHOLE, replace(WHOLE, fingerprint=(60, 2)), synced) is UNPROVEN
        assert prove(WHOLE, replace(WHOLE, totals=frozenset({61})), synced) is UNPROVEN
        assert prove(WHOLE, replace(WHOLE, is_broken=True), synced) is UNPROVEN


@pytest.mark.parametrize("seen", [WHOLE, ONE_ANSWER, replace(WHOLE, totals=frozenset({None}))])
def test_a_pass_that_ended_before_its_end_proves_nothing(seen):
    assert prove(replace(seen, is_broken=True), seen, STILL) is UNPROVEN


def test_rows_that_may_be_equal_must_come_twice_alike():
    equal = replace(WHOLE, equal_rows_count=True)
    assert prove(equal, None, STILL) is UNPROVEN
    assert prove(equal, equal, STILL) is PROVEN


def test_answers_that_announce_nothing_must_come_twice_alike_unless_the_only_one_says_it_is_the_last():
    silent = replace(WHOLE, totals=frozenset({None}))
    assert prove(silent, None, STILL) is UNPROVEN
    assert prove(silent, silent, STILL) is PROVEN
    assert prove(replace(silent, pages=1), None, STILL) is UNPROVEN
    assert prove(replace(silent, pages=1, is_numbered=False), None, STILL) is PROVEN
    assert prove(replace(silent, is_numbered=False), None, STILL) is UNPROVEN


def test_a_row_on_two_pages_of_answers_that_announce_nothing_hides_another_however_often_it_comes_alike():
    silent = replace(WHOLE, totals=frozenset({None}))
    assert prove(silent, silent, STILL) is PROVEN
    overlapping = replace(silent, distinct=59, distinct_so_far=59, overlap=1)
    assert prove(overlapping, overlapping, STILL) is UNPROVEN


@pytest.mark.parametrize("totals", [{60, 61}, {60, None}])
def test_pages_that_announce_different_numbers_prove_nothing(totals):
    seen = replace(WHOLE, totals=frozenset(totals))
    assert prove(seen, seen, STILL) is UNPROVEN


def test_an_id_that_stands_twice_in_one_answer_is_stored_so():
    twice = replace(WHOLE, distinct=59, distinct_so_far=59)
    assert prove(replace(twice, pages=1), None, DOUBT) is PECULIAR
    assert prove(twice, None, STILL) is PECULIAR
    assert prove(twice, None, DOUBT) is UNPROVEN
    assert prove(replace(twice, overlap=1), None, STILL) is UNPROVEN
    assert (
        contradiction_in_words(twice)
        == "Codat announces 60 rows and sends 60, 1 of them with an id that another one has"
    )


@pytest.mark.parametrize("seen", [SHORT, replace(SHORT, rows=62, distinct=62), replace(SHORT, pages=1)])
def test_the_same_contradiction_twice_with_nothing_synced_between_is_a_fact(seen):
    cut_elsewhere = replace(seen, first_page=20)
    for synced in (STILL, NO_SYNCS):
        assert prove(seen, None, synced) is UNPROVEN
        assert prove(seen, seen, synced) is PECULIAR
        assert prove(cut_elsewhere, seen, synced) is PECULIAR
        assert prove(seen, replace(seen, fingerprint=(58, 2)), synced) is UNPROVEN
        assert prove(seen, replace(seen, is_broken=True), synced) is UNPROVEN
    for synced in (MOVED, DOUBT):
        assert prove(seen, seen, synced) is UNPROVEN


def test_pages_cut_at_the_same_rows_that_overlap_or_end_full_may_hide_the_same_rows_each_time():
    overlapping = replace(SHORT, rows=60, overlap=2)
    full = replace(SHORT, ends_short=False)
    for seen in (overlapping, full):
        assert prove(seen, seen, STILL) is UNPROVEN
        assert prove(seen, replace(seen, first_page=20), STILL) is PECULIAR


def test_no_row_at_all_is_never_believed_where_some_are_announced():
    empty = replace(WHOLE, rows=0, distinct=0, distinct_so_far=0, first_page=0, pages=1)
    assert prove(empty, empty, STILL) is UNPROVEN
    assert prove(replace(empty, totals=frozenset({0})), None, STILL) is PROVEN


def test_passes_that_overlap_elsewhere_show_every_row_together_while_nothing_is_synced():
    first = replace(WHOLE, distinct=59, distinct_so_far=59, overlap=1)
    second = replace(first, first_page=20, distinct_so_far=60, fingerprint=(60, 2))
    assert prove(second, first, STILL) is PROVEN
    for synced in (MOVED, DOUBT, NO_SYNCS):
        assert prove(second, first, synced) is UNPROVEN
    assert prove(second, replace(first, totals=frozenset({61})), STILL) is UNPROVEN
    assert prove(replace(second, equal_rows_count=True), first, STILL) is UNPROVEN


def test_a_row_that_is_not_finished_holds_the_cursor_of_a_stream_without_data_type():
    seen = replace(WHOLE, latest=50, oldest_unfinished=30, answered_at=70)
    assert reached(seen, []).cursor == 30
    assert reached(replace(seen, oldest_unfinished=None), []).cursor == 50
    assert reached(replace(seen, oldest_unfinished=None, answered_at=40), []).cursor == 40
    assert reached(replace(seen, oldest_unfinished=None, answered_at=None), []).cursor is None


def test_the_cursor_passes_no_look_and_a_doubtful_look_keeps_it():
    seen = replace(WHOLE, latest=50, oldest_unfinished=30)
    assert reached(seen, [SyncLook(60, None), SyncLook(40, None)]).cursor == 40
    assert reached(seen, [SyncLook(60, None), SyncLook(None, None)]).cursor is None
    assert reached(replace(seen, latest=None), [SyncLook(60, None)]).cursor is None


@pytest.mark.parametrize("name", ["Invoices", " invoices", "INVOICES"])
def test_that_there_is_nothing_is_not_noted_of_what_data_status_names_in_another_way(name):
    links = [("c", "Linked")]
    named = Evidence(Look({name: DataTypeStatus()}, 10**17), ("invoices",))
    unnamed = Evidence(Look({}, 10**17), ("invoices",))
    noted = nothing_there(unnamed, links)
    assert nothing_there(named, links) is None
    assert is_still_nothing_there(noted, unnamed, links)
    assert not is_still_nothing_there(noted, named, links)
