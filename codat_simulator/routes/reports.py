"""Reports that a client has generated, and the aged reports that Codat computes on request."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from random import Random
from typing import Any

from codat_simulator.definitions.shape import shape
from codat_simulator.generators.maker import address, amount
from codat_simulator.http.answers import Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.http.routing import ROUTES
from codat_simulator.instants import TICKS, instant
from codat_simulator.records.dataset import Dataset, Listing, Record
from codat_simulator.world.addons import REPORT_TYPES, addon_list
from codat_simulator.world.companies import Connection

REPORT = shape("Report", "id status type requestedDate:d updatedDate:d errorMessage")
_EARLIEST = "0001-01-01T00:00:00.0000000"


def generated_reports(call: Call) -> Dataset:
    """Return generated reports; every second company shows their dates under other names."""
    found = Listing(REPORT)
    for report in addon_list(call.company, "reports"):
        renamed = {name.removesuffix("Date"): value for name, value in report.items()}
        found.put(report, shown=renamed if call.company.number % 2 else None)
    return found


@ROUTES.post("/companies/{companyId}/reports/{reportType}")
def generate_report(call: Call) -> Any:
    """Begin to generate a report; it is complete the next time the status is looked at."""
    kind = call.params["reportType"]
    if kind not in REPORT_TYPES:
        raise Refusal(404, "NotFound")
    now = call.world.clock.stamp("7Z")
    row = {
        "id": str(uuid.uuid4()),
        "type": kind,
        "status": "InProgress",
        "requestedDate": now,
        "updatedDate": now,
    }
    addon_list(call.company, "reports").append(row)
    return Answer.of(row, 202)


@ROUTES.get("/companies/{companyId}/reports/{reportType}/{reportId}/status")
def report_status(call: Call) -> Any:
    """Return the state of one report."""
    for row in addon_list(call.company, "reports"):
        if row["id"] == call.params["reportId"] and row["type"] == call.params["reportType"]:
            if row["status"] == "InProgress":
                row |= {"status": "Complete", "updatedDate": call.world.clock.stamp("7Z")}
            return row
    raise Refusal(404, f"No data available for report '{call.params['reportId']}'.")


def _report(call: Call, kind: str) -> Record:
    """Return the complete report that the path names, by id or as `latest`."""
    wanted = call.params["reportId"]
    every = addon_list(call.company, "reports")
    done = [row for row in every if row["type"] == kind and row["status"] == "Complete"]
    if wanted != "latest":
        done = [row for row in done if row["id"] == wanted]
    oldest = call.query.get("maxAge")
    if oldest is not None:
        least = instant(oldest)
        if least is None:
            raise Refusal(400, f"The value '{oldest}' is not valid for maxAge.")
        done = [row for row in done if (instant(row["updatedDate"]) or 0) >= least]
    if not done:
        raise Refusal(404, f"No data available for {kind}.")
    return max(done, key=lambda row: instant(row["updatedDate"]) or 0)


def _banks(call: Call) -> list[Connection]:
    return [
        link for link in call.company.connections if link.readable and link.platform.source_type == "Banking"
    ]


def statement_accounts(call: Call) -> list[Record]:
    """Return the accounts of a categorised bank statement."""
    _report(call, "categorizedBankStatement")
    return [
        {
            "id": f"{link.id[:8]}/{row.key}",
            "sourceRef": {"sourceType": "Banking"},
            "platformName": link.platform.name,
            "accountProvider": "Société Générale",
            "accountName": row.record.get("name") or row.record.get("accountName"),
            "accountType": "Debit",
            "currency": row.record.get("currency"),
            "currentBalance": (row.record.get("balance") or {}).get("current"),
        }
        for link in _banks(call)
        for row in link.dataset("banking-accounts").rows.values()
    ]


def statement_transactions(call: Call) -> list[Record]:
    """Return the transactions of a categorised bank statement."""
    report = _report(call, "categorizedBankStatement")
    return [
        {
            "id": f"{link.id[:8]}/{row.key}",
            "date": row.record.get("authorizedDate"),
            "description": row.record.get("description"),
            "amount": row.record["amount"],
            "currency": row.record.get("currency"),
            "transactionCategory": {
                "confidence": 0.97,
                "confidences": [0.97, 0.5],
                "levels": ["Income", "Café"],
            },
            "platformName": link.platform.name,
            "counterpartyNames": [] if len(row.key) % 2 else ["Müller"],
            "sourceRef": {"sourceType": "Banking"},
            "accountRef": {"id": row.record.get("accountId"), "name": None},
            "modifiedDate": report["updatedDate"].partition(".")[0],
            "isRecurring": False,
        }
        for link in _banks(call)
        for row in link.dataset("banking-transactions").rows.values()
    ]


def financial_summary(call: Call) -> list[Record] | Answer:
    """Return what the credit model says of the books; nothing (204) for every second company."""
    _report(call, "creditModel")
    if call.company.number % 2:
        return Answer(204)
    return [
        {
            "booksClosedDate": {"date": "2024-03-31", "reason": ["No later entries"]},
            "accountingScore": {"score": 0.83, "reason": []},
        }
    ]


def spending_by_supplier(call: Call) -> list[Record]:
    """Return spending by supplier; some rows are alike."""
    report = _report(call, "spendAnalysis")
    rng = Random(f"{call.company.id}/spend")
    rows: list[Record] = []
    for number in range(12):
        row = {"supplierName": "One-off", "billsCount": 1, "billsAmount": 20.0}
        if number % 4:
            row = {
                "supplierId": f"s/{number}",
                "supplierName": f"Fournisseur {number}",
                "addresses": [address(rng)],
            }
            row |= {"billsCount": number, "billsAmount": amount(rng), "importedDate": report["updatedDate"]}
        rows.append(row)
    return rows


def spending_by_payment_method(call: Call) -> list[Record] | Answer:
    """Return spending by payment method: for every second company as a bare array."""
    _report(call, "spendAnalysis")
    rows: list[Record] = [
        {"biggestCountPaymentMethod": name, "suppliersCount": number, "billsAmount": 10.5 * number}
        for number, name in enumerate(("Card", "Überweisung", "Card"))
    ]
    return Answer.of(rows) if call.company.number % 2 else rows


def _ledger(call: Call) -> Connection:
    for link in call.company.supporting("customers"):
        return link
    raise Refusal(404, "No data available for aged reports.")


def _aged(call: Call, contacts: str, key: str, name: str) -> Any:
    link = _ledger(call)
    asked = call.query.get("reportDate")
    moment = call.world.clock.ticks() if asked is None else instant(asked)
    if moment is None:
        raise Refusal(400, f"The value '{asked}' is not valid for reportDate.")
    periods = call.number("numberOfPeriods", default=4)
    days = call.number("periodLengthDays", default=30)
    ends = date.fromisoformat("1970-01-01") + timedelta(days=moment // (86_400 * TICKS))
    rows: list[Record] = []
    for row in link.dataset(contacts).rows.values():
        rng = Random(f"{link.seed}/{row.key}/aged")
        if rng.random() < 0.3:
            continue
        who: Record = {key: row.key, name: row.record.get(name)}
        # Sales to nobody in particular: rows that only their contents tell apart, and not always.
        nameless = link.platform.name == "FreshBooks" and len(rows) % 3 == 0
        buckets = _buckets(rng if not nameless else Random(len(rows) % 2), ends, periods, days)
        outstanding = [{"currency": link.maker().currency, "agedOutstandingAmounts": buckets}]
        rows.append({**({} if nameless else who), "agedCurrencyOutstanding": outstanding})
    now = call.world.clock.stamp("7Z")
    return {
        "data": rows,
        "reportDate": now if asked is None else f"{ends}T00:00:00.0000000Z",
        "generated": now,
    }


def _buckets(rng: Random, ends: date, periods: int, days: int) -> list[Record]:
    found: list[Record] = []
    for number in range(periods):
        last = ends - timedelta(days=number * days)
        first = last - timedelta(days=days - 1)
        oldest = number == periods - 1
        value = amount(rng)
        bucket: Record = {
            "fromDate": _EARLIEST if oldest else f"{first}T00:00:00.0000000",
            "toDate": f"{last}T00:00:00.0000000",
            "amount": value,
            "details": [{"name": "Invoices", "amount": value}],
        }
        found.append(bucket)
    return found


@ROUTES.get("/companies/{companyId}/reports/agedDebtor")
def aged_debtors(call: Call) -> Any:
    """Return what customers owe, by age."""
    return _aged(call, "customers", "customerId", "customerName")


@ROUTES.get("/companies/{companyId}/reports/agedCreditor")
def aged_creditors(call: Call) -> Any:
    """Return what is owed to suppliers, by age."""
    return _aged(call, "suppliers", "supplierId", "supplierName")


@ROUTES.get(
    "/companies/{companyId}/reports/agedDebtor/available",
    "/companies/{companyId}/reports/agedCreditor/available",
)
def aged_available(call: Call) -> Any:
    """Say whether aged reports can be computed, as a bare boolean."""
    return bool(call.company.supporting("customers"))
