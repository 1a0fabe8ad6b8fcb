"""The stream that tells what became of each company in each stream of a read: no request is made for it."""

from __future__ import annotations

import json
import pkgutil
from typing import Any

from airbyte_cdk.models import AirbyteStream, SyncMode

READ_OUTCOMES = "read_outcomes"
CURSOR = "readStartedAt"
_KEY = ("companyId", "stream", CURSOR)


def as_airbyte_stream() -> AirbyteStream:
    """The stream as `discover` shows it.

    Its cursor is the start of the read, so that each read adds its rows and none replaces those before.
    """
    return AirbyteStream(
        name=READ_OUTCOMES,
        json_schema=json_schema(),
        supported_sync_modes=[SyncMode.full_refresh, SyncMode.incremental],
        source_defined_cursor=True,
        default_cursor_field=[CURSOR],
        source_defined_primary_key=[[name] for name in _KEY],
        is_resumable=False,
    )


def json_schema() -> dict[str, Any]:
    """The stream's columns."""
    content = pkgutil.get_data("source_codat", f"schemas/{READ_OUTCOMES}.json")
    if content is None:
        raise FileNotFoundError(READ_OUTCOMES)
    found: dict[str, Any] = json.loads(content)
    return found
