"""What Codat answers with: values as JSON, and its errors, body and all."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from codat_simulator.records.dataset import Record, encode

JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
# What Codat says where a test's fault doesn't bring its own text.
USUAL = {
    400: "Error parsing query - Malformed query.",
    401: "Unauthorized",
    402: "Your free trial has ended: Account expired.",
    403: "You are not authorized to access this resource.",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "The data set is still syncing.",
    429: "You have exceeded your rate limit.",
    451: "This integration is blocked for compliance reasons.",
    500: "An internal error has occurred.",
    503: "The service is temporarily unavailable.",
}
# In Codat's own examples the body of these says another code than the response.
_BODY_CODES = {402: 429, 503: 500}


@dataclass
class Answer:
    """A status, a body and headers of its own."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Answer:
        """Answer with a value as JSON."""
        return cls(status, encode(value), dict(JSON_HEADERS))


class Refusal(Exception):
    """An answer that isn't what was asked for."""

    def __init__(self, status: int, error: str | None = None, headers: dict[str, str] | None = None) -> None:
        """Refuse with a status and Codat's words for it."""
        super().__init__(error)
        self.status, self.error, self.headers = status, error, headers or {}

    def body(self) -> Record:
        """Return the error body."""
        return error_body(self.status, self.error)


def error_body(status: int, error: str | None = None) -> Record:
    """Return Codat's error body for a status."""
    if error is None:
        error = USUAL.get(status) or HTTPStatus(status).phrase
    return {
        "statusCode": _BODY_CODES.get(status, status),
        "service": "PublicApi",
        "error": error,
        "correlationId": uuid.uuid4().hex,
        "validation": None,
        "canBeRetried": "Unknown",
        "detailedErrorCode": 0,
    }
