"""The key leaves the process in one place only: the Authorization header of a request."""

import json
import logging
import traceback
from itertools import cycle
from pathlib import Path

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

from codat_simulator import Action, Fault, Simulator
from integration_tests.support.connector import catalog, config, read, start
from integration_tests.support.disguises import (
    ODD,
    ORDINARY,
    as_given,
    disguises,
    echoed,
    leaks,
    token,
    written,
)
from source_codat import SourceCodat
from source_codat.check import Check
from source_codat.http.client import CodatClient
from source_codat.http.rate_limit import RateLimiter
from tools.live_check import __main__ as live_check

DEBUG = {"LOG_LEVEL": "DEBUG"}
STREAMS = ("invoices", "bills", "accounts", "customers", "suppliers", "items", "payments", "tax_rates")
STATUSES = (400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 418, 429, 451, 500, 502, 503, 504)
ACTIONS: tuple[Action, ...] = (
    "reset", "cut", "malformed", "wrong_length", "html", "stall", "pretty", "bom", "drop_links",
    "repeat_page", "refuse_order_by", "shuffle_ties", "redirect",
)  # fmt: skip


@pytest.fixture
def key(request):
    return getattr(request, "param", ODD)


both_keys = pytest.mark.parametrize("key", [ORDINARY, ODD], ids=["ordinary", "odd"], indirect=True)


@pytest.fixture
def sim(key):
    with Simulator(companies=3, seed=7, records=5, api_key=key) as simulator:
        yield simulator


def echoes(key, status):
    """Answers that repeat what they were sent, as servers and proxies in between do."""
    for form in echoed(key):
        yield Fault(status=status, body={"error": f"Bad credentials: {form}", "correlationId": form})
        yield Fault(status=status, body={"message": f"Authorization: {form}"})
        page = f"<html><title>{status}</title><p>{'x' * 150} {form}</p><pre>{form}</pre></html>"
        yield Fault(status=status, body=page)
    yield Fault(status=status, body={"error": "x" * 470 + f" {key}"})  # where Codat's words are cut
    yield Fault(status=status, body="x" * 170 + f" {token(key)}")
    headers = {"WWW-Authenticate": f"Basic {token(key)}", "X-Rate-Limit-Remaining": key, "X-Echo": key}
    headers |= {"X-Rate-Limit-Limit": token(key), "X-Rate-Limit-Reset": token(key), "Retry-After": key}
    yield Fault(status=status, headers=headers)


def at(fault, path):
    fault.path, fault.times = path, 1
    return fault


def everything(key):
    """Every fault there is, but those that end the whole read."""
    for action in ACTIONS:
        yield Fault(action=action, headers={"X-Echo": token(key)} if action != "stall" else None)
    for status in (200, 302, *STATUSES):
        if status not in (401, 402):
            yield from echoes(key, status)


@both_keys
@pytest.mark.parametrize("form", as_given(ORDINARY))
def test_no_fault_brings_the_key_into_the_output_of_a_read(sim, script, tmp_path, key, form):
    """At debug level, with a fault at every path: each time another part of all there are."""
    faults = list(everything(key))
    forms = list(as_given(key))
    share = faults[forms.index(form) :: len(forms)]
    paths = [f"/companies/{one['id']}/data/{name}" for one in sim.world.companies for name in STREAMS]
    for path, fault in zip(cycle(paths), share, strict=False):
        sim.faults.add(at(fault, path))
    settings = config(sim, api_key=as_given(key)[form])
    for _ in range(2):  # what one read gave up after some faults, the next one meets the rest of
        said = script.run(
            "read", tmp_path, "--debug", env=DEBUG, hurried=True, config=settings, catalog=catalog(*STREAMS)
        )
        assert leaks(key, *written(tmp_path)) == []
        assert len(said.of("RECORD")) + len(said.logs) > 50
    assert sum(fault.hits for fault in share) > len(share) / 2


def fatal(key):
    """Answers to the first request that repeat the key: no two statuses in the same form."""
    for number, status in enumerate((302, 400, 401, 402, 403, 404, 429, 500)):
        yield from list(echoes(key, status))[number::8]


