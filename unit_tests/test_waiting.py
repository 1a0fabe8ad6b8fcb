"""How long Codat asks to wait, in every form; what is wrong with an answer."""

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from source_codat.http.problem import Problem, seconds_until
from source_codat.http.stats import ClientStats
from source_codat.http.transport import Answer, time_outs

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)
SOON = NOW + timedelta(seconds=90)


@pytest.fixture(autouse=True)
def clock(mocker):
    return mocker.patch("source_codat.http.problem.time.time", return_value=NOW.timestamp())


@pytest.mark.parametrize(
    "text",
    [
        "90",
        "90.0",
        format_datetime(SOON, usegmt=True),
        SOON.isoformat(),
        "2026-11-21T12:01:30Z",
        "2026-11-21T12:01:30",
        str(int(SOON.timestamp())),
        str(int(SOON.timestamp() * 1000)),
    ],
)
def test_retry_after_is_read_in_every_form(text):
    assert seconds_until(text) == pytest.approx(90)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("later", None),
        ("nan", None),
        ("inf", None),
        ("1e30", None),
        ("-5", 0.0),
        ("9" * 30, 3e9),
        ("9999-12-31T23:59:59-05:00", 3e9),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3e9),
        ("Sat, 21 Nov 2020 00:00:00 GMT", 0.0),
    ],
)
def test_what_cannot_be_read_is_no_wait_the_past_is_over_and_nothing_outlasts_a_century(text, seconds):
    assert seconds_until(text) == seconds


def answer(status, body=b"", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, CaseInsensitiveDict(names))


def test_without_retry_after_the_quota_headers_say_how_long():
    response = answer(429, X_Rate_Limit_Reset=SOON.isoformat())
    assert Problem.in_error(response).retry_after == pytest.approx(90)
    # Not described by Codat: as seconds, like the header of that name elsewhere.
    assert Problem.in_error(answer(429, X_Rate_Limit_Reset="90")).retry_after == 90
    assert Problem.in_error(answer(429)).retry_after is None


def test_codats_own_words_and_correlation_id_are_kept():
    body = b'{"statusCode":404,"error":"Datatype [x] not supported","correlationId":"abc"}'
    text = Problem.in_error(answer(404, body)).text
    assert "Datatype [x] not supported (correlation id abc)" in text
    assert "404" in text


def test_a_redirect_is_told_as_one():
    assert "another address" in Problem.in_error(answer(302)).text


@pytest.mark.parametrize("missing", ["connect_timeout_in_seconds", "read_timeout_in_seconds"])
def test_no_request_goes_out_without_time_outs(missing):
    requester: Any = SimpleNamespace(connect_timeout_in_seconds=15, read_timeout_in_seconds=120)
    assert time_outs(requester) == (15, 120)
    setattr(requester, missing, None)
    with pytest.raises(ValueError, match="time-outs"):
        time_outs(requester)


def test_the_least_that_is_left_of_the_quota_counts_until_it_starts_afresh():
    stats = ClientStats()
    for left, resets in ((8, "today"), (6, "today"), (7, "today"), ("many", "today")):
        stats.note_quota(quota(left, resets))
    assert stats.sentence().endswith("; 6 of 10 requests left today.")
    stats.note_quota(quota(9, "tomorrow"))
    assert stats.quota_left == "9"


@pytest.mark.parametrize("odd", ["9" * 5000, "-1", "\u0661", "1.5", " ", "nan"])
def test_a_quota_header_that_is_no_number_is_left_out(odd):
    stats = ClientStats()
    stats.note_quota(quota(odd, odd))
    stats.note_quota(quota(8, odd))
    stats.note_quota(quota(odd, odd))
    assert stats.sentence().endswith("; 8 of 10 requests left today.")


def quota(left, resets):
    return {"X-Rate-Limit-Limit": "10", "X-Rate-Limit-Remaining": str(left), "X-Rate-Limit-Reset": resets}


def test_html_is_told_as_text_and_secrets_are_masked(mocker):
    mocker.patch("source_codat.foundation.secrets._spellings", ("s3cr3t-key",))
    text = Problem.in_error(answer(503, b"<html><b>Busy</b> s3cr3t-key</html>")).text
    assert text.startswith("Busy ****")
