import base64
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
import requests

from codat_simulator import Simulator


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer x",
        "Basic wrong",
        "{key}",
        "Basic {key}",
        "Basic {with_colon}",
        "basic {encoded}",
    ],
)
def test_only_the_bare_key_in_base64_is_let_in(sim, header):
    forms = {
        "key": sim.api_key,
        "encoded": base64.b64encode(sim.api_key.encode()).decode(),
        "with_colon": base64.b64encode(f"{sim.api_key}:".encode()).decode(),
    }
    headers = {} if header is None else {"Authorization": header.format(**forms)}
    answer = requests.get(sim.url + "/companies", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["statusCode"]) == (401, 401)
    headers = {"Authorization": "Basic " + forms["encoded"]}
    assert requests.get(sim.url + "/companies", headers=headers, timeout=5).status_code == 200


def test_a_revoked_key_is_refused_until_it_is_restored(sim, codat):
    sim.revoke_key()
    assert codat.get("/companies").status_code == 401
    sim.restore_key()
    assert codat.get("/companies").status_code == 200


def test_every_response_tells_of_the_quota(sim, codat):
    sim.quota.limit = sim.quota.remaining = 3
    seen = [codat.get(path).headers for path in ("/companies", "/nosuch")]
    assert [headers["X-Rate-Limit-Remaining"] for headers in seen] == ["2", "1"]
    assert {headers["X-Rate-Limit-Limit"] for headers in seen} == {"3"}
    tomorrow = (sim.world.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    assert {headers["X-Rate-Limit-Reset"] for headers in seen} == {tomorrow}


@pytest.mark.parametrize("form", ["seconds", "iso", "http", "epoch", "none"])
def test_a_spent_quota_answers_429_until_midnight_utc(sim, codat, form):
    sim.quota.remaining, sim.quota.retry_form = 0, form
    answer = codat.get("/companies")
    assert answer.status_code == answer.json()["statusCode"] == 429
    told = answer.headers.get("Retry-After")
    moment = sim.quota.resets_at
    if form == "seconds":
        assert abs(int(told) - (moment - sim.world.clock.now()).total_seconds()) < 5
    else:
        expected = {
            "iso": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "epoch": str(int(moment.timestamp())),
            "none": None,
        }
        assert parsedate_to_datetime(told) == moment if form == "http" else told == expected[form]
    sim.world.clock.advance(86_400)
    assert codat.get("/companies").status_code == 200
    assert sim.quota.remaining == sim.quota.limit - 1


def test_the_quota_can_be_codats_own(sim):
    sim.quota.as_codat(active_companies=2)
    assert sim.quota.limit == sim.quota.remaining == 3000


@pytest.mark.parametrize("path", ["/nosuch", "/companies/x/nosuch", "/", "/companies//data/invoices"])
def test_unknown_paths_answer_404(codat, path):
    assert codat.get(path).status_code == 404


def test_another_method_answers_405(codat):
    answer = codat.post("/companies")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_ids_are_read_from_escaped_segments(sim, codat):
    company = sim.world.add_company(connections=({"source_type": "Accounting", "platform": "qhyg"},))
    link = sim.world.company(company).connections[0].id
    base = f"/companies/{company}/connections/{link}/data/bankAccounts/"
    for name in ("CREDITCARD:1", "__DEPARTMENTS/2", "api vendor 3", "YmFuaw==", "a+b&c 8%20?#", "ü"):
        sim.world.put(company, "bankAccounts", {"id": name})
        sim.world.put(company, "bankTransactions", {"id": f"of {name}"}, account_id=name)
        escaped = quote(name, safe="")
        assert codat.ids(base + escaped + "/bankTransactions")[-1] == f"of {name}"
    assert codat.get(base + "nosuch/bankTransactions").status_code == 404
    assert codat.get(base + "__DEPARTMENTS/2/bankTransactions").status_code == 404


def test_the_log_tells_what_was_asked_and_answered(sim, codat, link):
    path = link("Accounting") + "/data/directCosts"
    codat.get(path, query="totalAmount>1&&note~a b", pageSize=5)
    one = sim.requests[-1]
    _, _, company, _, connection, *_ = path.split("/")
    assert (one.method, one.path, one.status) == ("GET", path, 200)
    assert one.query == {"query": "totalAmount>1&&note~a b", "pageSize": "5"}
    assert (one.company_id, one.connection_id) == (company, connection)
    assert one.pattern == "/companies/{companyId}/connections/{connectionId}/data/directCosts"
    assert one.headers["Authorization"] == sim.authorization
    assert one.at <= one.finished_at <= time.monotonic()
    sim.clear_log()
    assert sim.requests == []


def test_the_log_is_searched_by_template_or_expression(sim, codat, first, link):
    for path in (first + "/data/invoices", first + "/data/bills", link("Banking") + "/data/banking-accounts"):
        codat.get(path)
    assert len(sim.requests_for("/companies/{id}/data/invoices")) == 1
    assert len(sim.requests_for("/companies/{id}/data/{what}")) == 2
    assert len(sim.requests_for(r"/data/(invoices|bills)$")) == 2
    assert len(sim.requests_for("/companies")) == 3


def test_a_logged_request_does_not_print_the_key(sim, codat):
    codat.get("/companies")
    assert sim.api_key not in repr(sim.requests)
    assert sim.authorization not in repr(sim.requests)


def test_requests_in_flight_are_counted_and_can_be_limited(sim, codat, first):
    sim.latency = 0.4  # all of them have come before the first is answered
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(codat.get, [first + "/data/bills"] * 3 + ["/companies"]))
    assert max(one.in_flight for one in sim.requests) == 4
    assert max(one.in_flight_company for one in sim.requests) == 3
    sim.clear_log()
    sim.max_in_flight_company = 2
    with ThreadPoolExecutor(3) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(codat.get, [first + "/data/bills"] * 3))
    assert statuses == [200, 200, 429]


def test_answers_take_as_long_as_the_latency_set():
    with Simulator(companies=0, latency=0.2) as sim:
        began = time.monotonic()
        requests.get(sim.url + "/companies", headers={"Authorization": sim.authorization}, timeout=5)
        assert time.monotonic() - began >= 0.2


def test_bodies_are_compressed_where_asked_and_accepted(sim, codat, first):
    plain = codat.get(first + "/data/invoices")
    sim.compress = True
    packed = codat.get(first + "/data/invoices")
    assert packed.headers["Content-Encoding"] in ("gzip", "deflate")
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
