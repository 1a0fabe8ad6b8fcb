"""Codat's API as the checks see it: GET requests, and what came of them."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from source_codat.config.api_key import register_secrets
from source_codat.foundation.secrets import masked

TIMEOUT_SECONDS = (15, 120)


@dataclass(frozen=True)
class Answer:
    """One response: status, headers, and the body as JSON (None where it isn't)."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def ok(self) -> bool:
        """Whether Codat answered 200."""
        return self.status == 200

    @property
    def results(self) -> list[dict[str, Any]]:
        """The records of a list, empty where there is none."""
        return self.body.get("results") or [] if isinstance(self.body, dict) else []

    @property
    def total(self) -> int | None:
        """`totalResults` of a list, None where there is none."""
        return self.body.get("totalResults") if isinstance(self.body, dict) else None

    @property
    def next_page(self) -> str | None:
        """The link to the next page of a list, None where there is none."""
        links = self.body.get("_links") if isinstance(self.body, dict) else None
        return ((links or {}).get("next") or {}).get("href")

    def __str__(self) -> str:
        """Return the status, with Codat's own words where it refused."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return f"{self.status} {error}" if error and not self.ok else str(self.status)


class Codat:
    """Reads from one Codat account. `requests_made` counts; the key shows in nothing that it returns."""

    def __init__(self, key: str, base_url: str) -> None:
        self._key = raw_key(key)
        register_secrets(self._key)
        self._base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = True
        self.requests_made = 0

    def get(self, path: str, *, credentials: str | None = None, **parameters: str | int) -> Answer:
        """GET one path. `credentials` stands in for the key, where `{key}` is the real one."""
        text = "{key}" if credentials is None else credentials
        encoded = base64.b64encode(text.replace("{key}", self._key).encode()).decode()
        self.requests_made += 1
        response = self._session.get(
            self._base_url + path,
            params=parameters,
            auth=lambda request: _authorize(request, f"Basic {encoded}"),  # keeps .netrc out of it
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        try:
            body = response.json()
        except requests.JSONDecodeError:
            body = None
        return Answer(response.status_code, response.headers, body)

    def redact(self, text: str) -> str:
        """Return the text without the key, in whichever form it got there."""
        return masked(text)


def raw_key(key: str) -> str:
    """Return the bare key from any form in which the Codat portal shows it."""
    key = key.strip().removeprefix("Basic ").strip()
    try:
        decoded = base64.b64decode(key, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return key
    return decoded if len(decoded) >= 16 and decoded.isprintable() else key


def _authorize(request: requests.PreparedRequest, header: str) -> requests.PreparedRequest:
    request.headers["Authorization"] = header
    return request
