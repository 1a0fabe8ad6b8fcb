"""Load Codat into a warehouse with PyAirbyte: what a script of your own would look like.

Run as `python -m tools.demo.load CONFIG DATABASE [--streams invoices,bills] [--resync]`; without `--streams`
all of them are loaded. The database is a DuckDB file, or the address of a PostgreSQL
(`postgresql://user:password@host:5432/name`). The second run continues where the first one stopped: PyAirbyte
keeps the connector's state in the same database. A resync reads everything again and replaces the tables.
"""

import argparse
import gc
import json
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

# PyAirbyte reads these when it is imported: no telemetry, no look-up in Airbyte's online registry.
os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")

gc.disable()  # what is imported stays: looking for garbage in it would be a quarter of the time
with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # Google's libraries, of Pythons that they'll drop
    import airbyte as ab
    from airbyte.caches import CacheBase, DuckDBCache, PostgresCache
gc.freeze()
gc.enable()

SCHEMA = "codat"


def load(config: Path, database: str, streams: str | list[str] = "*", *, resync: bool = False) -> int:
    """Read streams into the schema `codat` of the database; return how many records arrived."""
    source = ab.get_source(
        "source-codat",
        local_executable=Path(sys.executable).with_name("source-codat"),
        config=json.loads(config.read_text(encoding="utf-8")),
        streams=streams,
    )
    cache = _cache(database, config.parent / "cache")
    if resync:
        return source.read(cache=cache, force_full_refresh=True, write_strategy="replace").processed_records
    return source.read(cache=cache).processed_records


def _cache(database: str, files: Path) -> CacheBase:
    """Return the database as PyAirbyte knows it; `files` is where records wait to be loaded."""
    if "://" not in database:
        return DuckDBCache(db_path=database, schema_name=SCHEMA, cache_dir=files)
    address = urlsplit(database)
    return PostgresCache(
        host=address.hostname or "localhost",
        port=address.port or 5432,
        username=unquote(address.username or ""),
        password=unquote(address.password or ""),
        database=address.path.strip("/"),
        schema_name=SCHEMA,
        cache_dir=files,
    )


def main(arguments: Sequence[str]) -> None:
    """Load what the arguments name, and say how much arrived and how to look at it."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo.load")
    parser.add_argument("config", type=Path)
    parser.add_argument("database")
    parser.add_argument("--streams", default="*", type=lambda text: text if text == "*" else text.split(","))
    parser.add_argument("--resync", action="store_true")
    given = parser.parse_args(arguments)
    arrived = load(given.config, given.database, given.streams, resync=given.resync)
    if "://" in given.database:  # it may hold a password
        print(f"{arrived:,} records arrived in the schema {SCHEMA}.")
    else:
        print(f"{arrived:,} records arrived in {given.database}. To see the tables:")
        print(f"    .venv/bin/python -m tools.demo.query --database {shlex.quote(given.database)}")


if __name__ == "__main__":
    main(sys.argv[1:])
