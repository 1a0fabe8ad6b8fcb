"""What the checks look at: one company of the account, and its lists of records."""

from dataclasses import dataclass, field
from typing import Any

from tools.live_check.api import Codat


@dataclass(frozen=True)
class Company:
    """A company, its connections and its dataStatus, as Codat answers them.

    row: what the company list says of it.
    """

    id: str
    connections: list[dict[str, Any]]
    data_status: dict[str, Any]
    row: dict[str, Any] = field(default_factory=dict)

    def connection(self, source_type: str) -> str | None:
        """The id of a connection of this source type that can be read, None where there is none."""
        for connection in self.connections:
            if connection.get("sourceType") == source_type and connection.get("status") != "PendingAuth":
                return str(connection["id"])
        return None


@dataclass(frozen=True)
class Dataset:
    """One list of records.

    source_type: the kind of connection that holds it. path: what its address ends with. per_connection:
    whether it is asked for by connection.
    """

    name: str
    source_type: str
    path: str
    per_connection: bool = False

    def url(self, company: Company) -> str | None:
        """The path to read, None where the company has no connection that fits."""
        connection = company.connection(self.source_type)
        if connection is None:
            return None
        middle = f"/connections/{connection}" if self.per_connection else ""
        return f"/companies/{company.id}{middle}/data/{self.path}"


DATASETS = (
    *(
        Dataset(name, "Accounting", name)
        for name in ("accounts", "customers", "suppliers", "items", "invoices", "bills", "payments")
    ),
    Dataset("bankAccounts", "Accounting", "bankAccounts", per_connection=True),
    Dataset("banking-transactions", "Banking", "banking-transactions", per_connection=True),
    Dataset("commerce-orders", "Commerce", "commerce-orders", per_connection=True),
)


def find_company(api: Codat, wanted: str | None) -> Company | None:
    """The company with the id `wanted`, or of the first hundred the one with most kinds of connections.

    None where there is no company.
    """
    if wanted:
        answer = api.get(f"/companies/{wanted}")
        found = [answer.body] if answer.ok else []
    else:
        found = api.get("/companies", page=1, pageSize=100).results
    if not found:
        return None
    chosen = max(found, key=lambda company: len(_source_types(company)))
    connections = api.get(f"/companies/{chosen['id']}/connections", page=1, pageSize=100)
    status = api.get(f"/companies/{chosen['id']}/dataStatus")
    return Company(str(chosen["id"]), connections.results, status.body if status.ok else {}, chosen)


def _source_types(company: dict[str, Any]) -> set[str]:
    connections = company.get("dataConnections") or []
    return {str(one.get("sourceType")) for one in connections if one.get("status") != "PendingAuth"}
