"""The simulator in a process of its own, so that its CPU time isn't the client's."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

_READY_SECONDS = 300


@dataclass(frozen=True)
class Content:
    """What the simulated Codat holds.

    datasets: by data type, how many records of `size` bytes each company has. connections: the kinds of each
    company's connections. records: how many generated records the other data types have. latency: seconds
    before each answer.
    """

    companies: int
    datasets: dict[str, int] = field(default_factory=dict)
    size: int = 2400
    connections: tuple[str, ...] = ("Accounting",)
    records: int = 0
    latency: float = 0.0

    @property
    def total(self) -> int:
        """Return the number of records in `datasets` over all companies."""
        return self.companies * sum(self.datasets.values())


@dataclass(frozen=True)
class SeenRequest:
    """One request as the server logged it; its times are `time.monotonic`, one clock for all processes."""

    pattern: str
    status: int
    at: float
    finished_at: float


def _serve(content: Content, pipe: Connection) -> None:
    from codat_simulator import Simulator  # noqa: PLC0415 - only here, to keep the measuring process small

    simulator = Simulator(companies=0, records=content.records, latency=content.latency)
    for _ in range(content.companies):
        company = simulator.world.add_company(connections=content.connections)
        for data_type, count in content.datasets.items():
            simulator.world.add_synthetic(company, data_type, count, content.size)
    with simulator:
        pipe.send((simulator.url, simulator.api_key))
        while (asked := pipe.recv()) != "stop":
            if asked == "forget":
                simulator.clear_log()
                pipe.send(None)
            else:
                pipe.send([(one.pattern, one.status, one.at, one.finished_at) for one in simulator.requests])


class Server:
    """A simulated Codat; used in a `with` block."""

    url: str
    api_key: str

    def __init__(self, content: Content) -> None:
        self.content = content
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(content, theirs), daemon=True)

    def __enter__(self) -> Server:
        self._process.start()
        if not self._pipe.poll(_READY_SECONDS):
            self._process.kill()
            raise TimeoutError("The simulator wasn't ready in time.")
        self.url, self.api_key = self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.send("stop")
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()

    @property
    def requests(self) -> list[SeenRequest]:
        """Return the requests since the start, or since `forget`."""
        return [SeenRequest(*one) for one in self._ask("requests")]

    def forget(self) -> None:
        """Clear the log."""
        self._ask("forget")

    def _ask(self, what: str) -> Any:
        self._pipe.send(what)
        return self._pipe.recv()
