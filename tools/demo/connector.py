"""The connector as a user runs it: its console script, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.demo import ROOT

COMMAND = Path(sys.executable).with_name("source-codat")
SECONDS = 600


class CommandFailedError(Exception):
    """A command ended with an error; the text is what it printed last."""


def run(*arguments: str | Path) -> list[dict[str, Any]]:
    """Run the connector and return the messages that it wrote."""
    return [json.loads(line) for line in _run([COMMAND, *arguments]).split("\n") if line.startswith("{")]


def load(config: Path, database: Path | str, *, resync: bool = False) -> None:
    """Load all streams into a database with PyAirbyte; its output goes to load.log beside the config."""
    extra = ["--resync"] if resync else []
    log = _run([sys.executable, "-m", "tools.demo.load", config, database, *extra])
    config.with_name("load.log").write_text(log, encoding="utf-8")


def _run(command: list[str | Path]) -> str:
    """Run a command and return what it printed; raises CommandFailedError."""
    done = subprocess.run(
        command,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
        env={**os.environ, "AIRBYTE_LOGGING_ROOT": str(ROOT / ".demo" / "logs")},
    )
    if done.returncode:
        last = "\n".join(line[:500] for line in done.stdout.splitlines()[-25:])
        raise CommandFailedError(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{last}")
    return done.stdout
