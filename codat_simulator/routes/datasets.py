"""Lists of records: every data type, by company or by connection."""

from __future__ import annotations

from typing import Any

from codat_simulator.definitions.data_types import DATA_TYPES, DataType
from codat_simulator.http.answers import Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.http.envelopes import Pages
from codat_simulator.http.routing import ROUTES, Handler
from codat_simulator.records.dataset import Dataset
from codat_simulator.world.companies import Connection
from codat_simulator.world.syncs import COMPLETE


def readable(call: Call, key: str, links: list[Connection]) -> list[Connection]:
    """Return the connections of `links` that hold a data type; refused with 404 or 409 where none does."""
    linked = [link for link in links if link.status != "PendingAuth"]
    fitting = [link for link in linked if call.world.supports(call.company, link.platform, key)]
    if linked and not fitting:
        names = ", ".join(link.platform.name for link in linked)
        raise Refusal(404, f"Datatype [{key}] not supported by platform(s) [{names}]")
    known = {link.id for link in fitting}
    syncs = [sync for sync in call.company.syncs if sync.data_type == key and sync.connection_id in known]
    if not syncs:
        raise Refusal(409, "The data set has not been requested.")
    if not any(sync.status == COMPLETE for sync in syncs):
        running = any(sync.running for sync in syncs)
        raise Refusal(
            409, "The data set is still syncing." if running else "The data set has not been synced."
        )
    if call.world.conflict_while_syncing and syncs[-1].running:
        raise Refusal(409, "The data set is still syncing.")
    return fitting


def fitting_links(call: Call, kind: DataType) -> list[Connection]:
    """Return the connections that a company-level list of a data type is about."""
    links = call.company.connections
    return [link for link in links if link.platform.source_type == kind.source_type] or links


def _by_company(kind: DataType) -> Handler:
    pages = Pages(queryable=kind.queryable, orderable=kind.queryable)

    def handler(call: Call) -> Answer:
        links = readable(call, kind.key, fitting_links(call, kind))
        return pages.answer(call, call.company.union(kind.key, links))

    return handler


def _by_connection(kind: DataType) -> Handler:
    pages = Pages(queryable=kind.queryable, orderable=kind.queryable)

    def handler(call: Call) -> Answer:
        readable(call, kind.key, [call.connection])
        dataset = call.connection.dataset(kind.key)
        return pages.answer(call, dataset)

    return handler


for _kind in DATA_TYPES.values():
    if not _kind.is_list or _kind.key == "bankTransactions":
        continue
    if _kind.by_connection:
        _path = f"/companies/{{companyId}}/connections/{{connectionId}}/data/{_kind.path}"
        ROUTES.add("GET", _path, _by_connection(_kind))
    else:
        ROUTES.add("GET", f"/companies/{{companyId}}/data/{_kind.path}", _by_company(_kind))


@ROUTES.get(
    "/companies/{companyId}/connections/{connectionId}/data/bankAccounts/{accountId}/bankTransactions"
)
def bank_transactions(call: Call) -> Answer:
    """List the lines of one bank account."""
    readable(call, "bankTransactions", [call.connection])
    account = call.params["accountId"]
    if account not in call.connection.dataset("bankAccounts").rows:
        raise Refusal(404, f"No data available for account '{account}'.")
    return Pages().answer(call, call.connection.dataset("bankTransactions"), group=account)


@ROUTES.get("/companies/{companyId}/connections/{connectionId}/data/custom/{customDataIdentifier}")
def custom_records(call: Call) -> Answer:
    """List the records of a custom data type: pages without links, no query, `page` mandatory."""
    call.number("page")
    key = f"custom/{call.params['customDataIdentifier']}"
    if not call.connection.platform.supports(key):
        raise Refusal(404, f"Datatype [{key}] not supported by platform(s) [{call.connection.platform.name}]")
    readable(call, key, [call.connection])
    return Pages(links=False, queryable=False, orderable=False).answer(call, call.connection.dataset(key))


def row_of(dataset: Dataset, record_id: str) -> Any:
    """Return a record by id; refused with 404 where there is none."""
    try:
        return dataset.find(record_id).record
    except KeyError:
        raise Refusal(404, f"No data available for id '{record_id}'.") from None
