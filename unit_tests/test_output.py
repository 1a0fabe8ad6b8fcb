"""Stdout as it may be: a pipe that doesn't block, that is slow, full or gone; no byte is lost or doubled."""

import logging
import os
import threading
import time

import pytest

from source_codat.run.output import CannotWriteError, LogLines, Output, ReaderGoneError

LINE = b"x" * 9_999 + b"\n"


@pytest.fixture
def pipe():
    """Both ends as files: one may be closed before the test is over."""
    out, into = os.pipe()
    with os.fdopen(out, "rb", buffering=0) as reader, os.fdopen(into, "wb", buffering=0) as writer:
        yield reader, writer


def slurp(end):
    """Read to the end, in a thread; returns the thread and what it has read so far."""
    parts = []

    def run():
        while part := end.read(65_536):
            parts.append(part)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, parts


@pytest.mark.parametrize("blocking", [True, False])
def test_every_byte_leaves_once_whether_the_pipe_blocks_or_not(pipe, blocking):
    out, into = pipe
    os.set_blocking(into.fileno(), blocking)
    output = Output(into.fileno())
    thread, parts = slurp(out)
    sent = b"".join(b"%d:" % number + LINE for number in range(300))
    output.write(sent)
    for number in range(300):
        output.write(b"%d\n" % number)
    into.close()
    thread.join(30)
    assert b"".join(parts) == sent + b"".join(b"%d\n" % number for number in range(300))


def test_log_lines_of_other_threads_stand_between_whole_lines(pipe):
    out, into = pipe
    os.set_blocking(into.fileno(), False)
    output = Output(into.fileno())
    thread, parts = slurp(out)

    def log(name):
        for number in range(200):
            output.log(b"%s %d\n" % (name, number))

    loggers = [threading.Thread(target=log, args=(name,)) for name in (b"one", b"two")]
    for one in loggers:
        one.start()
    for _ in range(200):
        output.write(LINE)
    for one in loggers:
        one.join(30)
    into.close()
    thread.join(30)
    lines = b"".join(parts).splitlines(keepends=True)
    assert lines.count(LINE) == 200
    for name in (b"one", b"two"):
        assert [line for line in lines if line.startswith(name)] == [
            b"%s %d\n" % (name, n) for n in range(200)
        ]
    assert len(lines) == 600


def test_nobody_waits_to_log_while_the_reader_is_slow(pipe):
    out, into = pipe
    output = Output(into.fileno())
    writing = threading.Thread(target=output.write, args=(LINE * 100,))
    writing.start()
    while not output.seconds_stuck():
        time.sleep(0.001)
    output.log(b"logged\n")  # returns although the other thread can't go on
    thread, parts = slurp(out)
    writing.join(30)
    into.close()
    thread.join(30)
    assert b"".join(parts) == LINE * 100 + b"logged\n"


def test_how_long_a_reader_takes_nothing_is_known(pipe):
    out, into = pipe
    os.set_blocking(into.fileno(), False)
    output = Output(into.fileno())
    assert output.seconds_stuck() == 0
    writing = threading.Thread(target=output.write, args=(LINE * 100,))
    writing.start()
    while not output.seconds_stuck():
        time.sleep(0.001)
    thread, _ = slurp(out)
    writing.join(30)
    assert output.seconds_stuck() == 0
    into.close()
    thread.join(30)


def test_a_reader_that_is_gone_is_told_to_the_one_who_writes_not_to_those_who_log(pipe):
    out, into = pipe
    out.close()
    output = Output(into.fileno())
    output.log(b"logged\n")
    for _ in range(2):
        with pytest.raises(ReaderGoneError):
            output.write(b"line\n")


def test_a_full_disk_is_told_in_a_sentence():
    with open("/dev/full", "wb") as full, pytest.raises(CannotWriteError) as caught:  # noqa: PTH123
        Output(full.fileno()).write(b"line\n")
    assert str(caught.value) == (
        "Stdout can't be written: No space left on device. Make room, or write to another place."
    )


def test_no_stdout_at_all_is_told_in_a_sentence():
    with pytest.raises(CannotWriteError, match=r"^There is no stdout to write to\.$"):
        Output(None).write(b"line\n")


def test_half_a_surrogate_pair_in_a_log_line_fails_nothing(pipe):
    out, into = pipe
    log = LogLines(Output(into.fileno()))
    log.handle(logging.LogRecord("airbyte", logging.INFO, "", 0, "company %s", ("half \ud83d",), None))
    into.close()
    thread, parts = slurp(out)
    thread.join(30)
    assert b"".join(parts) == b'{"type":"LOG","log":{"level":"INFO","message":"company half ?"}}\n'
