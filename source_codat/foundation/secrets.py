"""The one place that keeps secrets out of what people and logs are told.

Whatever a server says passes here before it reaches a message, a trace or a log: names, ids, errors.
Records, and the ids in states, don't: they are Codat's data and stay as they are.
"""

from __future__ import annotations

import html
import logging
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from urllib.parse import unquote, unquote_plus

from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, filter_secrets

MASK = "****"
WITHHELD = "its words are left out, as they repeat the API key"
_ROUNDS = 3  # of escapes within escapes
_MOST_READINGS = 64
_MARGIN = 4_000  # characters looked at beyond those that are shown
_LONGEST_SPELLING = 2_000  # of a secret, each of its characters escaped
_SPACES = re.compile(r"(\s+)")
# What stands between characters without being seen, or breaks a long word into lines.
_INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|(/))")
# Those that tell what the connector and its requests do; a filter sees only its own logger's records.
_LOGGERS = (
    "airbyte",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)

_lock = threading.Lock()
_spellings: tuple[str, ...] = ()  # in lower case, longest first, so that none leaves part of another


def register(spellings: Iterable[str]) -> None:
    """Mask these texts, in upper or lower case, in all that this process tells from now on."""
    global _spellings  # noqa: PLW0603 - secrets are the process's, as in the CDK
    with _lock:
        texts = list(spellings)
        found = {*_spellings, *(text.lower() for text in texts)}
        _spellings = tuple(sorted(found, key=len, reverse=True))
        for text in texts:
            if filter_secrets(text) == text:  # the CDK masks what its own modules say
                add_to_secrets(text)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)


def masked(text: str) -> str:
    """A text as it may be told: no secret in it, nor what a secret can be made of by undoing escapes."""
    if not _spellings:
        return text
    text = _without_plain(text)
    if not _holds_secret(text):
        return text
    words = _SPACES.split(text)
    text = "".join(MASK if _holds_secret(word) else word for word in words)
    return WITHHELD if _holds_secret(text) else text


def told(text: str, most: int) -> str:
    """The first `most` characters of a text as it may be told: masked, then cut, so that no part stays.

    Spaces in a row become one. What is looked at is bounded, however long the text is.
    """
    window = most + _MARGIN
    start = " ".join(text[: 4 * window].split())
    is_cut = len(text) > 4 * window or len(start) > window
    shown = masked(start[:window])
    if (
        is_cut and len(shown) < most + _LONGEST_SPELLING
    ):  # so much was masked that a secret's start may be left
        shown = shown[: max(0, len(shown) - _LONGEST_SPELLING)]
    return shown[:most]


def _without_plain(text: str) -> str:
    lowered = text.lower()
    for spelling in _spellings:
        if spelling in lowered:
            text = re.sub(re.escape(spelling), MASK, text, flags=re.IGNORECASE)
            lowered = text.lower()
    return text


def _holds_secret(text: str) -> bool:
    """Whether any reading of a text, its escapes undone, holds a secret."""
    known = [text]
    for _ in range(_ROUNDS):
        more = {undo(reading) for reading in known for undo in _UNDOING}.difference(known)
        if not more or len(known) > _MOST_READINGS:
            break
        known += more
    for reading in known:
        compact = _INVISIBLE.sub("", unicodedata.normalize("NFKC", reading)).lower()
        if any(spelling in compact for spelling in _spellings):
            return True
    return False


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        digits = found.group(1) or found.group(2) or found.group(3)
        return chr(min(int(digits, 16), 0x10FFFF)) if digits else "/"

    return _ESCAPED.sub(character, text) if "\\" in text else text


_UNDOING: tuple[Callable[[str], str], ...] = (unquote, unquote_plus, html.unescape, _unescaped)


class _MaskingFilter(logging.Filter):
    """Masks what is logged before any handler sees it: other programs' handlers don't mask."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (KeyError, TypeError, ValueError):
            return True  # the handler tells of such a record
        told = masked(text)
        if told != text:
            record.msg, record.args = told, None
        if record.exc_info and not record.exc_text:
            record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
        return True


_FILTER = _MaskingFilter()
