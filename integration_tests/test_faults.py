"""Every fault on the way: tried again with back-off, bounded, told by its kind, and never taken as read."""

import gzip
import json
import logging
import re
import socket
import time

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import config, read, touch
from integration_tests.support.relay import Relay, self_signed
from integration_tests.support.sentences import assert_sentence
from source_codat import SourceCodat
from source_codat.http.client import CodatClient
from source_codat.http.problem import Problem
from source_codat.http.retry_policy import CHECK_POLICY, READ_POLICY

PAGE = 20  # so small that it isn't asked for in smaller ones
NOT_JSON = "wasn't the JSON that was expected"
FAULTS = {
    "reset": (Fault(action="reset"), "the connection was reset"),
    "cut": (Fault(action="cut"), "the answer broke off"),
    "malformed": (Fault(action="malformed"), NOT_JSON),
    # What is left of it meets the next request where that takes the same connection.
    "wrong length": (Fault(action="wrong_length"), f"{NOT_JSON}|the connection was reset"),
    "html": (Fault(action="html"), NOT_JSON),
    "html with a status": (Fault(action="html", status=502), "Bad Gateway"),
    "nothing": (Fault(status=200, body=b""), "the answer was empty"),
    "JSON of another kind": (Fault(status=200, body=b'{"hello": [1]}'), NOT_JSON),
    "stall": (Fault(action="stall", seconds=3), "no answer in time"),
    "trickle": (Fault(action="trickle", seconds=0.05), "the answer didn't come to its end in time"),
}
SLOW = {"stall": 4, "trickle": 4}  # tries; a quick failure has seven
pytestmark = [pytest.mark.usefixtures("naps"), pytest.mark.waits]
PLACES = {
    "a page": ("/companies/{company}/data/invoices$", "page=2"),
    "dataStatus": ("/companies/{company}/dataStatus$", None),
    "the company list": ("/companies$", None),
}


@pytest.fixture
def sim():
    with Simulator(companies=2, seed=7, records=30) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def hurry(mocker):
    """Nobody waits long for an answer."""
    mocker.patch("source_codat.http.client.time_outs", return_value=(5.0, 0.4))
    for policy in (READ_POLICY, CHECK_POLICY):
        mocker.patch.dict(policy.__dict__, answer_timeout=0.8)


def struck(sim, name, place, times):
    """The fault, in force at a place."""
    known, words = FAULTS[name]
    company = sim.world.companies[0]["id"]
    path, query = PLACES[place]
    fault = Fault(path=path.format(company=company), query=query, times=times, status=known.status)
    fault.action, fault.seconds, fault.body = known.action, known.seconds, known.body
    return sim.faults.add(fault), words


def key(one):
    return one["companyId"], one["id"]


