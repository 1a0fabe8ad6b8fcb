"""A signal ends the process after the last state; for a reader that takes nothing, it waits a few seconds."""

import signal

import pytest

from source_codat.run.interruption import PATIENCE_SECONDS, Interruption


class Ended(Exception):
    """The process has ended, by this signal."""


@pytest.fixture
def alarm(mocker):
    """What was set: the handler of each signal, and the alarm's first and later seconds."""
    handlers: dict[int, object] = {}
    mocker.patch("source_codat.run.interruption.signal.signal", handlers.__setitem__)
    timer = mocker.patch("source_codat.run.interruption.signal.setitimer")
    mocker.patch("source_codat.run.interruption.end_by", side_effect=Ended)
    return handlers, timer


@pytest.fixture
def output(mocker):
    return mocker.Mock(**{"seconds_stuck.return_value": 0.0})


@pytest.fixture
def reading(mocker):
    return mocker.Mock(**{"stop.return_value": True})


def test_a_reader_that_takes_nothing_is_waited_for_a_few_seconds(alarm, output, reading):
    handlers, timer = alarm
    Interruption(reading, output).install()
    handlers[signal.SIGTERM](signal.SIGTERM, None)
    _, first, again = timer.call_args.args
    assert 0 < first <= 1
    assert 0 < again <= 1
    assert PATIENCE_SECONDS + again <= 5
    output.seconds_stuck.return_value = PATIENCE_SECONDS
    handlers[signal.SIGALRM](signal.SIGALRM, None)  # it may still take something
    output.seconds_stuck.return_value = PATIENCE_SECONDS + again
    with pytest.raises(Ended):
        handlers[signal.SIGALRM](signal.SIGALRM, None)


def test_a_reader_that_goes_on_reading_is_waited_for_however_slow_it_is(alarm, output, reading):
    handlers, _ = alarm
    Interruption(reading, output).install()
    handlers[signal.SIGTERM](signal.SIGTERM, None)
    for _ in range(1000):
        handlers[signal.SIGALRM](signal.SIGALRM, None)


def test_a_second_signal_ends_it_at_once(alarm, output, reading):
    handlers, _ = alarm
    Interruption(reading, output).install()
    handlers[signal.SIGINT](signal.SIGINT, None)
    with pytest.raises(Ended):
        handlers[signal.SIGTERM](signal.SIGTERM, None)


def test_while_nothing_is_read_the_first_signal_ends_it(alarm, output, reading):
    handlers, timer = alarm
    reading.stop.return_value = False
    Interruption(reading, output).install()
    with pytest.raises(Ended):
        handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert not timer.called
