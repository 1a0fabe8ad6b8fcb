"""A thousand stories of the model in tools/model: nothing is lost, and broken rules are found."""

from __future__ import annotations

import pytest

from tools.model.mutation_check import catch
from tools.model.mutations import MUTATIONS
from tools.model.story import Story

STORIES = 250
A_FEW = ("running is complete", "history is never asked", "every pass is a proof", "everything is unchanged")


@pytest.mark.parametrize("block", range(4))
def test_nothing_is_lost_in_stories_at_random(block):
    for seed in range(block * STORIES, (block + 1) * STORIES):
        Story(seed).play()


@pytest.mark.parametrize("name", A_FEW)
def test_the_model_finds_a_broken_rule(name):
    (mutation,) = [one for one in MUTATIONS if one.name == name]

    assert catch(mutation, stories=500).seed is not None


def test_every_broken_rule_fits_the_code_that_it_changes():
    for mutation in MUTATIONS:
        catch(mutation, stories=2)  # raises where the connector meets an error of its own


def test_a_story_is_the_same_again_for_the_same_seed():
    def told() -> list[str]:
        story = Story(5, tell=True)
        story.play()
        return story.world.told

    assert told() == told()
