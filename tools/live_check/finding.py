"""What a check found out about one assumption."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from tools.live_check.api import Codat


class Verdict(Enum):
    """Whether an assumption holds on this account."""

    HOLDS = "holds"
    BROKEN = "DOESN'T HOLD"
    UNKNOWN = "couldn't tell"
    NOTED = "for the record"


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    assumption: str
    seen: str
    verdict: Verdict


@dataclass(frozen=True)
class Company:
    """The company that the checks read, its connections, and its dataStatus."""

    id: str
    connections: list[dict[str, Any]]
    data_status: dict[str, Any]

    def connection(self, source_type: str) -> str | None:
        """Return the id of a connection of this type that can be read, None where there is none."""
        for connection in self.connections:
            if connection.get("sourceType") == source_type and connection.get("status") != "PendingAuth":
                return str(connection["id"])
        return None


@dataclass(frozen=True)
class Dataset:
    """One list of records: its name for people, its source type, and its path below the company."""

    name: str
    source_type: str
    path: str
    per_connection: bool = False

    def url(self, company: Company) -> str | None:
        """Return the path to read, None where the company has no connection that fits."""
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


def judge(assumption: str, seen: str, holds: bool | None) -> Finding:
    """Make a finding: None is for what this account can't show."""
    verdict = Verdict.UNKNOWN if holds is None else Verdict.HOLDS if holds else Verdict.BROKEN
    return Finding(assumption, seen, verdict)


def find_company(api: Codat, wanted: str | None) -> Company | None:
    """Take the wanted company, else the one of the first hundred with the most kinds of data."""
    if wanted:
        companies = [api.get(f"/companies/{wanted}")]
        found = [answer.body for answer in companies if answer.ok]
    else:
        found = api.get("/companies", page=1, pageSize=100).results
    if not found:
        return None
    chosen = max(found, key=lambda company: len(_kinds(company)))
    connections = api.get(f"/companies/{chosen['id']}/connections", page=1, pageSize=100)
    status = api.get(f"/companies/{chosen['id']}/dataStatus")
    return Company(str(chosen["id"]), connections.results, status.body if status.ok else {})


def _kinds(company: dict[str, Any]) -> set[str]:
    connections = company.get("dataConnections") or []
    return {str(one.get("sourceType")) for one in connections if one.get("status") != "PendingAuth"}
