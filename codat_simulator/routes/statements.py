"""Financial statements, computed per request from a seeded chart: nested lines, restated now and then."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.generators.maker import address
from codat_simulator.generators.words import ACCOUNT_NAMES
from codat_simulator.http.answers import Refusal
from codat_simulator.http.call import Call
from codat_simulator.http.routing import ROUTES
from codat_simulator.records.dataset import Record
from codat_simulator.routes.datasets import fitting_links, readable
from codat_simulator.world.companies import Connection

HISTORY = 24
"""How many months of statements are kept."""


def month_before(day: date, months: int) -> date:
    """Return the first day of the month so many months before a day's."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


class Statement:
    """The lines of one period of one company."""

    def __init__(self, link: Connection, period: str, restated: int) -> None:
        """Make lines for a period; another number of restatements gives other values."""
        self.link, self.period, self.restated = link, period, restated

    def _is_kept(self, name: str, number: int) -> bool:
        """Whether a restatement has kept a line: now and then one is gone, and may be back in the next."""
        rng = Random(f"{self.link.seed}/{self.period}/{self.restated}/{name}/{number}/kept")
        return not self.restated or rng.random() < 0.8

    def section(self, name: str, depth: int = 3) -> Record:
        """Return a section whose value is the sum of its lines, down to `depth` levels."""
        rng = Random(f"{self.link.seed}/{name}/chart")
        return self._line(rng, name, depth, top=True)

    def _line(self, rng: Random, name: str, depth: int, top: bool = False, nested: bool = False) -> Record:
        items: list[Record] = []
        if depth and (top or nested or rng.random() < 0.5):
            items = [
                self._line(rng, rng.choice(ACCOUNT_NAMES), depth - 1) for _ in range(rng.randrange(1, 4))
            ]
            items = [item for number, item in enumerate(items) if not number or self._is_kept(name, number)]
        value: Any
        if items:
            value = sum((Decimal(str(item["value"])) for item in items), Decimal(0))
        else:
            value = Decimal(rng.randrange(10**7)) / 100
            value += Random(f"{self.period}/{self.restated}/{name}/{rng.random()}").randrange(5000)
        line: Record = {"name": name, "value": value}
        if not top and rng.random() < 0.8:
            line["accountId"] = self.link.maker().id(
                "chartOfAccounts", rng.randrange(self.link.count("chartOfAccounts"))
            )
        if items:
            line["items"] = items
        elif rng.random() < 0.5:
            line["items"] = rng.choice(([], None))
        return line


def _balance_sheet(lines: Statement) -> Record:
    assets, liabilities = lines.section("Assets"), lines.section("Liabilities")
    net = assets["value"] - liabilities["value"]
    return {
        "assets": assets,
        "liabilities": liabilities,
        "netAssets": net,
        "equity": lines.section("Equity", 1),
    }


def _profit_and_loss(lines: Statement) -> Record:
    names = ("income", "costOfSales", "expenses", "otherExpenses", "otherIncome")
    parts = {
        name: lines.section(name.capitalize(), 3 if name in ("income", "expenses") else 1) for name in names
    }
    value = {name: part["value"] for name, part in parts.items()}
    gross, other = value["income"] - value["costOfSales"], value["otherIncome"] - value["otherExpenses"]
    totals = {"grossProfit": gross, "netOperatingProfit": gross - value["expenses"], "netOtherIncome": other}
    return {**parts, **totals, "netProfit": gross - value["expenses"] + other}


def _cash_flow(lines: Statement) -> Record:
    return {
        "cashReceipts": lines.section("Cash receipts", 2),
        "cashPayments": lines.section("Cash payments", 2),
    }


