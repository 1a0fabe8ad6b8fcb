"""The states that an earlier read left, by stream; each is taken apart only when its stream is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from airbyte_cdk.models import AirbyteStateBlob, AirbyteStateMessage

NO_CURSOR_STATE = {"__ab_no_cursor_state_message": True}  # the CDK's state of a stream without cursor
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
    """The streams' own parts of a state; global parts are ignored."""

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
