"""source-codat as a client: its console script with a configuration, a catalog and perhaps a state."""

from __future__ import annotations

import json
import sys
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


def catalog(streams: list[str]) -> dict[str, Any]:
    """Return a configured catalog that reads streams incrementally."""
    modes = ["full_refresh", "incremental"]
    return {
        "streams": [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": modes},
                "sync_mode": "incremental",
                "destination_sync_mode": "append",
            }
            for name in streams
        ]
    }


def command(
    server: Server,
    folder: Path,
    streams: list[str],
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


def incremental_streams(server: Server, folder: Path) -> list[str]:
    """Return the incremental streams that have a Codat data type, by what discover and the manifest say."""
    folder.mkdir(parents=True, exist_ok=True)
    config = write(folder, "config", {"api_key": server.api_key, "base_url": server.url})
    output = run([*PROGRAM, "0", "discover", "--config", config], keep=("CATALOG",)).output
    streams = json.loads(output.last[-1])["catalog"]["streams"]
    manifest = yaml.safe_load((ROOT / "source_codat" / "manifest.yaml").read_text(encoding="utf-8"))
    typed = {row["$parameters"]["name"] for row in manifest["streams"] if "data_type" in row["$parameters"]}
    found = [one["name"] for one in streams if "incremental" in one["supported_sync_modes"]]
    return [name for name in found if name in typed]


def last_states(cost: Cost) -> list[Any]:
    """Return the last state of each stream, as Airbyte hands it back."""
    found = {}
    for line in cost.output.last:
        state = json.loads(line)["state"]
        found[state["stream"]["stream_descriptor"]["name"]] = state
    return list(found.values())
