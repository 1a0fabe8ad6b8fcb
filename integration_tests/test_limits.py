"""Codat's limits: kept without being told, waited for when told, and past what is bearable the read stops."""

import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import pairwise
from types import SimpleNamespace

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import read, selected
from integration_tests.support.signs_of_life import after_states
from source_codat.http.limits import Limits

MANY = ("invoices", "bills", "customers", "suppliers", "items", "accounts", "payments", "journals")


class FakeTime:
    """A clock that sleeping moves on; `slept` holds each sleep, in order.

    Threads that sleep at the same time wake as they would: their sleeps don't add up.
    """

    def __init__(self):
        self.ahead = 0.0
        self.slept = []
        self._lock = threading.Lock()

    def sleep(self, seconds):
        if seconds > 0:
            wakes_at = time.monotonic() + self.ahead + seconds
            with self._lock:
                self.slept.append(seconds)
                self.ahead = max(self.ahead, wakes_at - time.monotonic())

    @property
    def module(self):
        """What stands in for the module `time`."""
        return SimpleNamespace(
            monotonic=lambda: time.monotonic() + self.ahead, time=lambda: time.time() + self.ahead
        )


@pytest.fixture
def clock(mocker):
    fake = FakeTime()
    mocker.patch("source_codat.http.client.CodatClient._sleep", lambda _, seconds: fake.sleep(seconds))
    for module in ("client", "limits", "problem", "rate_limit"):
        mocker.patch(f"source_codat.http.{module}.time", fake.module)
    return fake


@pytest.fixture
def sim():
    with Simulator(companies=3, seed=7, records=5) as simulator:
        yield simulator


def whole(sim, said, stream="invoices"):
    return len(said.records(stream)) == len(sim.world.records(stream))


def too_many(sim, *waits, path="/data/invoices", companies=(0,)):
    """Codat says 429 so many times in a row to each of these companies, with these waits."""
    for number in companies:
        company = sim.world.companies[number]["id"]
        for after, wait in enumerate(waits):
            sim.faults.add(
                Fault(path=company + path, after=after, status=429, headers={"Retry-After": str(wait)})
            )


def in_forms(moment):
    return {
        "HTTP date": format_datetime(moment, usegmt=True),
        "ISO date": moment.isoformat(),
        "ISO date without a zone": moment.strftime("%Y-%m-%dT%H:%M:%S"),
        "epoch": str(int(moment.timestamp())),
        "epoch in milliseconds": str(int(moment.timestamp() * 1000)),
    }


FORMS = [("Retry-After", form) for form in ("seconds", *in_forms(datetime.now(timezone.utc)))]
FORMS += [("X-Rate-Limit-Reset", form) for form in in_forms(datetime.now(timezone.utc))]


@pytest.mark.parametrize(("header", "form"), FORMS)
def test_a_429_waits_as_long_as_codat_asks_in_whatever_form(sim, clock, header, form):
    moment = datetime.now(timezone.utc) + timedelta(seconds=90)
    value = "90" if form == "seconds" else in_forms(moment)[form]
    # The quota's reset stands beside a Retry-After, and isn't what counts then.
    headers = {
        "Retry-After": "",
        "X-Rate-Limit-Reset": (moment + timedelta(hours=3)).isoformat(),
        header: value,
    }
    sim.faults.add(Fault(path=r"/data/invoices", status=429, headers=headers))
    said = read(sim, "invoices")
    assert (said.code, said.errors) == (0, [])
    assert whole(sim, said)
    assert 80 < max(clock.slept) <= 90


@pytest.mark.parametrize("value", ["", "soon"])
def test_a_429_that_does_not_say_when_is_tried_again_with_back_off(sim, clock, value):
    headers = {"Retry-After": value, "X-Rate-Limit-Reset": value}
    sim.faults.add(Fault(path=r"/data/invoices", times=4, status=429, headers=headers))
    said = read(sim, "invoices")
    assert (said.code, said.errors) == (0, [])
    assert whole(sim, said)
    assert 0.5 <= max(clock.slept) <= 8


