"""JSON of Codat's in which one odd value must not hide the others: read row by row, value by value."""

from __future__ import annotations

from typing import Any

import msgspec

from source_codat.foundation.errors import MalformedAnswer
from source_codat.foundation.secrets import told

_MOST_TEXT = 200


def decoded(body: bytes, what: str) -> Any:
    """An answer as Python objects; raises MalformedAnswer where it isn't JSON.

    what: what the answer should be, in words for the message.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise MalformedAnswer(f"{what} wasn't the JSON that was expected ({error})") from None


def as_text(value: Any) -> str | None:
    """A value that should be text, as text: None where it is missing or null, else spelled out, if short."""
    if value is None or isinstance(value, str):
        return value
    text = str(value)
    return text if len(text) <= _MOST_TEXT else told(text, _MOST_TEXT)
