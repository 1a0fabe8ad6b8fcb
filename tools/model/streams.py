"""The streams that stories read: where their rows are in the model's world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tools.model.world import SOURCE_TYPES, Company, Connection, Row, World


class Place(NamedTuple):
    """A row and the partition that it comes in, as the connector's keys name it."""

    partition: tuple[str, ...]
    row: Row
    connection: str
    company: str


@dataclass(frozen=True)
class StreamKind:
    """One stream. data_type: where its rows are; scope: what makes its partitions.

    needs: the data types that have to be synced beside it. incremental: whether it can be. by_codat_sync:
    whether its rows carry the date of the Codat sync that they were read from.
    """

    name: str
    data_type: str
    scope: str
    needs: tuple[str, ...] = ()
    incremental: bool = True
    row_key: bool = False
    by_codat_sync: bool = False

    @property
    def source_type(self) -> str:
        """The kind of connection that holds its rows."""
        return SOURCE_TYPES[self.data_type]

    def places(self, world: World) -> Iterator[Place]:
        """Every row of the stream that can be seen."""
        for company in world.companies.values():
            for one in company.connections:
                yield from self._of(company, one)

    def _of(self, company: Company, one: Connection) -> Iterator[Place]:
        if self.scope == "invoice":
            yield from self._attached(company, one)
        elif company.opened(self.data_type, None if self.scope == "company" else one.id):
            for row in company.rows.get((one.id, self.data_type), {}).values():
                below = (one.id, row.group)[: {"company": 0, "connection": 1}.get(self.scope, 2)]
                if self.scope != "account" or row.group in self._accounts(company, one):
                    yield Place((company.id, *below), row, one.id, company.id)

    def _attached(self, company: Company, one: Connection) -> Iterator[Place]:
        if not company.opened(self.data_type, None):
            return  # the list of invoices answers 409, and so nobody knows their ids
        invoices = {row.id for row in company.rows.get((one.id, self.data_type), {}).values()}
        for (link, invoice), held in company.attachments.items():
            if link == one.id and invoice in invoices:
                for row in held.values():
                    yield Place((company.id, one.id, invoice), row, one.id, company.id)

    @staticmethod
    def _accounts(company: Company, one: Connection) -> set[str | None]:
        """The ids of a connection's bank accounts that can be seen."""
        if not company.opened("bankAccounts", one.id):
            return set()
        return {row.id for row in company.rows.get((one.id, "bankAccounts"), {}).values()}


STREAMS = {
    one.name: one
    for one in (
        StreamKind("invoices", "invoices", "company"),
        StreamKind("account_transactions", "accountTransactions", "connection"),
        StreamKind("bank_accounts", "bankAccounts", "connection"),
        StreamKind(
            "bank_account_transactions", "bankTransactions", "account", ("bankAccounts",), row_key=True
        ),
        StreamKind("banking_transactions", "banking-transactions", "connection"),
        StreamKind("banking_account_balances", "banking-accountBalances", "connection", row_key=True),
        StreamKind("commerce_locations", "commerce-locations", "connection", by_codat_sync=True),
        StreamKind("reconciled_invoices", "invoices", "company", ("payments",)),
        StreamKind("invoice_attachments", "invoices", "invoice", incremental=False),
        StreamKind("bill_pay_suppliers", "invoices", "connection", incremental=False),
    )
}
# What is selected together.
SELECTIONS = (
    ("invoices",),
    ("invoices",),
    ("account_transactions",),
    ("account_transactions",),
    ("banking_transactions",),
    ("banking_account_balances",),
    ("bank_account_transactions",),
    ("bank_accounts", "bank_account_transactions"),
    ("reconciled_invoices",),
    ("commerce_locations",),
    ("invoices", "account_transactions"),
    ("invoices", "banking_transactions"),
    ("invoices", "invoice_attachments"),
    ("bill_pay_suppliers", "invoices"),
    ("account_transactions", "bank_account_transactions", "banking_account_balances"),
)
