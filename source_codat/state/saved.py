"""The states that an earlier read left, by stream, and what the log says of where each stream starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from airbyte_cdk.models import AirbyteStateBlob, AirbyteStateMessage

from source_codat.foundation import timestamps
from source_codat.foundation.wording import counted
from source_codat.state.store import NO_CURSOR_STATE, StreamState
from source_codat.streams.names import shown

READ_WHOLE = "read whole, as the catalog asks for full_refresh."
NO_CURSOR = "read whole, as Codat doesn't tell what has changed in it."
_FEW_BYTES = 200


class RawStateBlob(AirbyteStateBlob):
    """One stream's state as the JSON text it came as: half a million entries as objects fill a machine."""

    def __init__(self, raw: msgspec.Raw | bytes) -> None:
        super().__init__()
        self.__dict__["raw"] = raw

    def decoded(self) -> dict[str, Any]:
        """The state's fields."""
        found: dict[str, Any] = msgspec.json.decode(self.__dict__["raw"])
        return found

    @property
    def is_small(self) -> bool:
        """Whether it is too short to name a partition."""
        return len(bytes(self.__dict__["raw"])) < _FEW_BYTES


class SavedStates:
    """The streams' own parts of a state; global parts are ignored.

    Each part is decoded only when its stream is loaded.
    """

    def __init__(self, messages: Iterable[AirbyteStateMessage] = ()) -> None:
        self._blobs: dict[str, AirbyteStateBlob] = {}
        for message in messages:
            if message.stream is not None and message.stream.stream_state is not None:
                self._blobs[message.stream.stream_descriptor.name] = message.stream.stream_state

    def __bool__(self) -> bool:
        return bool(self._blobs)

    def __contains__(self, name: str) -> bool:
        return name in self._blobs

    def of(self, name: str) -> Mapping[str, Any] | None:
        """What was left of a stream; None where nothing was."""
        blob = self._blobs.get(name)
        if blob is None:
            return None
        return blob.decoded() if isinstance(blob, RawStateBlob) else dict(blob.__dict__)

    def was_read_whole(self, name: str) -> bool:
        """Whether what was left says that the stream was read without a cursor."""
        blob = self._blobs.get(name)
        if blob is None or (isinstance(blob, RawStateBlob) and not blob.is_small):
            return False
        return (self.of(name) or {}).keys() == NO_CURSOR_STATE.keys()

    def with_cursor(self) -> Iterator[str]:
        """The names of the streams of which more was left than that they were read whole."""
        return (name for name in self._blobs if not self.was_read_whole(name))


def origin(state: StreamState, saved: SavedStates | None) -> str:
    """Whether a stream continues and from where, or starts and why, after its part of the state was loaded.

    saved: the state that was given; None where none was.
    """
    if state.entries:
        dates = sorted(entry.cursor for entry in state.entries.values() if entry.cursor is not None)
        companies = counted(len({key[0] for key in state.entries}), "company")
        if not dates:
            return f"continues where an earlier read ended ({companies})."
        first, last = timestamps.iso(dates[0]), timestamps.iso(dates[-1])
        between = f"{first} to {last}, each company from its own date" if first != last else first
        return f"continues from {between} ({companies})."
    start = state.options.get("start_date")
    return f"starts from {f'the start date, {start}' if start else 'the beginning'}, as {_why(state, saved)}."


def _why(state: StreamState, saved: SavedStates | None) -> str:
    if saved is None:
        return "no state was given"
    if not saved:
        return "the state is empty"
    if state.name not in saved:
        return "the state has nothing of it"
    if saved.was_read_whole(state.name):
        return "it was read whole before"
    return "the state knows no company of it"


def unused(saved: SavedStates, read: Collection[str], known: Collection[str]) -> list[str]:
    """What to warn of: parts of the state that belong to streams which aren't read, or which there aren't."""
    parts = list(saved.with_cursor())
    foreign = [name for name in parts if name not in known]
    left_out = [name for name in parts if name in known and name not in read]
    sentences = []
    if foreign:
        sentences.append(
            f"The state is also of streams that this connector doesn't have ({shown(foreign)}): it comes "
            "from another connector or configuration, and that part of it isn't used."
        )
    if left_out:
        sentences.append(
            f"The state is also of streams that the catalog doesn't select ({shown(left_out)}): keep it, as "
            "what this read writes doesn't say where they continue."
        )
    return sentences
