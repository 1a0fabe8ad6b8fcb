"""Whatever happens, and in whatever order, a destination ends up with all that Codat has.

The steps are those of tools.soak.story; here Hypothesis draws them, the same ones each time.
`python -m tools.soak` draws others for as long as asked.
"""

from random import Random
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from codat_simulator import Action
from tools.soak.faults import all_faults
from tools.soak.story import STEPS_TO_DRAW, Story, play

SEEDS = st.integers(0, 2**20)
BOUNDED = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


class RandomStory(RuleBasedStateMachine):
    """A story of changes, reads, kills and restarts; it ends with a quiet read that must bring everything."""

    def __init__(self):
        super().__init__()
        self.story: Story | None = None
        self.is_sound = True

    @initialize(seed=SEEDS)
    def begin(self, seed):
        self.story = Story(seed)

    @rule(name=st.sampled_from(STEPS_TO_DRAW), seed=SEEDS)
    def step(self, name, seed):
        self.is_sound = False
        assert self.story is not None
        self.story.step(name, seed)
        self.is_sound = True

    def teardown(self):
        if self.story is None:
            return
        try:
            if self.is_sound:
                self.story.step("check", 0)
        finally:
            self.story.close()


@pytest.mark.parametrize("number", range(3))  # parts that may run beside each other
def test_nothing_is_lost(number):
    run_state_machine_as_test(
        with_seed(number)(RandomStory), settings=settings(BOUNDED, max_examples=5, stateful_step_count=20)
    )


def test_a_storm_has_every_fault_that_the_simulator_knows_and_every_status_that_codat_may_answer():
    faults = [fault for _, fault in all_faults(Random(1))]
    assert {fault.action for fault in faults if fault.action} == set(get_args(Action))
    listed = {400, 401, 402, 403, 404, 405, 408, 409, 429, 451, 500, 502, 503, 504}
    assert listed <= {fault.status for fault in faults}


@settings(BOUNDED, max_examples=8)
@given(seed=SEEDS)
def test_from_every_state_that_a_read_emits_a_restart_brings_what_was_missing(seed):
    changes = ("let_codat_sync", seed)
    play(seed, [changes, ("read_while_changing", seed), changes, ("check_every_state", seed)])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_process_has_lost_nothing_when_it_is_started_again(seed):
    play(seed, [("let_codat_sync", seed), ("kill_a_process", seed), ("let_codat_sync", seed)])
