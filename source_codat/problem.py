"""What was wrong with an answer of Codat, in words that may be shown."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import msgspec
import pendulum
import requests

_TAGS = re.compile(r"<[^>]*>")


class _ErrorBody(msgspec.Struct):
    error: str | None = None
    correlationId: str | None = None  # noqa: N815 - Codat's name


@dataclass(frozen=True)
class Problem:
    """Why a request has no usable answer: Codat's own words, and what is known about waiting."""

    text: str
    status: int = 0
    retry_after: float | None = None
    timed_out: bool = False

    @classmethod
    def in_error(cls, response: requests.Response, secrets: tuple[str, ...]) -> Problem:
        """The problem that an error status reports, with Codat's words and correlation id."""
        text = _words(response) or response.reason or "no explanation"
        for secret in secrets:
            text = text.replace(secret, "****")
        wait = _retry_after(response) if response.status_code == 429 else None
        return cls(f"{text} [HTTP {response.status_code}]", response.status_code, retry_after=wait)

    @classmethod
    def in_body(cls, response: requests.Response) -> Problem | None:
        """The problem of a successful answer that was cut or isn't JSON; None where it is whole."""
        body = response.content
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and not response.headers.get("Content-Encoding") and int(length) != len(body):
            return cls(f"the answer was cut off after {len(body)} of {length} bytes")
        if not body and response.status_code != 204:
            return cls("the answer was empty")
        return None


def _words(response: requests.Response) -> str:
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        body = msgspec.json.decode(response.content, type=_ErrorBody)
        if body.error:
            suffix = f" (correlation id {body.correlationId})" if body.correlationId else ""
            return body.error.strip()[:500] + suffix
    return " ".join(_TAGS.sub(" ", response.text[:2000]).split())[:200]


def _retry_after(response: requests.Response) -> float | None:
    """Seconds until Codat takes requests again: Retry-After in any form, else the quota's reset."""
    for name in ("Retry-After", "X-Rate-Limit-Reset"):
        seconds = seconds_until(response.headers.get(name, ""), in_seconds=name == "Retry-After")
        if seconds is not None:
            return seconds
    return None


def seconds_until(text: str, *, in_seconds: bool = True) -> float | None:
    """Read seconds, an epoch, an HTTP date or an ISO date as seconds from now; None where it is none."""
    text = text.strip()
    if not text:
        return None
    now = time.time()
    with contextlib.suppress(ValueError):
        number = float(text)
        if number > 1e11:  # an epoch in milliseconds
            number /= 1000
        if number > 1e9 or not in_seconds:
            return max(0.0, number - now)
        return max(0.0, number)
    moment: datetime | None = None
    with contextlib.suppress(ValueError, TypeError):
        moment = parsedate_to_datetime(text)
    if moment is None:
        with contextlib.suppress(ValueError):
            parsed = pendulum.parse(text)
            moment = parsed if isinstance(parsed, pendulum.DateTime) else None
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, moment.timestamp() - now)
