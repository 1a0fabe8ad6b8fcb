"""What somebody who watches a sync is told: how far it is, what it does, and what it came to."""

import re
from itertools import pairwise

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import read, selected
from source_codat.reporting.progress import ESTIMATE_SECONDS

pytestmark = pytest.mark.waits


def estimates(said, stream):
    found = [one["estimate"] for one in said.of("TRACE") if one["type"] == "ESTIMATE"]
    return [one for one in found if one["name"] == stream]


@pytest.fixture
def eager(mocker):
    """Every look is due at once."""
    mocker.patch("source_codat.engine.writer.TICK_SECONDS", 0.0)
    for name in ("ESTIMATE_SECONDS", "LINE_SECONDS"):
        mocker.patch(f"source_codat.reporting.progress.{name}", 0.0)


@pytest.mark.usefixtures("eager")
def test_estimates_come_from_total_results_and_converge_on_what_was_read(sim):
    said = read(sim, "invoices", "bills", "companies", page_size=7, num_workers=2)
    for stream in ("invoices", "bills", "companies"):
        rows = [one["row_estimate"] for one in estimates(said, stream)]
        assert rows[-1] == len(said.records(stream))
        assert all(earlier != later for earlier, later in pairwise(rows))
        assert {one["type"] for one in estimates(said, stream)} == {"STREAM"}
    # With the first page of the first company it is clear about how much there will be.
    first = estimates(said, "invoices")[0]["row_estimate"]
    assert first > 3 * 7
    assert estimates(said, "invoices")[-1]["byte_estimate"] > 0


@pytest.mark.usefixtures("eager")
def test_estimates_are_cumulative_and_never_below_what_was_read(sim):
    said = read(sim, "invoices", page_size=7, num_workers=2)
    records = 0
    for message in said.messages:
        records += message["type"] == "RECORD"
        if message["type"] == "TRACE" and message["trace"]["type"] == "ESTIMATE":
            assert message["trace"]["estimate"]["row_estimate"] >= records


@pytest.mark.usefixtures("eager")
def test_estimates_end_at_what_was_read_where_not_all_could_be(sim):
    company = sim.world.companies[0]["id"]
    sim.faults.add(Fault(path=f"/{company}/data/invoices", query=r"\bpage=2", status=405, times=None))
    said = read(sim, "invoices", page_size=7, num_workers=2)
    assert said.statuses("invoices")[-1] == "INCOMPLETE"
    assert estimates(said, "invoices")[-1]["row_estimate"] == len(said.records("invoices"))


@pytest.mark.usefixtures("eager")
def test_pages_that_do_not_tell_how_many_follow_are_never_estimated_below_what_was_read(sim):
    sim.page_size_cap = 3
    said = read(sim, "bill_pay_bills", num_workers=2)
    records = 0
    told = []
    for message in said.messages:
        records += message["type"] == "RECORD"
        if message["type"] == "TRACE" and message["trace"]["type"] == "ESTIMATE":
            told.append((message["trace"]["estimate"]["row_estimate"], records))
    assert len(told) > 3
    assert all(rows >= read_so_far for rows, read_so_far in told)
    assert told[-1][0] == records


def test_no_stream_is_estimated_more_often_than_every_ten_seconds(mocker):
    assert ESTIMATE_SECONDS == 10
    mocker.patch("source_codat.engine.writer.TICK_SECONDS", 0.0)
    mocker.patch("source_codat.reporting.progress.ESTIMATE_SECONDS", 0.3)
    with Simulator(companies=8, seed=7, records=12, latency=0.05) as sim:
        for number, one in enumerate(sim.world.companies):
            for more in range(number):
                if sim.world.company(one["id"]).supporting("invoices"):
                    sim.world.put(one["id"], "invoices", {"id": f"more-{more}"})
        said = read(sim, "invoices", "bills", page_size=3, num_workers=2)
    numbers = 0
    for stream in ("invoices", "bills"):
        sent = [
            one["emitted_at"]
            for one in said.of("TRACE")
            if one["type"] == "ESTIMATE" and one["estimate"]["name"] == stream
        ]
        numbers += len(sent)
        assert all(later - earlier >= 290 for earlier, later in pairwise(sent))
    assert numbers >= 3


def test_a_short_read_says_nothing_of_estimates(sim):
    assert estimates(read(sim, "invoices"), "invoices") == []


