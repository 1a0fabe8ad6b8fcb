import json
import threading
import time
from itertools import combinations, permutations
from typing import get_args

import pytest
import requests

from codat_simulator import Action, Fault


@pytest.fixture
def path(first):
    return first + "/data/invoices"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 429, 451, 500, 503])
def test_a_status_comes_with_codats_body(codat, sim, path, status):
    sim.faults.add(Fault(path=path, status=status))
    answer = codat.get(path)
    assert answer.status_code == status
    assert {"error", "correlationId", "canBeRetried", "statusCode"} <= set(answer.json())
    assert codat.get(path).status_code == 200


def test_the_body_can_name_another_code_than_the_response(codat, sim, path):
    sim.faults.add(Fault(path=path, status=402))
    assert codat.get(path).json()["statusCode"] == 429


def test_a_fault_hits_only_what_it_names(codat, sim, path, first):
    fault = sim.faults.add(
        Fault(
            path="/companies/{id}/data/invoices", method="GET", query=r"page=2&", after=1, times=2, status=500
        )
    )
    seen = [codat.get(path, page=page, pageSize=5).status_code for page in (1, 2, 2, 1, 2, 2)]
    assert seen == [200, 200, 500, 200, 500, 200]
    assert codat.get(first + "/data/bills", page=2, pageSize=5).status_code == 200
    assert (fault.hits, fault.seen) == (2, 4)


def test_a_fault_can_last_until_it_is_cleared(codat, sim, path):
    sim.faults.add(Fault(path=path, times=None, status=403))
    assert [codat.get(path).status_code for _ in range(5)] == [403] * 5
    sim.faults.clear()
    assert codat.get(path).status_code == 200


def test_headers_and_body_can_be_scripted(codat, sim, path):
    sim.faults.add(Fault(path=path, status=429, headers={"Retry-After": "7"}, body={"error": "slow down"}))
    answer = codat.get(path)
    assert answer.headers["Retry-After"] == "7"
    assert answer.json() == {"error": "slow down"}


@pytest.mark.parametrize("action", ["reset", "cut"])
def test_a_broken_connection_is_an_error_to_the_client(codat, sim, path, action):
    fault = sim.faults.add(Fault(path=path, action=action))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        codat.get(path)
    assert fault.hits == 1
    assert codat.get(path).status_code == 200


@pytest.mark.parametrize("action", ["malformed", "wrong_length", "html"])
def test_a_spoilt_body_is_no_json(codat, sim, path, action):
    sim.faults.add(Fault(path=path, action=action))
    answer = codat.get(path)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)
    assert ("html" in answer.headers["Content-Type"]) is (action == "html")


@pytest.mark.parametrize("action", ["pretty", "bom"])
def test_other_spellings_mean_the_same(codat, sim, path, action):
    plain = codat.get(path).json()
    sim.faults.add(Fault(path=path, action=action))
    content = codat.get(path).content
    assert (b"\r\n  " in content) is (action == "pretty")
    assert content.startswith(b"\xef\xbb\xbf") is (action == "bom")
    assert json.loads(content.decode("utf-8-sig")) == plain


def test_a_stalled_answer_comes_late(codat, sim, path):
    sim.faults.add(Fault(path=path, action="stall", seconds=0.3))
    began = time.monotonic()
    assert codat.get(path).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_trickled_answer_comes_piece_by_piece(codat, sim, path):
    plain = codat.get(path).content
    sim.faults.add(Fault(path=path, action="trickle", seconds=0.003))
    began = time.monotonic()
    assert codat.get(path).content == plain
    assert time.monotonic() - began >= 0.3


def test_a_stall_does_not_keep_the_simulator_from_stopping(codat, sim, path):
    sim.faults.add(Fault(path=path, action="stall", seconds=3600))

    def ask():
        with pytest.raises(requests.RequestException):
            codat.get(path)

    thread = threading.Thread(target=ask)
    thread.start()
    while not sim.requests:
        time.sleep(0.01)
    sim.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_a_client_that_hangs_up_takes_its_request_with_it(codat, sim, path):
    sim.faults.add(Fault(path=path, action="stall", seconds=3600))
    with pytest.raises(requests.Timeout):
        codat.session.get(sim.url + path, timeout=0.1)
    began = time.monotonic()
    while not (sim.requests and sim.requests[0].finished_at) and time.monotonic() - began < 60:
        time.sleep(0.01)
    codat.get(path)
    assert [request.in_flight_company for request in sim.requests] == [1, 1]


def test_links_can_be_dropped_from_some_pages(codat, sim, path):
    sim.faults.add(Fault(path=path, action="drop_links", after=1))
    assert ["_links" in codat.get(path, page=page, pageSize=5).json() for page in (1, 2, 3)] == [
        True,
        False,
        True,
    ]


