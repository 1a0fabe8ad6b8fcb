"""The account of a read: how partitions become one row, and how little it holds of many companies."""

import tracemalloc
from itertools import product

import pytest

from source_codat.foundation import timestamps
from source_codat.http.stats import RequestStats
from source_codat.reporting.read_outcomes import NO_COMPANY, Ended, Outcome, ReadOutcomes

STARTED = timestamps.instant("2026-05-10T12:00:00Z")
MAY, JUNE = (timestamps.instant(f"2026-{month}-01T00:00:00Z") for month in ("05", "06"))
COMPLETE = Ended(Outcome.COMPLETE)


def account(*streams, companies=(("c1", "One"),)):
    found = ReadOutcomes({name: RequestStats() for name in streams}, streams, STARTED)
    found.listed(companies)
    return found


def row(found, stopped=""):
    [only] = found.rows(stopped)
    return only


@pytest.mark.parametrize(("first", "second"), list(product(list(Outcome)[1:], repeat=2)))
def test_of_two_partitions_the_worse_one_tells_with_its_own_reason(first, second):
    found = account("invoices")
    for outcome in (first, second):
        found.ended("invoices", "c1", Ended(outcome, f"reason of {outcome.name}"))
    worse = max(first, second)
    told = row(found)
    assert (told["outcome"], told["reason"]) == (worse.name.lower(), f"reason of {worse.name}")


def test_rows_requests_and_seconds_add_up_and_the_earliest_cursor_tells():
    stats = {"invoices": RequestStats()}
    found = ReadOutcomes(stats, stats, STARTED)
    found.listed([("c1", "One")])
    for number, cursor in ((1, JUNE), (2, MAY)):
        stats["invoices"].spent("c1", number, 0.5)
        found.sent("invoices", "c1", 10 * number)
        found.ended("invoices", "c1", Ended(Outcome.COMPLETE, before=cursor, after=JUNE))
    stats["invoices"].spent("another", 7, 1.0)
    told = row(found)
    assert (told["rows"], told["requests"], told["seconds"]) == (30, 3, 1.0)
    assert told["cursorBefore"].startswith("2026-05-01")
    assert told["cursorAfter"].startswith("2026-06-01")


def test_one_partition_without_a_cursor_starts_from_the_beginning():
    found = account("invoices")
    for cursor in (MAY, None):
        found.ended("invoices", "c1", Ended(Outcome.COMPLETE, before=cursor, after=cursor))
    assert (row(found)["cursorBefore"], row(found)["cursorAfter"]) == (None, None)


def test_what_has_not_ended_was_not_reached_even_where_a_part_has():
    found = account("invoices")
    found.planned("c1", ["invoices", "invoices"])
    found.ended("invoices", "c1", COMPLETE)
    told = row(found, "The quota is used up.")
    assert (told["outcome"], told["reason"]) == ("failed", "not_reached")
    assert told["message"] == "The quota is used up."
    found.ended("invoices", "c1", COMPLETE)
    assert row(found)["outcome"] == "complete"


def test_a_failure_of_its_own_is_told_before_that_the_rest_was_not_reached():
    found = account("invoices")
    found.planned("c1", ["invoices", "invoices"])
    found.ended("invoices", "c1", Ended(Outcome.FAILED, "system_error", "refused"))
    assert row(found, "stopped")["message"] == "refused"


def test_children_replace_what_stood_for_them_and_no_child_is_nothing_to_miss():
    found = account("bill_attachments")
    found.planned("c1", ["bill_attachments"])
    found.planned("c1", ["bill_attachments"] * 2, instead_of="bill_attachments")
    found.ended("bill_attachments", "c1", COMPLETE)
    assert row(found)["reason"] == "not_reached"
    found.ended("bill_attachments", "c1", COMPLETE)
    assert row(found)["outcome"] == "complete"
    found = account("bill_attachments")
    found.planned("c1", ["bill_attachments"])
    found.planned("c1", [], instead_of="bill_attachments")
    assert row(found)["outcome"] == "complete"


def test_without_a_list_of_companies_each_stream_has_one_row():
    found = ReadOutcomes({"invoices": RequestStats(), "integrations": RequestStats()}, ["invoices"], STARTED)
    found.ended("integrations", "", COMPLETE)
    told = {one["stream"]: (one["companyId"], one["outcome"]) for one in found.rows("no list")}
    assert told == {"invoices": (NO_COMPANY, "failed"), "integrations": (NO_COMPANY, "complete")}


def test_a_company_takes_little_more_than_a_hundred_bytes_a_stream():
    streams = [f"stream_{number}" for number in range(20)]
    companies = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(500)]
    tracemalloc.start()
    try:
        found = account(*streams, companies=((one, "A company's name") for one in companies))
        for company in companies:
            found.planned(company, streams)
            for name in streams:
                found.ended(name, company, COMPLETE)
        held, _ = tracemalloc.get_traced_memory()
        assert sum(1 for _ in found.rows()) == len(companies) * len(streams)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 110 * len(companies) * len(streams)
    assert peak - held < 200_000


def test_messages_are_held_up_to_a_bound_and_equal_ones_once(mocker):
    mocker.patch("source_codat.reporting.read_outcomes._MOST_TEXT", 1000)
    found = account("invoices", companies=[(f"c{number}", "") for number in range(100)])
    for number in range(50):
        found.ended("invoices", f"c{number}", Ended(Outcome.FAILED, "system_error", "the same" * 20))
    for number in range(50, 100):
        found.ended("invoices", f"c{number}", Ended(Outcome.FAILED, "system_error", f"{number} {'x' * 200}"))
    messages = [one["message"] for one in found.rows()]
    assert set(messages[:50]) == {"the same" * 20}
    assert 2 < len([one for one in messages[50:] if one]) < 10
    assert {one["outcome"] for one in found.rows()} == {"failed"}
