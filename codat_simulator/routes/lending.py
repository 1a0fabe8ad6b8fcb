"""Lending: categorised statements, reconciled invoices, loans, commerce metrics, data integrity."""

from __future__ import annotations

import re
from datetime import date
from random import Random
from typing import Any

from codat_simulator.generators.maker import amount
from codat_simulator.http.answers import Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.http.routing import ROUTES
from codat_simulator.records.dataset import Record
from codat_simulator.routes.statements import month_before, month_end
from codat_simulator.world.companies import Connection

_DATE = re.compile(r"(\d\d)-(\d\d)-(\d{4})\Z")
_SOURCES = {"accounting": "Accounting", "banking": "Banking", "commerce": "Commerce"}
_MATCHED = ("banking-accounts", "banking-transactions", "bankAccounts", "accountTransactions")


def _report_date(call: Call, required: bool) -> date:
    """Return the `reportDate`, written as DD-MM-YYYY."""
    text = call.query.get("reportDate")
    if text is None and not required:
        return call.world.clock.now().date()
    found = _DATE.match(text or "")
    try:
        if found is not None:
            return date(int(found.group(3)), int(found.group(2)), int(found.group(1)))
    except ValueError:
        pass
    raise Refusal(400, f"The value '{text or ''}' is not valid for reportDate.")


def _linked(call: Call, source_type: str) -> Connection:
    for link in call.company.connections:
        if link.readable and link.platform.source_type == source_type:
            return link
    raise Refusal(404, f"No data available for {source_type} connections.")


def _categorised(call: Call, name: str, required: bool) -> Any:
    link = _linked(call, "Accounting")
    day, periods = _report_date(call, required), call.number("numberOfPeriods", default=12)
    items: list[Record] = []
    for number in range(periods):
        end = month_end(month_before(day, number))
        for row in list(link.dataset("chartOfAccounts").rows.values())[:5]:
            rng = Random(f"{link.seed}/{name}/{row.key}/{end}")
            levels = [{"levelName": level, "confidence": 0.9} for level in ("Asset", "Current", "Bank")]
            category = {
                "status": rng.choice(("Suggested", "Confirmed")),
                "levels": levels[: rng.randrange(4)],
            }
            item: Record = {"date": f"{end}T00:00:00", "balance": amount(rng), "accountId": row.key}
            items.append({**item, "accountName": row.record.get("name"), "accountCategory": category})
    info = {
        "pageNumber": 1,
        "pageSize": len(items),
        "totalResults": len(items),
        "companyName": call.company.name,
    }
    return {"reportInfo": {**info, "generatedDate": call.world.clock.stamp("7Z")}, "reportItems": items}


@ROUTES.get("/companies/{companyId}/reports/enhancedProfitAndLoss/accounts")
def categorised_profit_and_loss(call: Call) -> Any:
    """Return a categorised profit and loss account."""
    return _categorised(call, "Profit and loss", required=False)


@ROUTES.get("/companies/{companyId}/reports/enhancedBalanceSheet/accounts")
def categorised_balance_sheet(call: Call) -> Any:
    """Return a categorised balance sheet; `reportDate` is mandatory."""
    return _categorised(call, "Balance sheet", required=True)


def reconciled_invoices(call: Call) -> list[Record]:
    """Return invoices with the bank lines that paid them."""
    bank = _linked(call, "Banking")
    names = ("id", "invoiceNumber", "issueDate", "dueDate", "status", "currency", "totalAmount", "amountDue")
    rows: list[Record] = []
    for row in _linked(call, "Accounting").dataset("invoices").rows.values():
        record = {name: row.record[name] for name in (*names, "modifiedDate") if name in row.record}
        line = {"id": "bank/1", "dataConnectionId": bank.id, "date": "2024-02-29T00:00:00", "amount": 12.5}
        payment = {
            "id": f"p-{row.key}",
            "paymentType": "Payment",
            "amount": 12.5,
            "bankingTransactionRefs": [line],
        }
        rows.append({**record, "customerRef": {"id": "c", "customerName": "Zoë"}, "payments": [payment]})
    return rows


def _source(call: Call) -> str:
    source = call.query.get("sourceType", "").lower()
    if source not in _SOURCES:
        raise Refusal(400, "The sourceType field is required: accounting, banking or commerce.")
    return source


_LOANS = "/companies/{companyId}/reports/liabilities/loans"
_LOAN_LINES = _LOANS + "/transactions"


@ROUTES.post(_LOANS, _LOAN_LINES)
def generate_loans(call: Call) -> Answer:
    """Generate a loan report, which can be read from then on."""
    call.company.loans.add((call.request.pattern, _source(call)))
    return Answer(202)


def _loans(call: Call) -> tuple[str, Connection]:
    source = _source(call)
    link = _linked(call, _SOURCES[source])
    # The very first company had its loan reports generated before anybody looked.
    if call.company.number and (call.request.pattern, source) not in call.company.loans:
        raise Refusal(404, "No data available for liabilities: the report has not been generated.")
    return source, link


