"""source-codat as a client: its console script with a configuration, a catalog and perhaps a state."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.benchmarks import ROOT
from tools.benchmarks.client_process import Cost, run
from tools.benchmarks.server import Server

# The budget of a minute protects an account at Codat; here it would be what is measured. A minute of no
# length has no end of budgets.
PROGRAM: list[str | Path] = [sys.executable, "-m", "tools.benchmarks.minutes"]


def write(folder: Path, name: str, content: Any) -> Path:
    """Write a JSON file and return its path."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


Modes = Mapping[str, str]
INCREMENTAL, FULL_REFRESH = "incremental", "full_refresh"


def catalog(streams: Sequence[str] | Modes) -> dict[str, Any]:
    """Return a configured catalog that reads streams incrementally, or each in the mode that is given."""
    modes = streams if isinstance(streams, Mapping) else dict.fromkeys(streams, INCREMENTAL)
    return {
        "streams": [
            {
                "stream": {
                    "name": name,
                    "json_schema": {},
                    "supported_sync_modes": [FULL_REFRESH, INCREMENTAL],
                },
                "sync_mode": mode,
                "destination_sync_mode": "append",
            }
            for name, mode in modes.items()
        ]
    }


def command(
    server: Server,
    folder: Path,
    streams: Sequence[str] | Modes,
    state: list[Any] | None = None,
    minute: float = 0,
    **options: Any,
) -> list[str | Path]:
    """Return the command that reads streams, with its files in a folder; minute: its length in seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    config = write(folder, "config", {"api_key": server.api_key, "base_url": server.url, **options})
    chosen = write(folder, "catalog", catalog(streams))
    found = [*PROGRAM, str(minute), "read", "--config", config, "--catalog", chosen]
    return [*found, "--state", write(folder, "state", state)] if state is not None else found


def suggested_streams(server: Server, folder: Path) -> Modes:
    """Return the streams that metadata.yaml suggests, each with its best mode, by what discover says."""
    folder.mkdir(parents=True, exist_ok=True)
    config = write(folder, "config", {"api_key": server.api_key, "base_url": server.url})
    output = run([*PROGRAM, "0", "discover", "--config", config], keep=("CATALOG",)).output
    streams = json.loads(output.last[-1])["catalog"]["streams"]
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
    modes = {
        one["name"]: INCREMENTAL if INCREMENTAL in one["supported_sync_modes"] else FULL_REFRESH
        for one in streams
    }
    return {name: modes[name] for name in metadata["suggestedStreams"]["streams"]}


def last_states(cost: Cost) -> list[Any]:
    """Return the last state of each stream, as Airbyte hands it back."""
    found = {}
    for line in cost.output.last:
        state = json.loads(line)["state"]
        found[state["stream"]["stream_descriptor"]["name"]] = state
    return list(found.values())
