"""Paths of requests: ids become parts of them, and can't lead to any other path."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from airbyte_cdk.models import FailureType

from source_codat.foundation.errors import PartitionFailed

_COMPANY = re.compile(r"/companies/([^/?]+)")


def path_segment(identifier: str) -> str:
    """An id as one part of a path, encoded: ids hold `/`, `:`, `=`, `@` and spaces.

    Raises PartitionFailed where it can't be one: `.` and `..` lead elsewhere, however they are encoded.
    """
    try:
        encoded = quote(identifier, safe="")
    except UnicodeEncodeError:  # half of a surrogate pair
        encoded = ""
    if encoded in ("", ".", ".."):
        raise PartitionFailed(
            f"Codat gives {identifier!r} as an ID, which can't be part of an address.",
            FailureType.system_error,
        )
    return encoded


def company_in(path: str) -> str | None:
    """The id of the company that a path is about; None where it is about none."""
    found = _COMPANY.match(path)
    return unquote(found.group(1)) if found else None
