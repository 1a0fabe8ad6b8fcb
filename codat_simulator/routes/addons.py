"""Add-on products: push history, settings, files, attachments, bank feeds, expenses, bill pay."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.http.answers import Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.records.dataset import Record
from codat_simulator.routes.datasets import row_of
from codat_simulator.world.addons import addon_list

ATTACHED = ("bills", "invoices", "customers", "suppliers", "directCosts", "directIncomes", "purchaseOrders")


def sync_settings(call: Call) -> list[Record]:
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
    overrides = call.company.number % 2 == 0
    return [{"companyId": call.company.id, "settings": settings, "overridesDefaults": overrides}]


def _attachments(call: Call, kind: str, record_id: str) -> list[Record] | Answer:
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
    return found if found or rng.random() < 0.5 else Answer.of({"attachments": None})


def attachments_of(kind: str) -> Callable[[Call], list[Record] | Answer]:
    """Return what finds the attachments of a record of a data type."""
    return lambda call: _attachments(call, kind, call.params["recordId"])


def expense_transactions(call: Call) -> list[Record]:
    """Return the transactions of one expense sync; refused with 404 for an unknown one."""
    wanted = call.params["syncId"]
    if wanted not in {sync["syncId"] for sync in addon_list(call.company, "expenseSyncs")}:
        raise Refusal(404, f"Sync with id '{wanted}' not found.")
    rows = [row for row in addon_list(call.company, "expenseTransactions") if row["syncId"] == wanted]
    return [{name: value for name, value in row.items() if name != "syncId"} for row in rows]


def payable_bills(call: Call) -> list[Record]:
    """Return bills as the platform has them."""
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
    return rows


def payable_suppliers(call: Call) -> list[Record]:
    """Return suppliers as the platform has them."""
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
    return rows
