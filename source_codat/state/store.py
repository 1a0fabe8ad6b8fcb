"""What a stream has read so far: one entry a partition, and with which options it was read.

The shape is decided once (docs/behaviour.md, "State"):
{"states": [{"partition": {"company_id": …},
             "cursor": {"modifiedDate": …, "syncId": …, "syncedAt": …}}, …],
 "fingerprint": {…}}
Where `syncedAt` is the cursor field, the date of the Codat sync is in `lastSuccessfulSync`.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateStats,
    AirbyteStateType,
    AirbyteStreamState,
    StreamDescriptor,
    Type,
)

from source_codat.config.settings import Settings
from source_codat.foundation import timestamps
from source_codat.foundation.wording import counted
from source_codat.streams.definition import CodatRetriever
from source_codat.streams.names import shown
from source_codat.trust.evidence import Entry, PartitionKey

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

    @property
    def names(self) -> Iterable[str]:
        """The streams of which something was left."""
        return self._blobs.keys()

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


NO_CURSOR_STATE = {"__ab_no_cursor_state_message": True}  # the CDK's state of a stream without cursor
_PART = "part:"  # before a syncId: the mark of an entry whose siblings may not all have been read
SECONDS_BETWEEN = 300.0
LONGEST_BETWEEN = 1800.0
_SMALL_BYTES = 100_000
LARGE_BYTES = 2 << 20
_BYTES_PER_STATE_BYTE = 10
_CAMEL_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def snake(name: str) -> str:
    """Codat's companyId as the state spells it: company_id."""
    return _CAMEL_HUMP.sub("_", name).lower()


def fingerprint(retriever: CodatRetriever, settings: Settings) -> dict[str, Any]:
    """The options that decide which rows of a stream are read."""
    options: dict[str, Any] = {"start_date": None if retriever.by_codat_sync else settings.start_date}
    if retriever.marks_deleted:
        options["deleted_records"] = settings.deleted_records.value
    options["filter"] = settings.filters.get(retriever.name)
    parameters = retriever.request_parameters()
    if parameters:
        options["parameters"] = parameters
    return options


@dataclass
class StreamState:
    """The state of one incremental stream while it is read.

    keeps_dates: whether the dates of entries outlive a change of options: nothing is asked for by them, and
    the rows that come again must not be dated before those that came already. They are what rows carry.
    """

    name: str
    scope: Sequence[str]
    cursor_field: str
    options: Mapping[str, Any]
    keeps_dates: bool = False
    starts_again: bool = False
    entries: dict[PartitionKey, Entry] = field(default_factory=dict)
    _size: int = 200
    _bytes_since: int = 0
    _last_at: float = field(default_factory=lambda: time.monotonic())  # noqa: PLW0108 - looked up late, for tests of the clock
    has_changed: bool = False
    _by_company: dict[str, list[PartitionKey]] = field(default_factory=dict)  # where a company has several

    def load(self, blob: Mapping[str, Any] | None) -> str:
        """Take over what an earlier read left; returns a warning about what can't be used, or "".

        Entries written with other options are dropped (but for their dates, where those are kept), so that
        their partitions start again: all but a later start date read more than the present options ask. A
        state without our fingerprint comes from another program: its dates are kept, its ids of Codat syncs
        are not.
        """
        if not blob or blob.keys() == NO_CURSOR_STATE.keys():
            return ""
        before = blob.get("fingerprint")
        is_own = isinstance(before, Mapping)
        self.starts_again = isinstance(before, Mapping) and not _still_holds(before, self.options)
        is_own = is_own and not self.starts_again
        if self.starts_again and not self.keeps_dates:
            return self._started_again()
        found, refused = 0, 0
        states = blob.get("states")
        for saved in states if isinstance(states, list) else ():
            key = self._key(saved.get("partition")) if isinstance(saved, Mapping) else None
            entry = self._entry(saved.get("cursor"), is_own=is_own) if key else None
            if key is None or entry is None:
                refused += 1
                continue
            found += 1
            self.set(key, entry)
        self.has_changed = False
        if self.starts_again:
            return self._started_again()
        if refused:
            return (
                f"{self.name}: {counted(refused, 'entry')} of the state can't be used (no company, or no "
                "date up to which it was read): what that stood for is read from the start."
            )
        if not found and states is None:
            return f"{self.name}: the state is in no known form; the stream is read from the start."
        return ""

    def _started_again(self) -> str:
        return (
            f"{self.name}: options that decide what is read have changed since the last read; "
            "the stream is read again from the start."
        )

    def _key(self, partition: Any) -> PartitionKey | None:
        if not isinstance(partition, Mapping):
            return None
        flat: dict[str, Any] = {}
        layer: Any = partition
        while isinstance(layer, Mapping):
            flat = {**{snake(str(name)): value for name, value in layer.items()}, **flat}
            layer = layer.get("parent_slice")
        key = tuple(flat.get(snake(name)) for name in self.scope)
        if not all(isinstance(part, str) and part for part in key):
            return None
        # Each stream's state spells the same ids: one text of each is enough.
        return tuple(sys.intern(str(part)) for part in key)

    def _entry(self, cursor: Any, *, is_own: bool) -> Entry | None:
        if not isinstance(cursor, Mapping):
            return None
        names = (self.cursor_field, "syncId", self._synced_at)
        date, sync_id, synced_at = (cursor.get(name) for name in names)
        ticks = timestamps.instant(date) if isinstance(date, str) else None
        if ticks is None and not (is_own and isinstance(sync_id, str)):
            return None
        if not is_own or not isinstance(sync_id, str):
            return Entry(ticks)
        return Entry(ticks, sync_id, synced_at if isinstance(synced_at, str) else None)

    @property
    def _synced_at(self) -> str:
        """Under which name the date of the Codat sync stands beside the cursor."""
        return "syncedAt" if self.cursor_field != "syncedAt" else "lastSuccessfulSync"

    def set(self, key: PartitionKey, entry: Entry) -> None:
        """Set a partition's entry: where its next read starts."""
        if key not in self.entries:
            self._size += _entry_size(key)
            if len(self.scope) > 1:
                self._by_company.setdefault(key[0], []).append(key)
        if self.entries.get(key) != entry:
            self.entries[key] = entry
        self.has_changed = True

    def drop(self, key: PartitionKey) -> None:
        """Forget a partition's entry: its next read starts from the beginning."""
        if self.entries.pop(key, None) is not None:
            self._size -= _entry_size(key)
            self.has_changed = True
            if key in self._by_company.get(key[0], ()):
                self._by_company[key[0]].remove(key)

    def forget_company(self, company_id: str) -> None:
        """Drop what is known of a company that no longer exists."""
        keys = self.keys_of(company_id)
        self._by_company.pop(company_id, None)  # first: out of a long list, each would be looked for
        for key in keys:
            self.drop(key)

    def keys_of(self, company_id: str) -> list[PartitionKey]:
        """The partitions that are known of a company."""
        if len(self.scope) > 1:
            return list(self._by_company.get(company_id, ()))
        return [(company_id,)] if (company_id,) in self.entries else []

    def count_written(self, size: int) -> None:
        """Count bytes of the stream's rows that have left."""
        self._bytes_since += size

    @property
    def size(self) -> int:
        """About how many bytes its STATE message has."""
        return self._size

    @property
    def is_due(self) -> bool:
        """Whether a STATE message is due: ten times its bytes were written, or a time went by.

        That is five minutes where it is small. A large one every five minutes would be much of the output of
        a read that Codat's limit slows down: it waits for half an hour.
        """
        enough = self._bytes_since >= _BYTES_PER_STATE_BYTE * self._size
        longest = SECONDS_BETWEEN if self._size <= _SMALL_BYTES else LONGEST_BETWEEN
        return self.has_changed and (enough or time.monotonic() - self._last_at >= longest)

    def blob(self) -> dict[str, Any]:
        """The state as it is written."""
        names = [snake(name) for name in self.scope]
        written = timestamps.iso_to_the_microsecond if self.keeps_dates else timestamps.iso
        states = []
        for key, entry in self.entries.items():
            cursor: dict[str, str] = {}
            if entry.cursor is not None:
                cursor[self.cursor_field] = written(entry.cursor)
            if entry.sync_id:
                cursor["syncId"] = entry.sync_id
            if entry.synced_at:
                cursor[self._synced_at] = entry.synced_at
            states.append({"partition": dict(zip(names, key, strict=True)), "cursor": cursor})
        return {"states": states, "fingerprint": dict(self.options)}

    def message(self, record_count: int) -> AirbyteMessage:
        """The state as a message, with the number of records since the last one."""
        self._bytes_since, self._last_at, self.has_changed = 0, time.monotonic(), False
        return state_message(self.name, self.blob(), record_count)


