"""The connector as a story runs it: all its own code, but one thread, no network, and nobody who waits."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from random import Random
from types import ModuleType
from typing import Any, TypeVar

from source_codat.config.settings import Settings
from source_codat.engine import assembly
from source_codat.engine.read import AllRead, Read
from source_codat.engine.scheduler import Scheduler, Task
from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer, PartitionFailed, PartitionSkipped, ReadStopped
from source_codat.foundation.skip_reasons import REASON_OF_STATUS
from source_codat.http.client import CodatClient
from source_codat.http.limits import Limits
from source_codat.http.rate_limit import RateLimiter
from source_codat.http.stats import ClientStats
from source_codat.http.transport import Answer
from source_codat.planning.planner import PartitionEnd
from source_codat.reading import reader, requests
from source_codat.reading.pages import PageDecoder
from source_codat.source import SourceCodat
from source_codat.state import store
from source_codat.streams.catalog import CodatStream
from tools.model.answers import Front, Refused
from tools.model.clock import SECOND, VIRTUAL, looking_at_it

T = TypeVar("T")
KEY = "model-key-0123456789abcdef0123456789abcdef"


class ModelClient(CodatClient):
    """Asks the model instead of a network."""

    front: Front

    def __post_init__(self) -> None:
        self.stats = ClientStats()
        self._lock = threading.Lock()
        self._limits = Limits()

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        parse: Callable[[Answer], T],
        *_: object,
    ) -> T:
        if self.stop.is_set():
            raise ReadStopped("The read was told to stop.")
        if method != "GET":
            raise AssertionError(f"{method} {path}")
        try:
            return parse(self._answer(path, params))
        except MalformedAnswer:
            try:
                return parse(self._answer(path, params))
            except MalformedAnswer as error:
                raise PartitionFailed(f"no good answer: {error}") from None

    def _answer(self, path: str, params: Mapping[str, Any] | None) -> Answer:
        try:
            body, headers = self.front.answer(path, params)
        except Refused as refused:
            raise _as_error(refused, path) from None
        return Answer(200, body, headers)


def _as_error(refused: Refused, path: str) -> Exception:
    status = refused.status
    if status in REASON_OF_STATUS:
        return PartitionSkipped(REASON_OF_STATUS[status], refused.words)
    if status == 429:
        return ReadStopped("The quota is used up.")
    return PartitionFailed(
        f"{path}: {refused.words}", status=status, timed_out=status == 408, detail=refused.words
    )


class DirectScheduler(Scheduler):
    """Hands out tasks in an order that is drawn, and lets time pass where only later ones are left."""

    rng: Random
    disorder: float

    def take(self) -> Task | None:
        """The next task; None when all are done."""
        if self._later and not (self._ready or self._openers or self._parked):
            VIRTUAL.clock.now = max(VIRTUAL.clock.now, int(self._later[0][0] * SECOND) + 1000)
        return super().take()

    def _next(self) -> Task | None:
        if self.disorder and self.rng.random() < self.disorder:
            waiting = [tasks for tasks in (self._ready, self._openers) if tasks]
            if waiting:
                tasks = self.rng.choice(waiting)
                tasks.rotate(-self.rng.randrange(len(tasks)))
                return tasks.popleft()
        return super()._next()


class DirectOutbox:
    """Runs the workers' tasks when the writer asks for what is next; `ends` is how partitions ended."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._closed = False
        self._over = False
        self.ends: list[PartitionEnd] = []
        self.read: Read | None = None
        self.rng = Random()
        self.ahead = 0.0

    def put(self, item: Any, size: int = 0) -> None:  # noqa: ARG002 - the outbox's interface
        """Add an item; raises ReadStopped once closed."""
        if self._closed:
            raise ReadStopped("The read was told to stop.")
        self._items.append(item)

    def get(self, timeout: float) -> Any:  # noqa: ARG002 - the outbox's interface
        """The oldest item, after as many tasks as it takes to have one."""
        while not self._over and not self._closed and (not self._items or self.rng.random() < self.ahead):
            self._work()
        if not self._items:
            return None
        item = self._items.popleft()
        if isinstance(item, PartitionEnd):
            self.ends.append(item)
        return item

    def _work(self) -> None:
        assert self.read is not None
        task = self.read._scheduler.take()
        if task is not None:
            self.read._run(task)
        else:
            self._over = True
            if not self._closed:
                self._items.append(AllRead())

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True


