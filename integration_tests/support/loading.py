"""`python -m tools.demo.load`, several times in one process, which imports PyAirbyte once."""

import gc
import os
import runpy
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partialmethod
from multiprocessing import get_context
from pathlib import Path
from unittest import mock

# What SQLAlchemy asks of a table besides its columns, each time that PyAirbyte looks at one. The tables of
# PyAirbyte have none of it, and DuckDB takes longer to say so than for all the rest of a load.
_BESIDES_COLUMNS = (
    "pk_constraint",
    "foreign_keys",
    "indexes",
    "unique_constraints",
    "check_constraints",
    "table_comment",
    "table_options",
)


class LoadFailedError(Exception):
    """PyAirbyte has failed, with this traceback."""


@contextmanager
def loader(executable: str, logs: Path):
    """Give the function that runs the program with arguments; it reads with this executable.

    With `append` every row that was read stays in the tables, as in a destination before it deduplicates.
    """
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=_prepare, initargs=(executable, logs)) as process:

        def load(*arguments, append=False):
            failed = process.submit(_load, [str(one) for one in arguments], append).result(timeout=600)
            if failed:
                raise LoadFailedError(failed)

        yield load


def _prepare(executable, logs):
    os.environ["AIRBYTE_LOGGING_ROOT"] = str(logs)
    os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")
    gc.disable()
    import airbyte  # noqa: PLC0415 - slow, and only for this process

    gc.freeze()
    gc.enable()
    get_source = airbyte.get_source
    airbyte.get_source = lambda *args, **options: get_source(
        *args, **{**options, "local_executable": Path(executable)}
    )
    ask_for_columns_only()


def ask_for_columns_only():
    """Let PyAirbyte be quick at looking at a table; for a process that does nothing else with tables."""
    from sqlalchemy.engine.reflection import Inspector  # noqa: PLC0415 - slow, and only for such a process

    for name in _BESIDES_COLUMNS:
        setattr(Inspector, f"get_multi_{name}", lambda *_, **__: {})


def _load(arguments, append):
    """Run the program; return the traceback of what it failed with, or nothing."""
    import airbyte  # noqa: PLC0415 - slow, and only for this process

    sys.argv = ["tools.demo.load", *arguments]
    read = partialmethod(airbyte.Source.read, write_strategy="append" if append else "auto")
    failed = ""
    try:
        with mock.patch.object(airbyte.Source, "read", read):
            runpy.run_module("tools.demo.load", run_name="__main__")
    except Exception:  # noqa: BLE001 - told where the program was started
        failed = traceback.format_exc()
    gc.collect()  # a cache that is kept would keep the database locked
    return failed
