"""tap-codat from PyPI, in an environment of its own that is made once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools.benchmarks import FOLDER
from tools.benchmarks.connector import write
from tools.benchmarks.server import Server

VERSION = "0.5.3"  # the newest on PyPI
START = "2000-01-01T00:00:00Z"
_PYTHON = FOLDER / f"tap-codat-{VERSION}" / "bin" / "python"
_RUNNER = Path(__file__).with_name("tap_runner.py")


class NotInstalledError(Exception):
    """tap-codat can't be installed here; the text says why."""


def install() -> None:
    """Make the environment, unless it is there."""
    done = _PYTHON.parent.parent / "installed"
    if done.exists():
        return
    _call(sys.executable, "-m", "venv", "--clear", _PYTHON.parent.parent)
    _call(_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"tap-codat=={VERSION}")
    _call(_PYTHON, "-c", "import tap_codat")
    done.touch()


def command(server: Server, folder: Path) -> list[str | Path]:
    """Return the command that reads the invoices, with its files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # It calls .lower() on uat_urls: left out, it fails.
    config = write(folder, "config", {"api_key": server.api_key, "start_date": START, "uat_urls": "false"})
    start: list[str | Path] = [_PYTHON, _RUNNER, server.url, "--config", config]
    found = subprocess.run(
        [*start, "--discover"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
    )
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        stream["schema"]["selected"] = stream["tap_stream_id"] == "invoices"
    return [*start, "--properties", write(folder, "properties", catalog)]


def _call(*command: str | Path) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except (subprocess.SubprocessError, OSError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise NotInstalledError(said[-1] if said else type(error).__name__) from None
