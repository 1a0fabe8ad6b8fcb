"""The state of a read: a list of states, as the platform gives it, or what an earlier read printed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec
from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    StreamDescriptor,
    Type,
)

from source_codat.foundation.errors import ConfigError
from source_codat.foundation.wording import counted
from source_codat.run.files import BOM, File, is_message, messages
from source_codat.state.store import RawStateBlob

_STATE = b'"STATE"'
STARTS = "the read starts from the beginning. To continue, give what an earlier 'source-codat read' printed."
logger = logging.getLogger("airbyte")


class _Descriptor(msgspec.Struct):
    name: str
    namespace: str | None = None


class _Stream(msgspec.Struct):
    stream_descriptor: _Descriptor
    stream_state: msgspec.Raw = msgspec.Raw(b"null")


class _State(msgspec.Struct):
    stream: _Stream | None = None


class _Line(msgspec.Struct):
    type: str
    state: _State | None = None


class _StreamState(msgspec.Struct):
    stream: _Stream


_LINE = msgspec.json.Decoder(_Line)
_STREAM_STATE = msgspec.json.Decoder(_StreamState)
_RAW_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_state(path: str, without: str = STARTS) -> list[AirbyteStateMessage] | None:
    """The states in a file, None where none was given; what is of no use is told in a warning.

    without: what happens where the file has no state, to end that warning. Raises ConfigError where the file
    can't be read, isn't JSON, or is what the command writes into.
    """
    if not path:
        return None
    file = File(path, "state")
    if file.is_stdout():
        raise file.refused("is also what this command writes to, and so is empty by now: write another file.")
    with file.open() as opened:
        first = next((line for line in opened if line.strip()), b"").removeprefix(BOM)
        if not first:
            logger.warning("%s is empty: %s", file.label, without)
            return []
        # A list in one line may be long, and is no message.
        if not first.lstrip().startswith(b"[") and next(messages([first]), None):
            found = _last_of_each_stream(chain([first], opened))
        else:
            found = _listed(file, first + opened.read())
    return _loaded(file, found, without)


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
    return [_RAW_FIELDS.decode(line).get("state") for line in last.values()] or None


def _listed(file: File, content: bytes) -> list[Any] | None:
    """The states that a file holds in another form; None where it holds messages, but no state."""
    raw = _raw_parts(content)
    if raw is not None:
        return raw
    try:
        value = file.parsed(content)
    except ConfigError:
        lines = content.splitlines()
        if next(messages(lines), None) is None:
            raise
        return _last_of_each_stream(lines)  # something else stands before the messages
    found = value if isinstance(value, list) else [value] if value else []
    if any(map(is_message, found)):
        found = [
            message.get("state")
            for message in found
            if is_message(message) and message["type"] == Type.STATE.value
        ]
        return found or None
    return found


def _raw_parts(content: bytes) -> list[Any] | None:
    """The states of a list as the JSON texts they are; None where the file is something else than that."""
    try:
        parts = _RAW_PARTS.decode(content.removeprefix(BOM))
        kinds = {_LINE.decode(part).type for part in parts}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return list(parts) if parts and kinds <= {"STREAM", "GLOBAL", "LEGACY"} else None


def _loaded(file: File, found: list[Any] | None, without: str) -> list[AirbyteStateMessage]:
    """The states that name a stream; the others are told."""
    if found is None:
        logger.warning("%s has messages in it, but no state: %s", file.label, without)
        return []
    states = [state for state in map(_state, found) if state is not None]
    refused = len(found) - len(states)
    if found and not states:
        logger.warning("%s holds no state of a stream: %s", file.label, without)
    elif refused:
        parts = counted(refused, "part")
        logger.warning("%s has %s that are no state of a stream; they are left out.", file.label, parts)
    return states


def _state(value: Any) -> AirbyteStateMessage | None:
    """One stream's state, its entries still the JSON text they are; None where it is something else."""
    try:
        text = value if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)
        found = _STREAM_STATE.decode(text)
        if bytes(found.stream.stream_state)[:1] != b"{":
            return None
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return None
    name, namespace = found.stream.stream_descriptor.name, found.stream.stream_descriptor.namespace
    return AirbyteStateMessage(
        type=AirbyteStateType.STREAM,
        stream=AirbyteStreamState(
            stream_descriptor=StreamDescriptor(name=name, namespace=namespace),
            stream_state=RawStateBlob(found.stream.stream_state),
        ),
    )
