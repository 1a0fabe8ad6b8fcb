"""`python -m tools.demo.load`, several times in one process, which imports PyAirbyte once."""

import gc
import os
import runpy
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

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


@contextmanager
def loader(executable: str, logs: Path):
    """Give the function that runs the program with arguments; it reads with this executable."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=_prepare, initargs=(executable, logs)) as process:

        def load(*arguments):
            process.submit(_load, [str(one) for one in arguments]).result(timeout=600)

        yield load


def _prepare(executable, logs):
    os.environ["AIRBYTE_LOGGING_ROOT"] = str(logs)
    os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")
    import airbyte  # noqa: PLC0415 - slow, and only for this process

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


def _load(arguments):
    sys.argv = ["tools.demo.load", *arguments]
    runpy.run_module("tools.demo.load", run_name="__main__")
    gc.collect()  # a cache that is kept would keep the database locked
