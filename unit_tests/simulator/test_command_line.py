import base64
import pathlib
import re
import signal
import subprocess
import sys

import pytest
import requests

import codat_simulator

ROOT = pathlib.Path(codat_simulator.__file__).parent.parent


@pytest.fixture(scope="module")
def served():
    command = [sys.executable, "-m", "codat_simulator", "--port", "0", "--companies", "2", "--seed", "3"]
    command += ["--records", "5", "--synthetic", "bills=50x400"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().split()[-1] for _ in range(2)]
        assert re.fullmatch(r"http://localhost:\d+", said[0])
        yield said
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_it_serves_what_the_command_line_says(served):
    url, key = served
    headers = {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()}
    companies = requests.get(url + "/companies", headers=headers, timeout=5).json()["results"]
    assert len(companies) == 2
    bills = requests.get(
        f"{url}/companies/{companies[0]['id']}/data/bills", headers=headers, timeout=5
    ).json()
    assert bills["totalResults"] == 50


def test_other_processes_see_the_truth_and_change_it(served):
    url, _ = served
    control = url + "/_simulator/"
    counts = requests.get(control + "truth", params={"dataType": "invoices"}, timeout=5).json()
    assert list(counts.values()) == [5, 5]
    rows = requests.get(
        control + "truth", params={"dataType": "invoices", "records": "true"}, timeout=5
    ).json()
    assert {name: len(records) for name, records in rows.items()} == counts
    made = requests.post(control + "evolve", json={"changes": 12, "seed": 1}, timeout=5).json()
    assert sum(made.values()) == 12
    one = requests.post(control + "advance", json={"seconds": 0}, timeout=5).json()["now"]
    assert requests.post(control + "advance", json={"seconds": 9999}, timeout=5).json()["now"] > one


def test_other_processes_see_how_many_requests_were_made(served):
    url, _ = served
    control = url + "/_simulator/requests"
    requests.delete(control, timeout=5)
    requests.get(url + "/companies", timeout=5)
    seen = requests.get(control, timeout=5).json()
    assert (seen["total"], seen["statuses"]) == (1, {"401": 1})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "nosuch", None),
        ("PUT", "truth", None),
        ("GET", "truth?dataType=nosuch", None),
        ("POST", "evolve", b"not json"),
        ("POST", "evolve", b'{"changes": "many"}'),
    ],
)
def test_wrong_control_requests_are_refused(served, method, path, body):
    answer = requests.request(method, f"{served[0]}/_simulator/{path}", data=body, timeout=5)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_the_simulator_binds_to_loopback_alone():
    with codat_simulator.Simulator(companies=0) as sim:
        assert sim.url.startswith("http://localhost:")
        assert set(sim.addresses) <= {"127.0.0.1", "::1"}
