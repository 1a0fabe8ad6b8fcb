"""A second read when no Codat sync has brought anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from math import ceil
from pathlib import Path

from tools.benchmarks import connector
from tools.benchmarks.client_process import run
from tools.benchmarks.server import Content, Server
from tools.benchmarks.table import Figure, at_most

_PAGE_SIZE = 1000
_HOUR = 3600  # seconds since Codat's last sync


def measure(folder: Path, _: int, quick: bool, tell: Callable[[str], None]) -> Iterable[Figure]:
    """Yield the requests of a second read, for companies with one connection a data type, then with two.

    All suggested streams are read, each incrementally where it can be.
    """
    companies = 3 if quick else 100
    found, streams = _requests(folder / "one", Content(companies, records=10), tell)
    pages = ceil(companies / _PAGE_SIZE)
    yield at_most(
        f"nothing changed, {companies} companies, {streams} suggested streams: requests",
        found,
        "",
        companies + pages,
        f"at most {companies} + {pages}",
    )
    two = Content(companies, records=10, connections=("Accounting", "Accounting"))
    found, streams = _requests(folder / "two", two, tell)
    yield at_most(
        "the same, each with two accounting connections: requests",
        found,
        "",
        2 * companies + pages,
        f"at most 2 · {companies} + {pages}",
    )


def _requests(folder: Path, content: Content, tell: Callable[[str], None]) -> tuple[int, int]:
    with Server(content) as server:
        server.pass_time(_HOUR)
        streams = connector.suggested_streams(server, folder)
        first = run(connector.command(server, folder, streams, page_size=_PAGE_SIZE), keep=("STATE",))
        before = len(server.requests)
        server.forget()
        states = connector.last_states(first)
        second = run(connector.command(server, folder, streams, states, page_size=_PAGE_SIZE))
        paths = Counter(one.pattern for one in server.requests)
        tell(
            f"{before} requests and {first.output.records:,} records first, then {paths.total()} requests "
            f"and {second.output.records} records: {dict(paths)}"
        )
        return paths.total(), len(streams)
