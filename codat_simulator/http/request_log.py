"""What clients have asked for, for tests to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_NAMED = re.compile(r"\{[A-Za-z_]\w*\}")


@dataclass
class LoggedRequest:
    """One request and how it was answered."""

    method: str
    path: str
    """The path with its percent escapes decoded."""
    raw_path: str
    """The path as it was sent, without the query string."""
    raw_query: str
    query: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    company_id: str | None
    connection_id: str | None
    at: float
    """When it came, by `time.monotonic`."""
    in_flight: int
    """How many requests were being served when it came, itself included."""
    in_flight_company: int
    """The same for its company alone; 0 without one."""
    status: int = 0
    """The status sent; 0 while it is served and where the connection was dropped."""
    finished_at: float = 0.0
    pattern: str = ""
    """The endpoint, as in `/companies/{companyId}/data/invoices`; empty for an unknown one."""
    fault: str = ""
    """What a scripted fault did to the answer."""


def path_test(text: str) -> re.Pattern[str]:
    """Compile what selects paths: a template of a whole path where it names parts as `{id}`, or a search."""
    if _NAMED.search(text):
        parts = _NAMED.split(text)
        return re.compile(r"\A" + "[^/]+".join(re.escape(part) for part in parts) + r"\Z")
    return re.compile(text)


def matching(requests: Iterable[LoggedRequest], text: str) -> list[LoggedRequest]:
    """Return the requests whose path a template or regular expression selects."""
    test = path_test(text)
    return [request for request in requests if test.search(request.raw_path) or test.search(request.path)]
