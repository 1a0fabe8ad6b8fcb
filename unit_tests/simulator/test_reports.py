import pytest


@pytest.fixture
def statements(codat, first):
    return lambda name, **params: codat.get(f"{first}/data/financials/{name}", **params)


def rebuilt(line):
    """Return the sum of a line's leaves."""
    return sum(map(rebuilt, line["items"])) if line.get("items") else line["value"]


@pytest.mark.parametrize("name", ["balanceSheet", "profitAndLoss", "cashFlowStatement"])
def test_statements_need_their_periods_and_are_nested_and_add_up(statements, name):
    for wrong in (
        {},
        {"periodLength": 1},
        {"periodsToCompare": 1},
        {"periodLength": 0, "periodsToCompare": 1},
    ):
        assert statements(name, **wrong).status_code == 400
    body = statements(name, periodLength=1, periodsToCompare=24).json()
    assert len(body["reports"]) == 24
    assert {"currency", "reportBasis", "mostRecentAvailableMonth", "earliestAvailableMonth"} <= set(body)
    sections = [part for report in body["reports"] for part in report.values() if isinstance(part, dict)]
    assert any(line.get("items") for part in sections for line in part["items"])
    for part in sections:
        assert part["value"] == pytest.approx(rebuilt(part))


def test_statements_keep_two_years_whatever_was_asked_for(statements):
    body = statements("profitAndLoss", periodLength=3, periodsToCompare=100).json()
    assert len(body["reports"]) == 8
    first, last = body["reports"][-1], body["reports"][0]
    assert first["fromDate"][:7] == body["earliestAvailableMonth"][:7]
    assert last["toDate"][:7] == body["mostRecentAvailableMonth"][:7]


def test_recent_periods_are_restated_without_any_date(statements, sim, first):
    company = first.rpartition("/")[2]
    before = statements("profitAndLoss", periodLength=1, periodsToCompare=4).json()["reports"]
    assert statements("profitAndLoss", periodLength=1, periodsToCompare=4).json()["reports"] == before
    sim.world.sync(company, "profitAndLoss")
    after = statements("profitAndLoss", periodLength=1, periodsToCompare=4).json()["reports"]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False, True, True]


def test_statements_answer_as_data_types_do(statements, sim, first):
    company = first.rpartition("/")[2]
    sim.world.forget_sync(company, "balanceSheet")
    assert statements("balanceSheet", periodLength=1, periodsToCompare=1).status_code == 409
    sim.world.unsupported(company, "profitAndLoss")
    assert statements("profitAndLoss", periodLength=1, periodsToCompare=1).status_code == 404


def test_company_infos_are_single_objects(codat, first, link):
    assert codat.get(first + "/data/info").json()["companyName"]
    assert codat.get(link("Commerce") + "/data/commerce-info").json()["companyName"]


@pytest.mark.parametrize("kind", ["agedDebtor", "agedCreditor"])
def test_aged_reports_have_buckets_down_to_the_first_day_of_time(codat, first, kind):
    assert codat.get(f"{first}/reports/{kind}/available").json() is True
    body = codat.get(
        f"{first}/reports/{kind}", reportDate="2024-12-31", numberOfPeriods=3, periodLengthDays=10
    ).json()
    assert body["reportDate"] == "2024-12-31T00:00:00.0000000Z"
    buckets = body["data"][0]["agedCurrencyOutstanding"][0]["agedOutstandingAmounts"]
    assert [bucket["toDate"][:10] for bucket in buckets] == ["2024-12-31", "2024-12-21", "2024-12-11"]
    assert buckets[-1]["fromDate"] == "0001-01-01T00:00:00.0000000"
    assert codat.get(f"{first}/reports/{kind}", reportDate="31-12-2024").status_code == 400


def test_some_aged_rows_name_nobody(codat, sim):
    fresh = sim.world.companies[2]["id"]
    rows = codat.get(f"/companies/{fresh}/reports/agedDebtor", reportDate="2024-12-31").json()["data"]
    nameless = [row for row in rows if "customerId" not in row]
    assert len(nameless) > len({str(row) for row in nameless}) > 0


def test_an_aged_report_without_a_date_is_dated_anew_each_time(codat, first):
    one, two = (codat.get(first + "/reports/agedDebtor").json()["reportDate"] for _ in range(2))
    assert one < two


def test_categorised_statements_take_their_date_day_first(codat, first):
    path = first + "/reports/enhancedBalanceSheet/accounts"
    assert codat.get(path).status_code == 400
    assert codat.get(path, reportDate="2024-09-29").status_code == 400
    assert codat.get(path, reportDate="31-02-2024").status_code == 400
    body = codat.get(path, reportDate="29-09-2024", numberOfPeriods=2).json()
    assert {item["date"][:7] for item in body["reportItems"]} == {"2024-09", "2024-08"}
    assert body["reportInfo"]["totalResults"] == len(body["reportItems"])
    assert codat.get(first + "/reports/enhancedProfitAndLoss/accounts").status_code == 200


