"""The soak holds the warehouse's current statements against the simulator's, and notices what is broken."""

from contextlib import contextmanager
from unittest import mock

import pytest

from source_codat.trust import judge
from tools.soak.oracle import PromiseBroken, RecordLost
from tools.soak.story import Story
from tools.soak.streams import STATEMENTS

IS_UNCHANGED = judge.is_unchanged


def never_again(evidence, entry):
    """A judge who takes every statement that was read before for unchanged."""
    if set(evidence.data_types) <= set(STATEMENTS.values()):
        return entry is not None
    return IS_UNCHANGED(evidence, entry)


@contextmanager
def restated(seed=3):
    """A story whose statements have been read, and restated since by several Codat syncs."""
    story = Story(seed)
    try:
        story.step("check", 0)
        for _ in range(4):
            story.sim.world.clock.advance(3600)
            for company in story.sim.world.known_companies():
                for place in story.changes.places(company.id):
                    if place.data_type in STATEMENTS.values():
                        story.sim.world.sync(company.id, place.data_type, place.connection_id)
        yield story
    finally:
        story.close()


def test_restatements_are_read_and_checked():
    with restated() as story:
        story.step("check", 1)
        assert story.counts["statements compared"] >= 2 * len(STATEMENTS)


def test_a_statement_that_is_not_read_again_is_noticed():
    with (
        mock.patch("source_codat.trust.judge.is_unchanged", never_again),
        pytest.raises(RecordLost, match=r"balance_sheet_lines of .* lacks"),
        restated() as story,
    ):
        story.step("check", 1)


def test_lines_that_are_gone_and_pass_for_current_are_noticed():
    with (
        mock.patch("source_codat.trust.judge.synced_at", return_value=judge.NEVER),
        pytest.raises(PromiseBroken, match="gone, but current"),
        restated() as story,
    ):
        story.step("check", 1)


def test_rows_that_are_older_than_those_before_are_noticed():
    dates = [judge.NEVER + seconds * 10**7 for seconds in range(10**6, 0, -1)]
    with (
        mock.patch("source_codat.trust.judge.synced_at", side_effect=dates),
        pytest.raises(RecordLost, match="lacks"),
        restated() as story,
    ):
        story.step("check", 1)
