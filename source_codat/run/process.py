"""One run of the console script: a command in, lines out, and an exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable

from airbyte_cdk.entrypoint import _init_internal_request_filter
from airbyte_cdk.logger import is_platform_debug_log_enabled
from airbyte_cdk.utils import is_cloud_environment
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation.errors import trace_of
from source_codat.run.arguments import Arguments
from source_codat.run.commands import lines
from source_codat.run.interruption import Interruption
from source_codat.run.output import (
    CannotWriteError,
    LogLines,
    Output,
    ReaderGoneError,
    line_of,
    tell,
    tell_a_person,
)
from source_codat.source import SourceCodat


def run_command(arguments: Arguments) -> None:
    """Run a command and end the process: with 0 when it did what was asked, with 1 when it failed."""
    output = Output(sys.__stdout__.fileno() if sys.__stdout__ is not None else None)
    logging.getLogger().handlers = [LogLines(output)]
    debug = arguments.debug or is_platform_debug_log_enabled()
    logging.getLogger("airbyte").setLevel(logging.DEBUG if debug else logging.INFO)
    if is_cloud_environment():
        _init_internal_request_filter()  # as the CDK's own entry point: nothing inside Airbyte's network
    source = SourceCodat()
    interruption = Interruption(source, output)
    interruption.install()
    code = 1
    try:
        code = _run(source, arguments, output)
    except ReaderGoneError:
        pass  # there is nobody to tell
    except CannotWriteError as error:
        tell(str(error))
    interruption.end()
    # Workers may still wait for an answer that nobody wants: don't wait for them.
    os._exit(code)


def _run(source: SourceCodat, arguments: Arguments, output: Output) -> int:
    try:
        for line in lines(source, arguments, tell_a_person):
            output.write(line)
    except (ReaderGoneError, CannotWriteError):
        raise
    except AirbyteTracedException as error:
        _report(error, arguments, output.write)
        return 1
    except Exception as error:  # noqa: BLE001 - the platform must hear of whatever it was
        message = f"The connector met an error of its own: {type(error).__name__}."
        _report(AirbyteTracedException.from_exception(error, message=message), arguments, output.write)
        return 1
    return 0


def _report(error: AirbyteTracedException, arguments: Arguments, write: Callable[[bytes], None]) -> None:
    """Write an error as a message, and for a person as a sentence, with the stack where it was asked for."""
    write(line_of(trace_of(error)))
    stack = "".join(traceback.format_exception(error)) if arguments.debug else ""
    tell_a_person(f"{error.message}\n{stack}".rstrip())
