"""Runs the connector as Airbyte does, in process or as the console script, and sorts what it says."""

import json
import logging
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.reading.rows import RowBatch
from source_codat.run.output import line_of
from unit_tests.support.source import source

REPO = Path(__file__).resolve().parent.parent.parent


@dataclass
class Said:
    """What the connector wrote, sorted by kind; `error` is what it failed with."""

    messages: list = field(default_factory=list)
    code: int = 0
    unparsed: list = field(default_factory=list)
    stderr: str = ""

    def of(self, kind):
        return [message[kind.lower()] for message in self.messages if message["type"] == kind.upper()]

    def records(self, stream):
        return [one["data"] for one in self.of("RECORD") if one["stream"] == stream]

    @property
    def state(self):
        """The last state of each stream, as Airbyte would hand it back."""
        last = {one["stream"]["stream_descriptor"]["name"]: one for one in self.of("STATE")}
        return list(last.values())

    def stream_state(self, stream):
        blobs = [one for one in self.of("STATE") if one["stream"]["stream_descriptor"]["name"] == stream]
        return blobs[-1]["stream"]["stream_state"] if blobs else None

    def statuses(self, stream):
        return [
            one["stream_status"]["status"]
            for one in self.of("TRACE")
            if one["type"] == "STREAM_STATUS" and one["stream_status"]["stream_descriptor"]["name"] == stream
        ]

    @property
    def errors(self):
        return [one["error"] for one in self.of("TRACE") if one["type"] == "ERROR"]

    @property
    def status(self):
        found = [one["connectionStatus"] for one in self.messages if one["type"] == "CONNECTION_STATUS"]
        return found[0] if found else None

    @property
    def logs(self):
        return [one["message"] for one in self.of("LOG")]

    @property
    def text(self):
        return "\n".join(json.dumps(message) for message in self.messages) + self.stderr


def selected(*company_ids):
    """The options that select these companies."""
    return {"companies": {"selection": "ids", "company_ids": list(company_ids)}}


def config(sim, **options):
    return {"api_key": sim.api_key, "base_url": sim.url, **options}


def catalog(*names, mode="incremental", **modes):
    """A configured catalog of streams, all in one mode unless named otherwise."""
    incremental = {"full_refresh", "incremental"}
    streams = []
    for name in names:
        sync_mode = modes.get(name, mode)
        streams.append(
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": sorted(incremental)},
                "sync_mode": sync_mode,
                "destination_sync_mode": "append",
            }
        )
    return {"streams": streams}


def read(sim_or_config, *names, state=None, mode="incremental", **options):
    """Read in process; failures end up in `errors` and `code`, as the console script reports them."""
    settings = sim_or_config if isinstance(sim_or_config, dict) else config(sim_or_config, **options)
    said = Said()
    codat = source()
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog(*names, mode=mode))
    states = [AirbyteStateMessageSerializer.load(one) for one in state or []]
    log = _Log(said)
    logging.getLogger("airbyte").addHandler(log)
    try:
        for message in codat.read_batches(settings, configured, states):
            if isinstance(message, RowBatch):
                said.messages += [json.loads(line) for line in message.lines().splitlines()]
            else:
                said.messages.append(json.loads(line_of(message)))
    except AirbyteTracedException as error:
        said.code = 1
        said.messages.append(json.loads(line_of(error.as_sanitized_airbyte_message())))
    finally:
        logging.getLogger("airbyte").removeHandler(log)
    return said


class _Log(logging.Handler):
    def __init__(self, said):
        super().__init__()
        self.said = said

    def emit(self, record):
        message = {"level": record.levelname, "message": record.getMessage()}
        self.said.messages.append({"type": "LOG", "log": message})


def files(folder, **contents):
    """Write each content as a JSON file; returns the options that name them."""
    options = []
    for name, content in contents.items():
        if content is None:
            continue
        path = Path(folder) / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        options += [f"--{name}", str(path)]
    return options


def start(command, folder, *extra, **contents):
    """Start the console script."""
    return subprocess.Popen(
        [sys.executable, "-m", "source_codat.run", command, *files(folder, **contents), *extra],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )


def run(command, folder, *extra, timeout=120, **contents):
    """Run the console script to its end."""
    process = start(command, folder, *extra, **contents)
    out, err = process.communicate(timeout=timeout)
    return parse(out, err, process.returncode)


def parse(out, err=b"", code=0):
    """Sort the lines of an output; a line that is no message ends up in `unparsed`."""
    said = Said(code=code, stderr=err.decode())
    for line in out.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            said.unparsed.append(line)
            continue
        (said.messages if isinstance(message, dict) and "type" in message else said.unparsed).append(message)
    return said


def by_key(records, *key):
    """Records as a destination with deduplication keeps them: the last of each key."""
    kept = {}
    for record in records:
        kept[tuple(record.get(name) for name in key)] = record
    return kept


def grouped(records, name):
    groups = defaultdict(list)
    for record in records:
        groups[record[name]].append(record)
    return groups


def touch(sim, company, *record_ids, data_type="invoices", connection_id=None, **fields):
    """One finished Codat sync that changes records, all stamped alike."""

    def change():
        for record_id in record_ids:
            sim.world.change(company, data_type, record_id, connection_id, **fields)

    return sim.world.sync(company, data_type, connection_id, changes=change)
