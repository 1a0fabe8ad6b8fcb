"""Who there is: companies and their connections, to look up, add and remove."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from datetime import datetime

from codat_simulator.definitions.platforms import Platform, named_platform, usual_platform
from codat_simulator.generators.words import COMPANY_NAMES
from codat_simulator.instants import known
from codat_simulator.records.dataset import Dataset, Record, listed
from codat_simulator.records.query import compile_query
from codat_simulator.world.addons import KEYS, addon_list
from codat_simulator.world.clock import Clock
from codat_simulator.world.companies import COMPANY, Company, Connection

Spec = str | dict[str, str]

# What the first companies are linked to, in turn; the first serves every kind of stream.
_LINKS: tuple[tuple[Spec, ...], ...] = (
    ("Accounting", "Banking", "Commerce", "BankFeed", "Expense"),
    (
        {"source_type": "Accounting", "platform": "qhyg"},
        {"source_type": "Banking", "platform": "trly", "status": "Unlinked"},
        {"source_type": "Commerce", "platform": "sqre", "status": "PendingAuth"},
    ),
    ({"source_type": "Accounting", "platform": "ktna", "status": "Deauthorized"},),
    (
        {"source_type": "Accounting", "platform": "dyna"},
        "Banking",
        {"source_type": "Banking", "platform": "trly"},
    ),
    ("Commerce", {"source_type": "Commerce", "platform": "sqre"}),
    (),
)


class Directory:
    """The companies and their connections."""

    def __init__(self, seed: int, records: int, start: datetime | None) -> None:
        """Start without companies."""
        self.lock = threading.RLock()
        self.seed, self.size = seed, records
        self.clock = Clock(start, seed, self.lock)
        self.company_list_version = 0
        """Goes up whenever the list of companies changes."""
        self.elsewhere: dict[str, list[Record]] = {}
        """By path, the made-up records of endpoints that were asked for; a test may change them."""
        self._lists: dict[str, tuple[int, Dataset]] = {}
        self._companies: dict[str, Company] = {}
        self._founded = 0
        self._refused: set[tuple[str, str]] = set()

    def found(self, companies: int) -> None:
        """Add companies that have been synced before now, linked to one platform or several in turn."""
        with self.lock:
            for number in range(companies):
                self._found(None, None, _LINKS[number % len(_LINKS)], self.clock.ticks(), (True, True))

    @property
    def companies(self) -> list[Record]:
        """Return the companies as Codat lists them."""
        with self.lock:
            return [company.row() for company in self._companies.values()]

    def company(self, company_id: str) -> Company:
        """Return a company by id; KeyError for an unknown one."""
        with self.lock:
            return self._companies[company_id]

    def company_list(self, tags: str = "") -> Dataset:
        """Return the companies that `tags` selects, to cut pages from; QueryError where unreadable."""
        with self.lock:
            kept = self._lists.get(tags)
            if kept is None or kept[0] != self.company_list_version:
                test = compile_query(tags, None) if tags else None
                chosen = [one for one in self._companies.values() if test is None or test(one.tags)]
                kept = self._lists[tags] = (
                    self.company_list_version,
                    listed((one.row() for one in chosen), COMPANY),
                )
            return kept[1]

    def known_companies(self) -> list[Company]:
        """Return every company."""
        with self.lock:
            return list(self._companies.values())

    def add_company(
        self,
        name: str | None = None,
        tags: dict[str, str] | None = None,
        connections: Sequence[Spec] = ("Accounting",),
        sync: bool = True,
    ) -> str:
        """Add a company and return its id; a connection is a source type or {source_type, platform, status}.

        With `sync` its data types have been synced just now, else never.
        """
        with self.lock:
            return self._found(name, tags, connections, self._born(), (sync, False))

    def remove_company(self, company_id: str) -> None:
        """Delete a company for good: its paths answer 404."""
        with self.lock:
            del self._companies[company_id]
            self.company_list_version += 1

    def add_connection(
        self,
        company_id: str,
        source_type: str = "Accounting",
        status: str = "Linked",
        platform: str | None = None,
        sync: bool = True,
    ) -> str:
        """Link a company to a platform and return the connection's id."""
        with self.lock:
            spec = {"source_type": source_type, "status": status, "platform": platform or ""}
            return self._link(self._companies[company_id], spec, self._born(), (sync, False))

    def remove_connection(self, company_id: str, connection_id: str) -> None:
        """Delete a connection for good: its paths answer 404."""
        with self.lock:
            company = self._companies[company_id]
            company.connections = [link for link in company.connections if link.id != connection_id]
            self.company_list_version += 1

    def set_connection_status(self, company_id: str, connection_id: str, status: str) -> None:
        """Make a connection PendingAuth, Linked, Unlinked or Deauthorized."""
        with self.lock:
            self.connection(company_id, connection_id).status = status
            self.company_list_version += 1

    def connection(self, company_id: str, connection_id: str) -> Connection:
        """Return a connection by id; KeyError for an unknown one."""
        with self.lock:
            for link in self._companies[company_id].connections:
                if link.id == connection_id:
                    return link
            raise KeyError(connection_id)

    def dataset(self, company_id: str, data_type: str, connection_id: str | None = None) -> Dataset:
        """Return the dataset that holds a company's records of a data type."""
        return self.holder(company_id, data_type, connection_id).dataset(data_type)

    def holder(self, company_id: str, data_type: str, connection_id: str | None) -> Connection:
        """Return a connection by id, or the company's first that holds a data type; KeyError without one."""
        if connection_id is not None:
            return self.connection(company_id, connection_id)
        for link in self._companies[company_id].supporting(data_type):
            return link
        raise KeyError(f"company {company_id} has no connection that holds {data_type}")

    def addon(self, company_id: str, name: str) -> list[Record]:
        """Return copies of the records of an add-on list, one of `addons.KEYS`."""
        with self.lock:
            return [dict(record) for record in addon_list(self._companies[company_id], name)]

    def put_addon(self, company_id: str, name: str, record: Record) -> None:
        """Add a record to an add-on list, or replace the one with its key."""
        with self.lock:
            rows, key = addon_list(self._companies[company_id], name), KEYS[name]
            for at, row in enumerate(rows):
                if row[key] == record[key]:
                    rows[at] = dict(record)
                    return
            rows.append(dict(record))

    def replace_addon(self, company_id: str, name: str, records: Sequence[Record]) -> None:
        """Put other records in the place of a whole add-on list."""
        with self.lock:
            addon_list(self._companies[company_id], name)[:] = [dict(record) for record in records]

    def remove_addon(self, company_id: str, name: str, key: str) -> None:
        """Take a record out of an add-on list."""
        with self.lock:
            rows = addon_list(self._companies[company_id], name)
            rows[:] = [row for row in rows if row[KEYS[name]] != key]

    def unsupported(self, target: str, data_type: str) -> None:
        """Make a data type unsupported for a company (id) or a platform (key or name): lists answer 404."""
        with self.lock:
            self._refused.add((target, data_type))

    def supports(self, company: Company, platform: Platform, data_type: str) -> bool:
        """Say whether a company's platform offers a data type."""
        targets = (company.id, platform.key, platform.name)
        return platform.supports(data_type) and not any(
            (target, data_type) in self._refused for target in targets
        )

    def _born(self) -> int:
        return known(self.clock.stamp("7Z"))

    def _found(
        self,
        name: str | None,
        tags: dict[str, str] | None,
        links: Sequence[Spec],
        born: int,
        history: tuple[bool, bool],
    ) -> str:
        number = self._founded
        self._founded += 1
        company_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"codat-simulator/{self.seed}/company/{number}"))
        turn = number // len(COMPANY_NAMES)
        usual = COMPANY_NAMES[number % len(COMPANY_NAMES)] + (f" {turn + 1}" if turn else "")
        if tags is None:
            tags = {"region": ("uk", "eu", "us")[number % 3], "tier": "trial" if number % 4 == 3 else "paid"}
        company = Company(company_id, number, usual if name is None else name, tags, born)
        self._companies[company_id] = company
        self.company_list_version += 1
        for spec in links:
            self._link(company, spec, born, history)
        return company_id

    def _link(self, company: Company, spec: Spec, born: int, history: tuple[bool, bool]) -> str:
        given = {"source_type": spec} if isinstance(spec, str) else spec
        source_type = given.get("source_type") or given.get("sourceType") or "Accounting"
        alike = sum(link.platform.source_type == source_type for link in company.connections)
        named = given.get("platform")
        platform = named_platform(named) if named else usual_platform(source_type, alike)
        company.linked += 1
        seed = f"codat-simulator/{self.seed}/{company.number}/{company.linked}"
        link = Connection(seed, platform, given.get("status") or "Linked", born, history, self.size)
        company.link(link)
        self.company_list_version += 1
        return link.id
