"""Partitions that stem from one list of parents: the transactions of a connection's accounts, say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from source_codat.trust.entry import Entry, PartitionKey

_PART = "part:"


@dataclass
class Siblings:
    """Marks each sibling's entry as a part until all of them were read; used by one thread.

    The list of parents isn't asked for where all that the state names is unchanged. A sibling that was
    refused, or that a killed read didn't get to, isn't named, and would be passed over.
    left: how many siblings haven't ended. is_whole: whether all parents are known, and none was refused.
    """

    left: int
    is_whole: bool = True
    _entries: dict[PartitionKey, Entry] = field(default_factory=dict)

    def ended(self, key: PartitionKey, entry: Entry) -> Iterator[tuple[PartitionKey, Entry]]:
        """What to note now that a sibling was read completely, or was known to be unchanged."""
        self.left -= 1
        entry = self._entries[key] = without_mark(entry)
        if self.is_whole and not self.left:
            yield from self._entries.items()
        else:
            yield key, entry._replace(sync_id=_PART + entry.sync_id) if entry.sync_id else entry

    def broken(self) -> None:
        """A sibling has ended without having been read."""
        self.left -= 1
        self.is_whole = False


def is_part(entry: Entry) -> bool:
    """Whether some sibling of an entry's partition may never have been read."""
    return bool(entry.sync_id and entry.sync_id.startswith(_PART))


def without_mark(entry: Entry) -> Entry:
    """What an entry says of its own partition, whatever became of its siblings."""
    return entry._replace(sync_id=entry.sync_id and entry.sync_id.removeprefix(_PART))
