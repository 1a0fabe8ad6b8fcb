"""Which piece of work a worker takes next: open companies are finished before others are opened."""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

# Codat allows ten requests in flight for one company; its count may lag behind a moment.
PER_COMPANY = 9


@dataclass(frozen=True)
class Task:
    """A piece of work with at most one request in flight, for one company or (None) for none."""

    company_id: str | None
    run: Callable[[], None]


class Scheduler:
    """Hands out tasks to workers until all are done; safe to use from several threads.

    While other companies wait, one worker is kept free of any one company, which may be silent.
    """

    def __init__(self, workers: int) -> None:
        self._share = max(1, min(PER_COMPANY, workers - 1))
        self._changed = threading.Condition()
        self._ready: deque[Task] = deque()
        self._openers: deque[Task] = deque()
        self._parked: dict[str | None, deque[Task]] = {}
        self._later: list[tuple[float, int, Task]] = []
        self._count = 0
        self._running: Counter[str | None] = Counter()
        self._stopped = False

    def add(self, tasks: list[Task]) -> None:
        """Add work for a company that is open already."""
        with self._changed:
            self._ready.extend(tasks)
            self._changed.notify(len(tasks))

    def add_openers(self, tasks: list[Task]) -> None:
        """Add tasks that open a company each; they wait until no open company has work left."""
        with self._changed:
            self._openers.extend(tasks)
            self._changed.notify(len(tasks))

    def add_later(self, task: Task, seconds: float) -> None:
        """Add work for a while from now; no worker waits for it."""
        with self._changed:
            self._count += 1
            heapq.heappush(self._later, (time.monotonic() + seconds, self._count, task))
            self._changed.notify()

    def park(self, task: Task) -> None:
        """Add work that had better wait until its company has nothing else to do."""
        with self._changed:
            self._parked.setdefault(task.company_id, deque()).append(task)
            self._changed.notify()

    def take(self) -> Task | None:
        """The next task, as soon as there is one; None when all are done or the read stops."""
        with self._changed:
            while not self._stopped:
                task = self._next()
                if task is not None:
                    self._running[task.company_id] += 1
                    return task
                if not (self._running or self._ready or self._openers or self._parked or self._later):
                    self._changed.notify_all()
                    return None
                # Without work for later, only a notice ends the wait.
                self._changed.wait(max(0.0, self._later[0][0] - time.monotonic()) if self._later else None)
            return None

    def _next(self) -> Task | None:
        while self._later and self._later[0][0] <= time.monotonic():
            self._ready.appendleft(heapq.heappop(self._later)[2])
        task = self._next_ready(self._share)
        if task is not None:
            return task
        waiting = {task.company_id for task in self._ready}
        for company_id in self._parked:
            if not self._running[company_id] and company_id not in waiting:
                return self._unpark(company_id)
        if self._openers:
            return self._openers.popleft()
        task = self._next_ready(PER_COMPANY)
        if task is not None:
            return task
        return self._unpark(next(iter(self._parked))) if self._parked else None

    def _next_ready(self, per_company: int) -> Task | None:
        for index, task in enumerate(self._ready):
            if task.company_id is None or self._running[task.company_id] < per_company:
                del self._ready[index]
                return task
        return None

    def _unpark(self, company_id: str | None) -> Task:
        tasks = self._parked[company_id]
        task = tasks.popleft()
        if not tasks:
            del self._parked[company_id]
        return task

    def done(self, task: Task) -> None:
        """Note that a taken task has ended, well or not."""
        with self._changed:
            self._running[task.company_id] -= 1
            if not self._running[task.company_id]:
                del self._running[task.company_id]
            self._changed.notify()

    def stop(self) -> None:
        """Hand out no more tasks, and let `take` return None."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
