"""One read of the connector, in this process or as the console script, ended by itself, stopped or killed."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat import SourceCodat
from source_codat.foundation.errors import ReadStopped
from source_codat.reading.rows import RowBatch
from source_codat.run.output import line_of
from source_codat.streams.catalog import CodatStream, build_streams
from tools.soak.hurry import PATIENT, hurried
from tools.soak.streams import NAMES, Record

REPO = Path(__file__).resolve().parent.parent.parent
Message = dict[str, Any]


@dataclass
class Reading:
    """What a read wrote, in order; `code` is its exit code, None where it was killed.

    stopped: whether it was told to stop. crash: what came out of it that no read may raise.
    """

    messages: list[Message] = field(default_factory=list)
    code: int | None = None
    logs: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unparsed: list[bytes] = field(default_factory=list)
    stopped: bool = False
    crash: str = ""

    def take(self, lines: bytes) -> None:
        """Sort lines of output; one that is no message is noted."""
        for line in lines.splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                self.unparsed.append(line)
                continue
            if message["type"] == "LOG":
                self.log(message["log"]["message"], warns=message["log"]["level"] == "WARN")
            else:
                self.messages.append(message)

    def log(self, line: str, *, warns: bool) -> None:
        """Keep a line of the log."""
        self.logs.append(line)
        if warns:
            self.warnings.append(line)

    @property
    def traces(self) -> list[Message]:
        """What it failed with, as the platform is told."""
        return [
            message["trace"]["error"]
            for message in self.messages
            if message["type"] == "TRACE" and message["trace"]["type"] == "ERROR"
        ]

    @property
    def errors(self) -> list[str]:
        """What it failed with, in words."""
        return [f"{error['failure_type']}: {error['message']}" for error in self.traces]

    def statuses(self, stream: str) -> list[str]:
        """The statuses of a stream."""
        return [
            message["trace"]["stream_status"]["status"]
            for message in self.messages
            if message["type"] == "TRACE"
            and message["trace"]["type"] == "STREAM_STATUS"
            and message["trace"]["stream_status"]["stream_descriptor"]["name"] == stream
        ]

    def records(self, stream: str) -> list[Record]:
        """The records of a stream."""
        return [
            message["record"]["data"]
            for message in self.messages
            if message["type"] == "RECORD" and message["record"]["stream"] == stream
        ]


@dataclass(frozen=True)
class Order:
    """What to read: the configuration, the streams with their sync modes, the state, and when it ends.

    kill_at: after so many messages nothing more arrives. stop_at: after so many it is asked to end.
    read_time_out: seconds after which a request is given up.
    """

    config: Mapping[str, Any]
    modes: Mapping[str, str]
    state: tuple[Message, ...] = ()
    kill_at: int | None = None
    stop_at: int | None = None
    read_time_out: float = PATIENT

    @property
    def catalog(self) -> Message:
        """The configured catalog."""
        supported = ["full_refresh", "incremental"]
        streams = [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": supported},
                "sync_mode": mode,
                "destination_sync_mode": "append",
            }
            for name, mode in self.modes.items()
        ]
        return {"streams": streams}


def _few_streams(factory: Any, manifest: Mapping[str, Any], *rest: Any) -> dict[str, CodatStream]:
    """Only the streams that a trial reads: building all of them takes longer than the read."""
    few = [definition for definition in manifest["streams"] if definition["name"] in NAMES]
    return build_streams(factory, {**manifest, "streams": few}, *rest)


@lru_cache(maxsize=1)
def _source() -> SourceCodat:
    """One source for all reads: to load its manifest takes longer than to read a small world."""
    return SourceCodat()


def read_in_process(order: Order) -> Reading:
    """Read without a process of its own: fast, and without waiting between tries."""
    reading = Reading()
    capture = _Capture(reading)
    logger = logging.getLogger("airbyte")
    handlers, logger.handlers, propagate = logger.handlers, [capture], logger.propagate
    logger.propagate = False
    try:
        with hurried(order.read_time_out), mock.patch("source_codat.source.build_streams", _few_streams):
            _read(order, reading)
            _wait_for_workers()
    finally:
        logger.handlers, logger.propagate = handlers, propagate
    return reading


def _read(order: Order, reading: Reading) -> None:
    source = _source()
    catalog = ConfiguredAirbyteCatalogSerializer.load(order.catalog)
    state = [AirbyteStateMessageSerializer.load(one) for one in order.state]
    messages = source.read_batches(order.config, catalog, state)
    try:
        for message in messages:
            if isinstance(message, RowBatch):
                reading.take(message.lines())
            else:
                reading.take(line_of(message))
            count = len(reading.messages)
            if order.kill_at is not None and count >= order.kill_at:
                del reading.messages[order.kill_at :]
                messages.close()  # type: ignore[attr-defined]  # it is a generator
                return
            if order.stop_at is not None and count >= order.stop_at and not reading.stopped:
                reading.stopped = True
                source.stop(ReadStopped("The read was ended by a test."))
    except AirbyteTracedException as error:
        reading.code = 1
        reading.take(line_of(error.as_sanitized_airbyte_message()))
    except Exception as error:  # noqa: BLE001 - judged by protocol.check
        reading.code, reading.crash = 1, repr(error)
    else:
        reading.code = 0


def _wait_for_workers() -> None:
    """Let nothing of a read that was killed, or stopped at once, reach into the next."""
    for thread in threading.enumerate():
        if re.fullmatch(r"codat-\d+", thread.name):
            thread.join(10)


class _Capture(logging.Handler):
    """Keeps log lines."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(logging.INFO)
        self._reading = reading

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self._reading.log(self.format(record), warns=record.levelno >= logging.WARNING)


def read_and_kill(order: Order, lines: int, number: signal.Signals) -> Reading:
    """Read with the console script, and send it a signal as soon as it has written so many lines."""
    reading = Reading()
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "stderr"
        with (
            said.open("wb") as stderr,
            subprocess.Popen(
                [sys.executable, "-m", "tools.soak.hurry", "read", *_files(Path(folder), order)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(REPO)},
            ) as process,
        ):
            out = process.stdout
            if out is None:
                raise RuntimeError("the console script has no stdout")
            written = b""
            for _ in range(lines):
                written += out.readline()
            reading.stopped = process.poll() is None
            process.send_signal(number)
            written += out.read()
        reading.logs += said.read_text(encoding="utf-8").splitlines()
    whole = written[: written.rfind(b"\n") + 1]  # a killed process may leave half a line behind
    reading.take(whole)
    # What SIGTERM ended after its last state counts as failed, as nothing is missing of what it says.
    told = process.returncode == -signal.SIGTERM and bool(reading.errors)
    reading.code = 1 if told else process.returncode if process.returncode >= 0 else None
    return reading


def _files(folder: Path, order: Order) -> Iterable[str]:
    contents = {"config": order.config, "catalog": order.catalog, "state": list(order.state)}
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        yield from (f"--{name}", str(path))
