"""The simulator in a process of its own, so that its CPU time isn't the client's."""

from __future__ import annotations

import multiprocessing
from collections import OrderedDict
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codat_simulator import LoggedRequest, Simulator

_READY_SECONDS = 300
_RECENT = 200  # companies of a crowd whose records are held


@dataclass(frozen=True)
class Content:
    """What the simulated Codat holds.

    datasets: by data type, how many records of `size` bytes each company has. connections: the kinds of each
    company's connections. records: how many generated records the other data types have. latency: seconds
    before each answer. is_crowd: more companies than fit into memory: all data types have `records` like
    records, made when they are asked for, and no request is kept. minute: the seconds that a minute has for
    the counter of requests.
    """

    companies: int
    datasets: dict[str, int] = field(default_factory=dict)
    size: int = 2400
    connections: tuple[str, ...] = ("Accounting",)
    records: int = 0
    latency: float = 0.0
    is_crowd: bool = False
    minute: float = 60.0

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


@dataclass(frozen=True)
class Metered:
    """How many requests came since the start, and the most in any minute."""

    total: int
    most: int


def _serve(content: Content, pipe: Connection) -> None:
    from codat_simulator import Simulator  # noqa: PLC0415 - only here, to keep the measuring process small

    simulator = Simulator(companies=0, records=content.records, latency=content.latency)
    simulator.meter.minute = content.minute
    if content.is_crowd:
        _hold_few(simulator)
    for _ in range(content.companies):
        company = simulator.world.add_company(connections=content.connections)
        for data_type, count in content.datasets.items():
            simulator.world.add_synthetic(company, data_type, count, content.size)
        if content.is_crowd:
            for link in simulator.world.company(company).connections:
                link.alike = (content.records, content.size)
    with simulator:
        pipe.send((simulator.url, simulator.api_key))
        while (asked := pipe.recv()) != "stop":
            if asked == "forget":
                simulator.clear_log()
                pipe.send(None)
            elif asked == "meter":
                pipe.send((simulator.meter.total, simulator.meter.most))
            elif isinstance(asked, float):
                simulator.world.clock.advance(asked)
                pipe.send(None)
            else:
                pipe.send([(one.pattern, one.status, one.at, one.finished_at) for one in simulator.requests])


def _hold_few(simulator: Simulator) -> None:
    """Keep the records of the last companies alone, and no log."""
    recent: OrderedDict[str, None] = OrderedDict()

    def forget_others(request: LoggedRequest) -> None:
        simulator.clear_log()
        if request.company_id:
            recent[request.company_id] = None
            recent.move_to_end(request.company_id)
            if len(recent) > _RECENT:
                oldest, _ = recent.popitem(last=False)
                simulator.world.company(oldest).forget_made()

    simulator.on_request(forget_others)


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

    @property
    def meter(self) -> Metered:
        """Return what the counter of requests says."""
        return Metered(*self._ask("meter"))

    def forget(self) -> None:
        """Clear the log."""
        self._ask("forget")

    def pass_time(self, seconds: float) -> None:
        """Put Codat's clock forward."""
        self._ask(float(seconds))

    def _ask(self, what: str | float) -> Any:
        self._pipe.send(what)
        return self._pipe.recv()
