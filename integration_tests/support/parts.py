"""Runs of the Dagster job in docs/examples/parts: a process that has all imports done forks once a part."""

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from unittest import mock

from integration_tests.support.loading import ask_for_columns_only

REPO = Path(__file__).resolve().parent.parent.parent
EXAMPLES = REPO / "docs" / "examples" / "parts"
WHILE_READING, WHILE_WRITING = "while reading", "while writing"


class PartRuns:
    """Runs parts side by side, each as a Dagster run in a process of its own; used in a `with` block."""

    def __init__(self, environment):
        """Take what is added to the environment of all runs: `DAGSTER_HOME`, `CODAT_CONFIG` and so on."""
        self._environment = environment

    def __enter__(self):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "integration_tests.support.parts"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPO,
            env={**os.environ, **self._environment, "PYTHONPATH": f"{REPO}{os.pathsep}{EXAMPLES}"},
        )
        assert process.stdin
        assert process.stdout
        self._process, self._jobs, self._answers = process, process.stdin, process.stdout
        return self

    def __exit__(self, *_):
        self._jobs.close()
        self._process.wait(timeout=120)
        self._answers.close()

    def run(self, of, *numbers, killed=(), **environment):
        """Run these parts, or all of them; returns how the process of each ended, by number.

        killed: numbers of parts to WHILE_READING or WHILE_WRITING, when the process gets SIGKILL.
        """
        parts = list(numbers or range(1, of + 1))
        job = {"of": of, "parts": parts, "killed": dict(killed), "env": environment}
        self._jobs.write(json.dumps(job) + "\n")
        self._jobs.flush()
        return {int(number): code for number, code in json.loads(self._answers.readline()).items()}


def _serve():
    """Take jobs from stdin until it is closed, and write how each one's processes ended."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    ask_for_columns_only()
    with dagster.DagsterInstance.get():
        pass  # Dagster's own database is made by one process: two of them trip over each other
    for line in sys.stdin:
        job = json.loads(line)
        children = {}
        for number in job["parts"]:
            children[number] = os.fork()
            if children[number] == 0:
                _become(number, job)
        ended = {number: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for number, pid in children.items()}
        answers.write(json.dumps(ended) + "\n")
        answers.flush()


def _become(number, job):
    code = 1
    try:
        os.environ.update(job["env"], CODAT_PARTS=str(job["of"]))
        if str(number) in job["killed"]:
            _be_killed(job["killed"][str(number)])
        import dagster_job  # noqa: PLC0415 - takes the number of parts from the environment

        dagster_job.run(f"{number}/{job['of']}")
        code = 0
    except BaseException:  # noqa: BLE001 - this process mustn't go on as the one that forks
        traceback.print_exc()
    finally:
        os._exit(code)


def _be_killed(when):
    """Let this process get SIGKILL: after some of the messages, or with half of the streams written."""

    def messages_until_killed(_, messages):
        for number, message in enumerate(messages):
            if number == 20:
                os.kill(os.getpid(), signal.SIGKILL)
            yield message

    def write_until_killed(self, state):
        if self.state_message_artifacts[1:]:  # the second stream has its rows, and not yet its state
            os.kill(os.getpid(), signal.SIGKILL)
        write_state(self, state)

    write_state = SqlStateWriter._write_state
    if when == WHILE_READING:
        mock.patch.object(load_part._OnePart, "_then_take_turn", messages_until_killed).start()
    else:
        mock.patch.object(SqlStateWriter, "_write_state", write_until_killed).start()


if __name__ == "__main__":
    import dagster
    import load_part
    from airbyte.caches._state_backend import SqlStateWriter

    _serve()
    os._exit(0)  # at once: Python would take its time to take all of this apart
