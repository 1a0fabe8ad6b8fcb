"""`make demo` with a few streams, as a person sees it; and stopped on the way."""

import os
import re
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from integration_tests.support.extras import require
from unit_tests.support.catalogue import CATALOGUE

require("airbyte", "PyAirbyte")
require("matplotlib", "matplotlib")

from tools.demo import __main__ as demo  # noqa: E402 - needs what was asked for
from tools.demo import connector, workspace  # noqa: E402 - the same

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

ROOT = Path(__file__).resolve().parent.parent
FEW = {
    "companies",
    "invoices",
    "payments",
    "profit_and_loss",
    "banking_transactions",
    "transfers",
    "lending_reports",
    "files",
}
README = (ROOT / "README.md").read_text(encoding="utf-8")
[SHOWN] = re.findall(r"<!-- demo -->\n```\n(.+?)```\n<!-- end of demo -->", README, re.DOTALL)


# Jobs in the background ignore Ctrl-C, and so do their children: this one doesn't, wherever the tests run.
IN_FRONT = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("tools.demo", run_name="__main__")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the demo leaves its files, instead of the developer's own `.demo`."""
    found = tmp_path / ".demo"
    for name in ("DATABASE", "PLOT", "WRONG", "FAILED"):
        place = found / getattr(workspace, name).name
        monkeypatch.setattr(workspace, name, place)
        monkeypatch.setattr(demo, name, place)
    monkeypatch.setattr(workspace, "FOLDER", found)
    monkeypatch.setattr(workspace, "ROOT", tmp_path)
    return found


@pytest.fixture
def few_streams(program, load, monkeypatch):
    """Let the demo read a few streams, with the tests' process of PyAirbyte."""
    run = connector.run

    def discover_a_few(*arguments):
        messages = run(*arguments)
        for catalog in [one["catalog"] for one in messages if one["type"] == "CATALOG"]:
            catalog["streams"] = [stream for stream in catalog["streams"] if stream["name"] in FEW]
        return messages

    monkeypatch.setattr(connector, "COMMAND", Path(program))
    monkeypatch.setattr(connector, "run", discover_a_few)

    class Loads(AbstractContextManager):
        def __init__(self, _):
            pass

        def load(self, config, database, streams):
            load(config, database, "--streams", ",".join(streams))

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(demo, "Loads", Loads)


def shapes(text):
    """Lines without their numbers, dots and dashes."""
    return [" ".join(re.sub(r"[\d,.]+|-{2,}", "", line).split()) for line in text.splitlines()]


@pytest.mark.usefixtures("few_streams")
def test_the_demo_shows_what_incremental_means(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code = demo.run()
    said = capsys.readouterr()
    assert code == 0, said.out + said.err
    assert max(map(len, said.out.splitlines())) <= 80

    numbers = [int(number) for number in re.findall(r" (\d+) requests$", said.out, re.MULTILINE)]
    first, _, changed, _, unchanged, whole = numbers
    assert unchanged < changed < first <= whole

    [invoices] = re.findall(r"^invoices +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", said.out, re.MULTILINE)
    rows, in_codat, records_changed, second, third = map(int, invoices)
    assert rows == in_codat
    assert second >= records_changed >= 3
    assert third == 0

    assert (folder / "warehouse.duckdb").stat().st_size > 0
    assert (folder / "requests.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in folder.iterdir()} == {"warehouse.duckdb", "requests.png", "lock"}

    printed = set(shapes(said.out))
    assert not [
        line for line in shapes(SHOWN) if line.split(" ")[0] not in CATALOGUE and line not in printed | {"…"}
    ]


@pytest.mark.usefixtures("few_streams")
def test_a_demo_that_fails_says_why_in_one_line_and_leaves_the_last_warehouse(folder, capsys, monkeypatch):
    folder.mkdir()
    (folder / "warehouse.duckdb").write_text("of the last run")
    monkeypatch.setattr(demo.Demo, "config", folder / "missing.json")
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: 0)
    assert demo.run() == 1
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    assert "source-codat check ended with 1" in said
    assert (folder / "warehouse.duckdb").read_text() == "of the last run"


def test_ctrl_c_ends_the_demo_in_one_line():
    process = subprocess.Popen(
        [sys.executable, "-c", IN_FRONT],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    before = set((ROOT / ".demo").glob("run-*"))
    for line in process.stdout:
        if line.startswith("discover"):
            break
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(r"Stopped[^\n]*\.\n", err)
    assert out.count("\n") <= 1
    assert set((ROOT / ".demo").glob("run-*")) <= before