@pytest.mark.parametrize("header", ["Retry-After", "X-Rate-Limit-Reset"])
def test_a_429_that_names_a_moment_gone_by_is_not_asked_again_without_a_pause(sim, clock, header):
    gone = datetime.now(timezone.utc) - timedelta(hours=1)
    headers = {"Retry-After": "", header: format_datetime(gone, usegmt=True)}
    fault = sim.faults.add(Fault(path=r"/data/invoices", times=500, status=429, headers=headers))
    said = read(sim, "invoices")
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    assert fault.hits < 100
    assert clock.ahead > 600


NONE_LEFT = {"X-Rate-Limit-Remaining": "0"}


def test_nobody_asks_before_the_time_that_the_quota_is_there_again(sim, mocker):
    told: list[float] = []

    class Noting(Limits):
        def hold_back(self, company_id, seconds):
            super().hold_back(company_id, seconds)
            told.append(time.monotonic())

    # In the place of the class, so that no thread that an earlier read has left behind is listened to.
    mocker.patch("source_codat.http.client.Limits", Noting)
    sim.latency = 0.1  # several rounds are still to be asked when the answer comes
    headers = {"Retry-After": "1", **NONE_LEFT}
    fault = sim.faults.add(Fault(path=r"/data/bills", status=429, headers=headers))
    said = read(sim, *MANY, num_workers=8)
    assert (said.code, fault.hits) == (0, 1)
    later = [one.at - told[0] for one in sim.requests if one.at > told[0]]
    on_their_way = [seconds for seconds in later if seconds < 0.9]
    assert len(on_their_way) < 8  # each of the other workers may have been about to ask
    assert len(later) > len(on_their_way)


def test_a_limit_of_one_company_holds_back_its_requests_and_no_others():
    with Simulator(companies=8, seed=7, records=5, latency=0.05) as sim:
        company = sim.world.companies[0]["id"]
        path = company + "/data/bills"
        fault = sim.faults.add(Fault(path=path, status=429, headers={"Retry-After": "2"}))
        said = read(sim, *MANY, num_workers=4)
        [told] = [one for one in sim.requests if one.status == 429]
        later = [one for one in sim.requests if one.at > told.finished_at + 0.05]
        assert (said.code, fault.hits) == (0, 1)
        # Some were on their way already; the rest of the company's streams waits with the one refused.
        held_back = [one for one in later if company in one.path and one.at >= told.finished_at + 1.9]
        assert len(held_back) > 1
        others = [one for one in later if company not in one.path and one.at < told.finished_at + 1.9]
        assert len(others) > 1
        assert all(whole(sim, said, stream) for stream in ("invoices", "bills"))


@pytest.mark.parametrize("remaining", [None, "500", "many"])
def test_a_long_limit_of_one_endpoint_of_one_company_fails_that_and_nothing_else(sim, clock, remaining):
    company, *others = [one["id"] for one in sim.world.companies]
    headers = {"Retry-After": "3600"} | ({"X-Rate-Limit-Remaining": remaining} if remaining else {})
    fault = Fault(path=company + "/data/bills", times=None, status=429, headers=headers)
    sim.faults.add(fault)
    said = read(sim, "invoices", "bills")
    assert (said.code, fault.hits) == (1, 1)
    assert (said.statuses("invoices")[-1], said.statuses("bills")[-1]) == ("COMPLETE", "INCOMPLETE")
    assert whole(sim, said, "invoices")
    assert {one["companyId"] for one in said.records("bills")} == set(others)
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    reset = datetime.now(timezone.utc) + timedelta(seconds=clock.ahead + 3600)
    assert f"takes no requests for /companies/{company}/data/bills until" in said.errors[0]["message"]
    assert reset.strftime("%d %b %Y %H:") in said.errors[0]["message"]
    assert clock.ahead < 60


