"""Load Codat into a DuckDB file with PyAirbyte: what a script of your own would look like.

Run as `python -m demo.load CONFIG DATABASE`. The second run continues where the first one stopped:
PyAirbyte keeps the connector's state in the same file.
"""

import json
import os
import sys
from pathlib import Path

# PyAirbyte reads these when it is imported: no telemetry, no look-up in Airbyte's online registry.
os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")

import airbyte as ab
from airbyte.caches import DuckDBCache


def load(config: Path, database: Path) -> int:
    """Read every stream into the schema `codat` of the database; return how many records arrived."""
    source = ab.get_source(
        "source-codat",
        local_executable=Path(sys.executable).with_name("source-codat"),
        config=json.loads(config.read_text(encoding="utf-8")),
        streams="*",
    )
    cache = DuckDBCache(db_path=database, schema_name="codat", cache_dir=database.parent / "cache")
    return source.read(cache=cache).processed_records


if __name__ == "__main__":
    arrived = load(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{arrived} records arrived")
