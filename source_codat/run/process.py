"""The console script: commands in, lines out, and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from types import FrameType

from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation.errors import ReadStopped
from source_codat.run.entrypoint import CodatEntrypoint
from source_codat.source import SourceCodat


def run(args: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 when it did what was asked, 1 when it failed."""
    source = SourceCodat()
    entrypoint = CodatEntrypoint(source)
    parsed = entrypoint.parse_args(list(sys.argv[1:] if args is None else args))
    if not parsed.command:
        sys.exit("Say what to do: spec, check, discover or read.")
    entrypoint.set_log_level(parsed)

    def stop(number: int, _: FrameType | None) -> None:
        if not source.stop(ReadStopped(f"The read was ended by {signal.Signals(number).name}.")):
            os._exit(128 + number)  # nothing is being read, so there is nothing to finish

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    code = 0
    try:
        _write(entrypoint.lines(parsed))
    except AirbyteTracedException as error:
        code = 1
        _write([_trace(error)])
    except BrokenPipeError:
        code = 1  # nobody reads any more: there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]  # a pipe was there
    except Exception as error:  # noqa: BLE001 - the platform must hear of whatever it was
        code = 1
        traced = AirbyteTracedException.from_exception(
            error, message=f"The connector met an error of its own: {type(error).__name__}."
        )
        _write([_trace(traced)])
    # Workers may still wait for an answer that nobody wants: don't wait for them.
    os._exit(code)


def _write(lines: Iterable[bytes]) -> None:
    """Write lines so that no log line of another thread ever gets in between their bytes."""
    if sys.__stdout__ is None:
        raise AirbyteTracedException(
            message="There is no stdout to write to.", failure_type=FailureType.system_error
        )
    out = sys.__stdout__.fileno()
    for line in lines:
        with PRINT_BUFFER.lock:
            PRINT_BUFFER.flush()
            # Straight to the descriptor: a buffered writer may repeat bytes when a signal comes.
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(out, rest) :]
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()


def _trace(error: AirbyteTracedException) -> bytes:
    message = CodatEntrypoint.airbyte_message_to_string(error.as_sanitized_airbyte_message())
    return filter_secrets(message).encode() + b"\n"
