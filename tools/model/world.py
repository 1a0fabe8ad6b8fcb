"""The model's Codat: companies whose connections come and go, syncs that bring rows, early or late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import msgspec

from tools.model.clock import SECOND, Clock, render
from tools.model.nature import Nature, Odd

RUNNING = (
    "Fetching",
    "MapQueued",
    "Mapping",
    "ValidationQueued",
    "Validating",
    "ProcessingQueued",
    "Processing",
)
WAITING = ("Queued", "Initial")
FAILURES = (
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
)
COMPLETE = "Complete"
ACCOUNTING, BANKING, COMMERCE = "Accounting", "Banking", "Commerce"
# By data type, what kind of connection holds it.
SOURCE_TYPES = {
    "invoices": ACCOUNTING,
    "payments": ACCOUNTING,
    "accountTransactions": ACCOUNTING,
    "bankAccounts": ACCOUNTING,
    "bankTransactions": ACCOUNTING,
    "banking-transactions": BANKING,
    "banking-accountBalances": BANKING,
    "commerce-locations": COMMERCE,
}
_WITHOUT_RELIABLE_IDS = {"bankTransactions", "banking-accountBalances"}
_MARK_DELETED = {"invoices", "accountTransactions", "bankAccounts", "payments"}
_YEAR_ONE = "0001-01-01T00:00:00"


class Row:
    """One version of a record, as it is or will be seen.

    uid: the record, whatever its versions. version: higher is later; no two rows share one, but for
    rows that equal each other. stamp: None where the row has no usable date. group: its account.
    since: the moment from which on it can be seen.
    """

    __slots__ = ("body", "deleted", "group", "id", "since", "stamp", "text", "uid", "version")

    def __init__(self, uid: int, version: int, row_id: str | None, group: str) -> None:
        self.uid, self.version, self.id, self.group = uid, version, row_id, group
        self.stamp: int | None = None
        self.text: str | None = None
        self.deleted = False
        self.since = 0
        self.body = b""

    def write(self) -> None:
        """Make the row's JSON."""
        fields: dict[str, object] = {"uid": self.uid, "v": self.version}
        if self.id is not None:
            fields["id"] = self.id
        if self.text is not None:
            fields["modifiedDate"] = self.text
        if self.deleted:
            fields["metadata"] = {"isDeleted": True}
        self.body = msgspec.json.encode(fields)


@dataclass
class Sync:
    """One sync of a data type of a connection; `staged` are the rows that it will show."""

    id: str
    connection: str
    data_type: str
    requested: int
    status: str
    changed: int
    done: int = 0
    stamp: int | None = None
    started: int = 0
    staged: list[tuple[str, Row]] = field(default_factory=list)
    odd: Odd | None = None

    @property
    def waiting(self) -> bool:
        """Whether it hasn't started."""
        return self.status in WAITING

    @property
    def under_way(self) -> bool:
        """Whether it hasn't ended."""
        return self.status in RUNNING or self.status in WAITING


@dataclass
class Connection:
    """A connection; `shown_as` is what the company list says of its kind."""

    id: str
    kind: str
    status: str = "Linked"
    shown_as: str | None = None


@dataclass
class Company:
    """A company; `rows` by connection and data type, `syncs` by data type as they were requested."""

    id: str
    connections: list[Connection] = field(default_factory=list)
    rows: dict[tuple[str, str], dict[int, Row]] = field(default_factory=dict)
    syncs: dict[str, list[Sync]] = field(default_factory=dict)
    active: dict[tuple[str, str], Sync] = field(default_factory=dict)
    attachments: dict[tuple[str, str], dict[int, Row]] = field(default_factory=dict)
    stuck: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    has_lost_one: bool = False

    def opened(self, data_type: str, connection: str | None) -> bool:
        """Whether a data type (of one connection, or None: of any) was ever synced well: 409 until then."""
        return any(
            sync.status == COMPLETE and connection in (None, sync.connection)
            for sync in self.syncs.get(data_type, ())
        )

    def of_type(self, data_type: str) -> Iterator[tuple[Connection, dict[int, Row]]]:
        """The rows of a data type, connection by connection."""
        for one in self.connections:
            rows = self.rows.get((one.id, data_type))
            if rows:
                yield one, rows


