"""One answer of Codat, as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from source_codat.foundation import timestamps


@dataclass(frozen=True)
class Answer:
    """One answer: its status with the server's word for it, the body unpacked, and the headers.

    The body of a good answer is valid UTF-8 without a byte order mark; that of an error may be cut.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    reason: str = ""

    @property
    def server_time(self) -> int | None:
        """The server's clock when it answered, as an instant, to the second."""
        return timestamps.from_http_date(self.headers.get("Date"))
