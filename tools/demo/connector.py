"""The connector as a user runs it: its console script, in a process of its own."""

import json
import subprocess
import sys
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
    """Run the connector and return the messages that it wrote; raises CommandFailedError."""
    done = subprocess.run(
        [COMMAND, *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
    )
    if done.returncode:
        what = f"{COMMAND.name} {arguments[0]} ended with {done.returncode}"
        raise CommandFailedError(f"{what}: {reason(done.stdout)}", done.stdout)
    return [json.loads(line) for line in done.stdout.split("\n") if line.startswith("{")]


def reason(output: str) -> str:
    """What a command said last: the message of an error where it is one of Airbyte's, else a line."""
    lines = [line for line in output.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith("{") and '"TRACE"' in line:
            error = json.loads(line)["trace"].get("error")
            if error:
                return str(error["message"])
    return lines[-1][:300] if lines else "it printed nothing"
