"""The demo's process of PyAirbyte: what it answers, and what the demo says when a load fails."""

import io
import json
import sys
from pathlib import Path

import pytest

from tools.demo.connector import CommandFailedError
from tools.demo.loads import Loads, serve

JOB = {"config": "config.json", "database": "warehouse.duckdb", "streams": ["invoices", "bills"]}


def test_a_load_that_fails_is_told_and_the_next_one_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    done = []

    def load(config: Path, database: str, streams: list[str]) -> None:
        if database == "locked.duckdb":
            raise OSError("the database is locked")
        done.append((config, database, streams))

    answers = io.StringIO()
    serve([json.dumps({**JOB, "database": "locked.duckdb"}), json.dumps(JOB)], answers, load)
    assert answers.getvalue() == "failed\nloaded\n"
    assert done == [(Path("config.json"), "warehouse.duckdb", ["invoices", "bills"])]
    assert "OSError: the database is locked" in capsys.readouterr().err


ANSWERS = """
import sys

for line in sys.stdin:
    print(line, file=sys.stderr, flush=True)
    print("loaded" if "invoices" in line else "failed", flush=True)
"""


def test_the_demo_goes_on_after_a_load_and_says_what_one_that_failed_has_printed_last(tmp_path: Path) -> None:
    with Loads(tmp_path, [sys.executable, "-c", ANSWERS]) as loads:
        loads.load(tmp_path / "config.json", tmp_path / "warehouse.duckdb", ["invoices"])
        with pytest.raises(CommandFailedError, match=r"a load with PyAirbyte failed: .+payments") as told:
            loads.load(tmp_path / "config.json", tmp_path / "warehouse.duckdb", ["payments"])
    assert "invoices" in told.value.output


@pytest.mark.parametrize("ended", ["import sys; sys.exit('no PyAirbyte')", "input(); raise SystemExit(1)"])
def test_a_process_that_has_ended_is_a_load_that_failed(ended: str, tmp_path: Path) -> None:
    with (
        Loads(tmp_path, [sys.executable, "-c", ended]) as loads,
        pytest.raises(CommandFailedError, match=r"that loads with PyAirbyte ended with 1: (no|it printed)"),
    ):
        loads.load(tmp_path / "config.json", tmp_path / "warehouse.duckdb", ["invoices"])


def test_a_load_that_never_ends_is_one_that_failed(tmp_path: Path) -> None:
    with (
        Loads(tmp_path, [sys.executable, "-c", "input(); input()"], seconds=1) as loads,
        pytest.raises(CommandFailedError, match=r"a load with PyAirbyte took longer than 1 s"),
    ):
        loads.load(tmp_path / "config.json", tmp_path / "warehouse.duckdb", ["invoices"])
