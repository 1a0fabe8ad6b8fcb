"""Sending one request and taking in its whole answer: the key, the connections and their bounds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from airbyte_cdk.sources.declarative.requesters import HttpRequester

from source_codat.http.answer import Answer
from source_codat.http.body import PIECE, as_text, beginning, unpacked, whole
from source_codat.http.bounds import BoundedAdapter, Bounds, bounded

LARGEST_ANSWER = 128 << 20  # bytes, unpacked
LARGEST_ERROR = 1 << 20
_LARGEST_HEAD = 1 << 20  # with what chunks and trailers say of themselves


def time_outs(requester: HttpRequester) -> tuple[float, float]:
    """Seconds to wait for a connection, and between bytes of an answer."""
    connect, read = requester.connect_timeout_in_seconds, requester.read_timeout_in_seconds
    if connect is None or read is None:
        raise ValueError("The manifest's requester needs both time-outs: a stalled server would hang a read.")
    return connect, read


class Transport:
    """Sends requests to the manifest's base URL, as programs that use `requests` reach it.

    time_out: seconds to wait for a connection, and for each byte. answer_timeout: seconds until the
    last byte. heard_at: when an answer last began, on this machine's monotonic clock; None before the
    first. Follows no redirects, and keeps no cookies. Safe to use from several threads.
    """

    def __init__(
        self, requester: HttpRequester, connections: int, time_out: tuple[float, float], answer_timeout: float
    ) -> None:
        self.heard_at: float | None = None
        self._base_url = requester.get_url(stream_state=None, stream_slice=None, next_page_token=None)
        self._time_out = time_out
        self._answer_timeout = answer_timeout
        self._adapter = BoundedAdapter(pool_connections=2, pool_maxsize=connections)
        self._session = requests.Session()
        self._session.auth = requester.get_authenticator()
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                "User-Agent": "source-codat",
            }
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Proxies and CA bundles: read once, as they don't change while the process runs.
        self._environment: Mapping[str, Any] = self._session.merge_environment_settings(
            self._base_url, {}, True, None, None
        )

    def send(self, method: str, path: str, params: Mapping[str, Any] | None) -> Answer:
        """Send one request; the answer, whatever its status is.

        Raises what `requests`, urllib3 and sockets raise, AnswerTooSlow, AnswerTooLarge and
        UnpackingFailed.
        """
        request = self._session.prepare_request(
            requests.Request(method, self._base_url + path, params=dict(params or {}))
        )
        with bounded(Bounds(self._answer_timeout, LARGEST_ANSWER + _LARGEST_HEAD)):
            # Not through the session: it takes in the whole of a redirect's body, however large it is.
            response = self._adapter.send(request, timeout=self._time_out, **self._environment)
            self.heard_at = time.monotonic()
            with response:
                status = response.status_code
                pieces = unpacked(_pieces(response), response.headers.get("Content-Encoding", ""))
                is_good = 200 <= status < 300
                body = as_text(whole(pieces, LARGEST_ANSWER)) if is_good else beginning(pieces, LARGEST_ERROR)
        return Answer(status, body, response.headers, response.reason or "")


def _pieces(response: requests.Response) -> Iterator[bytes]:
    while piece := response.raw.read1(PIECE, decode_content=False):
        yield piece