@dataclass
class Siblings:
    """Partitions that come from one list of parents: the transactions of a connection's accounts, say.

    Marks each sibling's entry as a part until all of them were read; used by one thread. The list of
    parents isn't asked for where all that the state names is unchanged: a sibling that was refused, or
    that a killed read didn't get to, isn't named, and would be passed over.
    left: how many siblings haven't ended. is_whole: whether all parents are known, and none was refused.
    """

    left: int
    is_whole: bool = True
    _entries: dict[PartitionKey, Entry] = field(default_factory=dict)

    def ended(self, key: PartitionKey, entry: Entry) -> Iterator[tuple[PartitionKey, Entry]]:
        """Note that a sibling was read completely or is unchanged; yields the entries to put into the state.

        With the last sibling those are the entries of all, without the mark.
        """
        self.left -= 1
        entry = self._entries[key] = without_mark(entry)
        if self.is_whole and not self.left:
            yield from self._entries.items()
        else:
            yield key, entry._replace(sync_id=_PART + entry.sync_id) if entry.sync_id else entry

    def ended_unread(self) -> None:
        """Note that a sibling has ended without having been read."""
        self.left -= 1
        self.is_whole = False


def is_part(entry: Entry) -> bool:
    """Whether some sibling of an entry's partition may never have been read."""
    return bool(entry.sync_id and entry.sync_id.startswith(_PART))


def without_mark(entry: Entry) -> Entry:
    """What an entry says of its own partition, whatever became of its siblings."""
    return entry._replace(sync_id=entry.sync_id and entry.sync_id.removeprefix(_PART))


def state_message(stream: str, blob: Mapping[str, Any], record_count: int) -> AirbyteMessage:
    """A STATE message of one stream."""
    state = AirbyteStreamState(
        stream_descriptor=StreamDescriptor(name=stream), stream_state=AirbyteStateBlob(**blob)
    )
    return AirbyteMessage(
        type=Type.STATE,
        state=AirbyteStateMessage(
            type=AirbyteStateType.STREAM,
            stream=state,
            sourceStats=AirbyteStateStats(recordCount=float(record_count)),
        ),
    )


def _entry_size(key: PartitionKey) -> int:
    """About how many bytes an entry has in a message: ids with their names, two dates and a Codat sync."""
    return sum(len(part) + 20 for part in key) + 155


def _still_holds(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether what was read with the options `before` is all that the options `now` ask for."""
    if {**before, "start_date": None} != {**now, "start_date": None}:
        return False
    first, second = (_start(options.get("start_date")) for options in (before, now))
    return first is not None and second is not None and first <= second


def _start(date: Any) -> int | None:
    if date is None:
        return 0
    return timestamps.instant(date) if isinstance(date, str) else None
