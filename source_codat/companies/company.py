"""A company as the read sees it: its connections, and what its data types' syncs say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer
from source_codat.http.client import Answer

# Codat's status machine. Queued and Initial count as settled: what such a sync will bring is
# stamped after it has started.
RUNNING = frozenset(
    {
        "Fetching",
        "MapQueued",
        "Mapping",
        "ValidationQueued",
        "Validating",
        "ProcessingQueued",
        "Processing",
    }
)
WAITING = frozenset({"Queued", "Initial"})
COMPLETE = "Complete"
SETTLED = WAITING | {COMPLETE}
FAILED = frozenset(
    {
        "FetchError",
        "MapError",
        "ValidationError",
        "ProcessingError",
        "InternalError",
        "AuthError",
        "RateLimitError",
        "PermissionsError",
        "PrerequisiteNotMet",
        "Cancelled",
    }
)
NOT_SUPPORTED = "NotSupported"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One connection of a company, as the company list embeds it."""

    id: str
    sourceType: str = ""  # noqa: N815 - Codat's name
    status: str = ""
    integrationKey: str | None = None  # noqa: N815 - Codat's name
    integrationId: str | None = None  # noqa: N815 - Codat's name
    platformName: str | None = None  # noqa: N815 - Codat's name


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """One company; `connections` are those that may hold data (PendingAuth never did)."""

    id: str
    name: str | None = None
    lastSync: str | None = None  # noqa: N815 - Codat's name
    dataConnections: list[Connection] | None = None  # noqa: N815 - Codat's name

    @property
    def label(self) -> str:
        """The company as people are told of it: by name where it has one, and by id."""
        return f"{self.name} ({self.id})" if self.name else self.id or "all companies"

    def connections(self, source_types: Iterable[str]) -> list[Connection]:
        """The connections of these source types (of all, where none is named) that hold data.

        Linked, unlinked and deauthorized ones do; those pending never did.
        """
        wanted = set(source_types)
        return [
            one
            for one in self.dataConnections or ()
            if one.status != "PendingAuth" and (not wanted or one.sourceType in wanted)
        ]


class DataTypeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What Codat says of one data type of one company."""

    lastSuccessfulSync: str | None = None  # noqa: N815 - Codat's name
    currentStatus: str | None = None  # noqa: N815 - Codat's name
    latestSyncId: str | None = None  # noqa: N815 - Codat's name
    latestSuccessfulSyncId: str | None = None  # noqa: N815 - Codat's name

    @property
    def never_synced(self) -> bool:
        """Whether there can be no data yet: not even a sync under way."""
        return not (self.lastSuccessfulSync or self.latestSuccessfulSyncId) and self.currentStatus in (
            None,
            *FAILED,
        )

    @property
    def has_data(self) -> bool:
        """Whether a sync has ever ended well."""
        return bool(self.lastSuccessfulSync or self.latestSuccessfulSyncId)

    @property
    def settled(self) -> bool:
        """Whether the last sync to write has ended well: everything stamped so far can be seen.

        A failed one isn't: it may stand before another connection's that still runs.
        """
        return self.currentStatus in SETTLED

    @property
    def quiet(self) -> bool:
        """Whether no sync is writing."""
        return self.currentStatus in SETTLED or self.currentStatus in FAILED


_STATUS = msgspec.json.Decoder(dict[str, DataTypeStatus | None])


class SyncEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a company's sync history."""

    id: str | None = None
    connectionId: str | None = None  # noqa: N815 - Codat's name
    dataType: str | None = None  # noqa: N815 - Codat's name
    status: str | None = None
    requested: str | None = None


@dataclass(frozen=True)
class StatusReport:
    """One answer of dataStatus, and of the sync history where dataStatus can't tell connections apart.

    taken_at: the server's clock when it answered, an instant; asked_at: this machine's monotonic
    clock before the question. history: None where it wasn't asked for.
    """

    types: Mapping[str, DataTypeStatus]
    taken_at: int | None
    asked_at: float
    body: bytes
    history: Sequence[SyncEntry] | None = None

    @classmethod
    def from_answer(cls, answer: Answer, asked_at: float) -> StatusReport:
        """Read an answer of dataStatus; raises MalformedAnswer where it is something else."""
        try:
            found = _STATUS.decode(answer.body)
        except msgspec.MsgspecError as error:
            raise MalformedAnswer(f"dataStatus wasn't the JSON that was expected ({error})") from None
        types = {name: status for name, status in found.items() if status is not None}
        return cls(types, answer.server_time, asked_at, answer.body)

    def in_doubt(self, data_type: str, listed_at: int | None) -> bool:
        """Whether a connection that wasn't there at `listed_at` may stand before another's sync."""
        status = self.types.get(data_type)
        if status is None or not status.settled:
            return False
        synced = timestamps.instant(status.lastSuccessfulSync or "")
        since = listed_at is None or (synced is not None and synced >= listed_at)
        return since or status.currentStatus in WAITING

    def entries(self, data_type: str, connection_id: str | None) -> list[SyncEntry]:
        """The history's entries for a data type, of one connection or (None) of any."""
        return [
            one
            for one in self.history or ()
            if one.dataType == data_type and connection_id in (None, one.connectionId)
        ]

    def safe_point(self, data_type: str, connection_id: str | None = None) -> int | None:
        """The instant up to which everything stamped can be seen; None where nothing is sure.

        Settled: the server's time of the answer. While a sync runs: the last successful one, and
        where the history was asked, not after any running sync was requested.
        """
        status = self.types.get(data_type)
        if status is None:
            return None
        last = timestamps.second(status.lastSuccessfulSync)
        point = self.taken_at if status.settled else last
        for one in self.entries(data_type, connection_id):
            if one.status not in RUNNING:
                continue
            requested = timestamps.second(one.requested)
            if requested is None or point is None:
                return None
            point = min(point, requested)
        return point


def companies_in(rows: Iterable[Any]) -> list[Company]:
    """The companies in rows of the company list; raises MalformedAnswer where one has no id."""
    decoder = msgspec.json.Decoder(Company)
    try:
        return [decoder.decode(row) for row in rows]
    except msgspec.ValidationError as error:
        raise MalformedAnswer(f"the company list has a row that can't be read ({error})") from None