class DirectRead(Read):
    """A read whose tasks run in the thread that asks for messages."""

    def __post_init__(self) -> None:
        super().__post_init__()
        scheduler = DirectScheduler(self.client.workers)
        scheduler.rng, scheduler.disorder = source().rng, source().disorder
        self._scheduler = scheduler
        outbox: Any = self.outbox
        outbox.read, outbox.rng, outbox.ahead = self, source().rng, source().ahead

    def _start_workers(self) -> None:
        """Start nobody: the outbox runs the tasks."""


class ModelSource(SourceCodat):
    """The source with its streams built once, asking whatever `front` is set.

    disorder: how often a task is taken out of its turn. ahead: how often another one is run before
    what there is gets written.
    """

    front: Front
    rng: Random
    disorder = 0.0
    ahead = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.built = super()._prepare({"api_key": KEY})[1]
        for stream in self.built.values():
            given = stream.retriever.request_parameters()
            stream.retriever.request_parameters = partial(dict, given)  # type: ignore[method-assign]

    def _prepare(
        self,
        config: Mapping[str, Any],
        names: Collection[str] | None = None,  # noqa: ARG002 - all are built
    ) -> tuple[Settings, dict[str, CodatStream]]:
        return Settings.from_config(config), self.built

    @property
    def outbox(self) -> DirectOutbox:
        """The outbox of the read that runs, or was the last one."""
        assert self._read is not None
        outbox: Any = self._read.outbox
        return outbox  # type: ignore[no-any-return]


@cache
def source() -> ModelSource:
    """The one source of this process: building its streams takes longer than a hundred stories."""
    return ModelSource()


@cache
def _patches() -> list[tuple[ModuleType, str, object]]:
    source()
    found: list[tuple[ModuleType, str, object]] = [(module, "time", VIRTUAL) for module in looking_at_it()]
    found += [
        (timestamps, "now", VIRTUAL.instant),
        (assembly, "Read", DirectRead),
        (assembly, "Outbox", DirectOutbox),
        (assembly, "CodatClient", _client),
        # Stories read pages of two rows: what a page may shrink to is smaller still.
        (reader, "SMALLEST_PAGE", 1),
        (requests, "SMALLEST_PAGE", 1),
        (requests, "PageDecoder", _decoder),
        (store, "_BYTES_PER_STATE_BYTE", store._BYTES_PER_STATE_BYTE),
    ]
    for module, name, _ in found:
        if name not in module.__dict__:
            raise AttributeError(f"{module.__name__}.{name} is gone: the model has to follow")
    return found


@contextmanager
def in_place(bytes_per_state_byte: int) -> Iterator[None]:
    """Let the connector run as stories need it, within a `with` block, and nowhere else."""
    before = [(module, name, module.__dict__[name]) for module, name, _ in _patches()]
    silent = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        for module, name, value in _patches():
            setattr(module, name, value)
        store._BYTES_PER_STATE_BYTE = bytes_per_state_byte
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        logging.disable(silent)


def _client(*_: object, **__: object) -> ModelClient:
    client = ModelClient(None, 2, RateLimiter(1))  # type: ignore[arg-type]  # there is nothing to send with
    client.front = source().front
    return client


_decoders: dict[int, PageDecoder] = {}


def _decoder(retriever: Any) -> PageDecoder:
    known = _decoders.get(id(retriever))
    return known or _decoders.setdefault(id(retriever), PageDecoder(retriever))
