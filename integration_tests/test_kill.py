"""Killed at any moment and started again from the last state on stdout, nothing is lost."""

import json
import signal

import pytest

from integration_tests.support.connector import by_key, catalog, config, parse

pytestmark = pytest.mark.waits

STREAMS = ("invoices", "bills", "customers", "banking_transactions")
DATA_TYPES = {
    "invoices": "invoices",
    "bills": "bills",
    "customers": "customers",
    "banking_transactions": "banking-transactions",
}


def truth(sim):
    return {
        stream: {
            (company["id"], one["id"])
            for company in sim.world.companies
            for one in sim.world.records(data_type, company_id=company["id"])
        }
        for stream, data_type in DATA_TYPES.items()
    }


def kept(*said):
    """What a destination has that keeps all records up to each read's last state, and those behind it."""
    return {
        stream: set(by_key([one for part in said for one in part.records(stream)], "companyId", "id"))
        for stream in STREAMS
    }


def whole(out):
    """The lines that arrived whole: a killed process may leave half a line behind."""
    return out[: out.rfind(b"\n") + 1]


def up_to_last_state(said):
    """A destination commits what stands before the last state of a stream, and forgets the rest."""
    last = {}
    for index, message in enumerate(said.messages):
        if message["type"] == "STATE":
            last[message["state"]["stream"]["stream_descriptor"]["name"]] = index
    said.messages = [
        message
        for index, message in enumerate(said.messages)
        if message["type"] != "RECORD" or index < last.get(message["record"]["stream"], -1)
    ]
    return said


@pytest.mark.parametrize("requests", [1, 5, 10, 20, 40, 70, 90])
def test_kill_9_and_a_restart_from_the_last_state_lose_nothing(sim, script, tmp_path, requests):
    sim.latency = 0.01
    options = {"config": config(sim, page_size=7), "catalog": catalog(*STREAMS)}
    process = script.start("read", tmp_path, **options)
    process.wait_until(lambda: len(sim.requests) >= requests)
    process.kill()
    out, _ = process.communicate()
    first = up_to_last_state(parse(whole(out)))
    assert first.unparsed == []
    second = script.run("read", tmp_path, state=first.state, **options)
    assert second.code == 0
    assert kept(first, second) == truth(sim)


def test_sigterm_ends_the_read_after_the_last_state(sim, script, tmp_path):
    sim.latency = 0.05
    options = {"config": config(sim, page_size=3), "catalog": catalog(*STREAMS)}
    process = script.start("read", tmp_path, **options)
    process.wait_until(lambda: len(sim.requests) >= 30)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    first = parse(out, err, process.returncode)
    assert first.unparsed == []
    assert first.code == -signal.SIGTERM
    kinds = [message["type"] for message in first.messages if message["type"] in {"RECORD", "STATE"}]
    assert kinds[-1] == "STATE"
    assert {one["stream"]["stream_descriptor"]["name"] for one in first.of("STATE")} == set(STREAMS)
    assert first.errors[-1]["failure_type"] == "transient_error"
    assert all(first.statuses(stream)[-1] == "INCOMPLETE" for stream in STREAMS)
    assert first.errors[-1]["message"] == (
        f"The read was ended by SIGTERM. Read whole: no stream; not whole: {', '.join(STREAMS)}. "
        "The state that was written continues from there."
    )
    second = script.run("read", tmp_path, state=first.state, **options)
    assert kept(first, second) == truth(sim)


def test_from_every_state_of_a_read_a_restart_brings_what_was_missing(sim, script, tmp_path):
    options = {"config": config(sim, page_size=20), "catalog": catalog("invoices")}
    said = script.run("read", tmp_path, **options)
    places = [index for index, message in enumerate(said.messages) if message["type"] == "STATE"]
    assert len(places) >= 2
    everything = truth(sim)["invoices"]
    for place in places:
        before = [
            (message["record"]["data"]["companyId"], message["record"]["data"]["id"])
            for message in said.messages[:place]
            if message["type"] == "RECORD"
        ]
        again = script.run("read", tmp_path, state=[said.messages[place]["state"]], **options)
        after = {(one["companyId"], one["id"]) for one in again.records("invoices")}
        assert set(before) | after == everything, json.dumps(said.messages[place])
