"""Sending one request and taking in its whole answer: key, connections, bounds, and the body as text."""

from __future__ import annotations

import codecs
import io
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from airbyte_cdk.sources.declarative.requesters import HttpRequester

from source_codat.foundation import timestamps
from source_codat.http.bounds import AnswerTooLarge, BoundedAdapter, Bounds, bounded


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


PIECE = 1 << 20  # bytes that are read or unpacked at once: few pieces, and none grows large
_SLICE = 64 << 10  # bytes that are looked at at once: few enough for a processor's cache
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class UnpackingFailed(Exception):
    """A compressed body isn't what its header says, or breaks off."""


def whole(pieces: Iterable[bytes], most: int) -> bytes:
    """All pieces in one; raises AnswerTooLarge where they come to more than `most` bytes."""
    kept = io.BytesIO()  # its value isn't copied again, other than joined pieces
    for piece in pieces:
        if kept.tell() + len(piece) > most:
            raise AnswerTooLarge
        kept.write(piece)
    return kept.getvalue()


def beginning(pieces: Iterable[bytes], most: int) -> bytes:
    """What comes first, up to `most` bytes: enough to tell what is wrong."""
    kept = io.BytesIO()
    for piece in pieces:
        kept.write(piece[: most - kept.tell()])
        if kept.tell() >= most:
            break
    return kept.getvalue()


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces of a body without its Content-Encoding; raises UnpackingFailed."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return iter(pieces)
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflated(pieces)
    raise UnpackingFailed("an encoding that wasn't asked for")


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = None
    ended = False
    for piece in pieces:
        rest = piece
        while rest:
            if unpacker is None:
                if ended and not _GZIP.startswith(rest[:2]):
                    break  # what follows a complete body isn't part of it
                unpacker = zlib.decompressobj(_window(rest))
            try:
                yield (part := unpacker.decompress(rest, PIECE))
                while len(part) == PIECE:  # there may be more of it, whether input is left or not
                    yield (part := unpacker.decompress(unpacker.unconsumed_tail, PIECE))
            except zlib.error:
                raise UnpackingFailed("not what its header says") from None
            rest = unpacker.unconsumed_tail
            if unpacker.eof:
                rest, unpacker, ended = unpacker.unused_data, None, True
    if unpacker is not None:
        raise UnpackingFailed("it breaks off")


def _window(start: bytes) -> int:
    """What zlib has to be told of a body that begins so: gzip, zlib's own form, or neither header."""
    if _GZIP.startswith(start[:2]):
        return 16 + zlib.MAX_WBITS
    has_header = start[0] & 0x0F == 8 and (len(start) < 2 or (start[0] << 8 | start[1]) % 31 == 0)
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def as_text(body: bytes) -> bytes:
    """A body as UTF-8 without a byte order mark; what is no character becomes U+FFFD."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if body.isascii() or _is_utf8(body):
        return body
    encoding = "utf-16" if body[:2] in _UTF16_MARKS else "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    kept = io.BytesIO()
    for part in _slices(body):
        kept.write(decoder.decode(part).encode("utf-8", "replace"))
    kept.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    return kept.getvalue()


def _is_utf8(body: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for part in _slices(body):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _slices(body: bytes) -> Iterator[memoryview]:
    """A body in pieces, so that no copy of it grows large."""
    view = memoryview(body)
    return (view[start : start + _SLICE] for start in range(0, len(body), _SLICE))


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
