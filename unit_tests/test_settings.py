"""A configuration is understood in every form, and refused in one sentence."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_codat.errors import ConfigError
from source_codat.settings import Settings

KEY = "Jp2fEXAMPLEkey0000000000000000000000abcd"
TOKEN = base64.b64encode(KEY.encode()).decode()
COMPANY = "8a210b68-6988-11ed-a1eb-0242ac120002"


def settings(**options):
    return Settings.from_config({"api_key": KEY, **options})


@pytest.mark.parametrize(
    "given_key",
    [
        KEY,
        TOKEN,
        f"Basic {TOKEN}",
        f"  Basic {TOKEN}\n",
        f"basic {TOKEN}",
        f"Authorization: Basic {TOKEN}",
        TOKEN.rstrip("="),
    ],
)
def test_the_raw_key_its_base64_and_the_whole_header_all_work(given_key):
    assert settings(api_key=given_key).authorization == f"Basic {TOKEN}"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=20, max_size=60))
def test_any_printable_key_is_sent_as_the_base64_of_itself_or_of_what_it_encodes(key):
    token = settings(api_key=key).authorization.removeprefix("Basic ")
    assert (
        base64.b64decode(token).decode() == key
        or base64.b64encode(base64.b64decode(token)).decode().rstrip("=") in key
        or key.lower().startswith("basic")
    )


@pytest.mark.parametrize("given_key", [KEY, TOKEN, f"Basic {TOKEN}"])
def test_every_form_of_the_key_is_a_secret(given_key):
    secrets = settings(api_key=given_key).secrets
    assert {KEY, TOKEN, f"Basic {TOKEN}"} <= set(secrets)
    assert list(secrets) == sorted(secrets, key=len, reverse=True)


def test_left_out_options_have_the_defaults_of_the_spec():
    found = settings()
    assert (found.selection.kind, found.start, found.include_deleted) == ("all", None, True)
    assert (found.page_size, found.num_workers, found.skip_unchanged, found.lookback) == (1000, 10, True, 0)
    assert (found.report_period_months, found.report_periods) == (1, 24)


def test_ids_are_compared_without_case_and_without_repeats():
    selection = {"selection": "ids", "company_ids": [COMPANY.upper(), f" {COMPANY} "]}
    assert settings(companies=selection).selection.company_ids == (COMPANY,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_key": ""}, "API key is missing"),
        ({"api_key": None}, "API key is missing"),
        ({"api_key": 17}, "API key is missing"),
        ({"api_key": "two words"}, "space"),
        ({"api_key": "Basic not-base64!"}, "isn't base64"),
        ({"companies": {"selection": "some"}}, "'all', 'ids' or 'tags'"),
        ({"companies": "all"}, "'all', 'ids' or 'tags'"),
        ({"companies": {"selection": "ids"}}, "company_ids"),
        ({"companies": {"selection": "ids", "company_ids": []}}, "company_ids"),
        ({"companies": {"selection": "ids", "company_ids": ["acme"]}}, "'acme'"),
        ({"companies": {"selection": "tags", "tags_query": " "}}, "tags_query"),
        ({"start_date": "01/02/2024"}, "start_date"),
        ({"start_date": "2024-02-30"}, "start_date"),
        ({"start_date": 2024}, "start_date"),
        ({"include_deleted": "yes"}, "include_deleted"),
        ({"filters": {"invoices": "x"}}, "filters"),
        ({"filters": [{"stream": "invoices"}]}, "filters"),
        ({"filters": [{"stream": "a", "query": "b=1"}, {"stream": "a", "query": "c=1"}]}, "more than one"),
        ({"filters": [{"stream": "a", "query": "b" * 2048}]}, "characters"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 5001}, "page_size"),
        ({"page_size": True}, "page_size"),
        ({"page_size": 1.5}, "page_size"),
        ({"page_size": float("inf")}, "page_size"),
        ({"page_size": "100"}, "page_size"),
        ({"num_workers": 1}, "num_workers"),
        ({"lookback_hours": -1}, "lookback_hours"),
        ({"report_period_months": 13}, "report_period_months"),
        ({"base_url": "ftp://localhost"}, "base_url"),
        ({"base_url": "https://"}, "base_url"),
        ({"base_url": "http://api.codat.io"}, "plain http"),
        ({"base_url": "https://user:pass@api.codat.io"}, "credentials"),
        ({"base_url": "https://api.codat.io/v1"}, "without a path"),
        ({"base_url": "https://host:port"}, "base_url"),
        ({"base_url": 5}, "base_url"),
    ],
)
def test_a_mistake_is_told_in_one_full_sentence_that_names_the_field(options, words):
    with pytest.raises(ConfigError) as caught:
        settings(**options)
    message = str(caught.value)
    assert words in message
    assert message.endswith((".", ")"))
    assert KEY not in message


@pytest.mark.parametrize(
    "url",
    [
        "https://api.codat.io",
        "http://localhost:8080",
        "http://10.0.0.5",
        "http://[::1]:80/",
        "https://proxy.example.org:8443/",
    ],
)
def test_https_anywhere_and_http_to_private_networks_are_allowed(url):
    assert settings(base_url=url)


def test_nothing_of_the_key_is_shown_when_the_key_is_refused():
    with pytest.raises(ConfigError) as caught:
        settings(api_key="secret secret-key-0123456789")
    assert "secret-key" not in str(caught.value)
