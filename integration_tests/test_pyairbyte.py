"""PyAirbyte as a person uses it at a prompt: it ends the connector's process whenever it has enough."""

import json
import os
import subprocess
import sys

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import config
from integration_tests.support.extras import require

require("airbyte", "PyAirbyte")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("PyAirbyte")]

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
