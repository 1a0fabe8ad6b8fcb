"""What an answer may take of time and memory, whatever a server sends and wherever it sends it."""

import gzip
import json
import zlib
from itertools import count, repeat
from types import SimpleNamespace

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import catalog, config, parse, read
from integration_tests.support.forward_proxy import ForwardProxy
from integration_tests.support.relay import self_signed
from integration_tests.support.trickle import PLACES, Trickle
from source_codat.http.bounds import AnswerTooLarge, Bounds, _BoundedConnection
from source_codat.http.problem import Problem
from source_codat.http.transport import Transport
from unit_tests.support.source import source

MEGABYTE = 1 << 20
SECONDS = 300.0  # of a clock that goes twenty seconds further whenever somebody looks at it


@pytest.fixture
def clock(mocker):
    ticks = count()
    fake = SimpleNamespace(monotonic=lambda: 20.0 * next(ticks))
    mocker.patch("source_codat.http.bounds.time", fake)


def transport(url):
    _, streams = source()._prepare({"api_key": "key-0123456789abcdef", "base_url": url})
    return Transport(streams["companies"].retriever.requester, 2, (30.0, 30.0), SECONDS)


def problem_of(url):
    with pytest.raises(Exception) as raised:  # noqa: PT011 - what is told of it is looked at
        transport(url).send("GET", "/companies", None)
    return Problem.in_connection(raised.value)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", ["http", "https", "proxy", "tunnel"])
def test_an_answer_that_trickles_ends_in_the_time_that_it_may_take_wherever_it_does(
    place, way, tmp_path, monkeypatch
):
    certificate = self_signed(tmp_path / "server.pem") if way in ("https", "tunnel") else None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate or ""))
    with ForwardProxy() as proxy, Trickle(place, certificate) as slow:
        if way in ("proxy", "tunnel"):
            monkeypatch.setenv("ALL_PROXY", proxy.url())
        problem = problem_of(slow.url)
        assert len(proxy.heads) == (way in ("proxy", "tunnel"))
    assert (problem.text, problem.timed_out) == ("the answer didn't come to its end in time", True)


@pytest.mark.usefixtures("clock")
def test_a_proxy_that_trickles_before_it_lets_a_connection_through_is_given_up(monkeypatch):
    with Trickle("a header") as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        problem = problem_of("https://localhost:1")
    assert problem.timed_out


def test_a_flood_of_interim_answers_has_a_bound():
    bounds = Bounds(SECONDS, 1000)
    bounds.received(1000)
    with pytest.raises(AnswerTooLarge):
        bounds.received(1)


def test_what_was_left_of_the_last_answers_time_is_no_bound_on_the_next_request(sim):
    kept = _BoundedConnection("127.0.0.1", int(sim.url.rpartition(":")[2]), timeout=30.0)
    kept.connect()
    kept.sock.settimeout(0.001)
    kept.request("GET", "/companies")
    assert kept.sock.gettimeout() == 30.0
    kept.close()


@pytest.fixture
def small_bounds(mocker):
    mocker.patch("source_codat.http.transport.LARGEST_ANSWER", 100_000)


@pytest.mark.usefixtures("small_bounds", "naps")
@pytest.mark.parametrize("packed", [False, True])
def test_a_page_that_is_too_large_is_asked_for_in_smaller_pages(packed):
    with Simulator(companies=2, seed=7, records=150) as sim:
        if packed:
            bomb = gzip.compress(b" " * 10 * MEGABYTE)
            sim.faults.add(
                Fault(
                    path=r"/data/invoices",
                    query="pageSize=1000",
                    times=None,
                    status=200,
                    body=bomb,
                    headers={"Content-Encoding": "gzip"},
                )
            )
        said = read(sim, "invoices")
        asked = [one.raw_query for one in sim.requests_for("/data/invoices")]
        there = sum(sim.world.size_of("invoices", one["id"]) for one in sim.world.companies)
    assert (said.code, said.errors) == (0, [])
    assert len({(one["companyId"], one["id"]) for one in said.records("invoices")}) == there
    assert sum("pageSize=1000" in one for one in asked) == 2  # once each: asked again, it is as large
    assert any("is too large; asking for pages of 250" in line for line in said.logs)


@pytest.mark.usefixtures("naps")
@pytest.mark.parametrize("place", ["/data/invoices", "/dataStatus"])
def test_an_answer_that_is_too_large_fails_its_company_and_no_other(mocker, place):
    mocker.patch("source_codat.http.transport.LARGEST_ANSWER", 2 * MEGABYTE)
    with Simulator(companies=3, seed=7, records=20) as sim:
        large, *others = [one["id"] for one in sim.world.companies]
        huge = b'{"results": [' + b" " * 3 * MEGABYTE + b"]}"
        sim.faults.add(Fault(path=large + place, times=None, status=200, body=huge))
        said = read(sim, "invoices")
    assert said.code == 1
    assert "larger than" in said.errors[0]["message"]
    assert {one["failure_type"] for one in said.errors} == {"system_error"}
    assert {one["companyId"] for one in said.records("invoices")} == set(others)


@pytest.mark.usefixtures("naps")
def test_the_body_of_an_error_is_read_no_further_than_a_megabyte(sim, company):
    words = b'{"error":"' + b"a" * 64 * MEGABYTE + b'"}'
    bomb = Fault(path=f"{company}/data/invoices", times=None, status=405, body=gzip.compress(words))
    bomb.headers = {"Content-Encoding": "gzip"}
    sim.faults.add(bomb)
    said = read(sim, "invoices")
    assert said.code == 1
    assert len(said.errors[0]["message"]) < 2000
    assert len({one["companyId"] for one in said.records("invoices")}) == 2


def row(number, size):
    return {"id": str(number), "modifiedDate": "2024-03-01T00:00:00Z", "note": "a" * size}


def page(*rows):
    body = {"results": rows, "pageNumber": 1, "pageSize": 1000, "totalResults": len(rows)}
    return json.dumps(body).encode()


def bomb(body):
    """A body packed, with 400 MB of the letter a in the place of its X."""
    before, after = body.split(b"X")
    packer = zlib.compressobj(1, wbits=31)
    letters = b"a" * MEGABYTE
    pieces = (before, *repeat(letters, 400), after)
    return b"".join(map(packer.compress, pieces)) + packer.flush()


PACKED = {"Content-Encoding": "gzip"}
ANSWERS = {
    "a bomb": lambda: (200, bomb(page({**row(1, 0), "note": "X"})), PACKED),
    "a bomb in an error": lambda: (405, bomb(b'{"error":"X"}'), PACKED),
    "a huge page": lambda: (200, page(*(row(number, 100_000) for number in range(1250))), {}),
    "a page of more than is allowed": lambda: (200, page(*(row(n, 100_000) for n in range(2000))), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ANSWERS)
def test_no_answer_takes_more_memory_than_350_megabytes(sim, script, tmp_path, company, kind):
    status, body, headers = ANSWERS[kind]()
    fault = Fault(path=f"{company}/data/invoices", times=None, status=status, body=body)
    fault.headers = headers
    sim.faults.add(fault)
    process = script.start("read", tmp_path, config=config(sim), catalog=catalog("invoices"))
    out, err = process.communicate()
    told = parse(out, err, process.returncode)
    assert len({one["companyId"] for one in told.records("invoices")}) == 2 + (kind == "a huge page")
    assert told.code == int(kind != "a huge page")
    assert 0 < process.most_memory < 350 * MEGABYTE
