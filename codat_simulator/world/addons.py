"""What companies have beside datasets: push operations, reports, files, expense syncs, bank feeds."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random

from codat_simulator.generators.maker import amount
from codat_simulator.instants import TICKS, render
from codat_simulator.records.dataset import Record
from codat_simulator.world.companies import Company

KEYS = {
    "pushes": "pushOperationKey",
    "reports": "id",
    "files": "fileName",
    "expenseSyncs": "syncId",
    "expenseTransactions": "transactionId",
    "bankFeedAccounts": "id",
}
"""What tells the records of each add-on list apart."""
REPORT_TYPES = ("categorizedBankStatement", "creditModel", "spendAnalysis")


def _uuid(company: Company, name: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{company.id}/{name}/{number}"))


def _ago(company: Company, days: float, digits: int = 7, zone: str = "Z") -> str:
    return render(company.born - int(days * 86_400) * TICKS - 1_234_567, digits, zone)


def _pushes(company: Company, rng: Random) -> list[Record]:
    links = [link for link in company.connections if link.platform.source_type == "Accounting"]
    found = []
    for number in range(12 if links else 0):
        status = ("Success", "Failed", "Success", "TimedOut")[number % 4]
        key = _uuid(company, "push", number)
        row: Record = {
            "dataType": rng.choice(("invoices", "bills", "customers")),
            "companyId": company.id,
            "pushOperationKey": key,
            "dataConnectionKey": links[0].id,
            "requestedOnUtc": _ago(company, 30 - number, rng.choice((0, 3, 6, 7))),
            "completedOnUtc": _ago(company, 29.9 - number),
            "status": status,
            "statusCode": 200 if status == "Success" else 400,
            "changes": [{"type": "Created", "recordRef": {"id": f"new/{number}", "dataType": "invoices"}}],
        }
        if status == "Failed":
            row["errorMessage"] = "Tax rate 'Ünknown' doesn't exist.\nTry another."
            row["changes"] = None
            row["validation"] = {
                "errors": [{"itemId": "1", "message": "no", "validatorName": "Tax"}],
                "warnings": [],
            }
        if number % 3 == 0:
            row["timeoutInMinutes"] = 60
        found.append(row)
    return found


def _reports(company: Company, rng: Random) -> list[Record]:
    kinds = {link.platform.source_type for link in company.connections if link.readable}
    made: list[tuple[str, str]] = []
    if "Banking" in kinds:
        made += [("categorizedBankStatement", "Error"), ("categorizedBankStatement", "Complete")] * 2
    if "Accounting" in kinds and "Banking" in kinds:
        made += [("creditModel", "Complete"), ("spendAnalysis", "Complete"), ("spendAnalysis", "Complete")]
    found = []
    for number, (kind, status) in enumerate(made):
        days = 20.0 - number + rng.random() / 10
        row: Record = {
            "id": _uuid(company, "report", number),
            "type": kind,
            "status": status,
            "requestedDate": _ago(company, days),
            "updatedDate": _ago(company, days - 0.01),
        }
        found.append({**row, "errorMessage": "No transactions"} if status == "Error" else row)
    return found


def _files(company: Company, rng: Random) -> list[Record]:
    names = ("accounts 2023.pdf", "Jahresabschluß/2022.xlsx", "bank=statement.csv")
    kept = names if any(link.readable for link in company.connections) else ()
    return [
        {
            "fileName": name,
            "displayName": rng.choice((name, "Upload")),
            "sourceType": "Accounting",
            "uploaded": _ago(company, 50 + number, number * 3),
        }
        for number, name in enumerate(kept)
    ]


def _expense_syncs(company: Company, rng: Random) -> list[Record]:
    linked = any(link.platform.source_type == "Expense" for link in company.connections)
    found = []
    for number in range(3 if linked else 0):
        row: Record = {
            "companyId": company.id,
            "syncId": _uuid(company, "expense", number),
            "syncStatusCode": 2040 if number == 1 else 2000,
            "syncStatus": "PushError" if number == 1 else "Complete",
            "syncUtc": _ago(company, 9 - number, rng.choice((0, 7))),
            "dataPushed": number != 1,
        }
        found.append({**row, "errorMessage": "One transaction failed", "syncExceptionMessage": None})
    return found


def _expense_transactions(company: Company, rng: Random) -> list[Record]:
    return [
        {
            "syncId": sync["syncId"],
            "transactionId": f"tx/{number}:{sync['syncId'][:4]}",
            "status": rng.choice(("Completed", "PushError", "Unknown")),
            "message": rng.choice((None, "", "naïve")),
            "integrationType": "expenses",
        }
        for sync in addon_list(company, "expenseSyncs")
        for number in range(rng.randrange(7))
    ]


def _bank_feed_accounts(company: Company, rng: Random) -> list[Record]:
    linked = any(link.platform.source_type == "BankFeed" for link in company.connections)
    return [
        {
            "id": f"acc-{number:03d}/{company.number}",
            "accountName": rng.choice(("Current – main", "Épargne")),
            "accountType": rng.choice(("checking", "savings", "creditCard")),
            "accountNumber": f"{rng.randrange(10**8):08d}",
            "sortCode": "123456",
            "currency": "GBP",
            "balance": amount(rng),
            "modifiedDate": _ago(company, 3, 7 if number % 2 else 3),
            "status": ("pending", "connected", "disconnected")[number % 3],
            **({"routingInfo": {"bankCode": "20-00-00", "type": "sortcode"}} if number % 2 else {}),
            **({"feedStartDate": "2024-01-01T00:00:00"} if number % 3 == 0 else {"accountInfo": None}),
        }
        for number in range(3 if linked else 0)
    ]


_SEEDED: dict[str, Callable[[Company, Random], list[Record]]] = {
    "pushes": _pushes,
    "reports": _reports,
    "files": _files,
    "expenseSyncs": _expense_syncs,
    "expenseTransactions": _expense_transactions,
    "bankFeedAccounts": _bank_feed_accounts,
}


def addon_list(company: Company, name: str) -> list[Record]:
    """Return a company's add-on list, made up when first asked for; KeyError for an unknown name."""
    if name not in company.addons:
        company.addons[name] = _SEEDED[name](company, Random(f"{company.id}/{name}"))
    return company.addons[name]