def _report(call: Call, key: str, build: Callable[[Statement], Record], dated: bool) -> Record:
    length, count = call.number("periodLength"), call.number("periodsToCompare")
    link = readable(call, key, fitting_links(call, DATA_TYPES[key]))[0]
    today = call.world.clock.now().date()
    last = month_before(today, 1)
    start = call.query.get("startMonth")
    if start:
        try:
            last = date.fromisoformat(start[:10]).replace(day=1)
        except ValueError:
            raise Refusal(400, f"The value '{start}' is not valid for startMonth.") from None
    first = month_before(today, HISTORY)
    reports = []
    for number in range(count):
        begin = month_before(last, number * length + length - 1)
        end = month_end(month_before(last, number * length))
        if begin < first:
            break
        restated = call.world.restated(call.company.id, key) if number < 2 else 0
        lines = Statement(link, f"{begin}/{length}", restated)
        clock = "T00:00:00" if number % 2 else "T00:00:00Z"
        dates = (
            {"date": f"{end}{clock}"} if dated else {"fromDate": f"{begin}{clock}", "toDate": f"{end}{clock}"}
        )
        reports.append({**dates, **build(lines)})
    return {
        "currency": link.maker().currency,
        "mostRecentAvailableMonth": f"{last}T00:00:00",
        "earliestAvailableMonth": f"{first}T00:00:00" if reports else None,
        "reportBasis": "Accrual" if key != "cashFlowStatement" else "Cash",
        "reportInput": "Unknown",
        "reports": reports,
    }


@ROUTES.get("/companies/{companyId}/data/financials/balanceSheet")
def balance_sheet(call: Call) -> Any:
    """Return balance sheets, the latest first."""
    return _report(call, "balanceSheet", _balance_sheet, dated=True)


@ROUTES.get("/companies/{companyId}/data/financials/profitAndLoss")
def profit_and_loss(call: Call) -> Any:
    """Return profit and loss accounts, the latest first."""
    return _report(call, "profitAndLoss", _profit_and_loss, dated=False)


@ROUTES.get("/companies/{companyId}/data/financials/cashFlowStatement")
def cash_flow(call: Call) -> Any:
    """Return cash flow statements, the latest first."""
    return _report(call, "cashFlowStatement", _cash_flow, dated=False)


@ROUTES.get("/companies/{companyId}/data/info")
def company_info(call: Call) -> Any:
    """Return what the accounting platform knows of the company itself."""
    link = readable(call, "company", fitting_links(call, DATA_TYPES["company"]))[0]
    rng = Random(f"{link.seed}/info")
    return {
        "companyName": call.company.name,
        "accountingPlatformRef": f"{link.platform.key}/{call.company.number}",
        "companyLegalName": f"{call.company.name} (legal)",
        "addresses": [address(rng), address(rng)],
        "phoneNumbers": [{"number": "+44 20 7946 0018", "type": "Primary"}],
        "webLinks": [{"type": "Website", "url": "https://example.com/ünï"}],
        "ledgerLockDate": None,
        "taxNumber": f"GB{rng.randrange(10**9):09d}",
        "financialYearStartDate": "2024-04-06T00:00:00",
        "baseCurrency": link.maker().currency,
        "sourceUrls": {"url:1": "https://example.com/a/b"},
        "createdDate": "2019-10-10T00:31:04.497225Z",
    }


@ROUTES.get("/companies/{companyId}/connections/{connectionId}/data/commerce-info")
def commerce_info(call: Call) -> Any:
    """Return what a shop knows of itself."""
    readable(call, "commerce-companyInfo", [call.connection])
    rng = Random(f"{call.connection.seed}/info")
    return {
        "companyName": call.company.name,
        "commercePlatformRef": "shop/1",
        "addresses": [address(rng)],
        "phoneNumbers": [],
        "webLinks": [{"type": "Website", "url": "https://shop.example.com"}],
        "baseCurrency": call.connection.maker().currency,
        "accountBalances": [
            {"available": Decimal("12.50"), "pending": 0, "reserved": None, "currency": "GBP"}
        ],
        "sourceUrls": {},
        "createdDate": "2020-02-29T08:01:02",
        "modifiedDate": call.connection.last_sync,
    }
