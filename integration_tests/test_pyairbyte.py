"""PyAirbyte as a person uses it at a prompt: it ends the connector's process whenever it has enough."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import config
from integration_tests.support.extras import require

require("airbyte", "PyAirbyte")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("PyAirbyte")]

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
[LINES] = re.findall(r"^## With PyAirbyte\n.+?^```python\n(.+?)^```$", README, re.MULTILINE | re.DOTALL)

SESSION = """
import json
import sys
import airbyte as ab

def say(what):
    print(f"== {what}", file=sys.stderr, flush=True)

source = ab.get_source(
    "source-codat",
    local_executable=sys.argv[1],
    config=json.loads(sys.argv[2]),
    streams=["invoices", "companies"],
)
for _ in range(3):
    source.check()
    say("checked")
source.print_samples(limit=2)
say("sampled")
records = source.get_records("invoices")
say(next(iter(records))["id"] and "left early")
del records
say(f"{len(list(source.get_records('invoices', limit=3)))} of many")
say("done")
"""


@pytest.fixture(scope="module")
def session(program, tmp_path_factory):
    """What a session at a prompt prints; the streams are more than a pipe holds."""
    folder = tmp_path_factory.mktemp("session")
    own = {"DO_NOT_TRACK": "1", "AIRBYTE_OFFLINE_MODE": "1", "AIRBYTE_LOGGING_ROOT": str(folder)}
    with Simulator(companies=2, seed=7, records=300) as sim:
        return subprocess.run(
            [sys.executable, "-c", SESSION, program, json.dumps(config(sim))],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            timeout=900,
            env={**os.environ, **own},
        )


def test_check_can_be_asked_again_and_again(session):
    assert session.stdout.count("== checked") == session.stdout.count("Connection check succeeded") == 3


@pytest.mark.parametrize("step", ["sampled", "left early", "3 of many"])
def test_a_stream_that_is_left_early_ends_well(session, step):
    assert f"== {step}\n" in session.stdout, session.stdout[-3000:]


def test_no_process_ends_with_a_traceback_or_a_code_that_pyairbyte_dislikes(session):
    assert session.returncode == 0
    assert "== done" in session.stdout
    for trouble in ("Traceback", "Exception ignored", "exit_code", "Error fetching"):
        assert trouble not in session.stdout, session.stdout[-3000:]


def test_the_lines_of_the_readme_end_with_invoices_and_no_word_about_types(tmp_path):
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    (tmp_path / "secrets").mkdir()
    with Simulator(companies=2, seed=7, records=5) as sim:
        (tmp_path / "secrets" / "config.json").write_text(json.dumps(config(sim)), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRBYTE_")}
        done = subprocess.run(
            [sys.executable, "-c", LINES],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=300,
            env={**environment, "AIRBYTE_LOGGING_ROOT": str(tmp_path / "logs"), "COLUMNS": "200"},
        )
        invoices = len(sim.world.records("invoices"))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert (
        sum(int(count) for count in re.findall(r"^[A-Z]\w+ +(\d+)$", done.stdout, re.MULTILINE)) == invoices
    )
    assert "Connection check succeeded" in said
    assert "Could not determine airbyte type" not in said  # what PyAirbyte says of a column
