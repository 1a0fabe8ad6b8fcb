"""`make check-live` runs through, finds what is there, reads only, and shows the key to nobody."""

import base64
import re

import pytest

from codat_simulator import Simulator
from tools.live_check.__main__ import main
from tools.live_check.account_checks import embedded, last_sync_of
from tools.live_check.api import raw_key
from tools.live_check.company import Company
from tools.live_check.finding import Verdict

KEY = "the-key-Of-nobody-0123456789"
ENCODED = base64.b64encode(KEY.encode()).decode()


def test_every_assumption_holds_on_the_simulator(capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(companies=3, seed=5, records=30) as simulator:
        code = main({"CODAT_API_KEY": simulator.api_key, "CODAT_BASE_URL": simulator.url})
        assert {request.method for request in simulator.requests} == {"GET"}
    shown = capsys.readouterr().out
    assert code == 0, shown
    assert shown.count("\n  holds ") > 40, shown
    assert simulator.api_key not in shown
    assert base64.b64encode(simulator.api_key.encode()).decode() not in shown


@pytest.mark.parametrize(
    ("last_sync", "words"),
    [
        (
            "2026-05-10T10:00:00Z",
            "lastSync 2026-05-10T10:00:00Z: 2 of 2 data types were last synced no later",
        ),
        ("2026-05-10T09:59:59", "1 of 2 data types were last synced no later; later: invoices"),
        ("2026-05-10T09:59:59.9Z", "1 of 2 data types were last synced no later; later: invoices"),
        (None, "lastSync None: 0 of 2 data types were last synced no later; later: bills, invoices"),
    ],
)
def test_whether_last_sync_moves_with_every_codat_sync_is_told_and_breaks_nothing(last_sync, words) -> None:
    status = {
        "invoices": {"dataType": "invoices", "lastSuccessfulSync": "2026-05-10T10:00:00.0000000Z"},
        "bills": {"dataType": "bills", "lastSuccessfulSync": "2026-05-09T10:00:00Z"},
        "items": {"dataType": "items"},
    }
    found = last_sync_of(Company("c", [], status, {"id": "c", "lastSync": last_sync}))
    assert found.verdict is Verdict.NOTED
    assert found.seen.endswith(words)


def test_the_probes_of_the_company_list_are_answered_by_the_simulator(capsys) -> None:
    with Simulator(companies=1, seed=5, records=5) as simulator:
        simulator.world.clock.advance(60)
        assert main({"CODAT_API_KEY": simulator.api_key, "CODAT_BASE_URL": simulator.url}) == 0
        every = capsys.readouterr().out
        simulator.world.sync(simulator.world.companies[0]["id"], "invoices")
        assert main({"CODAT_API_KEY": simulator.api_key, "CODAT_BASE_URL": simulator.url}) == 0
        one = capsys.readouterr().out
    for shown in (every, one):
        assert "holds           the company list has the connections as their own list has them" in shown
        assert "for the record  does a company's lastSync move with every Codat sync" in shown
        [(before, of)] = re.findall(
            r"(\d+) of (\d+) data types were last synced no later$", shown, re.MULTILINE
        )
        assert before == of


def test_a_company_list_that_says_less_of_connections_is_found() -> None:
    link = {"id": "a", "status": "Linked"}
    assert embedded(Company("c", [link], {}, {"dataConnections": [link]})).verdict is Verdict.HOLDS
    assert embedded(Company("c", [link], {}, {"dataConnections": [{"id": "a"}]})).verdict is Verdict.BROKEN
    assert embedded(Company("c", [link], {}, {})).verdict is Verdict.BROKEN
    assert embedded(Company("c", [], {}, {})).verdict is Verdict.UNKNOWN


def test_a_broken_assumption_is_named_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(companies=3, seed=5, records=5) as simulator:
        code = main({"CODAT_API_KEY": "not-" + simulator.api_key, "CODAT_BASE_URL": simulator.url})
    shown = capsys.readouterr().out
    assert code == 1
    assert "DOESN'T HOLD    the key's base64, without a colon, is accepted\n                  401" in shown


def test_without_a_key_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({}) == 2
    assert "CODAT_API_KEY" in capsys.readouterr().out


def test_an_api_that_is_not_there_ends_with_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({"CODAT_API_KEY": KEY, "CODAT_BASE_URL": "http://localhost:1"}) == 2
    shown = capsys.readouterr().out
    assert shown.splitlines()[-2:] == [
        "http://localhost:1 can't be reached: the connection was refused.",
        "Check your network, the proxy in HTTPS_PROXY and CODAT_BASE_URL, and run this again.",
    ]


def test_the_placeholder_of_the_readme_is_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({"CODAT_API_KEY": "<your key>", "CODAT_BASE_URL": "http://localhost:1"}) == 2
    [told] = capsys.readouterr().out.splitlines()
    assert told.startswith("The API key contains a space")


@pytest.mark.parametrize("form", [KEY, ENCODED, f"Basic {ENCODED}", f"  Basic {ENCODED}\n"])
def test_every_form_of_the_key_that_the_portal_shows_is_taken(form: str) -> None:
    assert raw_key(form) == KEY
