"""Messages of the Airbyte protocol, as `discover` and `read` print them, found in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from airbyte_cdk.models import Type

_TYPES = {kind.value for kind in Type}


def is_message(value: Any) -> bool:
    """Whether a value is a message of the protocol."""
    return isinstance(value, dict) and value.get("type") in _TYPES


def messages(lines: Iterable[str | bytes]) -> Iterator[dict[str, Any]]:
    """The messages among lines; a line that was cut off, or that another program wrote, is passed over."""
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if is_message(value):
            yield value
