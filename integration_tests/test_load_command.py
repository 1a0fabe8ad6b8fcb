"""What `python -m tools.demo.load` says: how much arrived, how to look at it, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from integration_tests.support.extras import require

require("airbyte", "PyAirbyte")
pytestmark = pytest.mark.xdist_group("load command")  # one process for all

ROOT = Path(__file__).resolve().parent.parent
TOLD = {
    "my secrets/w.duckdb": (
        "6,064 records arrived in my secrets/w.duckdb. To see the tables:\n"
        "    .venv/bin/python -m tools.demo.query --database 'my secrets/w.duckdb'\n"
    ),
    "postgresql://me:hidden@host/base": "6,064 records arrived in the schema codat.\n",
}
# Ends each command's words with a line of its own, and loads nothing.
COMMANDS = """
import sys
from tools.demo import load

load.load = lambda *_, **__: 6064
for database in sys.argv[1:]:
    load.main(["config.json", database])
    print("==")
"""


@pytest.fixture(scope="module")
def process() -> subprocess.CompletedProcess[str]:
    """A process in which the command ran once for each database."""
    command = [sys.executable, "-c", COMMANDS, *TOLD]
    return subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("database", TOLD)
def test_a_load_says_what_arrived_and_how_to_look_at_it(
    database: str, process: subprocess.CompletedProcess[str]
) -> None:
    *said, rest = process.stdout.split("==\n")
    assert rest == ""
    assert dict(zip(TOLD, said, strict=True))[database] == TOLD[database]


def test_no_library_warns_of_pythons_that_it_will_drop(process: subprocess.CompletedProcess[str]) -> None:
    assert process.stderr == ""