@pytest.mark.parametrize(
    ("headers", "companies", "stops"),
    [({}, 20, True), ({}, 2, False), (NONE_LEFT, 2, True)],
    ids=["several companies", "two companies", "quota headers"],
)
def test_a_long_limit_is_the_quota_when_its_headers_or_several_companies_say_so(
    clock, headers, companies, stops
):
    with Simulator(companies=companies, seed=7, records=5) as sim:
        headers = {"Retry-After": "3600", **headers}
        sim.faults.add(Fault(path="/companies/", times=None, status=429, headers=headers))
        said = read(sim, "invoices", num_workers=2)
        asked = len(sim.requests)
    assert said.code == 1
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    assert ("request quota is used up until" in said.errors[0]["message"]) is stops
    assert asked <= 8  # the company list, and what two workers ask until three were refused in turn
    assert clock.ahead < 60


def test_answers_in_between_show_that_a_limit_is_not_the_quota(clock):
    with Simulator(companies=12, seed=7, records=5) as sim:
        for one in sim.world.companies[::2]:
            fault = Fault(path=f"{one['id']}/data/", times=None, status=429, headers={"Retry-After": "3600"})
            sim.faults.add(fault)
        said = read(sim, "invoices", num_workers=10)
        there = {one["id"] for one in sim.world.companies[1::2] if sim.world.size_of("invoices", one["id"])}
    assert {one["companyId"] for one in said.records("invoices")} == there
    assert clock.ahead < 60


@pytest.mark.parametrize(
    ("waits", "stops"),
    [
        ([600], False),
        ([601], True),
        ([600, 300], False),
        ([600, 301], True),
        ([60] * 15, False),
        ([60] * 16, True),
    ],
    ids=str,
)
def test_ten_minutes_at_once_and_fifteen_in_all_are_waited_and_no_more(sim, clock, waits, stops):
    too_many(sim, *waits)
    company = sim.world.companies[0]["id"]  # alone: who asks for another one would wait as well
    said = read(sim, "invoices", **selected(company))
    assert said.code == int(stops)
    assert (len(said.records("invoices")) == sim.world.size_of("invoices", company)) is not stops
    assert sum(clock.slept) == pytest.approx(sum(waits[:-1] if stops else waits), abs=5)
    if stops:
        assert {one["failure_type"] for one in said.errors} == {"transient_error"}
        reset = datetime.now(timezone.utc) + timedelta(seconds=clock.ahead + waits[-1])
        assert reset.strftime("%d %b %Y %H:") in said.errors[0]["message"]


def test_the_fifteen_minutes_are_those_of_one_request(sim, clock):
    too_many(sim, 600, companies=(0, 1, 2))
    said = read(sim, "invoices", num_workers=2)
    assert (said.code, said.errors) == (0, [])
    assert clock.ahead >= 600


@pytest.mark.parametrize("failures", [6, 7])
def test_waiting_for_a_limit_uses_up_no_try_of_what_fails(sim, clock, failures):
    too_many(sim, *[1] * 8)
    company = sim.world.companies[0]["id"]
    sim.faults.add(Fault(path=f"{company}/data/invoices", after=8, times=failures, status=503))
    said = read(sim, "invoices")
    assert said.code == int(failures > 6)
    assert clock.ahead >= 8
    assert whole(sim, said) is (failures <= 6)


@pytest.fixture
def used_up():
    """A read of many streams and companies whose quota is used up in the middle, and the one after it."""
    with Simulator(companies=6, seed=3, records=4) as sim:
        sim.quota.limit, sim.quota.remaining = 1000, 24
        # A failure of another kind comes first, and doesn't stand in the way of a new attempt.
        company = sim.world.companies[0]["id"]
        sim.faults.add(Fault(path=f"/companies/{company}/data/invoices", times=None, status=405))
        first = read(sim, *MANY, num_workers=4)
        asked = sim.requests
        sim.faults.clear()
        sim.clear_log()
        sim.quota.remaining = 1000
        second = read(sim, *MANY, state=first.state, num_workers=4)
        yield SimpleNamespace(sim=sim, first=first, asked=asked, second=second)


