"""Several states made one: those of the parts of a connection, whose companies then change their parts.

Each part's state has the entries of its own companies, and may carry those of others along as it was once
given them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from airbyte_cdk.models import AirbyteMessage

from source_codat.config.parts import Part
from source_codat.foundation import timestamps
from source_codat.foundation.wording import counted
from source_codat.state.store import NO_CURSOR_STATE, SavedStates, is_part, state_message, without_mark
from source_codat.trust import copies
from source_codat.trust.evidence import Entry

# Where `syncedAt` is the cursor, copies are compared by it too: unlike Codat's own date it never goes back.
_SYNC = ("syncId", "syncedAt")
_DATE_OF_SYNC = "lastSuccessfulSync"  # beside `syncedAt` where that is the cursor


class _Saved(msgspec.Struct, frozen=True):
    """One entry as a state has it: ids by name, and the cursor with the Codat syncs that were read."""

    partition: dict[str, Any]
    cursor: dict[str, str]

    @property
    def key(self) -> bytes:
        """Equal for entries of one partition."""
        return msgspec.json.encode(self.partition, order="deterministic")

    @property
    def company_id(self) -> str | None:
        """The company, where the entry is one's."""
        found = self.partition.get("company_id")
        return found if isinstance(found, str) else None

    @property
    def entry(self) -> Entry:
        """What it says, for comparing."""
        dates = [timestamps.instant(value) for name, value in self.cursor.items() if name not in _SYNC]
        known = [date for date in dates if date is not None]
        cursor = max(known, default=None) if self.dates_rows is None else self.dates_rows
        return Entry(cursor, *map(self.cursor.get, _SYNC))

    @property
    def dates_rows(self) -> int | None:
        """The instant that rows carried which are dated by their Codat sync; None for all others."""
        is_cursor = _DATE_OF_SYNC in self.cursor or self.cursor.keys() == {"syncedAt"}
        return timestamps.instant(self.cursor.get("syncedAt", "")) if is_cursor else None

    @property
    def is_usable(self) -> bool:
        """Whether it says up to which date, or from which Codat sync, its partition was read."""
        return bool(self.cursor.get("syncId")) or self.entry.cursor is not None or self.dates_rows is not None


@dataclass
class _StreamMerge:
    """What the states say of one stream: by the options that it was read with, the copies of each entry.

    latest: by entry, the copy whose rows carried the latest date, where their Codat sync dates them.
    odd: how many entries can't be used.
    """

    part: Part | None
    copies: dict[bytes, dict[bytes, list[_Saved]]] = field(default_factory=dict)
    latest: dict[bytes, _Saved] = field(default_factory=dict)
    odd: int = 0

    def add(self, blob: Mapping[str, Any]) -> None:
        """Take in one state of the stream."""
        if blob.keys() == NO_CURSOR_STATE.keys():
            return
        options = msgspec.json.encode(blob.get("fingerprint"), order="deterministic")
        found = self.copies.pop(options, {})
        self.copies[options] = found  # what was given last stands last
        states = blob.get("states")
        if not isinstance(states, list):
            self.odd += 1
            return
        for state in states:
            try:
                saved = msgspec.convert(state, _Saved)
            except msgspec.ValidationError:
                self.odd += 1
                continue
            if not saved.is_usable:
                self.odd += 1
            elif self.part is None or saved.company_id is None or self.part.has(saved.company_id):
                of_partition = found.setdefault(saved.key, [])
                if saved not in of_partition:
                    of_partition.append(saved)
                    self._note_date(saved)

    def _note_date(self, saved: _Saved) -> None:
        """Note the latest date that rows carried: a destination takes others of an earlier one for older."""
        date, before = saved.dates_rows, self.latest.get(saved.key)
        if date is not None and (before is None or date > (before.dates_rows or 0)):
            self.latest[saved.key] = saved

    def blob(self) -> tuple[Mapping[str, Any], list[str]]:
        """The merged state, and what to warn of."""
        if not self.copies:
            return NO_CURSOR_STATE, []
        options = max(reversed(self.copies), key=lambda options: len(self.copies[options]))
        kept = self.copies[options]
        others = {key for found in self.copies.values() for key in found} - kept.keys()
        warnings = []
        if others:
            warnings.append(
                f"{counted(len(others), 'entry')} left out, as other options decided what was read of them "
                "than of the rest: those partitions are read from the start."
            )
        if self.odd:
            warnings.append(
                f"{counted(self.odd, 'entry')} left out (no company, or no date up to which it was read): "
                "what that stood for is read from the start."
            )
        chosen = [self._dated(_best(of_partition)) for of_partition in kept.values()]
        chosen += [self._date_alone(self.latest[key]) for key in self.latest if key in others]
        states = msgspec.to_builtins(chosen)
        fingerprint = msgspec.json.decode(options)
        return {"states": states, **({"fingerprint": fingerprint} if fingerprint else {})}, warnings

    def _dated(self, saved: _Saved) -> _Saved:
        """An entry with the latest date of all its copies, where its rows are dated by their Codat sync."""
        latest = self.latest.get(saved.key)
        if latest is None:
            return saved
        return msgspec.structs.replace(saved, cursor={**saved.cursor, "syncedAt": latest.cursor["syncedAt"]})

    @staticmethod
    def _date_alone(saved: _Saved) -> _Saved:
        """What remains of an entry that was written with other options: the date of its rows."""
        return msgspec.structs.replace(saved, cursor={"syncedAt": saved.cursor["syncedAt"]})


def merged(states: Sequence[SavedStates], part: Part | None = None) -> tuple[list[AirbyteMessage], list[str]]:
    """The states as one, a STATE message for each stream, and sentences to warn of.

    part: only the entries of its companies are kept, where it is named. A state names the options that it was
    read with once. Where states of a stream name different ones, those of most entries are kept (of equally
    many, those that were given last), and partitions that were read only with others are left out, but for
    the dates of rows that are dated by their Codat sync.
    """
    messages, warnings = [], []
    for name in dict.fromkeys(name for saved in states for name in saved.names):
        merge = _StreamMerge(part)
        for saved in states:
            merge.add(saved.of(name) or NO_CURSOR_STATE)
        blob, told = merge.blob()
        messages.append(state_message(name, blob, 0))
        warnings += [f"{name}: {sentence}" for sentence in told]
    return messages, warnings


def _best(of_partition: Sequence[_Saved]) -> _Saved:
    """Of the copies of an entry the best; of two that say the same, the one whose siblings are in doubt."""
    if len(of_partition) == 1:
        return of_partition[0]
    # Of several that say the same in other words always the same one, whatever order they come in.
    in_order = sorted(
        of_partition, key=lambda saved: msgspec.json.encode(saved.cursor, order="deterministic")
    )
    entries = {saved.entry: saved for saved in in_order}
    chosen = copies.best({without_mark(entry) for entry in entries})
    alike = [entry for entry in entries if without_mark(entry) == chosen]
    return entries[max(alike, key=is_part)]