class World:
    """Everything that a story's Codat holds; `told` is what happened, in words, where somebody reads it."""

    def __init__(self, rng: Random, nature: Nature, clock: Clock, *, tell: bool = False) -> None:
        self.rng, self.nature, self.clock = rng, nature, clock
        self.companies: dict[str, Company] = {}
        self.told: list[str] = []
        # Records that were marked as deleted, or had no date, at some moment since this was last cleared.
        self.blinked: set[int] = set()
        self.is_telling = tell
        self._made = 0
        for _ in range(nature.companies):
            self._found()

    def tell(self, text: str) -> None:
        """Note what happened."""
        if self.is_telling:
            self.told.append(f"{render(self.clock.now, 3)[8:]} {text}")

    def number(self) -> int:
        """A number that was never given before."""
        self._made += 1
        return self._made

    # --- what exists

    def _found(self) -> None:
        number = self.number()
        company = Company(f"{number:08x}-0000-4000-8000-000000000000")
        self.companies[company.id] = company
        for kind in (ACCOUNTING, BANKING, COMMERCE):
            if kind in self.nature.kinds:
                for _ in range(self.rng.choice(self.nature.connections)):
                    self.link(company, kind)

    def link(self, company: Company, kind: str, status: str = "") -> Connection:
        """Let a connection come; its data types are asked for at once, or later."""
        rng = self.rng
        one = Connection(f"c{self.number()}", kind)
        if rng.random() < self.nature.kindless:
            one.shown_as = rng.choice(["Unknown", "", "Other"])
        one.status = status or ("PendingAuth" if rng.random() < 0.2 else "Linked")
        company.connections.append(one)
        self.tell(f"{company.id[:8]} {one.id} is linked, {one.status}")
        if one.status == "Linked":
            self._first_syncs(company, one)
        return one

    def _first_syncs(self, company: Company, one: Connection) -> None:
        for data_type in self.nature.data_types:
            if SOURCE_TYPES[data_type] == one.kind and self.rng.random() < 0.8:
                self.request(company, one, data_type)

    def unlink(self, company: Company, one: Connection) -> None:
        """Let a connection go: its rows stay with what is only unlinked."""
        rng = self.rng
        if one.status == "PendingAuth":
            one.status = "Linked"
            self._first_syncs(company, one)
        elif rng.random() < 0.5 and len(company.connections) > 1:
            company.connections.remove(one)
            company.has_lost_one = True
            for data_type in self.nature.data_types:
                company.rows.pop((one.id, data_type), None)
                gone = company.active.pop((one.id, data_type), None)
                if gone:
                    self._end(gone, "Cancelled")
                if self.nature.forgets:
                    kept = [sync for sync in company.syncs.get(data_type, ()) if sync.connection != one.id]
                    company.syncs[data_type] = kept
                    company.stuck.pop(data_type, None)
            self.tell(f"{company.id[:8]} {one.id} is deleted")
            return
        elif one.status == "Linked":
            one.status = rng.choice(["Unlinked", "Deauthorized"])
        else:
            one.status = "Linked"
        self.tell(f"{company.id[:8]} {one.id} is {one.status} now")

    # --- what happens

    def pass_by(
        self, company_id: str = "", data_type: str = "", connection_id: str = "", *, is_look: bool = False
    ) -> None:
        """Let a request's time pass; perhaps something happens, mostly near to what is asked for."""
        self.clock.step(self.rng)
        rng, nature = self.rng, self.nature
        if nature.happenings <= 0:
            return
        if rng.random() < nature.events * nature.traps:
            nature.happenings -= 3
            self.trap(company_id, data_type, connection_id, links=is_look and rng.random() < nature.late)
        if rng.random() >= nature.events:
            return
        for _ in range(rng.choice((1, 1, 2, 4))):
            nature.happenings -= 1
            near = rng.random() < 0.7
            self.happen(company_id if near else "", data_type if near else "", connection_id if near else "")

    def happen(self, company_id: str = "", data_type: str = "", connection_id: str = "") -> None:
        """Let one thing happen in a company, if it is known there."""
        rng, nature = self.rng, self.nature
        company = self.companies.get(company_id) or rng.choice(list(self.companies.values()))
        self.clock.now += rng.randrange(1, 50_000)
        if rng.random() < nature.arrivals:
            if len(company.connections) < 4 and rng.random() < 0.6:
                self.link(company, rng.choice(nature.kinds))
            elif company.connections:
                self.unlink(company, rng.choice(company.connections))
            return
        known = [one for one in company.connections if one.status in ("Linked", *nature.syncing)]
        places = [
            (one, name)
            for one in known
            for name in nature.data_types
            if SOURCE_TYPES[name] == one.kind and data_type in ("", name) and connection_id in ("", one.id)
        ]
        if not places:
            return
        one, name = rng.choice(places)
        sync = company.active.get((one.id, name))
        if sync is not None:
            self.advance(company, sync)
        elif rng.random() < nature.whole:
            self.whole_sync(company, one, name)
        else:
            self.request(company, one, name)
        if nature.attachments and rng.random() < 0.3:
            self._attach(company)

    def request(self, company: Company, one: Connection, data_type: str) -> Sync:
        """Put a sync into the queue, or start it at once."""
        rng, nature = self.rng, self.nature
        waits = rng.random() < nature.waits
        status = rng.choice(WAITING) if waits else rng.choice(RUNNING)
        now = self.clock.now
        sync = Sync(f"S{self.number()}", one.id, data_type, now, status, now, started=now)
        if rng.random() < nature.odd:
            sync.odd = Odd(rng, nature.odd_kinds, nature.odd_pick)
        company.syncs.setdefault(data_type, []).append(sync)
        company.active[one.id, data_type] = sync
        self.clock.now += rng.randrange(1, 5_000)
        self.tell(f"{company.id[:8]} {one.id} {data_type}: {sync.id} is requested, {status}")
        return sync

    def whole_sync(self, company: Company, one: Connection, data_type: str) -> None:
        """A sync from its request to its end; now and then it swaps one row for another."""
        sync = self.request(company, one, data_type)
        if sync.waiting:
            return
        if self.rng.random() < self.nature.swaps:
            rows = company.rows.get((one.id, data_type))
            if rows:
                self.stage(company, sync, "vanish")
            self.stage(company, sync, "new")
        else:
            for _ in range(self.rng.randrange(4)):
                self.stage(company, sync, "")
        self.finish(company, sync, COMPLETE)

    def advance(self, company: Company, sync: Sync) -> None:
        """Let a sync that is under way go on."""
        rng, nature = self.rng, self.nature
        now = self.clock.now
        if sync.waiting:
            self._try_to_start(company, sync)
            return
        what = rng.random()
        if rng.random() < nature.swaps * 0.3:
            for op in ("vanish", "new"):
                self.stage(company, sync, op, shown=True)
        elif what < 0.4:
            for _ in range(rng.choice((1, 1, 2, 3))):
                self.stage(company, sync, "")
        elif what < 0.6 and sync.staged:
            for _ in range(rng.randint(1, len(sync.staged))):
                self._show(company, sync, *sync.staged.pop(rng.randrange(len(sync.staged))))
        elif rng.random() >= nature.finishing:
            sync.status, sync.changed = rng.choice(RUNNING), now
        elif rng.random() < nature.fails:
            self.finish(company, sync, rng.choice(FAILURES))
        else:
            self.finish(company, sync, COMPLETE)

    def _try_to_start(self, company: Company, sync: Sync) -> None:
        """Let a sync that waits begin, fail, or go on waiting."""
        rng, nature = self.rng, self.nature
        if rng.random() < nature.stalls:
            return
        if rng.random() < nature.fails:
            self.finish(company, sync, rng.choice(FAILURES))
            return
        self.start(company, sync)

    def start(self, company: Company, sync: Sync) -> None:
        """Let a sync that waits begin."""
        sync.status, sync.changed, sync.started = self.rng.choice(RUNNING), self.clock.now, self.clock.now
        self.tell(f"{company.id[:8]} {sync.id} starts, {sync.status}")

    def finish(self, company: Company, sync: Sync, status: str) -> None:
        """End a sync: a good one shows all that it brought; what a failed one hadn't shown is gone."""
        if status == COMPLETE:
            for op, row in sync.staged:
                self._show(company, sync, op, row)
        sync.staged = []
        company.active.pop((sync.connection, sync.data_type), None)
        self.clock.now += self.rng.randrange(1, 5_000)
        self._end(sync, status)
        self.tell(f"{company.id[:8]} {sync.connection} {sync.data_type}: {sync.id} ends, {status}")

    def _end(self, sync: Sync, status: str) -> None:
        sync.status, sync.changed, sync.done = status, self.clock.now, self.clock.now

    def trap(
        self, company_id: str = "", data_type: str = "", connection_id: str = "", *, links: bool = False
    ) -> None:
        """Let a sync stamp a row that shows late, and one that shows at once; others may hide that sync.

        links: whether that is the sync of a connection which comes now.
        """
        rng, nature = self.rng, self.nature
        company = self.companies.get(company_id) or rng.choice(list(self.companies.values()))
        name = data_type or rng.choice(nature.data_types)
        held = [
            one for one in company.connections if one.kind == SOURCE_TYPES[name] and one.status == "Linked"
        ]
        if links and len(company.connections) < 4:
            held.append(self.link(company, SOURCE_TYPES[name], status="Linked"))
        if not held:
            return
        own = [one for one in held if one.id == connection_id]
        one = held[-1] if links else rng.choice(own or held)
        sync = company.active.get((one.id, name)) or self.request(company, one, name)
        if sync.waiting:
            self.start(company, sync)
        self.stage(company, sync, "new", shown=False)
        self.clock.now += rng.choice((0, SECOND, 3 * SECOND))
        self.stage(company, sync, "new", shown=True)
        others = [other for other in held if other is not one and (other.id, name) not in company.active]
        if others and rng.random() < 0.7:
            self.clock.now += rng.choice((0, SECOND))
            hiding = self.request(company, rng.choice(others), name)
            if not hiding.waiting:
                self.finish(company, hiding, COMPLETE if rng.random() < 0.7 else rng.choice(FAILURES))

    def stage(self, company: Company, sync: Sync, op: str, *, shown: bool | None = None) -> None:
        """Let a sync fetch one change: stamped now, shown now or later."""
        rng, nature, data_type = self.rng, self.nature, sync.data_type
        if data_type == "payments":
            return
        self.clock.now += rng.randrange(1, 200_000)
        rows = company.rows.get((sync.connection, data_type)) or {}
        op = op or rng.choice(nature.changes)
        if not rows or (op == "new" and len(rows) >= nature.most_rows and shown is None):
            op = "new" if not rows else "change"
        if op == "vanish":
            row = rng.choice(list(rows.values()))
        else:
            found = self._new(company, sync) if op == "new" else self._next(rng.choice(list(rows.values())))
            if found is None:
                return
            row = found
            row.deleted = op == "delete" and data_type in _MARK_DELETED
            self._stamp(row, sync)
        at_once = rng.random() < nature.at_once if shown is None else shown
        if at_once and (op != "vanish" or shown):
            self._show(company, sync, op, row)
        else:
            sync.staged.append((op, row))
            self.tell(
                f"{company.id[:8]} {sync.id} has {op} {row.uid} v{row.version} {row.text}, not shown yet"
            )

    def _new(self, company: Company, sync: Sync) -> Row | None:
        rng, nature = self.rng, self.nature
        group = ""
        if sync.data_type == "bankTransactions":
            accounts = company.rows.get((sync.connection, "bankAccounts"))
            if not accounts:
                return None
            group = rng.choice(list(accounts.values())).id or ""
        uid = self.number()
        idless = sync.data_type in _WITHOUT_RELIABLE_IDS and rng.random() < nature.idless
        row_id = None if idless else f"r{rng.randrange(1000):03d}-{uid}"
        return Row(uid, uid, row_id, group)

    def _next(self, row: Row) -> Row:
        return Row(row.uid, self.number(), row.id, row.group)

    def _stamp(self, row: Row, sync: Sync) -> None:
        rng, nature = self.rng, self.nature
        if nature.one_stamp:
            sync.stamp = sync.stamp or self.clock.now
            stamp = sync.stamp
        else:
            stamp = self.clock.now
        row.stamp = stamp
        row.text = render(stamp, rng.choice(nature.row_digits), rng.choice(nature.zones))
        if rng.random() < nature.undated:
            row.stamp, row.text = None, rng.choice([None, _YEAR_ONE, "", _YEAR_ONE + "Z"])
        row.write()

    def _show(self, company: Company, sync: Sync, op: str, row: Row) -> None:
        rows = company.rows.setdefault((sync.connection, sync.data_type), {})
        self.clock.now += self.rng.randrange(1, 2_000)
        if op == "vanish":
            rows.pop(row.uid, None)
        else:
            known = rows.get(row.uid)
            if op != "new" and known is None:
                return  # it has vanished in the meantime
            if known and known.version > row.version:
                return
            row.since = self.clock.now
            rows[row.uid] = row
            if row.deleted or row.stamp is None:
                self.blinked.add(row.uid)
        self.tell(f"{company.id[:8]} {sync.id} shows {op} {row.uid} v{row.version} {row.text}")

    def _attach(self, company: Company) -> None:
        rng = self.rng
        held = [(one, row) for one, rows in company.of_type("invoices") for row in rows.values() if row.id]
        if held:
            one, invoice = rng.choice(held)
            row = Row(self.number(), self.number(), f"a{self.number()}", invoice.id or "")
            row.since = self.clock.now
            row.write()
            company.attachments.setdefault((one.id, invoice.id or ""), {})[row.uid] = row

    # --- how a story ends

    def settle(self, *, leave_waiting: bool) -> None:
        """Let everything that runs end well, and what failed be synced again; odd words stop."""
        nature = self.nature
        nature.calm()
        for company in self.companies.values():
            company.stuck.clear()
            for _ in range(3):
                for sync in list(company.active.values()):
                    self._settle_one(company, sync, leave_waiting=leave_waiting)
                for one in company.connections:
                    for name in nature.data_types:
                        self._mend(company, one, name)
            for data_type, syncs in company.syncs.items():
                for sync in syncs:
                    sync.odd = None
                self._end_well(company, data_type)
        self.clock.now += 5 * SECOND

    def _end_well(self, company: Company, data_type: str) -> None:
        """Let the sync that dataStatus shows be a good one, whatever a connection that is gone left."""
        held = [one for one in company.connections if one.kind == SOURCE_TYPES[data_type]]
        known = company.syncs[data_type]
        if not held or not known:
            return
        by_request = self.nature.merging == "requested"
        shown = known[-1] if by_request else max(known, key=lambda sync: sync.changed)
        if shown.status in FAILURES:
            one = held[0]
            if (one.id, data_type) not in company.active:
                sync = self.request(company, one, data_type)
                sync.status = RUNNING[0]
                self.finish(company, sync, COMPLETE)

    def _settle_one(self, company: Company, sync: Sync, *, leave_waiting: bool) -> None:
        if sync.waiting:
            if leave_waiting:
                return
            sync.status = RUNNING[0]
        self.finish(company, sync, COMPLETE)

    def _mend(self, company: Company, one: Connection, data_type: str) -> None:
        if SOURCE_TYPES[data_type] != one.kind or (one.id, data_type) in company.active:
            return
        mine = [sync for sync in company.syncs.get(data_type, ()) if sync.connection == one.id]
        if mine and mine[-1].status != COMPLETE:
            sync = self.request(company, one, data_type)
            sync.status = RUNNING[0]
            self.finish(company, sync, COMPLETE)