def test_a_quota_used_up_in_the_middle_of_many_streams_and_companies_stops_them_all(used_up):
    first, sim = used_up.first, used_up.sim
    assert first.code == 1
    assert {one["failure_type"] for one in first.errors} == {"transient_error"}
    assert f"until {format_datetime(sim.quota.resets_at, usegmt=True)[:-6]}" in first.errors[0]["message"]
    assert {first.statuses(stream)[-1] for stream in MANY} == {"INCOMPLETE"}
    # What was on its way when the first answer came is all that follows it.
    assert len(used_up.asked) <= 24 + 4
    assert "0 of 1000 requests left today" in first.logs[-1]
    # Every partition that was finished is in the state, and isn't read again.
    done = {
        (stream, one["partition"]["company_id"])
        for stream in MANY
        for one in first.stream_state(stream)["states"]
    }
    assert len(done) > 8
    for stream in MANY:
        arrived = {one["companyId"] for one in used_up.second.records(stream)}
        assert not arrived & {company for name, company in done if name == stream}
        both = [*first.records(stream), *used_up.second.records(stream)]
        data_type = {"accounts": "chartOfAccounts"}.get(stream, stream)
        assert {(one["companyId"], one["id"]) for one in both} == {
            (one["id"], row["id"])
            for one in sim.world.companies
            for row in sim.world.records(data_type, one["id"])
        }
    assert used_up.second.code == 0


def test_the_closing_log_says_what_is_left_of_the_quota(sim):
    sim.quota.limit, sim.quota.remaining = 5000, 777
    said = read(sim, "invoices", num_workers=2)
    assert said.logs[-1].endswith(f"; {777 - len(sim.requests)} of 5000 requests left today.")


def test_a_key_revoked_in_the_middle_of_a_read_stops_it_as_a_configuration_error(sim):
    seen = []

    def revoke(request):
        if request.path.endswith("/data/invoices"):
            seen.append(request)
            if len(seen) == 2:
                sim.revoke_key()

    sim.on_request(revoke)
    said = read(sim, *MANY, page_size=2, num_workers=4)
    refused = [one for one in sim.requests if one.status == 401]
    assert said.code == 1
    assert {one["failure_type"] for one in said.errors} == {"config_error"}
    assert "API key" in said.errors[0]["message"]
    assert {said.statuses(stream)[-1] for stream in MANY} == {"INCOMPLETE"}
    assert 1 <= len(refused) <= 2 * 4  # those on their way, and whether the key is let in elsewhere
    assert sim.api_key not in said.text


def test_silence_is_broken_by_a_state_while_codat_keeps_everybody_waiting(sim, mocker):
    enough = threading.Event()
    after_states(mocker, 2, enough.set)
    sim.on_request(lambda request: request.path.endswith("/data/invoices") and enough.wait(60))
    said = read(sim, "invoices", **selected(sim.world.companies[0]["id"]))
    assert (said.code, enough.is_set()) == (0, True)
    assert len(said.of("STATE")) >= 3


def test_never_more_than_ten_requests_are_in_flight_for_one_company():
    streams = (*MANY, "transfers", "credit_notes", "bill_payments", "bill_credit_notes", "payment_methods")
    with Simulator(companies=3, seed=7, records=40, latency=0.03) as sim:
        said = read(sim, *streams, num_workers=50, page_size=5)
    assert said.code == 0
    assert max(one.in_flight_company for one in sim.requests) <= 10
    assert max(one.in_flight for one in sim.requests) > 10


@pytest.mark.parametrize("workers", [2, 50])
def test_no_minute_at_the_server_has_more_than_the_budget_whatever_num_workers_says(sim, clock, workers):
    sim.faults.add(Fault(path=r"/data/bills", times=2, status=503))  # retries count like others
    arrived = []
    lock = threading.Lock()

    def arrives(_):
        with lock:
            arrived.append(clock.module.monotonic())

    unregister = sim.on_request(arrives)
    said = read(sim, *MANY, num_workers=workers, requests_per_minute=10)
    unregister()
    assert (said.code, said.errors) == (0, [])
    assert len(arrived) > 25
    arrived.sort()
    assert all(later - first > 60 for first, later in zip(arrived, arrived[10:], strict=False))
    assert sum(later - first < 1 for first, later in pairwise(arrived)) > 15  # in bursts
