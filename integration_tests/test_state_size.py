"""A state that has grown large is told, with what to do about it."""

import json

import pytest

from integration_tests.support.connector import read


@pytest.fixture
def grown(sim, only):
    """Makes the state of a read that knows so many companies more."""
    [first] = read(sim, "invoices", **only).state

    def grow(number):
        state = json.loads(json.dumps(first))
        states = state["stream"]["stream_state"]["states"]
        [known] = states
        for one in range(number):
            partition = {"company_id": f"{one:08x}-0000-4000-8000-{one:012x}"}
            states.append({"partition": partition, "cursor": known["cursor"]})
        return [state]

    return grow


def warnings(said):
    return [one for one in said.logs if "its state has about" in one]


def test_a_state_message_of_more_than_two_mib_is_told_once(sim, only, mocker, grown):
    mocker.patch("source_codat.engine.writer.SILENCE_SECONDS", -1.0)  # a state after every row
    mocker.patch("source_codat.engine.writer.TICK_SECONDS", 0.0)
    said = read(sim, "invoices", state=grown(12_000), page_size=3, skip_unchanged=False, **only)
    assert said.code == 0
    assert len([one for one in said.of("STATE") if len(json.dumps(one)) > 2 << 20]) > 1
    [warning] = warnings(said)
    assert warning == (
        "invoices: its state has about 2.4 MiB in one message, for 12,001 entries: divide the companies "
        "among several connections with the option 'part', or among more of them."
    )


def test_a_state_of_less_is_not_told(sim, only, grown):
    assert warnings(read(sim, "invoices", state=grown(5000), **only)) == []
