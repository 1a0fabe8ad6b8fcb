"""A destination as Airbyte describes one: deduplicates by key, and keeps what came before a state."""

from __future__ import annotations

from dataclasses import dataclass, field

from codat_simulator.instants import instant
from tools.soak.connector import Message, ReadResult
from tools.soak.streams import PRIMARY_KEYS, STATEMENTS, Key, Record, Rows

_REMEMBERED_STATES = 12
_NO_DATE = "1970-01-01T00:00:00Z"  # what rows carry where Codat shows no date


@dataclass
class Table:
    """One stream's rows and the state that was committed with them.

    sure: of a statement's rows, those whose Codat sync was noted with them; none from before a read without
    a state, whose rows the connector can't date after those that it sent before.
    earlier: the states committed of late, each with the rows of that moment and those of them that are sure;
    the last is the present one.
    """

    rows: Rows = field(default_factory=dict)
    sure: set[Key] = field(default_factory=set)
    state: Message | None = None
    earlier: list[tuple[Message | None, Rows, frozenset[Key]]] = field(default_factory=list)

    def commit(self, state: Message, rows: Rows, dated: Rows) -> None:
        """Keep rows together with the state that stands for them.

        dated: of the rows that came, those of statements, which are dated by their Codat sync.
        """
        self.rows, self.state = rows, state
        self._note_sure(state, dated)
        self.earlier = [*self.earlier, (state, dict(rows), frozenset(self.sure))][-_REMEMBERED_STATES:]

    def _note_sure(self, state: Message, dated: Rows) -> None:
        """Note of rows that came whether the state says from which Codat sync they came."""
        entries = state["stream"]["stream_state"].get("states")
        if entries is None:
            self.sure.clear()
        noted = {
            entry["partition"]["company_id"]: instant(entry["cursor"].get("syncedAt") or _NO_DATE)
            for entry in entries or ()
            if entry["cursor"].get("syncId")
        }
        for key, row in dated.items():
            is_sure = key[0] in noted and noted[key[0]] == synced_at(row)
            (self.sure.add if is_sure else self.sure.discard)(key)


class Destination:
    """The tables of all streams."""

    def __init__(self) -> None:
        self.tables = {name: Table() for name in PRIMARY_KEYS}

    def copy(self) -> Destination:
        """A destination with the same contents, to try something on."""
        other = Destination()
        for name, table in self.tables.items():
            other.tables[name] = Table(dict(table.rows), set(table.sure), table.state, list(table.earlier))
        return other

    @property
    def state(self) -> tuple[Message, ...]:
        """The committed state, as Airbyte hands it to the next read."""
        return tuple(table.state for table in self.tables.values() if table.state is not None)

    def write(self, result: ReadResult, *, overwritten: frozenset[str], keep_rows_after_state: bool) -> None:
        """Write what a read brought.

        overwritten: the streams whose table is replaced. keep_rows_after_state: whether rows that came after
        their stream's last state are kept all the same; a destination may do either.
        """
        pending: dict[str, Rows] = {name: {} for name in PRIMARY_KEYS}
        for message in result.messages:
            if message["type"] == "RECORD":
                name, record = message["record"]["stream"], message["record"]["data"]
                pending[name][key_of(name, record)] = record
            elif message["type"] == "STATE":
                state = message["state"]
                name = state["stream"]["stream_descriptor"]["name"]
                table = self.tables[name]
                kept = {} if name in overwritten else table.rows
                rows = pending[name]
                table.commit(state, merged(name, kept, rows), rows if name in STATEMENTS else {})
                pending[name] = {}
        for name, rows in pending.items():
            if keep_rows_after_state and name not in overwritten:
                self.tables[name].rows = merged(name, self.tables[name].rows, rows)
                self.tables[name].sure.difference_update(rows)

    def roll_back(self, name: str, steps: int) -> bool:
        """Bring a stream's table and state back to an earlier commit; False where there is none."""
        table = self.tables[name]
        if steps >= len(table.earlier):
            return False
        del table.earlier[len(table.earlier) - steps :]
        state, rows, sure = table.earlier[-1]
        table.state, table.rows, table.sure = state, dict(rows), set(sure)
        return True


def merged(stream: str, kept: Rows, rows: Rows) -> Rows:
    """A table's rows with others that came after them: a row gives way to one of no earlier cursor.

    What Codat dates itself never goes back, so that is looked at in statements only.
    """
    if stream in STATEMENTS:
        rows = {
            key: row for key, row in rows.items() if key not in kept or synced_at(row) >= synced_at(kept[key])
        }
    return {**kept, **rows}


def synced_at(row: Record) -> int:
    """The instant of the Codat sync that a row of a statement carries."""
    found = instant(row["syncedAt"])
    if found is None:
        raise ValueError(row)
    return found


def key_of(stream: str, record: Record) -> Key:
    """The values by which a stream's record is deduplicated."""
    return tuple(str(record[name]) for name in PRIMARY_KEYS[stream])
