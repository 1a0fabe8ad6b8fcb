"""The HTTP edge: who may come in, what is logged, which faults strike, how the answer is sent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from itertools import pairwise
from random import Random
from urllib.parse import parse_qsl, unquote

import msgspec
from aiohttp import web

from codat_simulator.http.answers import JSON_HEADERS, Answer, Refusal, error_body
from codat_simulator.http.call import Call, ContentFaults, ServerOptions
from codat_simulator.http.request_log import LoggedRequest
from codat_simulator.http.routing import answer
from codat_simulator.records.dataset import encode
from codat_simulator.routes import ROUTES
from codat_simulator.server.control import Controlled, control
from codat_simulator.server.faults import Fault, Faults
from codat_simulator.server.meter import Meter
from codat_simulator.server.quota import Quota
from codat_simulator.world.world import World

_PAGE = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
# A body is put another way before it is spoilt, and spoilt before it is sent in the wrong length.
_SPOILING = ("pretty", "html", "bom", "malformed", "redirect", "cut", "wrong_length")
_ORDER = {action: place for place, action in enumerate(_SPOILING, start=1)}
_PIECES = 100  # of a body that trickles
Watcher = Callable[[LoggedRequest], object]


class RequestHandler:
    """Answers HTTP requests from a world."""

    def __init__(self, world: World, options: ServerOptions, api_key: str) -> None:
        """Serve a world to who knows the key."""
        self.world, self.options = world, options
        self.authorization = "Basic " + base64.b64encode(api_key.encode()).decode()
        self.revoked = False
        self.quota = Quota(world.clock)
        self.faults = Faults(world.lock)
        self.requests: list[LoggedRequest] = []
        self.meter = Meter()
        self.watchers: list[Watcher] = []
        self.other_host = ""
        self._in_flight = 0
        self._in_flight_by_company: Counter[str] = Counter()
        self._rng = Random(f"edge/{world.seed}")

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        request = self._logged(http)
        body = await http.read() if http.can_read_body else b""
        if request.path.startswith("/_simulator/"):
            return self._response(control(Controlled(self.world, self.requests), request, body))
        self.meter.note(request.at)
        company = request.company_id or ""
        self._in_flight += 1
        self._in_flight_by_company[company] += 1
        request.in_flight = self._in_flight
        request.in_flight_company = self._in_flight_by_company[company] if company else 0
        with self.world.lock:
            self.requests.append(request)
        try:
            return await self._serve(http, request, body)
        finally:
            self._in_flight -= 1
            self._in_flight_by_company[company] -= 1
            request.finished_at = time.monotonic()

    async def _serve(self, http: web.BaseRequest, request: LoggedRequest, body: bytes) -> web.StreamResponse:
        if self.options.latency:
            await asyncio.sleep(self.options.latency)
        # In an order of their own, so that faults mean the same in whichever order they were added.
        faults = sorted(self.faults.hitting(request), key=lambda fault: _ORDER.get(fault.action or "", 0))
        request.fault = ",".join(fault.action or str(fault.status or 503) for fault in faults)
        for fault in faults:
            if fault.seconds and fault.action != "trickle":
                await asyncio.sleep(fault.seconds)
        with self.world.lock:
            for watcher in list(self.watchers):
                watcher(request)
            answer = self._answer(request, body, faults)
            # Taken with the answer: what a later sync stamps is never before this.
            date = self.world.clock.date_header()
        for fault in faults:
            if fault.action == "reset":
                return self._reset(http)
        for fault in faults:
            answer = self._spoilt(answer, fault, request)
        answer.headers = {**self.quota.headers(), "Date": date, **answer.headers}
        request.status = answer.status
        return await self._sent(http, answer, faults)

    async def _sent(self, http: web.BaseRequest, answer: Answer, faults: list[Fault]) -> web.StreamResponse:
        for fault in faults:
            if fault.action in ("cut", "wrong_length"):
                return self._broken(http, answer, fault.action)
        for fault in faults:
            if fault.action == "trickle":
                return await self._trickled(http, answer, fault.seconds)
        return self._response(answer)

    def _logged(self, http: web.BaseRequest) -> LoggedRequest:
        raw_path, _, raw_query = http.raw_path.partition("?")
        segments = [unquote(segment) for segment in raw_path.split("/")]
        found: dict[str, str] = {}
        for kind, value in pairwise(segments):
            if kind in ("companies", "connections"):
                found.setdefault(kind, value)
        return LoggedRequest(
            method=http.method,
            path="/".join(segments),
            raw_path=raw_path,
            raw_query=raw_query,
            query=dict(parse_qsl(raw_query, keep_blank_values=True)),
            headers=dict(http.headers),
            company_id=found.get("companies") or None,
            connection_id=found.get("connections") or None,
            at=time.monotonic(),
            in_flight=0,
            in_flight_company=0,
        )

    def _answer(self, request: LoggedRequest, body: bytes, faults: list[Fault]) -> Answer:
        try:
            self._admit(request)
            for fault in faults:
                if fault.action is None or (fault.action == "stall" and fault.status is not None):
                    return self._scripted(fault)
            segments = [unquote(segment) for segment in request.raw_path.strip("/").split("/")]
            handler, request.pattern, params = ROUTES.find(request.method, segments)
            content_faults = self._content_faults(request, faults)
            return answer(Call(self.world, self.options, request, params, content_faults, body), handler)
        except Refusal as refusal:
            return Answer(refusal.status, encode(refusal.body()), {**JSON_HEADERS, **refusal.headers})

    def _admit(self, request: LoggedRequest) -> None:
        given = request.headers.get("Authorization", "")
        if self.revoked or not hmac.compare_digest(given.encode(), self.authorization.encode()):
            raise Refusal(401)
        self.quota.spend()
        most = self.options.max_in_flight_company
        if most is not None and request.in_flight_company > most:
            raise Refusal(429, "Too many concurrent requests.", {"Retry-After": "1"})

    def _scripted(self, fault: Fault) -> Answer:
        status = fault.status or 503
        body = error_body(status) if fault.body is None and status >= 400 else fault.body
        if body is None:
            body = b""
        if isinstance(body, str):
            body = body.encode()
        return Answer(
            status,
            body if isinstance(body, bytes) else encode(body),
            {**JSON_HEADERS, **(fault.headers or {})},
        )

    def _content_faults(self, request: LoggedRequest, faults: list[Fault]) -> ContentFaults:
        content_faults = ContentFaults()
        for fault in faults:
            if fault.action == "drop_links":
                content_faults.drop_links = True
            elif fault.action == "refuse_order_by":
                content_faults.refuse_order_by = True
            elif fault.action == "shuffle_ties":
                content_faults.shuffle = self._rng
            elif fault.action == "repeat_page":
                asked = request.query.get("page", "1")
                page = fault.frozen.setdefault(request.raw_path, int(asked) if asked.isdigit() else 1)
                content_faults.page = page if content_faults.page is None else min(page, content_faults.page)
        return content_faults

    def _spoilt(self, answer: Answer, fault: Fault, request: LoggedRequest) -> Answer:
        status = fault.status or answer.status
        headers = {**answer.headers, **(fault.headers or {})}
        if fault.action == "malformed":
            return Answer(status, answer.body[: len(answer.body) // 2], headers)
        if fault.action == "pretty":
            return Answer(status, _pretty(answer.body), headers)
        if fault.action == "bom":
            return Answer(status, b"\xef\xbb\xbf" + answer.body, headers)
        if fault.action == "html":
            page = fault.body.encode() if isinstance(fault.body, str) else fault.body
            headers["Content-Type"] = "text/html; charset=utf-8"
            return Answer(status, page if isinstance(page, bytes) else _PAGE, headers)
        if fault.action == "redirect":
            target = (
                self.other_host + request.raw_path + (f"?{request.raw_query}" if request.raw_query else "")
            )
            return Answer(fault.status or 302, b"", {"Location": target, **headers})
        if fault.action is not None and fault.headers:
            answer.headers = headers
        return answer

    def _response(self, answer: Answer) -> web.Response:
        headers = {"Server": "Codat", **answer.headers}
        response = web.Response(status=answer.status, body=answer.body, headers=headers)
        if self.options.compress:
            response.enable_compression()
        return response

    @staticmethod
    async def _trickled(http: web.BaseRequest, answer: Answer, seconds: float) -> web.StreamResponse:
        """Send a body piece by piece, for as long as somebody takes it."""
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        step = max(1, len(answer.body) // _PIECES)
        with contextlib.suppress(ConnectionError):
            await response.prepare(http)
            for start in range(0, len(answer.body), step):
                await response.write(answer.body[start : start + step])
                await asyncio.sleep(seconds)
        return response

    @staticmethod
    def _reset(http: web.BaseRequest) -> web.StreamResponse:
        transport = http.transport
        if transport is not None:
            sock = transport.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):
                # No lingering: the peer sees a reset rather than an orderly end.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response(status=500)

    @staticmethod
    def _broken(http: web.BaseRequest, answer: Answer, action: str) -> web.StreamResponse:
        """Send a body whose length isn't the one promised, past the library, which would mend it."""
        half = len(answer.body) // 2
        promised, sent = (len(answer.body), answer.body[:half]) if action == "cut" else (half, answer.body)
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += [f"Content-Length: {promised}", "", ""]
        if http.transport is not None:
            http.transport.write("\r\n".join(lines).encode("latin-1", "replace") + sent)
            http.transport.close()
        return web.Response(status=500)


def _pretty(body: bytes) -> bytes:
    """The same JSON over many lines; a body that is no JSON (a scripted one may be anything) stays."""
    try:
        return msgspec.json.format(body, indent=2).replace(b"\n", b"\r\n")
    except msgspec.DecodeError:
        return body
