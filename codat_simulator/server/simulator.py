"""A Codat on loopback, in a thread of the process that starts it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

from aiohttp import web

from codat_simulator.http.call import ServerOptions
from codat_simulator.http.request_log import LoggedRequest, matching
from codat_simulator.server.faults import Faults
from codat_simulator.server.meter import Meter
from codat_simulator.server.quota import Quota
from codat_simulator.server.request_handler import RequestHandler, Watcher
from codat_simulator.world.world import World

# Long: a short secret would be masked inside ordinary log words.
DEFAULT_KEY = "codat-simulator-key-3f9b27c1d84e4a0fb6a59c0e7d21f8aa"


class Simulator(ServerOptions):
    """A Codat on loopback; used in a `with` block, or between `start` and `stop`."""

    def __init__(
        self,
        companies: int = 3,
        seed: int = 7,
        records: int = 40,
        api_key: str = DEFAULT_KEY,
        port: int = 0,
        latency: float = 0.0,
        start: datetime | None = None,
    ) -> None:
        """Make a world of companies, served on a port (a free one when 0); `start` sets its clock."""
        super().__init__(latency=latency)
        self.api_key, self._port = api_key, port
        self.world = World(companies, seed, records, start)
        self._handler = RequestHandler(self.world, self, api_key)
        self._addresses: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address to use as the API's base URL."""
        return f"http://localhost:{self._port}"

    @property
    def addresses(self) -> list[str]:
        """Return the addresses bound, once serving."""
        return list(self._addresses)

    @property
    def authorization(self) -> str:
        """Return the value of the `Authorization` header that is let in."""
        return self._handler.authorization

    @property
    def requests(self) -> list[LoggedRequest]:
        """Return the requests so far, in the order they came."""
        with self.world.lock:
            return list(self._handler.requests)

    @property
    def faults(self) -> Faults:
        """Return the faults in force."""
        return self._handler.faults

    @property
    def quota(self) -> Quota:
        """Return the daily quota."""
        return self._handler.quota

    @property
    def meter(self) -> Meter:
        """Return what counts the requests of each minute."""
        return self._handler.meter

    def requests_for(self, path: str) -> list[LoggedRequest]:
        """Return the requests whose path fits a template as `/companies/{id}/data/invoices`, or a regex."""
        return matching(self.requests, path)

    def clear_log(self) -> None:
        """Forget the requests so far."""
        with self.world.lock:
            self._handler.requests.clear()

    def on_request(self, callback: Watcher) -> Callable[[], None]:
        """Call back before each answer is computed, with the world locked; returns what ends it."""
        with self.world.lock:
            self._handler.watchers.append(callback)

        def unregister() -> None:
            with self.world.lock, contextlib.suppress(ValueError):
                self._handler.watchers.remove(callback)

        return unregister

    def revoke_key(self) -> None:
        """Refuse the key from now on."""
        self._handler.revoked = True

    def restore_key(self) -> None:
        """Let the key in again."""
        self._handler.revoked = False

    def start(self) -> Simulator:
        """Serve, and return once requests are answered."""
        ready = threading.Event()
        failure: list[BaseException] = []
        sockets = self._sockets()

        async def serve() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            server = web.Server(
                self._handler.handle,
                access_log=None,
                max_line_size=65_536,
                max_field_size=65_536,
                handler_cancellation=True,  # a request whose client has hung up is in flight no more
            )
            runner = web.ServerRunner(server, shutdown_timeout=0.05)
            await runner.setup()
            for sock in sockets:
                await web.SockSite(runner, sock).start()
            ready.set()
            await self._over.wait()
            await runner.cleanup()

        def run() -> None:
            try:
                asyncio.run(serve())
            except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                failure.append(error)
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name="codat-simulator", daemon=True)
        self._thread.start()
        ready.wait()
        if failure:
            raise failure[0]
        return self

    def _sockets(self) -> list[socket.socket]:
        """Bind both loopback addresses that `localhost` may mean, on one port."""
        first = socket.create_server(("127.0.0.1", self._port))
        self._port = first.getsockname()[1]
        # Another name for this machine: where a redirect to another host points.
        host = first.getsockname()[0]
        self._handler.other_host = f"http://{host}:{self._port}"  # ignore-https-check: loopback
        found = [first]
        with contextlib.suppress(OSError):
            found.append(socket.create_server(("::1", self._port), family=socket.AF_INET6))
        self._addresses = [sock.getsockname()[0] for sock in found]
        return found

    def stop(self) -> None:
        """Stop serving."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(timeout=5)

    def __enter__(self) -> Simulator:
        """Serve."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.stop()
