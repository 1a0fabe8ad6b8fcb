"""Load one part of the companies with PyAirbyte, while other processes load the others into the same tables.

Run as `python load_part.py 3/8`, or call `load_part("3/8", settings)` as `dagster_job.py` does. Parts read
side by side and take turns at writing. Each part has a state of its own in the warehouse; when the number of
parts is changed, the new ones start from the states of all the old ones together.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# PyAirbyte reads these when it is imported: no telemetry, no look-up in Airbyte's online registry.
os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")

import airbyte as ab
from airbyte.caches import CacheBase, DuckDBCache, PostgresCache

# Not a public part of PyAirbyte: setup.py says which versions this was tried with.
from airbyte.caches._state_backend import CacheStreamStateModel, SqlStateBackend
from airbyte.shared.sql_processor import SqlProcessorBase
from airbyte.shared.state_providers import StateProviderBase, StaticInputState
from airbyte.shared.state_writers import StateWriterBase
from airbyte_protocol.models import AirbyteStateMessage  # type: ignore[import-untyped]  # as it is published
from pydantic import PrivateAttr
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

SCHEMA = "codat"
SOURCE = "source-codat"


@dataclass(frozen=True)
class Settings:
    """What to read, and where to write it."""

    config: dict[str, Any]
    """The connector's configuration, without `part`."""

    warehouse: str
    """A DuckDB file, or the address of a PostgreSQL: `postgresql://user:password@host:5432/name`."""

    streams: list[str]

    @classmethod
    def from_environment(cls) -> Settings:
        """Take CODAT_CONFIG (a file), CODAT_WAREHOUSE and CODAT_STREAMS (names with commas between them)."""
        return cls(
            config=json.loads(Path(os.environ["CODAT_CONFIG"]).read_text(encoding="utf-8")),
            warehouse=os.environ["CODAT_WAREHOUSE"],
            streams=os.environ["CODAT_STREAMS"].split(","),
        )


def load_part(part: str, settings: Settings) -> int:
    """Read one part (`3/8`), write it into the schema `codat`, and return how many records arrived.

    Raises PyAirbyte's AirbyteError where the read failed: nothing of the part is written then.
    """
    source = ab.get_source(
        SOURCE,
        local_executable=_connector(),
        config={**settings.config, "part": part},
        streams=settings.streams,
    )
    with (
        tempfile.TemporaryDirectory(prefix="codat-") as waiting,
        _warehouse(settings.warehouse, part, Path(waiting)) as cache,
    ):
        return source.read(cache=cache).processed_records


class _OnePart(CacheBase):
    """PyAirbyte's way into a warehouse that other processes write to as well.

    PyAirbyte keeps what it reads in files until the read has ended, and then writes. This lets it into the
    warehouse only in the part's turns: a DuckDB file takes one process at a time, and what PyAirbyte does to
    shared tables (making them, naming its temporary ones) isn't made for two at once.
    """

    part: str
    take_turn: Callable[[], AbstractContextManager[None]]
    _writing: ExitStack = PrivateAttr(default_factory=ExitStack)

    def get_state_provider(
        self, source_name: str, *, refresh: bool = True, destination_name: str | None = None
    ) -> StateProviderBase:
        """Give the state that the part's read starts from."""
        del refresh, destination_name
        with self._one_turn(), Session(self.get_sql_engine()) as session:
            CacheStreamStateModel.metadata.create_all(self.get_sql_engine())
            rows = session.query(CacheStreamStateModel).filter_by(source_name=source_name).all()
            states: dict[str, list[AirbyteStateMessage]] = defaultdict(list)
            for row in rows:
                owner = row.table_name.removesuffix(row.stream_name)
                states[owner].append(AirbyteStateMessage.model_validate_json(row.state_json))
        _, of = self.part.split("/")
        earlier = [state for owner, state in states.items() if not owner.endswith(f"/{of} ")]
        own = states[self._owner]
        return StaticInputState(_merged([own, *earlier], self.part) if earlier else own)

    def get_state_writer(self, source_name: str, destination_name: str | None = None) -> StateWriterBase:
        """Give what keeps the state of this part, beside those of the others."""
        del destination_name
        return SqlStateBackend(self, table_prefix=self._owner).get_state_writer(source_name)

    def get_record_processor(self, *arguments: Any, **options: Any) -> SqlProcessorBase:
        """Give what will write the records."""
        with self._one_turn():
            return super().get_record_processor(*arguments, **options)

    def close(self) -> None:
        """Leave the warehouse to the next one."""
        super().close()
        self._writing.close()

    @property
    def _owner(self) -> str:
        """What stands before a stream's name where PyAirbyte keeps its state: `3/8 invoices`."""
        return f"{self.part} "

    @contextmanager
    def _one_turn(self) -> Iterator[None]:
        with self.take_turn():
            try:
                yield
            finally:
                super().close()

    def _write_airbyte_message_stream(self, stdin: Any, **options: Any) -> None:
        messages: Any = self._then_take_turn(stdin)
        super()._write_airbyte_message_stream(messages, **options)

    def _then_take_turn(self, messages: Iterable[Any]) -> Iterator[Any]:
        """When the last message was read PyAirbyte begins to write: that turn lasts until `close`."""
        yield from messages
        self._writing.enter_context(self.take_turn())


