"""Where each stream's read starts, and why: one sentence a stream, for the log."""

from __future__ import annotations

from collections.abc import Collection

from source_codat.foundation import timestamps
from source_codat.foundation.wording import counted
from source_codat.state.saved import SavedStates
from source_codat.state.store import StreamState
from source_codat.streams.names import shown

READ_WHOLE = "read whole, as the catalog asks for full_refresh."
NO_CURSOR = "read whole, as Codat doesn't tell what has changed in it."


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
