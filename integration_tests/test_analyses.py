"""docs/analysis.md: each query's answer beside one that is calculated from the simulator's own records."""

import json
import re
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import pytest
import requests

from codat_simulator import Simulator
from integration_tests.support.connector import config
from integration_tests.support.extras import require
from tools.demo.truth import records

require("airbyte", "PyAirbyte")

from tools.demo.warehouse import ask  # noqa: E402 - needs what was asked for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("analyses")]  # one load for all

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "analysis.md").read_text(encoding="utf-8")
QUERIES = dict(
    re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```sql\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
STREAMS = sorted(set(re.findall(r"\bcodat\.(\w+)", "".join(QUERIES.values()))))
AGES = ("days_0_29", "days_30_59", "days_60_89", "older")
CREDIT = 50


class Loaded:
    """A simulated Codat, and the tables that PyAirbyte made of it."""

    def __init__(self, sim, database, kept):
        self.sim, self.database, self.kept = sim, database, kept
        self.names = {company["id"]: company["name"] for company in sim.world.companies}
        self.today = day_of(self.codat("/companies/{}/reports/agedDebtor", self.ids[0])["reportDate"])

    @property
    def ids(self):
        return list(self.names)

    def answer(self, heading):
        """All rows of the page's query under a heading, as of the day of the reports."""
        query = QUERIES[heading].replace("current_date", f"DATE '{self.today}'")
        head, rows = ask(self.database, re.sub(r"^LIMIT \d+$", "", query, flags=re.MULTILINE))
        return [dict(zip(head, row, strict=True)) for row in rows]

    def records(self, data_type):
        return [(company, link, record) for company, link, _, record in records(self.sim, data_type)]

    def codat(self, path, company, **parameters):
        headers = {"Authorization": self.sim.authorization}
        url = self.sim.url + path.format(company)
        return requests.get(url, params=parameters, headers=headers, timeout=60).json()

    def statements(self):
        """Company, currency and one month of profit and loss."""
        for company in self.ids:
            asked = {"periodLength": 1, "periodsToCompare": 24}
            body = self.codat("/companies/{}/data/financials/profitAndLoss", company, **asked)
            for report in body["reports"]:
                yield company, body["currency"], report


def day_of(text):
    return date.fromisoformat(text[:10]) if text else None


def money(value):
    return Decimal(str(value or 0))


def is_deleted(record):
    return bool((record.get("metadata") or {}).get("isDeleted"))


def close(found, wanted):
    return abs(found - wanted) <= max(
        Decimal("0.02"), abs(wanted) / 10**14
    )  # what PyAirbyte keeps of numbers


def assert_same(found, wanted):
    """Two dictionaries have the same keys, and for each the same numbers."""
    assert wanted
    assert found.keys() == wanted.keys()
    for key, numbers in wanted.items():
        assert all(map(close, map(Decimal, found[key]), map(Decimal, numbers))), (key, found[key], numbers)


def aged_debtors(sim, company):
    """Currency and period of all that Codat's report of a company says."""
    address = f"{sim.url}/companies/{company}/reports/agedDebtor"
    report = requests.get(address, headers={"Authorization": sim.authorization}, timeout=60).json()
    return [
        (outstanding["currency"], period)
        for row in report["data"]
        for outstanding in row["agedCurrencyOutstanding"]
        for period in outstanding["agedOutstandingAmounts"]
    ]


def company_without_astronomic_debts(sim):
    """One whose amounts a cent can be added to: the simulator also makes up some of eighteen digits."""
    return next(
        company["id"]
        for company in sim.world.companies
        if all(abs(period["amount"]) < 10**6 for _, period in aged_debtors(sim, company["id"]))
    )


def keep_books_as_the_report_has_them(sim, company):
    """Replace what a company's customers owe by documents that add up to its report of aged debtors."""
    for data_type, due in (("invoices", "amountDue"), ("creditNotes", "remainingCredit")):
        for record in sim.world.records(data_type, company):
            sim.world.change(company, data_type, record["id"], status="Paid", **{due: 999})
    statuses = cycle(["Submitted", "PartiallyPaid", "Unknown", None])
    for number, (currency, period) in enumerate(aged_debtors(sim, company)):
        last, status = day_of(period["toDate"]), next(statuses)
        first = max(day_of(period["fromDate"]), last - timedelta(days=29))
        shared = {"currency": currency, "issueDate": f"{first if number % 2 else last}T00:00:00"}
        amount = float(money(period["amount"]) + CREDIT)
        owed = {"id": f"owed {number}", "status": status, "amountDue": amount}
        credit = {"id": f"credit {number}", "status": status, "remainingCredit": CREDIT}
        sim.world.put(company, "invoices", {**shared, **owed})
        sim.world.put(company, "creditNotes", {**shared, **credit})
        for other in ("Draft", "Void", "Paid"):
            sim.world.put(company, "invoices", {**shared, **owed, "id": f"{other} {number}", "status": other})
    gone = {"id": "gone", "status": "Submitted", "amountDue": 7000, "issueDate": shared["issueDate"]}
    sim.world.put(company, "invoices", gone)
    sim.world.delete(company, "invoices", "gone")


def expenses(loaded):
    """Company, month and name of each line just below the expenses."""
    return {
        (company, report["fromDate"], line.get("name"))
        for company, _, report in loaded.statements()
        for line in (report.get("expenses") or {}).get("items") or ()
    }


def restate(loaded):
    """Restate each company's profit and loss until one of the lines just below the expenses is gone."""
    before = expenses(loaded)
    for _ in range(20):
        for company in loaded.ids:
            loaded.sim.world.sync(company, "profitAndLoss")
        if before - expenses(loaded):
            return
    raise AssertionError("no restatement takes a line of expenses away")


@pytest.fixture(scope="module")
def loaded(load, tmp_path_factory):
    folder = tmp_path_factory.mktemp("analyses")
    database = folder / "warehouse.duckdb"
    noon = datetime(2026, 5, 15, 12, tzinfo=timezone.utc)  # no midnight passes while the tests look at it
    with Simulator(companies=3, seed=7, records=25, start=noon) as sim:
        kept = company_without_astronomic_debts(sim)
        keep_books_as_the_report_has_them(sim, kept)
        settings = folder / "config.json"
        settings.write_text(json.dumps(config(sim)), encoding="utf-8")
        load(settings, database, "--streams", ",".join(STREAMS))
        found = Loaded(sim, database, kept)
        restate(found)
        load(settings, database, "--streams", ",".join(STREAMS))
        yield found


def ages(rows):
    return {(row["company"], row["currency"]): [row["owed"], *(row[one] for one in AGES)] for row in rows}


def test_what_customers_owe_counts_credit_notes_and_unknown_statuses(loaded):
    wanted: dict = defaultdict(lambda: [Decimal(0)] * 5)
    documents = [(*one, "amountDue", 1) for one in loaded.records("invoices")]
    documents += [(*one, "remainingCredit", -1) for one in loaded.records("creditNotes")]
    for company, _, record, due, sign in documents:
        if record.get("status") in {"Draft", "Paid", "Void"} or is_deleted(record) or record.get(due) is None:
            continue
        issued = day_of(record.get("issueDate"))
        age = min(max((loaded.today - issued).days, 0) // 30, 3) if issued else 3
        row = wanted[loaded.names[company], record.get("currency")]
        row[0] += sign * money(record[due])
        row[1 + age] += sign * money(record[due])
    assert {"Unknown", None} <= {one.get("status") for _, _, one in loaded.records("invoices")}
    assert_same(ages(loaded.answer("What customers owe, by age")), wanted)


def test_what_codat_adds_up_is_its_report(loaded):
    wanted: dict = defaultdict(lambda: [Decimal(0)] * 5)
    for company in loaded.ids:
        for row in loaded.codat("/companies/{}/reports/agedDebtor", company)["data"]:
            for outstanding in row["agedCurrencyOutstanding"]:
                for number, period in enumerate(outstanding["agedOutstandingAmounts"]):
                    sums = wanted[loaded.names[company], outstanding["currency"]]
                    sums[0] += money(period["amount"])
                    sums[1 + number] += money(period["amount"])
    assert_same(ages(loaded.answer("The same as Codat adds it up")), wanted)


def test_the_ageing_agrees_with_codats_report_where_the_books_do(loaded):
    name = loaded.names[loaded.kept]
    ours, theirs = (
        {key: row for key, row in ages(loaded.answer(heading)).items() if key[0] == name}
        for heading in ("What customers owe, by age", "The same as Codat adds it up")
    )
    assert_same(ours, theirs)


def test_profit_and_loss_by_month(loaded):
    columns = {"income": "income", "costOfSales": "cost_of_sales", "expenses": "expenses"}
    wanted = {}
    for company, currency, report in loaded.statements():
        sums = [money((report.get(section) or {}).get("value")) for section in columns]
        wanted[loaded.names[company], report["fromDate"][:7], currency] = [*sums, money(report["netProfit"])]
    found = {
        (row["company"], row["month"], row["currency"]): [
            row[one] or 0 for one in (*columns.values(), "net_profit")
        ]
        for row in loaded.answer("Profit and loss by month")
    }
    assert_same(found, wanted)


def test_which_accounts_the_expenses_went_to(loaded):
    first = loaded.today.replace(year=loaded.today.year - 1, day=1)
    wanted: dict = defaultdict(lambda: [Decimal(0)])
    for company, currency, report in loaded.statements():
        if day_of(report["fromDate"]) >= first:
            for line in (report.get("expenses") or {}).get("items") or []:
                wanted[loaded.names[company], line.get("name"), currency][0] += money(line.get("value"))
    found = {
        (row["company"], row["line"], row["currency"]): [row["twelve_months"]]
        for row in loaded.answer("Which accounts the expenses went to")
    }
    assert_same(found, wanted)


def test_money_in_and_out_of_the_bank(loaded):
    categories = {
        (company, link, record["id"]): record.get("name")
        for company, link, record in loaded.records("banking-transactionCategories")
    }
    wanted: dict = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    for company, link, record in loaded.records("banking-transactions"):
        day = record.get("postedDate") or record.get("authorizedDate")
        category = record.get("transactionCategoryRef") or {}
        name = categories.get((company, link, category.get("id"))) or category.get("name") or "(none)"
        row = wanted[loaded.names[company], day and day[:7], name, record.get("currency")]
        row[0] += 1
        row[1 if money(record.get("amount")) > 0 else 2] += money(record.get("amount"))
    found = {
        (row["company"], row["month"], row["category"], row["currency"]): [
            row["number"],
            row["money_in"],
            row["money_out"],
        ]
        for row in loaded.answer("Money in and out of the bank, by category and month")
    }
    assert_same(found, wanted)


def test_customer_concentration(loaded):
    since = loaded.today.replace(year=loaded.today.year - 1)
    sales: dict = defaultdict(lambda: defaultdict(Decimal))
    for company, _, record in loaded.records("invoices"):
        issued = day_of(record.get("issueDate"))
        counts = record.get("status") not in {"Draft", "Void"} and not is_deleted(record)
        if counts and issued and issued >= since:
            customer = (record.get("customerRef") or {}).get("id")
            sales[loaded.names[company], record.get("currency")][customer] += money(record.get("totalAmount"))
    wanted = {}
    for key, customers in sales.items():
        sums = sorted((value for value in customers.values() if value > 0), reverse=True)
        for place, value in enumerate(sums[:3]):
            wanted[key, place] = [value, round(100 * value / sum(sums), 1)]
    found: dict = {}
    places: dict = defaultdict(int)
    for row in loaded.answer("Customer concentration"):
        key = row["company"], row["currency"]
        found[key, places[key]] = [row["invoiced"], str(row["percent"])]
        places[key] += 1
    assert {place for _, place in wanted} == {0, 1, 2}
    assert_same(found, wanted)


def test_is_it_up_to_date(loaded):
    wanted = set()
    for company in loaded.ids:
        status = loaded.codat("/companies/{}/dataStatus", company)
        for kind in {"invoices", "bills", "profitAndLoss"} & set(status):
            row = status[kind]
            day = day_of(row.get("lastSuccessfulSync"))
            wanted.add((loaded.names[company], kind, row["currentStatus"], day))
    found = loaded.answer("Is it up to date?")
    assert wanted == {
        (row["company"], row["data_type"], row["status"], as_day(row["last_sync"])) for row in found
    }
    order = [(as_day(row["last_sync"]) or date.max, row["company"], row["data_type"]) for row in found]
    assert order == sorted(order)


def as_day(moment):
    return moment.date() if isinstance(moment, datetime) else moment


def test_every_query_of_the_page_is_tested():
    tested = Path(__file__).read_text(encoding="utf-8")
    assert len(QUERIES) == PAGE.count("```sql")
    assert not [heading for heading in QUERIES if f'"{heading}"' not in tested]
