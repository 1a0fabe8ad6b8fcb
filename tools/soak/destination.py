"""A destination as Airbyte describes one: deduplicates by key, and keeps what stands before a state."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.soak.reading import Message, Reading
from tools.soak.streams import KEYS, Key, Record, Rows

_SNAPSHOTS = 12


@dataclass
class Table:
    """One stream's rows and the state that was committed with them; `past` holds the pairs before."""

    rows: Rows = field(default_factory=dict)
    state: Message | None = None
    past: list[tuple[Message | None, Rows]] = field(default_factory=list)

    def commit(self, state: Message, rows: Rows) -> None:
        """Keep rows together with the state that stands for them."""
        self.rows, self.state = rows, state
        self.past = [*self.past, (state, dict(rows))][-_SNAPSHOTS:]


class Destination:
    """The tables of all streams."""

    def __init__(self) -> None:
        self.tables = {name: Table() for name in KEYS}

    def copy(self) -> Destination:
        """A destination with the same contents, to try something on."""
        other = Destination()
        for name, table in self.tables.items():
            other.tables[name] = Table(dict(table.rows), table.state, list(table.past))
        return other

    @property
    def state(self) -> tuple[Message, ...]:
        """The committed state, as Airbyte hands it to the next read."""
        return tuple(table.state for table in self.tables.values() if table.state is not None)

    def take(self, reading: Reading, *, overwritten: frozenset[str], keep_tail: bool) -> None:
        """Write what a read brought.

        overwritten: the streams whose table a whole read replaces. keep_tail: whether rows that
        came after a stream's last state are kept all the same; both is legal.
        """
        pending: dict[str, Rows] = {name: {} for name in KEYS}
        for message in reading.messages:
            if message["type"] == "RECORD":
                name, record = message["record"]["stream"], message["record"]["data"]
                pending[name][key_of(name, record)] = record
            elif message["type"] == "STATE":
                state = message["state"]
                name = state["stream"]["stream_descriptor"]["name"]
                table = self.tables[name]
                kept = {} if name in overwritten else table.rows
                table.commit(state, {**kept, **pending[name]})
                pending[name] = {}
        for name, rows in pending.items():
            if keep_tail and name not in overwritten:
                self.tables[name].rows = {**self.tables[name].rows, **rows}

    def roll_back(self, name: str, steps: int) -> bool:
        """Bring a stream's table and state back to a commit before; False where there is none."""
        table = self.tables[name]
        if steps >= len(table.past):
            return False
        del table.past[len(table.past) - steps :]
        state, rows = table.past[-1]
        table.state, table.rows = state, dict(rows)
        return True


def key_of(stream: str, record: Record) -> Key:
    """The key by which a stream's record is deduplicated."""
    return tuple(str(record[name]) for name in KEYS[stream])
