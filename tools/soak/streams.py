"""The streams that the trials read, and what the simulator says each of them must bring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from codat_simulator import Company, Connection, Simulator

Record = dict[str, Any]
Key = tuple[str, ...]
Rows = dict[Key, Record]


@dataclass(frozen=True)
class Stream:
    """One incremental stream: what it is called here and at Codat."""

    name: str
    data_type: str
    source_type: str
    by_connection: bool = False
    accounts: str = ""
    """The data type that holds the accounts by which it is asked for."""

    @property
    def key(self) -> tuple[str, ...]:
        """The fields of its primary key; all but the last name the partition."""
        if self.accounts:
            return ("companyId", "connectionId", "accountId", "rowKey")
        return ("companyId", "connectionId", "id") if self.by_connection else ("companyId", "id")

    def key_of(self, company_id: str, connection_id: str, account_id: str, record_id: str) -> Key:
        """A record's key."""
        parts = {"companyId": company_id, "connectionId": connection_id, "accountId": account_id}
        return tuple(parts.get(name, record_id) for name in self.key)

    def links(self, company: Company) -> list[Connection]:
        """The connections of a company that hold the stream's records."""
        return [
            link
            for link in company.supporting(self.data_type)
            if link.platform.source_type == self.source_type
        ]


INCREMENTAL = {
    stream.name: stream
    for stream in (
        Stream("invoices", "invoices", "Accounting"),
        Stream("customers", "customers", "Accounting"),
        Stream("bank_accounts", "bankAccounts", "Accounting", by_connection=True),
        Stream("bank_account_transactions", "bankTransactions", "Accounting", True, accounts="bankAccounts"),
        Stream("banking_transactions", "banking-transactions", "Banking", by_connection=True),
    )
}
COMPANIES = "companies"  # no cursor: always read whole
NAMES = (*INCREMENTAL, COMPANIES)
KEYS = {**{name: stream.key for name, stream in INCREMENTAL.items()}, COMPANIES: ("id",)}


def visible(sim: Simulator) -> dict[str, Rows]:
    """Every record that can be read now, by stream and key, without the fields that the connector adds."""
    with sim.world.lock:
        companies = sim.world.known_companies()
        found = {name: _rows(stream, companies) for name, stream in INCREMENTAL.items()}
        found[COMPANIES] = {(row["id"],): row for row in sim.world.companies}
    return found


def _rows(stream: Stream, companies: list[Company]) -> Rows:
    rows: Rows = {}
    for company in companies:
        links = stream.links(company)
        opened = synced(company, stream.data_type)
        if stream.accounts:
            opened &= synced(company, stream.accounts)
        # A company's list is one: what one connection has brought opens it. A connection's is its own.
        if not stream.by_connection and opened.intersection(link.id for link in links):
            opened = {link.id for link in links}
        for link in links:
            if link.id not in opened:
                continue
            accounts = link.dataset(stream.accounts).rows if stream.accounts else {}
            for row in link.dataset(stream.data_type).rows.values():
                record = json.loads(row.blob)
                # What has no id gets a key of the connector's own; what has no account can't be asked for.
                if "id" in record and (row.group in accounts or not stream.accounts):
                    rows[stream.key_of(company.id, link.id, row.group, record["id"])] = record
    return rows


def synced(company: Company, data_type: str) -> set[str]:
    """The connections that a data type was ever brought by."""
    return {
        sync.connection_id
        for sync in company.syncs
        if sync.data_type == data_type and sync.status == "Complete"
    }
