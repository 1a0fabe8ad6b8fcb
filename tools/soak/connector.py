"""One read of the connector: in this process, or as the console script, which is killed.

`python -m tools.soak.connector read …` is the console script with short time-outs.
"""

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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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
from source_codat.run import run
from source_codat.run.output import line_of
from source_codat.streams.catalog import CodatStream, build_streams
from tools.soak.streams import STREAM_NAMES, Record

LONG_TIME_OUT = 20.0
SHORT_TIME_OUT = 0.4  # seconds without a byte; the simulator takes a few milliseconds for an answer
_ROOT = Path(__file__).resolve().parent.parent.parent
Message = dict[str, Any]


@dataclass(frozen=True)
class ReadTask:
    """What to read, and when the read ends.

    modes: the sync mode of each stream. state: the STATE messages' contents to go on from. kill_after: after
    so many messages nothing more arrives. stop_after: after so many the read is asked to end. time_out:
    seconds without a byte after which a request is given up.
    """

    config: Mapping[str, Any]
    modes: Mapping[str, str]
    state: tuple[Message, ...] = ()
    kill_after: int | None = None
    stop_after: int | None = None
    time_out: float = LONG_TIME_OUT

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


@dataclass
class ReadResult:
    """What a read wrote, in order: messages, and apart from them the log.

    code: the exit code, None where the read was killed. not_json: lines that are no message. was_stopped:
    whether the read was told to end. crash: an exception that no read may raise; empty where there was none.
    """

    messages: list[Message] = field(default_factory=list)
    code: int | None = None
    logs: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    not_json: list[bytes] = field(default_factory=list)
    was_stopped: bool = False
    crash: str = ""

    def add(self, output: bytes) -> None:
        """Sort lines of output."""
        for line in output.splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                self.not_json.append(line)
                continue
            if message["type"] == "LOG":
                self.log(message["log"]["message"], is_warning=message["log"]["level"] == "WARN")
            else:
                self.messages.append(message)

    def log(self, line: str, *, is_warning: bool) -> None:
        """Keep a line of the log."""
        self.logs.append(line)
        if is_warning:
            self.warnings.append(line)

    @property
    def traces(self) -> list[Message]:
        """The errors, as the platform is told of them."""
        return [
            message["trace"]["error"]
            for message in self.messages
            if message["type"] == "TRACE" and message["trace"]["type"] == "ERROR"
        ]

    @property
    def errors(self) -> list[str]:
        """The errors as sentences, each after its failure type."""
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


@contextmanager
def _without_waiting(time_out: float) -> Iterator[None]:
    """Let requests be given up after so many seconds and tried again at once, with no limit a minute.

    A minute of waiting for refreshes lasts a sixtieth of a second.
    """
    with (
        mock.patch("source_codat.http.client.CodatClient._back_off", return_value=0.0),
        mock.patch("source_codat.http.client.time_outs", return_value=(5.0, time_out)),
        mock.patch("source_codat.http.rate_limit.WINDOW_SECONDS", 0.0),
        mock.patch("source_codat.engine.refresh.MINUTE_SECONDS", 1 / 60),
        mock.patch("source_codat.engine.refresh.FIRST_PAUSE_SECONDS", 0.01),
        mock.patch("source_codat.engine.refresh.LONGEST_PAUSE_SECONDS", 0.05),
    ):
        yield


# --- in this process


def read_in_process(task: ReadTask) -> ReadResult:
    """Read without a process of its own, which is faster.

    Being killed means here that no more of its messages are taken.
    """
    result = ReadResult()
    logger = logging.getLogger("airbyte")
    handlers, logger.handlers, propagate = logger.handlers, [_LogKeeper(result)], logger.propagate
    logger.propagate = False
    try:
        with _without_waiting(task.time_out), mock.patch("source_codat.source.build_streams", _few_streams):
            _read(task, result)
            _wait_for_workers()
    finally:
        logger.handlers, logger.propagate = handlers, propagate
    return result


def _read(task: ReadTask, result: ReadResult) -> None:
    source = _source()
    catalog = ConfiguredAirbyteCatalogSerializer.load(task.catalog)
    state = [AirbyteStateMessageSerializer.load(one) for one in task.state]
    messages = source.read_batches(task.config, catalog, state)
    try:
        for message in messages:
            if isinstance(message, RowBatch):
                result.add(message.lines())
            else:
                result.add(line_of(message))
            count = len(result.messages)
            if task.kill_after is not None and count >= task.kill_after:
                del result.messages[task.kill_after :]
                messages.close()  # type: ignore[attr-defined]  # it is a generator
                return
            if task.stop_after is not None and count >= task.stop_after and not result.was_stopped:
                result.was_stopped = True
                source.stop(ReadStopped("The read was ended by a test."))
    except AirbyteTracedException as error:
        result.code = 1
        result.add(line_of(error.as_sanitized_airbyte_message()))
    except Exception as error:  # noqa: BLE001 - judged by oracle.check_protocol
        result.code, result.crash = 1, repr(error)
    else:
        result.code = 0


@lru_cache(maxsize=1)
def _source() -> SourceCodat:
    """One source for all reads: to load its manifest takes longer than to read a small world."""
    return SourceCodat()


def _few_streams(
    factory: Any, manifest: Mapping[str, Any], *rest: Any, **named: Any
) -> dict[str, CodatStream]:
    """Only the streams that a story reads: to build all of them takes longer than the read."""
    few = [definition for definition in manifest["streams"] if definition["name"] in STREAM_NAMES]
    return build_streams(factory, {**manifest, "streams": few}, *rest, **named)


def _wait_for_workers() -> None:
    """Let nothing of a read that was killed or stopped reach into the next."""
    for thread in threading.enumerate():
        if re.fullmatch(r"codat-\d+", thread.name):
            thread.join(10)


class _LogKeeper(logging.Handler):
    """Adds log lines to a result."""

    def __init__(self, result: ReadResult) -> None:
        super().__init__(logging.INFO)
        self._result = result

    def emit(self, record: logging.LogRecord) -> None:
        """Add one."""
        self._result.log(self.format(record), is_warning=record.levelno >= logging.WARNING)


# --- in a process of its own


def read_and_kill(task: ReadTask, lines: int, number: signal.Signals) -> ReadResult:
    """Read with the console script, and send it a signal as soon as it has written so many lines."""
    result = ReadResult()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stderr"
        with (
            log.open("wb") as stderr,
            subprocess.Popen(
                [sys.executable, "-m", "tools.soak.connector", "read", *_files(Path(folder), task)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
            ) as process,
        ):
            out = process.stdout
            if out is None:
                raise RuntimeError("the console script has no stdout")
            output = b""
            for _ in range(lines):
                output += out.readline()
            result.was_stopped = process.poll() is None
            process.send_signal(number)
            output += out.read()
        result.logs += log.read_text(encoding="utf-8").splitlines()
    result.add(output[: output.rfind(b"\n") + 1])  # a killed process may leave half a line behind
    # One that SIGTERM ended after its last words counts as failed: nothing that it wrote was cut off.
    has_ended = process.returncode == -signal.SIGTERM and bool(result.errors)
    result.code = 1 if has_ended else process.returncode if process.returncode >= 0 else None
    return result


def _files(folder: Path, task: ReadTask) -> Iterable[str]:
    contents = {"config": task.config, "catalog": task.catalog, "state": list(task.state)}
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        yield from (f"--{name}", str(path))


if __name__ == "__main__":
    with _without_waiting(SHORT_TIME_OUT):
        run()
