"""The state of a read: a list of states, as the platform gives it, or what an earlier read printed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec
from airbyte_cdk.models import AirbyteStateMessage, AirbyteStateMessageSerializer, Type

from source_codat.foundation.errors import ConfigError
from source_codat.foundation.wording import counted
from source_codat.run.files import BOM, File
from source_codat.run.messages import is_message, messages

_STATE = b'"STATE"'
_GIVE = "the read starts from the beginning. To continue, give what an earlier 'source-codat read' printed."
logger = logging.getLogger("airbyte")


class _Descriptor(msgspec.Struct):
    name: str


class _Stream(msgspec.Struct):
    stream_descriptor: _Descriptor


class _State(msgspec.Struct):
    stream: _Stream | None = None


class _Line(msgspec.Struct):
    type: str
    state: _State | None = None


_LINE = msgspec.json.Decoder(_Line)


def read_state(path: str) -> list[AirbyteStateMessage] | None:
    """The states in a file, None where none was given; what is of no use is told in a warning.

    Raises ConfigError where the file can't be read, isn't JSON, or is what the read writes into.
    """
    if not path:
        return None
    file = File(path, "state")
    if file.is_stdout():
        raise file.refused("is also what this read writes into, and so is empty by now: write another file.")
    with file.open() as opened:
        first = next((line for line in opened if line.strip()), b"").removeprefix(BOM)
        if not first:
            logger.warning("%s is empty: %s", file.label, _GIVE)
            return []
        if next(messages([first]), None):
            found = _last_of_each_stream(chain([first], opened))
        else:
            found = _listed(file, first + opened.read())
    return _loaded(file, found)


def _last_of_each_stream(lines: Iterable[bytes]) -> list[Any] | None:
    """The states of a read's output, which may be long: only the last one of each stream is kept."""
    last: dict[str, bytes] = {}
    for line in lines:
        if _STATE not in line:
            continue
        try:
            parsed = _LINE.decode(line)
        except msgspec.DecodeError:  # cut off when the read was killed, or no message
            continue
        if parsed.type == Type.STATE.value:
            name = parsed.state.stream.stream_descriptor.name if parsed.state and parsed.state.stream else ""
            last[name] = line
    return [msgspec.json.decode(line).get("state") for line in last.values()] or None


def _listed(file: File, content: bytes) -> list[Any] | None:
    """The states that a file holds in another form; None where it holds messages, but no state."""
    try:
        value = file.parsed(content)
    except ConfigError:
        lines = content.splitlines()
        if next(messages(lines), None) is None:
            raise
        return _last_of_each_stream(lines)  # something else stands before the messages
    found = value if isinstance(value, list) else [value] if value else []
    if any(map(is_message, found)):
        found = [one.get("state") for one in found if is_message(one) and one["type"] == Type.STATE.value]
        return found or None
    return found


def _loaded(file: File, found: list[Any] | None) -> list[AirbyteStateMessage]:
    """The states that name a stream; the others are told."""
    if found is None:
        logger.warning("%s has messages in it, but no state: %s", file.label, _GIVE)
        return []
    states = [state for state in map(_state, found) if state is not None]
    refused = len(found) - len(states)
    if found and not states:
        logger.warning("%s holds no state of a stream: %s", file.label, _GIVE)
    elif refused:
        parts = counted(refused, "part")
        logger.warning("%s has %s that are no state of a stream; they are left out.", file.label, parts)
    return states


def _state(value: Any) -> AirbyteStateMessage | None:
    try:
        state = AirbyteStateMessageSerializer.load(value)
    except Exception:  # the serializer raises errors of many kinds  # noqa: BLE001
        return None
    return state if state.stream is not None else None
