"""Limits and passing trouble: waited for as long as Codat asks, and no longer than is bearable."""

from datetime import datetime, timedelta, timezone

import pytest

from codat_simulator import Fault
from integration_tests.connector import read


@pytest.fixture
def naps(mocker):
    """How long the client slept, without sleeping."""
    slept: list[float] = []

    def sleep(_, seconds):
        if seconds > 0:
            slept.append(seconds)

    mocker.patch("source_codat.client.CodatClient._sleep", sleep)
    return slept


def test_a_429_waits_as_long_as_codat_asked(sim, naps):
    sim.faults.add(Fault(path=r"/data/invoices", status=429, headers={"Retry-After": "7"}))
    said = read(sim, "invoices")
    assert said.code == 0
    assert any(6.5 <= one <= 7 for one in naps)
    assert len(said.records("invoices")) == len(sim.world.records("invoices"))


@pytest.mark.usefixtures("naps")
def test_a_quota_that_is_gone_for_hours_stops_the_read_with_its_reset_time(sim):
    reset = datetime.now(timezone.utc) + timedelta(hours=5)
    headers = {"Retry-After": "", "X-Rate-Limit-Reset": reset.isoformat()}
    sim.faults.add(Fault(path=r"/data/invoices", after=1, times=None, status=429, headers=headers))
    said = read(sim, "invoices", "bills")
    assert said.code == 1
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    assert reset.strftime("%d %b %Y %H") in said.errors[0]["message"]
    assert all(said.statuses(stream)[-1] == "INCOMPLETE" for stream in ("invoices", "bills"))
    assert {one["stream"]["stream_descriptor"]["name"] for one in said.of("STATE")} == {"invoices", "bills"}
    assert len(sim.requests) < 30


def test_a_key_revoked_in_the_middle_of_a_read_stops_it_as_a_configuration_error(sim):
    seen = []

    def revoke(request):
        if request.path.endswith("/data/invoices"):
            seen.append(request)
            if len(seen) == 2:
                sim.revoke_key()

    sim.on_request(revoke)
    said = read(sim, "invoices", "bills", page_size=10)
    assert said.code == 1
    assert {one["failure_type"] for one in said.errors} == {"config_error"}
    assert "API key" in said.errors[0]["message"]
    assert sim.api_key not in said.text


@pytest.mark.usefixtures("naps")
def test_passing_trouble_is_tried_again_and_nothing_is_taken_twice_for_read(sim):
    for status in (500, 502, 503, 504, 408):
        sim.faults.add(Fault(path=r"/data/invoices", status=status, times=1))
    said = read(sim, "invoices")
    assert (said.code, said.errors) == (0, [])
    assert len(said.records("invoices")) == len(sim.world.records("invoices"))


@pytest.mark.usefixtures("naps")
def test_trouble_that_stays_fails_one_company_and_reads_the_others(sim):
    broken = sim.world.companies[0]["id"]
    sim.faults.add(Fault(path=f"/companies/{broken}/data/invoices", status=503, times=None))
    said = read(sim, "invoices", "bills")
    assert said.code == 1
    assert said.statuses("invoices")[-1] == "INCOMPLETE"
    assert said.statuses("bills")[-1] == "COMPLETE"
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    assert broken in said.errors[0]["message"]
    assert {one["companyId"] for one in said.records("invoices")} == {
        one["id"] for one in sim.world.companies
    } - {broken}
    assert len(sim.requests_for(f"/companies/{broken}/data/invoices")) == 7


@pytest.mark.usefixtures("naps")
def test_a_redirect_is_not_followed_so_the_key_stays_with_codat(sim):
    sim.faults.add(Fault(path=r"/data/invoices", action="redirect", times=None))
    said = read(sim, "invoices")
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")


def test_a_company_that_dataStatus_does_not_know_is_gone_and_fails_nothing(sim):  # noqa: N802 - Codat's name
    first = read(sim, "invoices")
    gone = sim.world.companies[0]["id"]
    sim.faults.add(Fault(path=f"/companies/{gone}/dataStatus", status=404, times=None))
    said = read(sim, "invoices", state=first.state)
    assert said.code == 0
    kept = {one["partition"]["company_id"] for one in said.stream_state("invoices")["states"]}
    assert gone not in kept
    assert len(kept) == 2


def test_silence_is_broken_by_a_state_while_codat_keeps_everybody_waiting(sim, mocker):
    mocker.patch("source_codat.writer.SILENCE_SECONDS", 0.1)
    mocker.patch("source_codat.writer.TICK_SECONDS", 0.05)
    mocker.patch("source_codat.sync.TICK_SECONDS", 0.05)
    sim.faults.add(Fault(path=r"/data/invoices", action="stall", seconds=1.0, times=1))
    said = read(
        sim, "invoices", companies={"selection": "ids", "company_ids": [sim.world.companies[0]["id"]]}
    )
    assert said.code == 0
    assert len(said.of("STATE")) >= 3


def test_never_more_than_ten_requests_are_in_flight_for_one_company(sim):
    sim.latency = 0.03
    streams = (
        "invoices bills customers suppliers items accounts payments journals transfers credit_notes "
        "bill_payments bill_credit_notes payment_methods purchase_orders tax_rates"
    )
    said = read(sim, *streams.split(), num_workers=50, page_size=5)
    assert said.code == 0
    assert max(one.in_flight_company for one in sim.requests) <= 10
    assert max(one.in_flight for one in sim.requests) > 10
