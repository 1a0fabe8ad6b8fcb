"""`make check-live` runs through, finds what is there, reads only, and shows the key to nobody."""

import base64

import pytest

from codat_simulator import Simulator
from tools.live_check.__main__ import main
from tools.live_check.api import raw_key

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
    assert "could not be reached" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("form", [KEY, ENCODED, f"Basic {ENCODED}", f"  Basic {ENCODED}\n"])
def test_every_form_of_the_key_that_the_portal_shows_is_taken(form: str) -> None:
    assert raw_key(form) == KEY