@pytest.mark.usefixtures("eager")
def test_a_read_of_what_is_unchanged_estimates_nothing_to_come(sim):
    first = read(sim, "invoices")
    second = read(sim, "invoices", state=first.state)
    assert second.records("invoices") == []
    assert estimates(second, "invoices") == []


def test_each_partition_read_is_told_with_its_company_and_how_many_records_came(sim):
    said = read(sim, "invoices")
    for one in sim.world.companies:
        number = sim.world.size_of("invoices", one["id"])
        assert f"invoices: {one['name']} ({one['id']}) read, {number} records." in said.logs


def test_many_partitions_are_told_at_a_sensible_rate(sim, mocker):
    mocker.patch("source_codat.reporting.progress._LINES", 2)
    said = read(sim, "invoices", "bills", "customers")
    assert sum(bool(re.search(r"\) read, [\d,]+ records?\.", line)) for line in said.logs) == 2


@pytest.mark.usefixtures("eager")
def test_a_line_now_and_then_says_how_far_the_sync_is_and_what_it_does(sim):
    said = read(sim, "invoices", "bills", page_size=7)
    lines = [line for line in said.logs if line.startswith("Progress: ")]
    assert any(re.search(r"[0-3] of 3 companies read, [1-3] under way", line) for line in lines)
    assert any(re.search(r"records of about [\d,]+", line) for line in lines)
    assert any(re.search(r"reading (invoices|bills) of ", line) for line in lines)
    assert any(re.search(r" so far, about \d+ s left", line) for line in lines)
    assert all(re.search(r"\d+ requests?, \d+ retr", line) for line in lines)


@pytest.mark.usefixtures("eager")
def test_who_watches_is_told_that_codats_limit_is_waited_for(sim):
    sim.faults.add(Fault(path="/data/invoices", status=429, headers={"Retry-After": "3"}))
    said = read(sim, "invoices", **selected(sim.world.companies[0]["id"]))
    assert any("waiting for Codat's limit on 1 company for another" in line for line in said.logs)


def test_the_closing_lines_say_what_each_stream_and_the_sync_came_to(sim):
    company = sim.world.companies[0]["id"]
    sim.faults.add(Fault(path=f"/{company}/data/invoices", status=503, times=2))
    sim.world.forget_sync(sim.world.companies[1]["id"], "bills")
    first = read(sim, "invoices", "bills")
    records = len(first.records("invoices"))
    assert f"invoices: {records} records, 3 companies read; 5 requests, 2 retries." in first.logs
    closing = next(line for line in first.logs if line.startswith("bills: ") and line.endswith("retries."))
    assert "2 companies read, 1 never synced by Codat; 2 requests, 0 retries" in closing
    total = len(first.of("RECORD"))
    assert any(
        line.startswith(f"Read: {total:,} records of 2 streams and 3 companies in ") for line in first.logs
    )
    assert f"Codat: {len(sim.requests)} requests, 2 retries" in first.logs[-1]
    assert "requests left today" in first.logs[-1]
    second = read(sim, "invoices", state=first.state)
    assert (
        "invoices: 0 records, 0 companies read, 3 unchanged since the last read; 0 requests, 0 retries."
        in second.logs
    )


def test_a_childs_requests_count_those_for_its_parents(sim):
    said = read(sim, "bank_account_transactions")
    asked = len(sim.requests_for("/bankAccounts"))
    assert asked
    line = next(
        one for one in said.logs if one.startswith("bank_account_transactions: ") and "requests" in one
    )
    assert f"; {asked} requests, 0 retries." in line


def test_the_sync_line_names_the_streams_that_are_incomplete(sim, mocker):
    mocker.patch("source_codat.http.client.CodatClient._sleep")
    sim.faults.add(Fault(path="/data/invoices", status=500, times=None))
    said = read(sim, "invoices", "bills")
    assert any("1 stream incomplete: invoices" in line for line in said.logs)


def test_partitions_below_a_company_are_told_apart_and_count_what_went_out(sim):
    said = read(sim, "bank_account_transactions", page_size=5)
    told = [
        line for line in said.logs if line.startswith("bank_account_transactions: ") and " read, " in line
    ]
    lines = [line for line in told if "requests" not in line]
    assert len(set(lines)) == len(lines) > 3
    numbers = re.findall(r" read, (\d+) record", "\n".join(lines))
    assert len(numbers) == len(lines)
    assert sum(map(int, numbers)) == len(said.records("bank_account_transactions"))
