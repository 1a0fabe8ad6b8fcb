"""Whatever happens, and in whatever order, a destination ends up with all that Codat has.

The steps are those of soak.trial; here Hypothesis draws them, the same ones each time. `python -m tools.soak`
draws others for as long as asked.
"""

from random import Random
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from codat_simulator import Action
from tools.soak.stories import DRAWN, play
from tools.soak.trial import Trial
from tools.soak.weather import storm

SEEDS = st.integers(0, 2**20)
BOUNDED = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


class Stories(RuleBasedStateMachine):
    """A story of changes, reads, kills and restarts; it ends with a quiet read that must bring everything."""

    def __init__(self):
        super().__init__()
        self.trial: Trial | None = None
        self.sound = True

    @initialize(seed=SEEDS)
    def begin(self, seed):
        self.trial = Trial(seed)

    @rule(name=st.sampled_from(DRAWN), seed=SEEDS)
    def step(self, name, seed):
        self.sound = False
        assert self.trial is not None
        self.trial.step(name, seed)
        self.sound = True

    def teardown(self):
        if self.trial is None:
            return
        try:
            if self.sound:
                self.trial.step("check", 0)
        finally:
            self.trial.close()


TestNothingIsLost = Stories.TestCase
TestNothingIsLost.settings = settings(BOUNDED, max_examples=26, stateful_step_count=20)


def test_a_storm_has_every_fault_that_the_simulator_knows_and_every_status_that_codat_may_answer():
    faults = [fault for _, fault in storm(Random(1))]
    assert {fault.action for fault in faults if fault.action} == set(get_args(Action))
    listed = {400, 401, 402, 403, 404, 405, 408, 409, 429, 451, 500, 502, 503, 504}
    assert listed <= {fault.status for fault in faults}


@settings(BOUNDED, max_examples=12)
@given(seed=SEEDS)
def test_from_every_state_that_a_read_emits_a_restart_brings_what_was_missing(seed):
    play(seed, [("live", seed), ("read_while_changing", seed), ("live", seed), ("check_every_state", seed)])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_process_has_lost_nothing_when_it_is_started_again(seed):
    play(seed, [("live", seed), ("kill_a_process", seed), ("live", seed)])
