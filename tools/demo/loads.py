"""Loads with PyAirbyte, one after the other, in a process that imports it once: that takes seconds.

`python -m tools.demo.loads` is that process. A line of its stdin names a load, a line of its stdout says how
that ended; what PyAirbyte prints goes to its stderr.
"""

import gc
import json
import os
import select
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO, cast

from tools.demo import ROOT
from tools.demo.connector import SECONDS, CommandFailedError, reason

COMMAND = (sys.executable, "-m", "tools.demo.loads")


class Loads:
    """Loads streams; used in a `with` block.

    PyAirbyte's process has a session of its own: Ctrl-C is for the demo, which ends it. seconds: how long a
    load may take.
    """

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._log = folder / "loads.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**os.environ, "AIRBYTE_LOGGING_ROOT": str(folder / "logs")},
                start_new_session=True,
            )
        self._jobs = cast("TextIO", self._process.stdin)
        self._answers = cast("TextIO", self._process.stdout)

    def __enter__(self) -> "Loads":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def load(self, config: Path, database: Path, streams: Iterable[str]) -> None:
        """Load streams into a database; raises CommandFailedError."""
        job = {"config": str(config), "database": str(database), "streams": list(streams)}
        answer = ""
        try:
            print(json.dumps(job), file=self._jobs, flush=True)
            in_time, _, _ = select.select([self._answers], [], [], self._seconds)
            answer = self._answers.readline() if in_time else "late"
        except BrokenPipeError:
            pass  # it has ended, and has no answer
        if answer != "loaded\n":
            printed = self._log.read_text(encoding="utf-8")
            what = "a load with PyAirbyte failed"
            if answer == "late":
                what = f"a load with PyAirbyte took longer than {self._seconds:.0f} s"
            elif not answer:
                what = f"the process that loads with PyAirbyte ended with {self._process.wait()}"
            raise CommandFailedError(f"{what}: {reason(printed)}", printed)


def serve(jobs: Iterable[str], answers: TextIO, load: Callable[[Path, str, list[str]], object]) -> None:
    """Do one load after the other, and say of each whether it ended well."""
    for line in jobs:
        job = json.loads(line)
        answer = "loaded"
        try:
            load(Path(job["config"]), job["database"], job["streams"])
        except Exception:  # noqa: BLE001 - told to the demo, whatever it was
            traceback.print_exc()
            answer = "failed"
        gc.collect()  # PyAirbyte's cache is part of a circle, and keeps the database locked
        print(answer, file=answers, flush=True)


def main() -> None:
    """Serve the demo that has started this process."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        from tools.demo.load import load  # noqa: PLC0415 - imports PyAirbyte, which may print

        serve(sys.stdin, answers, load)


if __name__ == "__main__":
    main()