class _OnePartInDuckDB(_OnePart, DuckDBCache):
    pass


class _OnePartInPostgreSQL(_OnePart, PostgresCache):
    pass


def _warehouse(address: str, part: str, waiting: Path) -> CacheBase:
    """Return the warehouse as PyAirbyte knows it; `waiting` is where records wait to be written."""
    shared: dict[str, Any] = {"schema_name": SCHEMA, "cache_dir": waiting, "part": part}
    if "://" not in address:
        file = Path(address).absolute()
        file.parent.mkdir(parents=True, exist_ok=True)
        turn = partial(_turn_at_file, file.with_name(f"{file.name}.lock"))
        return _made_in_turn(turn, _OnePartInDuckDB, **shared, db_path=file)
    url = urlsplit(address)
    return _made_in_turn(
        partial(_turn_at_postgresql, address),
        _OnePartInPostgreSQL,
        **shared,
        host=url.hostname or "localhost",
        port=url.port or 5432,
        username=unquote(url.username or ""),
        password=unquote(url.password or ""),
        database=url.path.strip("/"),
    )


def _made_in_turn(
    turn: Callable[[], AbstractContextManager[None]], kind: type[_OnePart], **options: Any
) -> CacheBase:
    """Make the cache in a turn of its own, as PyAirbyte makes its tables with it."""
    with turn():
        cache = kind(**options, take_turn=turn)
        cache.close()
    return cache


@contextmanager
def _turn_at_file(lock: Path) -> Iterator[None]:
    """Wait until no other process on this machine has the lock, which ends with the process."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _turn_at_postgresql(address: str) -> Iterator[None]:
    """Wait until no other process has the lock, which ends with the connection."""
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(hashtext('source-codat'))"))
            yield
    finally:
        engine.dispose()  # closes the connection, which gives the lock back


def _merged(states: Iterable[list[AirbyteStateMessage]], part: str) -> list[AirbyteStateMessage]:
    """Let the connector put states together: what is known of each company of the part."""
    with tempfile.TemporaryDirectory(prefix="codat-") as folder:
        files: list[Path] = []
        for number, messages in enumerate(filter(None, states)):
            files.append(Path(folder, f"{number}.json"))
            content = f"[{','.join(one.model_dump_json() for one in messages)}]"
            files[-1].write_text(content, encoding="utf-8")
        command = [str(_connector()), "merge-states", "--part", part, *map(str, files)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found = map(json.loads, done.stdout.splitlines())
    return [AirbyteStateMessage.model_validate(one["state"]) for one in found if one["type"] == "STATE"]


def _connector() -> Path:
    """Find the console script: on the PATH, or beside this Python."""
    return Path(shutil.which(SOURCE) or Path(sys.executable).with_name(SOURCE))


if __name__ == "__main__":
    print(f"{load_part(sys.argv[1], Settings.from_environment())} records arrived")
