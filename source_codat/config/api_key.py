"""The API key: understood in each form that the Codat portal shows, and masked in every form."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from source_codat.foundation.errors import ConfigError
from source_codat.foundation.secrets import register

_HEADER = re.compile(r"(?:authorization:\s*)?basic(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
_BEARER = re.compile(r"(?:authorization:\s*)?bearer\b\s*", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_SHORTEST = 8  # what is shorter would be masked inside ordinary words
_AGAIN = "copy it again from Developers > API keys in the Codat portal."


def token_of(value: Any) -> str:
    """The base64 that follows `Basic` in the header; raises ConfigError where this is no key."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(
            "The API key is missing: copy it from Developers > API keys in the Codat portal into 'api_key'."
        )
    if _BEARER.match(value.strip()):
        raise ConfigError(
            "The API key begins with 'Bearer', which Codat doesn't use: give the key alone, or its whole "
            "'Basic …' header. You find it under Developers > API keys in the Codat portal."
        )
    header, raw, candidate = _taken_apart(value)
    if header and raw is None:
        raise ConfigError(
            "The API key looks like an authorization header, but what follows 'Basic' isn't base64: " + _AGAIN
        )
    key = raw if raw is not None else candidate
    if not all(33 <= ord(character) < 127 for character in key):
        raise ConfigError("The API key contains a space or a character that no Codat key has: " + _AGAIN)
    return _encoded(key)


def secrets_of(value: Any) -> tuple[str, ...]:
    """Every text that gives a key away, longest first, so that masking one never leaves part of another.

    Also of a value that isn't accepted as a key: it may be most of one.
    """
    if not isinstance(value, str) or not value.strip():
        return ()
    _, raw, candidate = _taken_apart(_BEARER.sub("", value.strip(), count=1))
    key = raw if raw is not None else candidate
    token = _encoded(key)
    plain = {value.strip(), candidate, key, token, token.rstrip("="), f"Basic {token}"}
    plain |= {text.encode("utf-8", "replace").hex() for text in (key, token)}
    plain |= set(_inside_base64(key))
    plain |= {text.translate({ord("+"): "-", ord("/"): "_"}) for text in plain if text != key}
    forms = {form for text in plain for form in _spellings(text)}
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True))


def register_secrets(value: Any) -> None:
    """Mask a key in all that this process logs, traces and raises from now on."""
    register(secrets_of(value))


def _taken_apart(value: str) -> tuple[bool, str | None, str]:
    """Whether it looks like a header; the key where it is base64; what stands for the key."""
    text = value.strip()
    header = _HEADER.fullmatch(text)
    candidate = (header.group(1) or "") if header else text
    return bool(header), _decoded(candidate), candidate


def _decoded(text: str) -> str | None:
    """The key inside a base64 text, or None where the text isn't base64 of readable characters."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if decoded and all(33 <= ord(character) < 127 for character in decoded) else None


def _encoded(key: str) -> str:
    return base64.b64encode(key.encode("utf-8", "replace")).decode()


def _inside_base64(key: str) -> Iterable[str]:
    """What the base64 of any longer text holds of a key, whatever stands before and after it there."""
    raw = key.encode("utf-8", "replace")
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        yield encoded[-(-before * 4 // 3) : (before + len(raw)) * 4 // 3]


def _spellings(text: str) -> Iterable[str]:
    """A text as it is, and as URLs, JSON, Python and HTML write it."""
    safe = text.encode("utf-8", "replace").decode()  # a lone surrogate can't be quoted
    for quoted in (quote(safe), quote(safe, safe=""), quote_plus(safe)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), quoted)
    yield from (text, json.dumps(text)[1:-1], repr(text)[1:-1], html.escape(text))
