"""Where the demo works, and where it leaves what it made.

Each run has a folder of its own, so that two at once don't meet. What is ready goes to `.demo` in one move:
until then the last run's files stay as they are.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tools.demo import ROOT

FOLDER = ROOT / ".demo"
DATABASE = FOLDER / "warehouse.duckdb"
PLOT = FOLDER / "requests.png"
WRONG = FOLDER / "wrong.duckdb"
FAILED = FOLDER / "failed.log"
_RUN = "run-"
_LOCK = "lock"


@contextmanager
def run_folder() -> Iterator[Path]:
    """Make a folder for one run, and remove it when the run is over."""
    FOLDER.mkdir(exist_ok=True)
    with _locked(FOLDER / _LOCK):
        _remove_what_killed_runs_left()
        folder = Path(tempfile.mkdtemp(prefix=_RUN, dir=FOLDER))
        held = _lock(folder / _LOCK)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.close()


def name_of(path: Path) -> str:
    """A path as a person in the project's folder would type it."""
    return str(path.relative_to(ROOT))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(path: Path) -> IO[str]:
    """Lock a file until it is closed or the process ends; OSError where another process has it."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _remove_what_killed_runs_left() -> None:
    for folder in FOLDER.glob(f"{_RUN}*"):
        with suppress(OSError):  # a run that goes on has its lock
            _lock(folder / _LOCK).close()
            shutil.rmtree(folder)