def test_reconciled_invoices_count_in_their_report_info(codat, first):
    path, rows = first + "/reports/enhancedInvoices", []
    for page in (1, 2, 3):
        body = codat.get(path, page=page, pageSize=10).json()
        assert set(body) == {"reportInfo", "reportItems"}
        assert body["reportInfo"]["totalResults"] == 25
        rows += [item["id"] for item in body["reportItems"]]
    assert len(set(rows)) == 25
    assert codat.get(path, query="status=Paid").json()["reportInfo"]["totalResults"] < 25


@pytest.mark.parametrize("path", ["/reports/liabilities/loans", "/reports/liabilities/loans/transactions"])
def test_loan_reports_must_be_generated_first(codat, sim, path):
    company = sim.world.add_company(connections=("Accounting", "Banking"))
    path = f"/companies/{company}{path}"
    assert codat.get(path).status_code == 400
    assert codat.get(path, sourceType="nosuch").status_code == 400
    assert codat.get(path, sourceType="banking").status_code == 404
    assert codat.post(path, sourceType="banking").status_code == 202
    assert codat.get(path, sourceType="banking").json()["reportItems"]
    assert codat.get(path, sourceType="accounting").status_code == 404
    assert codat.get(path, sourceType="commerce").status_code == 404


METRIC = {"reportDate": "29-09-2024", "periodLength": 1, "numberOfPeriods": 3, "periodUnit": "Month"}


@pytest.mark.parametrize("name", ["revenue", "orders", "refunds", "customerRetention", "lifetimeValue"])
def test_commerce_metrics_need_all_their_parameters(codat, link, name):
    path = f"/data{link('Commerce')}/assess/commerceMetrics/{name}"
    for missing in METRIC:
        assert codat.get(path, **{key: METRIC[key] for key in METRIC if key != missing}).status_code == 400
    body = codat.get(path, **METRIC).json()
    assert isinstance(body, list) is (name == "revenue")
    report = body[0] if isinstance(body, list) else body
    assert len(report["reportData"]) == 3


@pytest.mark.parametrize(
    "key", ["banking-accounts", "banking-transactions", "bankAccounts", "accountTransactions"]
)
def test_data_integrity_is_told_for_four_data_types(codat, first, key):
    path = f"/data{first}/assess/dataTypes/{key}/dataIntegrity/"
    assert codat.get(path + "status").json()["metadata"][0]["type"] == key
    assert codat.get(path + "summaries").json()["summaries"][0]["type"] == key
    assert len(codat.pages(path + "details", pageSize=3)) == 8
    assert codat.get(path.replace(key, "invoices") + "status").status_code == 400


def test_a_generated_report_is_read_by_id_or_as_the_latest(codat, sim):
    company = sim.world.add_company(connections=("Banking",))
    base = f"/companies/{company}/reports"
    for row in sim.world.addon(company, "reports"):
        sim.world.remove_addon(company, "reports", row["id"])
    assert codat.get(base + "/categorizedBankStatement/latest/transactions").status_code == 404
    made = codat.post(base + "/categorizedBankStatement")
    assert (made.status_code, made.json()["status"]) == (202, "InProgress")
    name = made.json()["id"]
    assert codat.get(f"{base}/categorizedBankStatement/{name}/accounts").status_code == 404
    assert codat.get(f"{base}/categorizedBankStatement/{name}/status").json()["status"] == "Complete"
    rows = codat.pages(base + "/categorizedBankStatement/latest/transactions", pageSize=20)
    assert len(rows) == len(sim.world.records("banking-transactions", company))
    assert codat.pages(f"{base}/categorizedBankStatement/{name}/accounts")
    assert (
        codat.get(base + "/categorizedBankStatement/latest/accounts", maxAge="2999-01-01").status_code == 404
    )
    assert codat.post(base + "/nosuch").status_code == 404


def test_reports_are_listed_under_either_name_of_their_dates(codat, sim):
    even, odd = (
        codat.pages(f"/companies/{one['id']}/reports", query="updatedDate>2001-01-01")
        for one in sim.world.companies[:2]
    )
    assert {"requestedDate", "updatedDate"} <= set(even[0])
    assert {"requested", "updated"} <= set(odd[0])


def test_a_credit_model_can_be_empty_and_spending_has_no_counters(codat, sim):
    one, two = (f"/companies/{row['id']}/reports" for row in sim.world.companies[:2])
    assert codat.get(one + "/creditModel/latest/financialSummary").json()["accountingScore"]
    assert codat.get(two + "/creditModel/latest/financialSummary").status_code == 204
    assert set(codat.get(one + "/spendAnalysis/latest/suppliers").json()) == {"results"}
    assert set(codat.get(one + "/spendAnalysis/latest/paymentMethods").json()) == {"results"}
    assert isinstance(codat.get(two + "/spendAnalysis/latest/paymentMethods").json(), list)
