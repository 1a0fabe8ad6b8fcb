"""The streams that a story reads, and the records that the simulator shows of each."""

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
    """One incremental stream: its name, and where Codat has its records.

    source_type: the kind of connection that holds them. is_by_connection: whether it is asked for connection
    by connection, not company by company. accounts: the data type of the accounts by which it is asked for;
    empty where it isn't asked for by account.
    """

    name: str
    data_type: str
    source_type: str
    is_by_connection: bool = False
    accounts: str = ""

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The fields of the primary key; all but the last name the partition."""
        if self.accounts:
            return ("companyId", "connectionId", "accountId", "rowKey")
        return ("companyId", "connectionId", "id") if self.is_by_connection else ("companyId", "id")

    def key_of(self, company_id: str, connection_id: str, account_id: str, record_id: str) -> Key:
        """The values of a record's primary key."""
        parts = {"companyId": company_id, "connectionId": connection_id, "accountId": account_id}
        return tuple(parts.get(name, record_id) for name in self.primary_key)

    def connections(self, company: Company) -> list[Connection]:
        """The connections of a company that hold the stream's records."""
        return [
            connection
            for connection in company.supporting(self.data_type)
            if connection.platform.source_type == self.source_type
        ]


INCREMENTAL = {
    stream.name: stream
    for stream in (
        Stream("invoices", "invoices", "Accounting"),
        Stream("customers", "customers", "Accounting"),
        Stream("bank_accounts", "bankAccounts", "Accounting", is_by_connection=True),
        Stream("bank_account_transactions", "bankTransactions", "Accounting", True, accounts="bankAccounts"),
        Stream("banking_transactions", "banking-transactions", "Banking", is_by_connection=True),
    )
}
BY_DATA_TYPE = {stream.data_type: stream for stream in INCREMENTAL.values()}
COMPANIES = "companies"  # no cursor: always read whole
MARKS_DELETED = ("invoices", "customers", "bank_accounts")  # their deleted records stay, marked
DELETED_AT = "_ab_cdc_deleted_at"  # the column that says when, where the user wants it
STATEMENTS = {"balance_sheet_lines": "balanceSheet", "profit_and_loss_lines": "profitAndLoss"}
"""Streams that are incremental by the Codat sync that their rows come from, with their data types."""
STREAM_NAMES = (*INCREMENTAL, *STATEMENTS, COMPANIES)
READ_OUTCOMES = "read_outcomes"  # the connector's own, of which Codat has nothing
PRIMARY_KEYS = {
    **{name: stream.primary_key for name, stream in INCREMENTAL.items()},
    **dict.fromkeys(STATEMENTS, ("companyId", "periodLength", "rowKey")),
    COMPANIES: ("id",),
    READ_OUTCOMES: ("companyId", "stream", "readStartedAt"),
}


def visible_records(sim: Simulator) -> dict[str, Rows]:
    """Every record that can be read now, by stream and key, without the fields that the connector adds."""
    with sim.world.lock:
        companies = sim.world.known_companies()
        found = {name: _visible_records_of(stream, companies) for name, stream in INCREMENTAL.items()}
        found[COMPANIES] = {(row["id"],): row for row in sim.world.companies}
    return found


def _visible_records_of(stream: Stream, companies: list[Company]) -> Rows:
    rows: Rows = {}
    for company in companies:
        connections = stream.connections(company)
        readable = synced_connections(company, stream.data_type)
        if stream.accounts:
            readable &= synced_connections(company, stream.accounts)
        # A company has one list: the Codat sync of one connection makes all of it readable. A connection has
        # a list of its own.
        if not stream.is_by_connection and readable.intersection(one.id for one in connections):
            readable = {one.id for one in connections}
        for connection in connections:
            if connection.id not in readable:
                continue
            accounts = connection.dataset(stream.accounts).rows if stream.accounts else {}
            for row in connection.dataset(stream.data_type).rows.values():
                record = json.loads(row.blob)
                # A record without an id gets a key that only the connector knows; one without an account
                # can't be asked for.
                if "id" in record and (row.group in accounts or not stream.accounts):
                    rows[stream.key_of(company.id, connection.id, row.group, record["id"])] = record
    return rows


def synced_connections(company: Company, data_type: str) -> set[str]:
    """The ids of the connections of which a Codat sync of a data type has ended well."""
    return {
        sync.connection_id
        for sync in company.syncs
        if sync.data_type == data_type and sync.status == "Complete"
    }