def truth(sim):
    return sorted(
        (one["id"], row["id"])
        for one in sim.world.companies
        for row in sim.world.records("invoices", one["id"])
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_heals_loses_nothing_and_doubles_nothing(sim, name, place):
    fault, words = struck(sim, name, place, times=1)
    said = read(sim, "invoices", page_size=PAGE)
    assert (said.code, said.errors, fault.hits) == (0, [], 1)
    assert sorted(key(one) for one in said.records("invoices")) == truth(sim)
    assert any(re.search(words, line) and "trying again in" in line for line in said.logs)


@pytest.mark.parametrize("place", ["a page", "dataStatus"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays_fails_one_company_with_path_tries_and_kind(sim, name, place):
    first = read(sim, "invoices", page_size=PAGE)
    broken, other = (one["id"] for one in sim.world.companies)
    for company in (broken, other):
        there = [one["id"] for one in sim.world.records("invoices", company)]
        touch(sim, company, *there, note="second")
    fault, words = struck(sim, name, place, times=None)
    said = read(sim, "invoices", state=first.state, page_size=PAGE)
    tries = SLOW.get(name, 7)
    assert fault.hits == tries
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    message = said.errors[0]["message"]
    path = PLACES[place][0].format(company=broken).rstrip("$")
    for part in (f"for {path} in {tries} tries", words, broken):
        assert re.search(part, message)
    assert message.endswith(". What was read before is kept, and the next read tries again.")
    assert other not in message
    whole = {pair for pair in truth(sim) if pair[0] == other}
    assert whole <= {key(one) for one in said.records("invoices") if one.get("note") == "second"}
    assert entry(said, broken) == entry(first, broken)
    assert entry(said, other) != entry(first, other)
    sim.faults.clear()
    again = read(sim, "invoices", state=said.state, page_size=PAGE)
    assert {key(one) for one in again.records("invoices")} >= set(truth(sim)) - whole


def entry(said, company):
    states = said.stream_state("invoices")["states"]
    return [one["cursor"] for one in states if one["partition"]["company_id"] == company]


@pytest.mark.parametrize("name", FAULTS)
def test_a_company_list_that_cannot_be_had_stops_the_read_before_anything_is_missed(sim, name):
    first = read(sim, "invoices")
    struck(sim, name, "the company list", times=None)
    said = read(sim, "invoices", "bills", state=first.state, page_size=PAGE)
    assert said.code == 1
    assert {said.statuses(stream)[-1] for stream in ("invoices", "bills")} == {"INCOMPLETE"}
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    for words in ("/companies", f"in {SLOW.get(name, 7)} tries", FAULTS[name][1]):
        assert re.search(words, said.errors[0]["message"])
    assert said.stream_state("invoices") == first.stream_state("invoices")


@pytest.mark.parametrize("status", [408, 504])
def test_a_page_that_takes_codat_too_long_is_asked_for_in_smaller_pages(sim, status):
    fault = sim.faults.add(Fault(path=r"/data/invoices", query="pageSize=1000", times=None, status=status))
    said = read(sim, "invoices")
    assert (said.code, said.errors) == (0, [])
    assert {key(one) for one in said.records("invoices")} == set(truth(sim))
    assert fault.hits == 7 * len(sim.world.companies)


def test_smaller_pages_go_on_where_the_larger_ones_ended():
    with Simulator(companies=1, seed=7, records=230) as sim:
        stall = Fault(path=r"/data/invoices", query="page=2&pageSize=100", action="stall", times=None)
        stall.seconds = 3
        sim.faults.add(stall)
        said = read(sim, "invoices", page_size=100)
        assert (said.code, stall.hits) == (0, SLOW["stall"])
        assert sorted(key(one) for one in said.records("invoices")) == truth(sim)
        asked = [one.raw_query for one in sim.requests_for("/data/invoices")]
    sizes = [re.findall(r"\bpage=(\d+)&pageSize=(\d+)", one)[0] for one in asked]
    assert sizes == [("1", "100"), *[("2", "100")] * 4, *((str(page), "25") for page in range(5, 11))]


def chunked(*chunks):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


def zipped(body):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


LIST = json.dumps({"results": [], "pageNumber": 1, "pageSize": 1000, "totalResults": 0}).encode()
BROKEN_BYTES = {
    "no answer": (b"", "the connection was"),
    "half a header": (b"HTTP/1.1 200 OK\r\nContent-Ty", "the answer was empty"),
    "another protocol": (b"\x00\x01nonsense\r\n\r\n", "the answer broke off"),
    "chunks without an end": (chunked(LIST), "the answer broke off"),
    "half a chunk": (chunked(LIST)[:-20], "the answer broke off"),
    "half a gzip": (zipped(gzip.compress(LIST)[:40]), "the answer couldn't be unpacked"),
    "no gzip": (zipped(b"\x1f\x8b" + b"x" * 30), "the answer couldn't be unpacked"),
    "a length that isn't reached": (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + LIST, "broke off"),
}


@pytest.mark.parametrize("kind", BROKEN_BYTES)
def test_an_answer_that_isnt_whole_is_none(sim, kind):
    answer, words = BROKEN_BYTES[kind]
    with Relay(sim, [answer, answer]) as relay:
        said = read({**config(sim), "base_url": relay.url}, "invoices")
    assert (said.code, said.errors) == (0, [])
    assert {key(one) for one in said.records("invoices")} == set(truth(sim))
    assert sum(words in line and "trying again" in line for line in said.logs) == 2


def no_host(mocker, times):
    """Names aren't resolved so many times."""
    resolve, left = socket.getaddrinfo, [times]

    def lookup(*args, **options):
        if left[0] > 0:
            left[0] -= 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(*args, **options)

    mocker.patch("socket.getaddrinfo", lookup)


def test_a_name_that_is_resolved_in_the_end_loses_nothing(sim, mocker):
    no_host(mocker, 3)
    said = read(sim, "invoices")
    assert (said.code, said.errors) == (0, [])
    assert {key(one) for one in said.records("invoices")} == set(truth(sim))
    assert any("couldn't be resolved (DNS)" in line for line in said.logs)


@pytest.fixture
def unreachable(sim, mocker, tmp_path):
    """By kind of trouble, an address that can't be used and the words for it."""

    def make(kind):
        if kind == "dns":
            no_host(mocker, 1000)
            return sim.url, "the host's name couldn't be resolved (DNS)"
        if kind == "refused":
            with socket.create_server(("127.0.0.1", 0)) as gone:
                port = gone.getsockname()[1]
            return f"http://localhost:{port}", "the connection was refused"
        if kind == "plain http":
            return sim.url.replace("http://", "https://"), "the encrypted connection (TLS) failed"
        relay = Relay(sim, certificate=self_signed(tmp_path / "server.pem"))
        relays.append(relay.__enter__())
        return relay.url, "the server's certificate isn't trusted (self"

    relays: list[Relay] = []
    yield make
    for relay in relays:
        relay.__exit__()


@pytest.mark.parametrize("kind", ["dns", "refused", "plain http", "certificate"])
def test_a_server_that_cannot_be_reached_ends_the_read_as_transient_with_its_kind(sim, unreachable, kind):
    url, words = unreachable(kind)
    said = read({**config(sim), "base_url": url}, "invoices")
    assert (said.code, said.statuses("invoices")[-1]) == (1, "INCOMPLETE")
    assert {one["failure_type"] for one in said.errors} == {"transient_error"}
    for word in ("/companies in 7 tries", words):
        assert word in said.errors[0]["message"]
    assert_sentence(said.errors[0]["message"])
    assert sim.api_key not in said.text


def test_a_network_that_is_gone_ends_the_read_instead_of_failing_company_after_company(mocker):
    with Simulator(companies=12, seed=7, records=5) as sim:
        holding = [one["id"] for one in sim.world.companies if sim.world.size_of("invoices", one["id"])]
        gone: list[Fault] = []

        def cut(request):
            if not gone and request.path.endswith(f"{holding[4]}/data/invoices"):
                gone.append(sim.faults.add(Fault(action="reset", times=None)))
                no_host(mocker, 1000)

        unregister = sim.on_request(cut)
        first = read(sim, "invoices", num_workers=2)
        unregister()
        mocker.stopall()
        sim.faults.clear()
        second = read(sim, "invoices", state=first.state)
        told = [one["message"] for one in first.errors]
        assert (first.code, first.statuses("invoices")[-1], second.code) == (1, "INCOMPLETE", 0)
        assert [one["failure_type"] for one in first.errors] == ["transient_error"]
        assert told[0].startswith("Codat can't be reached any more")
        assert "(DNS)" in told[0]
        assert "in 7 tries" in told[0]
        assert_sentence(told[0])
        # Two workers and seven tries, perhaps of two companies each: all others are spared.
        assert sum("trying again" in line for line in first.logs) <= 2 * 2 * 6
        brought = {key(one) for said in (first, second) for one in said.records("invoices")}
        assert brought == set(truth(sim))
        assert first.records("invoices")


def test_one_request_without_a_connection_fails_alone_while_others_get_through(mocker):
    with Simulator(companies=12, seed=7, records=5, latency=0.05) as sim:
        alone = sim.world.companies[0]["id"]
        send = CodatClient._send

        def sent(self, method, path, params):  # sockets can't be made to fail for one path only
            if not path.endswith(f"{alone}/data/invoices"):
                return send(self, method, path, params)
            got_through, end = len(sim.requests), time.monotonic() + 60
            while len(sim.requests) == got_through and time.monotonic() < end:
                time.sleep(0.005)
            return Problem("no way", unreachable=True)

        mocker.patch.object(CodatClient, "_send", sent)
        said = read(sim, "invoices", num_workers=2)
        there = {one for one in truth(sim) if one[0] != alone}
    assert (said.code, len(said.errors)) == (1, 2)
    assert "1 company couldn't be read" in said.errors[0]["message"]
    assert {key(one) for one in said.records("invoices")} == there


@pytest.mark.parametrize("kind", ["dns", "refused", "plain http", "certificate"])
def test_check_tells_what_it_cannot_reach_before_anybody_loses_patience(sim, unreachable, naps, kind):
    url, words = unreachable(kind)
    status = SourceCodat().check(logging.getLogger("airbyte"), {**config(sim), "base_url": url})
    assert status.status.name == "FAILED"
    assert words in status.message
    assert "in 3 tries" in status.message
    assert_sentence(status.message)
    assert sum(naps) < 5


def test_a_certificate_that_is_not_trusted_comes_with_what_to_do_and_works_once_it_is(
    sim, unreachable, tmp_path, monkeypatch, mocker
):
    url, _ = unreachable("certificate")
    settings = {**config(sim), "base_url": url}
    source, log = SourceCodat(), logging.getLogger("airbyte")
    assert "REQUESTS_CA_BUNDLE" in source.check(log, settings).message
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "server.pem"))
    mocker.stopall()  # no hurry any more: what is to work gets the time that a user's check has
    assert source.check(log, settings).status.name == "SUCCEEDED"


@pytest.mark.parametrize(
    ("fault", "words", "requests"),
    [
        (Fault(status=503), "in 3 tries", 3),
        (Fault(action="stall", seconds=3), "no answer in time", 1),
        (Fault(action="trickle", seconds=0.05), "end in time", 1),
        (Fault(status=429, headers={"Retry-After": "16"}), "try again later", 1),
        (Fault(status=429, headers={"Retry-After": "9"}), "try again later", 3),
    ],
    ids=["outage", "stall", "trickle", "long limit", "short limits"],
)
def test_check_is_over_within_half_a_minute_whatever_codat_does(sim, naps, fault, words, requests):
    fault.path, fault.times = "/companies$", None
    sim.faults.add(fault)
    status = SourceCodat().check(logging.getLogger("airbyte"), config(sim))
    assert status.status.name == "FAILED"
    assert words in status.message
    assert_sentence(status.message)
    assert len(sim.requests) == requests
    asleep = sum(naps) / (2 if fault.status == 429 else 1)  # without a clock such a wait counts twice
    assert asleep + (max(CHECK_POLICY.read_timeout or 0, 30) if fault.action else 0) <= 30


def test_with_two_workers_and_one_silent_company_the_others_are_read_meanwhile():
    streams = ("invoices", "bills", "customers")
    with Simulator(companies=5, seed=7, records=5) as sim:
        silent = next(one["id"] for one in sim.world.companies if sim.world.size_of("invoices", one["id"]))
        stall = Fault(path=f"{silent}/data/", action="stall", seconds=3, times=None)
        sim.faults.add(stall)
        said = read(sim, *streams, num_workers=2, page_size=PAGE)
        of_silent = [one for one in sim.requests if f"{silent}/data/" in one.path]
        of_others = [one for one in sim.requests if "/data/" in one.path and silent not in one.path]
        there = {pair for pair in truth(sim) if pair[0] != silent}
    assert (said.code, stall.hits) == (1, SLOW["stall"] * len(streams))
    assert {key(one) for one in said.records("invoices")} == there
    assert len(of_others) >= 2 * len(streams)
    assert max(one.at for one in of_others) < max(one.at for one in of_silent)
