"""Partitions that stem from one list of parents, the transactions of a connection's accounts, say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from source_codat.trust.entry import Entry, PartitionKey

_PART = "part:"


@dataclass
class Group:
    """Marks what was synced as a part of the group until all of it was read; used by one thread.

    The list of parents isn't asked for where all that the state names is unchanged. A partition
    that was refused, or that a killed read didn't get to, isn't named, and would be passed over.
    left: how many partitions haven't ended.
    """

    left: int
    _whole: bool = True
    _entries: dict[PartitionKey, Entry] = field(default_factory=dict)

    def ended(self, key: PartitionKey, entry: Entry) -> Iterator[tuple[PartitionKey, Entry]]:
        """What to note now that a partition was read completely, or was known to be unchanged."""
        self.left -= 1
        entry = self._entries[key] = entry._replace(sync_id=_own(entry.sync_id))
        if self._whole and not self.left:
            yield from self._entries.items()
        else:
            yield key, entry._replace(sync_id=_PART + entry.sync_id) if entry.sync_id else entry

    def broken(self) -> None:
        """A partition has ended without having been read."""
        self.left -= 1
        self._whole = False


def alone(entry: Entry | None) -> Entry | None:
    """What an entry says of its partition, whatever became of the rest of the group."""
    return entry and entry._replace(sync_id=_own(entry.sync_id))


def _own(sync_id: str | None) -> str | None:
    return sync_id and sync_id.removeprefix(_PART)