@ROUTES.get(_LOANS)
def loans(call: Call) -> Any:
    """Return loans; the report must have been generated."""
    source, link = _loans(call)
    rng = Random(f"{link.seed}/loans")
    items = [
        {
            "recordRef": {
                "id": f"loan/{number}",
                "dataConnectionId": link.id,
                "integrationType": _SOURCES[source],
            },
            "description": "Kredit №1",
            "startDate": "2023-01-01T00:00:00",
            "totalDrawdowns": amount(rng),
            "totalRepayments": amount(rng),
            "balance": amount(rng),
            "lender": rng.choice(("Iwoca", None)),
        }
        for number in range(3)
    ]
    return {"reportInfo": {"companyName": call.company.name}, "reportItems": items, "errors": []}


@ROUTES.get(_LOAN_LINES)
def loan_lines(call: Call) -> Any:
    """Return the movements of loans, two of them alike; the report must have been generated."""
    _, link = _loans(call)
    items = [
        {
            "loanRef": {"id": "loan/0", "dataConnectionId": link.id, "type": "accounts"},
            "itemRef": {"id": f"item:{number // 2}", "dataConnectionId": link.id, "type": "payments"},
            "date": "2024-02-29T00:00:00",
            "amount": 100.0,
            "loanTransactionType": ("Repayment", "Repayment", "Interest", "Investment")[number],
            "lender": "Iwoca",
        }
        for number in range(4)
    ]
    return {"reportInfo": {"companyName": call.company.name}, "reportItems": items}


_ASSESS = "/data/companies/{companyId}/connections/{connectionId}/assess/commerceMetrics/"


def _metric(name: str, measures: tuple[str, ...], bare: bool) -> None:
    @ROUTES.get(_ASSESS + name)
    def metric(call: Call) -> Any:
        day, length = _report_date(call, required=True), call.number("periodLength")
        count, unit = call.number("numberOfPeriods"), call.query.get("periodUnit")
        if unit not in ("Day", "Week", "Month", "Year"):
            raise Refusal(400, f"The value '{unit or ''}' is not valid for periodUnit.")
        if call.connection.platform.source_type != "Commerce" or not call.connection.readable:
            raise Refusal(404, "No data available for a connection that isn't a commerce one.")
        periods = [
            {"index": number, "displayName": f"{unit} {number}", "end": f"{day}"} for number in range(count)
        ]
        rng = Random(f"{call.connection.seed}/{name}/{day}")
        points = [
            {
                "dimension": 0,
                "item": number,
                "measures": [{"index": index, "value": amount(rng)} for index in range(len(measures))],
                "components": [],
            }
            for number in range(count)
        ]
        report: Record = {
            "reportInfo": {"reportName": name, "periodLength": str(length), "periodUnit": unit},
            "dimensions": [{"index": 0, "displayName": "Period", "type": "datetime", "items": periods}],
            "measures": [
                {"index": at, "displayName": text, "units": "GBP"} for at, text in enumerate(measures)
            ],
            "reportData": points,
            "errors": [],
        }
        return [report] if bare else report


_metric("revenue", ("Revenue", "Growth rate"), bare=True)
_metric("orders", ("Orders", "Value"), bare=False)
_metric("refunds", ("Refunds",), bare=False)
_metric("customerRetention", ("Existing", "New", "Rate"), bare=False)
_metric("lifetimeValue", ("Lifetime value",), bare=False)


def _matched(call: Call) -> str:
    key = call.params["dataType"]
    if key not in _MATCHED:
        raise Refusal(400, f"'{key}' is not a valid data type for data integrity.")
    _linked(call, "Accounting")
    _linked(call, "Banking")
    return key


def integrity_status(call: Call) -> list[Record]:
    """Return how far accounting and banking agree."""
    key = _matched(call)
    links = {"source": [_linked(call, "Banking").id], "target": [_linked(call, "Accounting").id]}
    state = {"lastMatched": "2024-02-29T01:02:03.1234567Z", "currentStatus": "Complete", "statusMessage": ""}
    return [{"type": key, "statusInfo": state, "connectionIds": links, "amounts": {"min": -1, "max": 9}}]


def integrity_summaries(call: Call) -> list[Record]:
    """Return how much of a data type matches."""
    counts = {"matchPercentage": 50.0, "matched": 1, "unmatched": 1, "total": 2}
    return [{"type": _matched(call), "byCount": counts}]


def integrity_details(call: Call) -> list[Record]:
    """Return what matches and what doesn't."""
    key = _matched(call)
    rows: list[Record] = []
    for source_type in ("Accounting", "Banking"):
        link = _linked(call, source_type)
        for number in range(4):
            match = {
                "id": f"m/{number}",
                "type": key,
                "connectionId": link.id,
                "amount": "12.50",
                "currency": "GBP",
            }
            row = {
                "id": f"{key}_{number}",
                "type": key,
                "connectionId": link.id,
                "date": "2024-02-29T00:00:00",
            }
            rows.append({**row, "amount": 12.5, "currency": "GBP", "matches": [match] if number % 2 else []})
    return rows