@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_no_answer_to_the_first_request_brings_it_out(sim, script, tmp_path, key, command):
    contents = {"config": config(sim), "catalog": catalog("invoices") if command == "read" else None}
    every = {"check": 13, "discover": 1000, "read": 40}[command]  # discover doesn't ask
    for fault in list(fatal(key))[::every]:
        fault.path, fault.times = "/companies$", None
        sim.faults.clear()
        sim.faults.add(fault)
        said = script.run(command, tmp_path, "--debug", env=DEBUG, hurried=True, **contents)
        assert leaks(key, *written(tmp_path)) == []
        assert (said.status or said.errors) or command == "discover"


BROKEN = {
    "a worker": "source_codat.reading.pages.PageDecoder.decode",
    "the sending": "source_codat.http.client.CodatClient._send",
    "the network library": "requests.adapters.HTTPAdapter.send",
    "the reading of the configuration": "source_codat.config.settings.Settings.from_config",
    "the writer": "source_codat.reading.rows.RowBatch.lines",
    "a signature": "source_codat.http.authenticator.CodatAuthenticator.get_auth_header",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_exception_that_quotes_it_is_masked_with_its_traceback(sim, script, tmp_path, key, broken):
    words = " ".join(disguises(key))
    for command in ("check", "read"):
        contents = {"config": config(sim), "catalog": catalog("invoices") if command == "read" else None}
        said = script.run(
            command, tmp_path, "--debug", env=DEBUG, hurried=True, broken=(BROKEN[broken], words), **contents
        )
        assert leaks(key, *written(tmp_path)) == []
        if command == "read":
            assert said.code == 1
            assert "RuntimeError" in said.text


@pytest.mark.parametrize("name", ["catalog", "state", "both"])
def test_a_configuration_taken_for_another_file_is_not_repeated(sim, script, tmp_path, key, name):
    contents = {"config": config(sim), "catalog": catalog("invoices"), "state": None}
    wrong = {name: [{**config(sim), "type": key}]} if name != "both" else {"catalog": key, "state": [key]}
    said = script.run("read", tmp_path, "--debug", env=DEBUG, **{**contents, **wrong})
    assert said.code == (0 if name == "state" else 1)  # a state of no use is no reason not to read
    assert leaks(key, *written(tmp_path)) == []


FIELDS = {
    "companies": lambda key: {"selection": "tags", "tags_query": key},
    "company_ids": lambda key: {"selection": "ids", "company_ids": [f"{'x' * 40}{key}"]},
    "start_date": lambda key: f"{'x' * 40}{key}",
    "filters": lambda key: [{"stream": f"{'x' * 40}{key}", "query": key}],
    "filter": lambda key: [{"stream": "invoices", "query": key}],
    "custom_data_types": lambda key: [key],
    "page_size": lambda key: f"{'x' * 40}{key}",
    "base_url": lambda key: f"https://{key}@localhost",
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_key_pasted_into_another_field_too_is_masked_there(sim, script, tmp_path, key, field):
    name = {"company_ids": "companies", "filter": "filters"}.get(field, field)
    settings = config(sim, **{name: FIELDS[field](key)})
    said = script.run("check", tmp_path, "--debug", env=DEBUG, hurried=True, config=settings)
    assert said.status["status"] == "FAILED"
    assert leaks(key, *written(tmp_path)) == []
    assert key[:20] not in said.text


@pytest.mark.parametrize("refused", ["{} {}", "Basic {}!{}", "{}\u200b{}"])
def test_a_key_that_is_refused_is_not_shown_either(script, tmp_path, refused):
    settings = {"api_key": refused.format(ORDINARY, ORDINARY)}
    said = script.run("check", tmp_path, "--debug", env=DEBUG, config=settings)
    assert said.status["status"] == "FAILED"
    assert leaks(ORDINARY, *written(tmp_path)) == []


@pytest.mark.parametrize("command", ["spec", "check", "discover", "read"])
def test_every_command_in_a_process_of_its_own_keeps_it_to_itself(tmp_path, monkeypatch, command):
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    with Simulator(companies=3, seed=7, records=5, api_key=ODD) as sim:
        for fault in list(echoes(ODD, 404))[::10]:
            sim.faults.add(at(fault, "/data/invoices"))
        contents = {"config": None if command == "spec" else config(sim)}
        contents["catalog"] = catalog("invoices", "bills") if command == "read" else None
        process = start(command, tmp_path, "--debug", **contents)
        shown = Path(f"/proc/{process.pid}/cmdline")
        arguments = shown.read_text() if shown.exists() else ""
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert leaks(ODD, out.decode(), err.decode(), arguments) == []


@both_keys
def test_a_library_user_sees_it_in_no_exception_log_or_repr(sim, key, caplog, mocker):
    """With other loggers than the script's: nothing there masks what was said."""
    mocker.patch("source_codat.http.client.CodatClient._sleep")
    caplog.set_level(logging.DEBUG)
    log = logging.getLogger("airbyte")
    source = SourceCodat(config=config(sim), catalog=None, state=None)
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog("invoices", "bills"))
    said = []
    for number, fault in enumerate(list(fatal(key))[::3]):
        sim.faults.clear()
        fault.path, fault.times = "/companies$" if number % 8 else "/data/invoices$", None
        sim.faults.add(fault)
        said.append(str(source.check(log, config(sim))))
        if number % 8 == 0:
            _collect(said, lambda: said.extend(map(str, source.read(log, config(sim), configured))))
    sim.faults.clear()
    mocker.patch(
        "source_codat.reading.pages.PageDecoder.decode", side_effect=RuntimeError(" ".join(disguises(key)))
    )
    _collect(said, lambda: list(source.read(log, config(sim), configured)))
    settings, streams = source._prepare(config(sim))
    client = CodatClient(streams["companies"].retriever.requester, 2, RateLimiter(900))
    said += [repr(settings), repr(client), repr(Check(settings, streams)), repr(source)]
    assert leaks(key, caplog.text, *said) == []


def _collect(said, act):
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever it is, it may be shown
        said += [str(error), repr(error), str(getattr(error, "internal_message", ""))]
        said += traceback.format_exception(error)


@both_keys
@pytest.mark.parametrize("place", ["a name", "an id of a parent", "an id of a company"])
def test_whatever_of_codats_data_repeats_it_the_data_alone_shows_it(sim, script, tmp_path, key, place):
    """Names and ids go into logs, warnings, traces and progress; records and states keep them as they are."""
    first, *others = sim.world.companies
    spelt = " ".join(echoed(key))
    odd = {**first, "name": f"N {spelt}"} if place == "a name" else first
    odd = {**odd, "id": f"id {spelt}"} if place == "an id of a company" else odd
    sim.faults.add(Fault(path="/companies$", times=None, status=200, body=listed(odd, *others)))
    if place == "an id of a parent":
        account = {"id": f"acc {spelt}", "modifiedDate": "2024-03-01T00:00:00Z"}
        sim.faults.add(Fault(path="/data/bankAccounts$", times=None, status=200, body=listed(account)))
    sim.faults.add(Fault(path="/data/bills$", times=None, status=405, body=spelt))
    sim.faults.add(Fault(path="/data/accounts$", times=None, status=404, body=spelt))
    contents = {"config": config(sim), "catalog": catalog(*STREAMS, "companies", "bank_account_transactions")}
    said = script.run("read", tmp_path, "--debug", env=DEBUG, hurried=True, **contents)
    told = [json.dumps(one) for one in said.messages if one["type"] not in ("RECORD", "STATE")]
    assert len(told) > 20
    assert leaks(key, *told, said.stderr) == []
    assert said.records("companies") == [] or place == "an id of a parent" or leaks(key, said.text)


def listed(*rows):
    return {"results": rows, "pageNumber": 1, "pageSize": 1000, "totalResults": len(rows)}


def test_the_state_and_the_catalog_hold_nothing_of_it(sim, key):
    said = read(sim, "companies", *STREAMS)
    assert leaks(key, str(said.state)) == []


def test_check_live_shows_it_in_no_finding_whatever_codat_echoes(capsys, key):
    with Simulator(companies=2, seed=7, records=5, api_key=key) as simulator:
        for number, fault in enumerate(list(echoes(key, 400))[:40]):
            fault.path, fault.after, fault.times = "/", 2 * number, 1
            simulator.faults.add(fault)
        live_check.main({"CODAT_API_KEY": token(key), "CODAT_BASE_URL": simulator.url})
        live_check.main({"CODAT_API_KEY": key, "CODAT_BASE_URL": "http://localhost:1"})
    assert leaks(key, *capsys.readouterr()) == []
