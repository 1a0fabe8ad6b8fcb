"""Add-on products: push history, settings, files, attachments, bank feeds, expenses, bill pay."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from random import Random
from typing import Any

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.definitions.shape import Shape, shape
from codat_simulator.http.answers import JSON_HEADERS, Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.http.paging import chosen, paged
from codat_simulator.http.routing import ROUTES
from codat_simulator.records.dataset import Record, listed
from codat_simulator.records.query import properties
from codat_simulator.routes.datasets import row_of
from codat_simulator.world.addons import PUSH, addon_list

_ATTACHED = ("bills", "invoices", "customers", "suppliers", "directCosts", "directIncomes", "purchaseOrders")
_PAYABLE = ("Open", "PartiallyPaid")
_BILL = shape("Bill", "status sourceModifiedDate:d")
_SUPPLIER = shape("Supplier", "status sourceModifiedDate:d")
_TRANSACTION = shape("Transaction", "transactionId status message integrationType")


@ROUTES.get("/companies/{companyId}/push")
def push_history(call: Call) -> Answer:
    """List write operations."""
    return paged(call, listed(addon_list(call.company, "pushes"), PUSH))


@ROUTES.get("/companies/{companyId}/syncSettings")
def sync_settings(call: Call) -> Any:
    """Return how often each data type is synced."""
    rng = Random(f"{call.company.id}/settings")
    settings: list[Record] = [
        {
            "dataType": key,
            "fetchOnFirstLink": True,
            "syncSchedule": rng.choice((0, 24, 168)),
            "syncOrder": number,
            "isLocked": False,
            **({"syncFromUtc": "2020-01-01T12:00:00.000Z", "monthsToSync": 24} if number % 5 == 0 else {}),
        }
        for number, key in enumerate(DATA_TYPES)
    ]
    return {
        "companyId": call.company.id,
        "settings": settings,
        "overridesDefaults": call.company.number % 2 == 0,
    }


@ROUTES.get("/companies/{companyId}/files")
def files(call: Call) -> Any:
    """Return uploaded files, as a bare array."""
    return addon_list(call.company, "files")


def _of_type(call: Call, source_type: str) -> None:
    if call.connection.platform.source_type != source_type:
        raise Refusal(404, f"Connection is not of type {source_type}.")


def _attachments(call: Call, kind: str, record_id: str) -> Any:
    platform = call.connection.platform
    if not call.world.supports(call.company, platform, kind):
        raise Refusal(404, f"Datatype [{kind}] not supported by platform(s) [{platform.name}]")
    row_of(call.connection.dataset(kind), record_id)
    rng = Random(f"{call.connection.seed}/{kind}/{record_id}/attachments")
    found: list[Record] = [
        {
            "id": str(uuid.UUID(int=rng.getrandbits(128))),
            "name": rng.choice(("Quittung 1/2.pdf", "scan.png", "рахунок.pdf")),
            "contentType": rng.choice(("application/pdf", "image/png")),
            "dateCreated": f"2024-02-{rng.randrange(1, 29):02d}T10:00:00",
            "fileSize": rng.randrange(10**7),
            "includeWhenSent": False,
        }
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]
    return {"attachments": found if found or rng.random() < 0.5 else None}


def _attached(kind: str) -> None:
    @ROUTES.get(f"/companies/{{companyId}}/connections/{{connectionId}}/data/{kind}/{{recordId}}/attachments")
    def attachments(call: Call) -> Any:
        return _attachments(call, kind, call.params["recordId"])


for _kind in _ATTACHED:
    _attached(_kind)


@ROUTES.get("/companies/{companyId}/connections/{connectionId}/connectionInfo/bankFeedAccounts")
def bank_feed_accounts(call: Call) -> Any:
    """Return source accounts, as a bare array."""
    _of_type(call, "BankFeed")
    return addon_list(call.company, "bankFeedAccounts")


@ROUTES.get("/companies/{companyId}/sync/expenses/syncs/list/status")
def expense_syncs(call: Call) -> Any:
    """Return expense syncs, as a bare array."""
    if not any(link.platform.source_type == "Expense" for link in call.company.connections):
        raise Refusal(404, "No data available for expense syncs.")
    return addon_list(call.company, "expenseSyncs")


@ROUTES.get("/companies/{companyId}/sync/expenses/syncs/{syncId}/transactions")
def expense_transactions(call: Call) -> Answer:
    """List the transactions of one expense sync."""
    wanted = call.params["syncId"]
    if wanted not in {sync["syncId"] for sync in addon_list(call.company, "expenseSyncs")}:
        raise Refusal(404, f"Sync with id '{wanted}' not found.")
    rows = [row for row in addon_list(call.company, "expenseTransactions") if row["syncId"] == wanted]
    shown = ({name: value for name, value in row.items() if name != "syncId"} for row in rows)
    return paged(call, listed(shown, _TRANSACTION), queryable=False, orderable=False)


def _continued(call: Call, rows: list[Record], of: Shape, default: str) -> Any:
    """Answer with a page found by continuation token, which carries where to go on and nothing else."""
    query = call.query.get("query", "")
    if default and "status" not in properties(query):
        query = f"{{{query}}}&&{{{default}}}" if query else default
    found = list(chosen(call, listed(rows, of), query, orderable=False).blobs(0, len(rows)))
    start, size = 0, min(call.knobs.default_page_size, call.knobs.page_size_cap)
    token = call.query.get("continuationToken")
    if token is not None:
        try:
            start = int(
                json.loads(base64.b64decode(token.removeprefix("continuationToken="), validate=True))["start"]
            )
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise Refusal(400, "The continuationToken is not valid.") from None
    pagination: Record = {}
    if start + size < len(found):
        following = base64.b64encode(json.dumps({"start": start + size, "pageCount": len(found)}).encode())
        pagination["continuationToken"] = following.decode()
    tail = b'],"pagination":' + json.dumps(pagination).encode() + b"}"
    body = b'{"results":[' + b",".join(found[start : start + size]) + tail
    return Answer(200, body, dict(JSON_HEADERS))


@ROUTES.get("/companies/{companyId}/connections/{connectionId}/payables/bills")
def payable_bills(call: Call) -> Any:
    """List bills live from the platform; only those still to be paid unless `query` says otherwise."""
    _of_type(call, "Accounting")
    default = "||".join(f"status={status}" for status in _PAYABLE)
    names = ("id", "reference", "supplierRef", "issueDate", "dueDate", "currency", "status")
    rows: list[Record] = []
    for row in call.connection.dataset("bills").rows.values():
        record = {name: row.record[name] for name in names if row.record.get(name) is not None}
        record |= {
            "totalAmount": row.record.get("totalAmount") or 0,
            "amountDue": row.record.get("amountDue") or 0,
        }
        record["sourceModifiedDate"] = row.record.get("sourceModifiedDate") or "2024-02-29T00:00:00"
        record["currencyRate"] = "1.2345" if len(rows) % 2 else 1.2345
        record["lineItems"] = [{"description": "Line", "unitAmount": 1, "quantity": 1, "totalAmount": 1}]
        rows.append(record)
    return _continued(call, rows, _BILL, default)


@ROUTES.get("/companies/{companyId}/connections/{connectionId}/payables/suppliers")
def payable_suppliers(call: Call) -> Any:
    """List suppliers live from the platform."""
    _of_type(call, "Accounting")
    names = (
        "id",
        "supplierName",
        "contactName",
        "emailAddress",
        "phone",
        "addresses",
        "status",
        "defaultCurrency",
    )
    rows = []
    for row in call.connection.dataset("suppliers").rows.values():
        record = {name: row.record[name] for name in names if row.record.get(name) is not None}
        touched = row.record.get("sourceModifiedDate") or "2024-02-29T00:00:00Z"
        rows.append({**record, "balance": 12.5, "sourceModifiedDate": touched})
    return _continued(call, rows, _SUPPLIER, "")
