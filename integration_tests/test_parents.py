"""The rows from which further partitions come: all of them, once, and no others."""

from datetime import datetime, timedelta, timezone

import pytest

from integration_tests.support.connector import read

# Later than all rows, and as late as a start date may be.
TOMORROW = (datetime.now(timezone.utc) + timedelta(days=1)).date().isoformat()


def asked(sim, before, after):
    """The ids that stand between two parts of the paths that were asked for."""
    paths = [one.path for one in sim.requests if before in one.path and one.path.endswith(after)]
    return [path.split(before)[1].removesuffix(after) for path in paths]


@pytest.mark.parametrize(
    "options",
    [
        {"filters": [{"stream": "bills", "query": "currency=none"}]},
        {"deleted_records": "leave_out"},
        {"start_date": TOMORROW},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_leaves_parents_out_of_the_output_leaves_out_no_child(sim, company, only, options):
    there = [one["id"] for one in sim.world.records("bills", company_id=company)]
    sim.world.delete(company, "bills", there[0])
    said = read(sim, "bill_attachments", **only, **options)
    assert said.code == 0
    assert sorted(asked(sim, "/data/bills/", "/attachments")) == sorted(there)


def test_a_parent_that_comes_twice_is_asked_once(sim, company, only):
    bill = min(sim.world.records("bills", company_id=company), key=lambda one: one["id"])
    assert bill["status"] != "Void"
    looked: list[str] = []

    def change(request):
        if request.path.endswith("/data/bills") and request.query.get("page") == "2":
            looked.append("2")
            if len(looked) == 1:  # the pages are read again
                sim.world.sync(company, "bills", changes=lambda: {**bill, "status": "Void"})

    sim.on_request(change)
    assert read(sim, "bill_attachments", page_size=7, **only).code == 0
    assert len(looked) > 1
    found = asked(sim, "/data/bills/", "/attachments")
    assert len(found) == len(set(found)) == sim.world.size_of("bills", company)


def test_parents_that_never_stand_still_make_the_stream_incomplete(sim, company, only):
    number = iter(range(1000))

    def change(request):
        if request.path.endswith("/data/bills"):
            sim.world.sync(company, "bills", changes=lambda: {"id": f"new-{next(number)}"})

    sim.on_request(change)
    said = read(sim, "bill_attachments", page_size=7, **only)
    assert (said.code, said.statuses("bill_attachments")[-1]) == (1, "INCOMPLETE")
    assert "kept changing while it was read" in said.errors[0]["message"]
    assert said.records("bill_attachments")  # those of the bills that are known


def test_a_sync_that_runs_has_no_validation_results_to_ask_for(sim, company, only):
    running = sim.world.start_sync(company, "invoices")
    first = read(sim, "read_validation_results", **only)
    assert first.code == 0
    assert running not in asked(sim, "/sync/", "/validation")
    sim.world.finish_sync(running)
    read(sim, "read_validation_results", state=first.state, **only)
    assert running in asked(sim, "/sync/", "/validation")


def test_the_latest_complete_report_is_read_and_no_other(sim, company, only):
    moment = "2026-0{}-01T00:00:00.0000000Z"
    reports = [
        {
            "id": name,
            "type": kind,
            "status": status,
            "requestedDate": moment.format(month),
            "updatedDate": moment.format(month),
        }
        for name, kind, status, month in (
            ("older", "creditModel", "Complete", 2),
            ("the latest", "creditModel", "Complete", 5),
            ("old", "creditModel", "Complete", 1),
            ("failed", "creditModel", "Error", 7),
            ("other", "spendAnalysis", "Complete", 8),
        )
    ]
    sim.world.replace_addon(company, "reports", reports)
    read(sim, "credit_model_financial_summary", **only)
    assert asked(sim, "/reports/creditModel/", "/financialSummary") == ["the latest"]
