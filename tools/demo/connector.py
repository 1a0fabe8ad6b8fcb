"""The connector as a user runs it: its console script, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.demo import ROOT

COMMAND = Path(sys.executable).with_name("source-codat")
SECONDS = 600


class CommandFailedError(Exception):
    """A command ended with an error; the text is a sentence, `output` all that the command printed."""

    def __init__(self, sentence: str, output: str) -> None:
        super().__init__(sentence)
        self.output = output


def run(*arguments: str | Path) -> list[dict[str, Any]]:
    """Run the connector and return the messages that it wrote."""
    done = _run([COMMAND, *arguments])
    return [json.loads(line) for line in done.split("\n") if line.startswith("{")]


def load(config: Path, database: Path, streams: Iterable[str]) -> None:
    """Load streams into a database with PyAirbyte."""
    logs = str(config.with_name("logs"))
    program: list[str | Path] = [sys.executable, "-m", "tools.demo.load"]
    _run([*program, config, database, "--streams", ",".join(streams)], AIRBYTE_LOGGING_ROOT=logs)


def _run(command: Sequence[str | Path], **environment: str) -> str:
    """Run a command and return what it printed; raises CommandFailedError."""
    done = subprocess.run(
        command,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    if done.returncode:
        name, first, *others = map(str, command)
        what = others[0] if first == "-m" else f"{Path(name).name} {first}"
        raise CommandFailedError(f"{what} ended with {done.returncode}: {_reason(done.stdout)}", done.stdout)
    return done.stdout


def _reason(output: str) -> str:
    """What a command said last: the message of an error where it is one of Airbyte's, else a line."""
    lines = [line for line in output.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith("{") and '"TRACE"' in line:
            error = json.loads(line)["trace"].get("error")
            if error:
                return str(error["message"])
    return lines[-1][:300] if lines else "it printed nothing"
