"""Companies and their connections to platforms."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.definitions.platforms import Platform
from codat_simulator.definitions.shape import Shape, shape
from codat_simulator.generators.generate import generate
from codat_simulator.generators.maker import Maker
from codat_simulator.instants import TICKS, render, to_datetime
from codat_simulator.records.dataset import Dataset, Record, RowList, Rows, select
from codat_simulator.records.synthetic import SyntheticDataset
from codat_simulator.world.syncs import COMPLETE, Sync

_LINK = (
    "id integrationId integrationKey sourceId sourceType platformName linkUrl status lastSync:d created:d"
    " dataConnectionErrors[] connectionInfo*"
)
CONNECTION = shape("DataConnection", _LINK)
COMPANY = shape(
    "Company",
    "id name description redirect platform lastSync:d created:d createdByUserName products[]"
    f" dataConnections{{{_LINK}}}",
)
_ZONELESS = {"accountTransactions", "transfers", "banking-transactionCategories"}
_READABLE = {"Linked", "Unlinked", "Deauthorized"}
_CUSTOM = shape("CustomDataTypeRecord", "id")


class Connection:
    """One link of a company to a platform, with the datasets read through it."""

    def __init__(
        self, seed: str, platform: Platform, status: str, born: int, history: tuple[bool, bool], records: int
    ) -> None:
        """Link to a platform; `history`: whether it has been synced, and that over days before `born`."""
        self.seed, self.platform, self.status, self.born = seed, platform, status, born
        self.synced, self.spread = history
        self.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/connection"))
        self.records = records
        seen = self.synced and self.readable
        self.last_sync = render(born - (3_600 * TICKS if self.spread else 0), 7) if seen else None
        self.datasets: dict[str, Dataset] = {}
        self.alike: tuple[int, int] | None = None
        """How many records each data type has, and their bytes, where they are made from one template."""
        self.company_name = ""

    @property
    def readable(self) -> bool:
        """Say whether cached data can be read through the connection."""
        return self.status in _READABLE

    def row(self) -> Record:
        """Return the connection as Codat lists it."""
        row: Record = {
            "id": self.id,
            "integrationId": self.platform.integration_id,
            "integrationKey": self.platform.key,
            "sourceId": self.platform.source_id,
            "sourceType": self.platform.source_type,
            "platformName": self.platform.name,
            "linkUrl": f"https://link.example.com/companies/{self.id}",
            "status": self.status,
            "created": render(self.born - 90 * 86_400 * TICKS, 7),
            "lastSync": self.last_sync,
            "connectionInfo": {"additionalProp": 1, "shop/name": "Größe", "nested": {"a": None}},
            "dataConnectionErrors": [],
        }
        if self.platform.source_type == "BankFeed":
            del row["integrationKey"]
        if self.status == "Deauthorized":
            text = {"statusCode": "401", "statusText": "Unauthorized", "errorMessage": "Token expired"}
            row["dataConnectionErrors"] = [{**text, "erroredOnUtc": render(self.born, 0), "status": "Active"}]
        return row if row["lastSync"] else {name: value for name, value in row.items() if name != "lastSync"}

    def maker(self) -> Maker:
        """Return the source of the connection's generated records."""
        counts = {key: self.count(key) for key in self.platform.data_types()}
        return Maker(self.seed, self.platform, self.company_name, self.today, counts)

    @property
    def today(self) -> date:
        """Return the day that the connection's generated records lead up to."""
        return to_datetime(self.born).date()

    def count(self, data_type: str) -> int:
        """Return how many records a data type starts with."""
        kind = DATA_TYPES.get(data_type)
        if kind is None:
            return self.records
        return max(1, round(self.records * kind.weight)) if kind.weight and self.records else 0

    def dataset(self, data_type: str) -> Dataset:
        """Return the dataset of a data type the platform supports, generating it when first asked for."""
        kind = DATA_TYPES.get(data_type)
        if data_type not in self.datasets and kind and self.alike:
            stamps = [render(*stamp) for stamp in self.schedule(data_type)]
            self.datasets[data_type] = SyntheticDataset(kind.shape, *self.alike, stamps)
        if data_type not in self.datasets:
            self.datasets[data_type] = Dataset(
                kind.shape if kind else _CUSTOM, lambda: self._generate(data_type) if self.synced else ()
            )
        return self.datasets[data_type]

    def _generate(self, data_type: str) -> Iterator[tuple[Record, str | None]]:
        if data_type in DATA_TYPES and not DATA_TYPES[data_type].is_list:
            return
        maker, stamps = self.maker(), self.schedule(data_type)
        rng = Random(f"{self.seed}/{data_type}/stamps")
        for number in range(self.count(data_type)):
            record = generate(maker, data_type, number)
            stamp = stamps[-1] if rng.random() < 0.8 else rng.choice(stamps)
            if not (data_type == "items" and number == 7):  # a record that Codat never dated
                record["modifiedDate"] = render(*stamp)
            group = None
            if data_type == "bankTransactions":
                group = maker.id("bankAccounts", number % maker.count("bankAccounts"))
            yield record, group

    def schedule(self, data_type: str) -> list[tuple[int, int, str]]:
        """Return the instants of the first syncs of a data type, each with the form its stamp has."""
        rng = Random(f"{self.seed}/{data_type}/schedule")
        form = rng.choices(((0, "Z"), (7, "Z"), (3, "Z"), (0, ""), (6, "")), (12, 3, 2, 1, 1))[0]
        if data_type in _ZONELESS:
            form = (0, "")
        if not self.spread:
            return [(self.born, 7, "Z")]
        rounds = rng.choice((1, 1, 1, 2, 4))
        # At least an hour before `born`, cut to what the form holds: no stamp is later than its sync.
        step = 10 ** (7 - form[0])
        ago = sorted((3_600 + rng.randrange(30 * 86_400) for _ in range(rounds)), reverse=True)
        found = []
        for seconds in ago:
            ticks = self.born - seconds * TICKS - rng.randrange(TICKS)
            found.append((ticks // step * step, form[0], form[1]))
        return found

    def first_syncs(self, company_id: str) -> list[Sync]:
        """Return the pull operations that the connection's first records came with."""
        found: list[Sync] = []
        if not self.synced or not self.readable:
            return found
        for data_type in (*self.platform.data_types(), *(f"custom/{name}" for name in self.platform.custom)):
            rng = Random(f"{self.seed}/{data_type}/syncs")
            if self.spread and rng.random() < 0.1:
                found.append(self._failed(company_id, data_type, rng))
            for ticks, _, _ in self.schedule(data_type):
                digits = rng.choice((0, 3, 7, 7)) if self.spread else 7
                # A second and more later: even cut to seconds, a sync ends no earlier than what it stamped.
                ended = ticks + (rng.randrange(1, 90) * TICKS if self.spread else 0)
                sync = Sync(
                    company_id,
                    self.id,
                    data_type,
                    COMPLETE,
                    render(ticks - 60 * TICKS, rng.choice((0, 6, 7))),
                )
                sync.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{data_type}/{ticks}"))
                sync.completed = render(ended, digits)
                found.append(sync)
        return found

    def _failed(self, company_id: str, data_type: str, rng: Random) -> Sync:
        begun = self.born - rng.randrange(40, 60) * 86_400 * TICKS
        status = rng.choice(("FetchError", "AuthError", "RateLimitError", "Cancelled"))
        sync = Sync(company_id, self.id, data_type, status, render(begun, 7), render(begun + TICKS, 7))
        sync.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{data_type}/failed"))
        return sync


class Union:
    """The datasets of several connections read as one, as company-level lists do."""

    def __init__(self, datasets: list[Dataset]) -> None:
        """Join datasets of one data type."""
        self.datasets = datasets
        self._cache: dict[Any, tuple[tuple[int, ...], Rows]] = {}

    @property
    def shape(self) -> Shape:
        """Return the shape of the records."""
        return self.datasets[0].shape

    def view(self, query: str = "", order_by: str = "", group: str = "") -> Rows:
        """Return the rows of all datasets that a query selects, in the order asked for."""
        versions = tuple(dataset.version for dataset in self.datasets)
        cached = self._cache.get((query, order_by, group))
        if cached is None or cached[0] != versions:
            rows = [row for dataset in self.datasets for row in dataset.rows.values()]
            cached = versions, RowList(select(rows, self.shape, query, order_by, group))
            self._cache[query, order_by, group] = cached
        return cached[1]

    def shuffled(self, query: str, order_by: str, group: str, rng: Random) -> Rows:
        """Return a view whose ties stand in another order each time."""
        rows = [row for dataset in self.datasets for row in dataset.rows.values()]
        rng.shuffle(rows)
        return RowList(select(rows, self.shape, query, order_by, group))


class Company:
    """A company, its connections and its pull operations."""

    def __init__(self, company_id: str, number: int, name: str, tags: dict[str, str], born: int) -> None:
        """Hold a company without connections."""
        self.id, self.number, self.name, self.tags, self.born = company_id, number, name, tags, born
        self.connections: list[Connection] = []
        self.linked = 0
        self.loans: set[tuple[str, str]] = set()
        self.addons: dict[str, list[Record]] = {}
        """The add-on lists made up so far, by name; read them with `addons.addon_list`."""
        self._syncs: list[Sync] | None = None
        self._unions: dict[str, Union] = {}

    @property
    def syncs(self) -> list[Sync]:
        """Return the pull operations in the order they were requested."""
        if self._syncs is None:
            self._syncs = [sync for link in self.connections for sync in link.first_syncs(self.id)]
            self._syncs.sort(key=lambda sync: sync.completed or "")
        return self._syncs

    def link(self, connection: Connection) -> None:
        """Add a connection with the pull operations it starts with."""
        connection.company_name = self.name
        self.connections.append(connection)
        self._unions.clear()
        if self._syncs is not None:
            self._syncs += connection.first_syncs(self.id)

    def forget_made(self) -> None:
        """Drop records and pull operations that were made up, and nobody changed: they are made anew."""
        self._syncs = None
        self._unions.clear()
        for link in self.connections:
            link.datasets.clear()

    def row(self) -> Record:
        """Return the company as Codat lists it."""
        seen = [link.last_sync for link in self.connections if link.last_sync]
        row: Record = {
            "id": self.id,
            "platform": self.connections[0].platform.name if self.connections else "",
            "name": self.name,
            "redirect": f"https://link.example.com/company/{self.id}",
            "dataConnections": [link.row() for link in self.connections],
            "created": render(self.born - 120 * 86_400 * TICKS, self.number % 8),
            "createdByUserName": "Zoë Brontë",
            "products": ["lending"] if self.number % 2 else [],
            "tags": self.tags,
        }
        if self.number % 4 != 3:
            row["description"] = "Line one\nline two" if self.number % 2 else None
        if seen:
            row["lastSync"] = max(seen)
        return row

    def supporting(self, data_type: str) -> list[Connection]:
        """Return the readable connections whose platform supports a data type."""
        return [link for link in self.connections if link.readable and link.platform.supports(data_type)]

    def union(self, data_type: str, links: list[Connection]) -> Dataset | Union:
        """Return what a company-level list of a data type reads."""
        datasets = [link.dataset(data_type) for link in links]
        if len(datasets) == 1:
            return datasets[0]
        known = self._unions.get(data_type)
        if known is None or known.datasets != datasets:
            known = self._unions[data_type] = Union(datasets)
        return known