def test_a_page_can_be_repeated_for_ever(codat, sim, path):
    sim.faults.add(Fault(path=path, action="repeat_page", after=1, times=None))
    bodies = [codat.get(path, page=page, pageSize=10).json() for page in (1, 2, 3, 4, 50)]
    rows = [[row["id"] for row in body["results"]] for body in bodies]
    assert rows[0] != rows[1] == rows[2] == rows[3] == rows[4]
    assert all("next" in body["_links"] for body in bodies)


def test_ordering_by_id_can_be_refused_while_other_orders_work(codat, sim, path):
    sim.faults.add(Fault(path=path, action="refuse_order_by", times=None))
    wanted = ("id", "-id", "modifiedDate")
    assert [codat.get(path, orderBy=order).status_code for order in wanted] == [400, 400, 200]
    assert codat.get(path).status_code == 200


def test_ties_can_be_ordered_anew_by_each_request(codat, sim, path, first):
    company = first.rpartition("/")[2]
    sim.world.sync(company, "invoices", changes=lambda: sim.world.records("invoices", company))
    plain = {tuple(codat.ids(path, orderBy="modifiedDate")) for _ in range(4)}
    sim.faults.add(Fault(path=path, action="shuffle_ties", times=None))
    shuffled = {tuple(codat.ids(path, orderBy="modifiedDate")) for _ in range(4)}
    by_id = {tuple(codat.ids(path, orderBy="id")) for _ in range(4)}
    assert (len(plain), len(shuffled), len(by_id)) == (1, 4, 1)
    assert {frozenset(order) for order in shuffled | by_id} == {frozenset(order) for order in plain}


def test_a_redirect_points_to_another_host(codat, sim, path):
    sim.faults.add(Fault(path=path, action="redirect", times=None))
    answer = codat.session.get(sim.url + path + "?page=1", allow_redirects=False, timeout=5)
    assert answer.status_code == 302
    assert not answer.headers["Location"].startswith(sim.url)
    assert answer.headers["Location"].endswith(path + "?page=1")
    sim.faults.clear()
    sim.clear_log()
    assert requests.get(answer.headers["Location"], timeout=5).status_code == 401
    assert "Authorization" not in sim.requests[0].headers


def test_faults_add_up(codat, sim, path):
    sim.faults.add(Fault(path=path, action="bom"))
    sim.faults.add(Fault(path=path, action="drop_links"))
    answer = codat.get(path)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert b"_links" not in answer.content


@pytest.mark.parametrize("names", permutations(("pretty", "bom", "malformed")))
def test_spoilt_bodies_are_the_same_in_whichever_order_the_faults_were_added(codat, sim, path, names):
    def content(actions):
        for action in actions:
            sim.faults.add(Fault(path=path, action=action))
        return codat.get(path, pageSize=5).content

    whole = content(["pretty", "bom"])
    assert json.loads(whole.decode("utf-8-sig")) == codat.get(path, pageSize=5).json()
    assert content(names) == whole[: len(whole) // 2]


@pytest.mark.parametrize(("one", "other"), combinations([*get_args(Action), None], 2))
def test_any_two_faults_can_strike_one_request(codat, sim, path, one, other):
    key = {"Authorization": sim.authorization}

    def answer(*names):
        faults = [sim.faults.add(Fault(path=path, action=name, headers={"X-Test": "1"})) for name in names]
        try:
            # Not in a session: what is sent beyond the promised length would spoil the next answer.
            got = requests.get(sim.url + path, headers=key, timeout=5, allow_redirects=False)
        except requests.RequestException as error:
            return type(error)
        finally:
            sim.faults.clear()
            assert [fault.hits for fault in faults] == [1, 1]
        return got.status_code, len(got.content)

    assert answer(one, other) == answer(other, one)
    assert "Internal Server Error" not in codat.get(path).text


def test_a_scripted_body_that_is_no_json_can_be_spoilt_too(codat, sim, path):
    for action in ("pretty", "bom"):
        sim.faults.add(Fault(path=path, action=action))
    sim.faults.add(Fault(path=path, status=503, body="down"))
    assert codat.get(path).content == b"\xef\xbb\xbfdown"


def test_the_world_can_change_between_two_pages(codat, sim, path, first):
    company = first.rpartition("/")[2]

    def drop_one(request):
        if request.query.get("page") == "2":
            sim.world.vanish(company, "invoices", sim.world.records("invoices", company)[0]["id"])

    forget = sim.on_request(drop_one)
    bodies = [codat.get(path, page=page, pageSize=10).json() for page in (1, 2, 3)]
    assert [body["totalResults"] for body in bodies] == [25, 24, 24]
    assert len({row["id"] for body in bodies for row in body["results"]}) == 24
    forget()
    codat.get(path, page=2)
    assert codat.get(path).json()["totalResults"] == 24
