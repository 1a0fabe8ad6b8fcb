"""Told to stop, or with a reader that is slow, full or gone: the process ends as its parent expects."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codat_simulator import Fault
from integration_tests.support.connector import REPO, catalog, config, files, parse
from integration_tests.support.sentences import assert_sentence

pytestmark = pytest.mark.waits

COMMAND = [sys.executable, "-m", "source_codat.run"]
ENV = {**os.environ, "PYTHONPATH": str(REPO)}
STREAMS = ("invoices", "bills", "customers", "banking_transactions")


def test_a_stopped_read_says_which_streams_are_whole(sim, script, tmp_path):
    options = {"config": config(sim, page_size=3), "catalog": catalog("companies", *STREAMS)}
    sim.faults.add(Fault(path="/data/bills", action="stall", seconds=3600, times=None))
    process = script.start("read", tmp_path, **options)
    lines: list[bytes] = []
    while sum(b"invoices: " in line and b" read, " in line for line in lines) < 2:
        lines.append(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    told = time.monotonic()
    out, err = process.communicate()
    assert time.monotonic() - told < 60  # sooner than any time-out: no answer is waited for
    said = parse(b"".join(lines) + out, err, process.returncode)
    assert (said.code, said.stderr) == (-signal.SIGINT, "")
    [whole, rest] = re.findall(r"whole: ([\w, ]+)", said.errors[-1]["message"])
    assert "companies" in whole
    assert "bills" in rest
    for name in ("companies", *STREAMS):
        assert said.statuses(name)[-1] == ("COMPLETE" if name in whole else "INCOMPLETE")


@pytest.mark.parametrize("command", [["check"], ["discover"], ["read", "--catalog", "x"]])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_reads_nothing_yet_ends_at_once_by_the_signal(command, number):
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", *COMMAND[1:], *command, "--config", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV,
    )
    assert process.stderr
    while b" source_codat.run.arguments\n" not in process.stderr.readline():
        pass  # the interpreter names each module: from here on it is our program that runs
    time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (-number, b"")
    assert b"Traceback" not in err


def test_a_check_that_waits_for_codat_ends_at_once_by_the_signal(sim, script, tmp_path):
    sim.faults.add(Fault(path="/companies", action="stall", seconds=60, times=None))
    process = script.start("check", tmp_path, config=config(sim))
    process.wait_until(lambda: sim.requests)
    process.send_signal(signal.SIGINT)
    assert process.communicate() == (b"", b"")
    assert process.returncode == -signal.SIGINT


def test_a_reader_that_has_stopped_reading_is_not_waited_for(sim, script, tmp_path):
    process = script.start("read", tmp_path, config=config(sim), catalog=catalog(*STREAMS))
    process.stdout.readline()
    process.wait_until(lambda: len(sim.requests) >= 8)  # by now the pipe is full
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == -signal.SIGTERM
    process.stdout.close()


def test_a_reader_that_is_slow_hears_all_of_a_stopped_read(sim, script, tmp_path):
    process = script.start("read", tmp_path, config=config(sim), catalog=catalog(*STREAMS))
    out = b""
    process.wait_until(lambda: len(sim.requests) >= 8)  # by now the pipe is full
    process.send_signal(signal.SIGTERM)
    while part := os.read(process.stdout.fileno(), 8192):
        out += part
        time.sleep(0.05)
    said = parse(out, b"", process.wait(timeout=30))
    assert (said.code, said.unparsed) == (-signal.SIGTERM, [])
    assert {one["stream"]["stream_descriptor"]["name"] for one in said.of("STATE")} == set(STREAMS)
    process.stdout.close()


def test_a_reader_that_goes_away_ends_the_process_without_a_traceback(sim, script, tmp_path):
    process = script.start("read", tmp_path, config=config(sim, page_size=5), catalog=catalog(*STREAMS))
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 1
    assert (tmp_path / "stderr").read_bytes() == b""


def test_a_pipe_that_does_not_block_gets_every_byte_once(sim, script, program, tmp_path):
    expected = script.run("read", tmp_path, config=config(sim), catalog=catalog(*STREAMS))
    out, into = os.pipe()
    os.set_blocking(into, False)
    process = subprocess.Popen(
        [program, "read", *files(tmp_path, config=config(sim), catalog=catalog(*STREAMS))],
        stdout=into,
        stderr=subprocess.PIPE,
    )
    os.close(into)
    written = b""
    while part := os.read(out, 4096):
        written += part
        time.sleep(0.001)
    os.close(out)
    _, err = process.communicate(timeout=30)
    said = parse(written, err, process.returncode)
    assert (said.code, said.unparsed, said.stderr) == (0, [], "")
    for stream in STREAMS:
        got, wanted = (sorted(map(json.dumps, one.records(stream))) for one in (said, expected))
        assert got == wanted


def test_a_full_disk_is_told_on_stderr(sim, program, tmp_path):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [program, "discover", *files(tmp_path, config=config(sim))],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1
    assert_sentence(
        done.stderr.decode().removesuffix("\n"), "Stdout can't be written: No space left on device."
    )
