"""What was wrong with an answer of Codat, in words that may be shown."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

import msgspec
import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectTimeout,
    InvalidSchema,
    InvalidURL,
    ProxyError,
)
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from source_codat.foundation import timestamps
from source_codat.foundation.secrets import told
from source_codat.http.bounds import AnswerTooLarge, AnswerTooSlow
from source_codat.http.transport import LARGEST_ANSWER, Answer, UnpackingFailed

# What a failed connection is called, by the first of these among its causes.
_KINDS: dict[type[BaseException], str] = {
    InvalidURL: "the address of the proxy that the environment names can't be used",
    InvalidSchema: "the address of the proxy that the environment names can't be used",
    socket.gaierror: "the host's name couldn't be resolved (DNS)",
    ProxyError: "the proxy didn't let the connection through",
    ConnectTimeout: "no connection in time",
    ConnectionRefusedError: "the connection was refused",
    NewConnectionError: "the host couldn't be reached",
    ssl.SSLError: "the encrypted connection (TLS) failed",
    ConnectionResetError: "the connection was reset",
    UnpackingFailed: "the answer couldn't be unpacked",
    ConnectionError: "the connection was closed",
    ChunkedEncodingError: "the answer broke off",
    ProtocolError: "the answer broke off",
}
# What a time-out is called, likewise.
_TOO_SLOW: dict[type[BaseException], str] = {
    AnswerTooSlow: "the answer didn't come to its end in time",
    requests.ReadTimeout: "no answer in time",
    ReadTimeoutError: "no answer in time",
}
# Nothing was sent yet: whatever else is asked of this host meets the same.
_NO_WAY = (NewConnectionError, ConnectTimeout, ProxyError, ssl.SSLCertVerificationError)
_EPOCH = timestamps.from_datetime(datetime(1970, 1, 1, tzinfo=timezone.utc))
_CENTURY = 3e9
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?")
_MOST_TEXT = 100_000
_TAGS = re.compile(r"<[^>]*>")


class _ErrorBody(msgspec.Struct):
    error: str | None = None
    correlationId: str | None = None  # noqa: N815 - Codat's name


_ERROR_BODY = msgspec.json.Decoder(_ErrorBody)


@dataclass(frozen=True)
class Problem:
    """Why a request has no usable answer: Codat's own words, and what is known about waiting.

    timed_out: the answer took too long to make, so that a smaller one may come. too_large: it had
    more bytes than may be held. unreachable: there was no connection to ask through. is_quota: the
    limit that was met is everybody's.
    """

    text: str
    status: int = 0
    retry_after: float | None = None
    timed_out: bool = False
    too_large: bool = False
    unreachable: bool = False
    is_quota: bool = False

    @classmethod
    def in_error(cls, answer: Answer) -> Problem:
        """The problem that an error status reports, with Codat's words and correlation id."""
        text = _words(answer) or told(answer.reason, 200) or "no explanation"
        status = answer.status
        if 300 <= status < 400:
            text = "it points to another address, and the key isn't sent there"
        wait = _retry_after(answer) if status == 429 else None
        return cls(
            f"{text} [HTTP {status}]",
            status,
            retry_after=wait,
            timed_out=status in (408, 504),
        )

    @classmethod
    def in_connection(cls, error: Exception) -> Problem:
        """The problem of a request that broke; its kind only, as the error's own text may quote headers."""
        causes = list(_causes(error))
        if isinstance(error, AnswerTooLarge):
            return cls(f"the answer is larger than {LARGEST_ANSWER >> 20} MB", too_large=True)
        slow = _words_of_kind(_TOO_SLOW, causes)
        if slow:
            return cls(slow, timed_out=True)
        unreachable = any(isinstance(cause, _NO_WAY) for cause in causes)
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return cls(
                    f"the server's certificate isn't trusted ({cause.verify_message}); where a proxy of yours"
                    " puts in its own, name its CA bundle in the environment variable REQUESTS_CA_BUNDLE",
                    unreachable=unreachable,
                )
        if type(error) is OSError:  # what `requests` raises before it connects
            return cls("the CA bundle that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names isn't there")
        words = _words_of_kind(_KINDS, causes) or f"the connection failed ({type(error).__name__})"
        return cls(words, unreachable=unreachable)


def _words_of_kind(table: Mapping[type[BaseException], str], causes: list[BaseException]) -> str:
    """What a table says of the first of its kinds that is among the causes; "" where none is."""
    for kind, words in table.items():
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it came from, each once; libraries hide the cause in different places."""
    known: list[BaseException] = [error]
    for cause in known:
        yield cause
        found = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        known += [more for more in found if isinstance(more, BaseException) and more not in known]


def _words(answer: Answer) -> str:
    """The server's own words, masked before they are cut: no part of the key may stay."""
    body = _error_body(answer.body)
    if body.error:
        suffix = f" (correlation id {told(body.correlationId, 100)})" if body.correlationId else ""
        return told(body.error, 500) + suffix
    text = answer.body[:_MOST_TEXT].decode("utf-8", "replace")
    return told(_TAGS.sub(" ", told(text, 2000)), 200)


def _error_body(body: bytes) -> _ErrorBody:
    try:
        return _ERROR_BODY.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return _ErrorBody()


def _retry_after(answer: Answer) -> float | None:
    """Seconds until Codat takes requests again: Retry-After in any form, else the quota's reset."""
    for name in ("Retry-After", "X-Rate-Limit-Reset"):
        seconds = seconds_until(answer.headers.get(name, ""))
        if seconds is not None:
            return seconds
    return None


def seconds_until(text: str) -> float | None:
    """Read seconds, an epoch, an HTTP date or an ISO date as seconds from now; None where it is none.

    More than a century is a century: no server means that, and its end can be written as a date.
    """
    text = text.strip()
    now = time.time()
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number > 1e11:  # an epoch in milliseconds
            number /= 1000
        seconds = number - now if number > 1e9 else number
    else:
        ticks = timestamps.from_human_date(text)
        if ticks is None:
            return None
        seconds = (ticks - _EPOCH) / timestamps.TICKS_PER_SECOND - now
    return min(max(0.0, seconds), _CENTURY)
