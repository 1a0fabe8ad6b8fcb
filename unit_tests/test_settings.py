"""A configuration is understood in every form; integration_tests/test_check_offline.py: how it is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_codat import SourceCodat
from source_codat.config.api_key import secrets_of
from source_codat.config.settings import Settings
from source_codat.foundation.errors import ConfigError
from source_codat.streams.catalog import queryable_streams

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
    secrets = secrets_of(given_key)
    assert {KEY, TOKEN, f"Basic {TOKEN}"} <= set(secrets)
    assert list(secrets) == sorted(secrets, key=len, reverse=True)


def test_left_out_options_have_the_defaults_of_the_spec():
    found = settings()
    assert (found.selection.kind.value, found.start, found.deleted_records.value) == ("all", None, "keep")
    assert (found.page_size, found.num_workers, found.skip_unchanged, found.lookback) == (1000, 10, True, 0)
    assert (found.report_period_months, found.report_periods) == (1, 24)


def test_ids_are_compared_without_case_and_without_repeats():
    selection = {"selection": "ids", "company_ids": [COMPANY.upper(), f" {COMPANY} "]}
    assert settings(companies=selection).selection.company_ids == (COMPANY,)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.codat.io",
        "http://localhost:8080",
        "http://10.0.0.5",
        "http://[::1]:80/",
        "https://proxy.example.org:8443/",
        "HTTPS://API.CODAT.IO",
        "http://LOCALHOST:8080/",
        "http://127.8.8.8:1",
        "http://172.16.0.1",
        "http://192.168.1.5:8080",
        "http://[fd00::1]:8080",
        "http://[::ffff:10.0.0.1]",
    ],
)
def test_https_anywhere_and_http_to_private_networks_are_allowed(url):
    assert settings(base_url=url)


@pytest.mark.parametrize(
    "host",
    [
        "codat.localhost",
        "localhost.example.com",
        "localhost.",
        "127.0.0.1.nip.io",
        "10.example.com",
        "api.codat.io",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0.0.0.0",
        "8.8.8.8",
        "100.64.0.1",
        "169.254.169.254",
        "172.32.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[2001::1]",
        "[2001:0:a00:1::]",
        "[2001:db8::1]",
        "[2002:a00:1::]",
        "[2002:7f00:1::]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::10.0.0.1]",
        "[::10.0.0.1]",
        "[::127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[::ffff:169.254.1.1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[2606:4700::1111]",
    ],
)
def test_plain_http_to_what_only_looks_local_or_private_is_refused(host):
    with pytest.raises(ConfigError, match="base_url"):
        settings(base_url=f"http://{host}:8080")


def test_a_custom_stream_never_has_the_name_of_another():
    assert not [name for name in queryable_streams(SourceCodat()._source_config, ()) if "custom_" in name]
    streams = queryable_streams(SourceCodat()._source_config, ("Orders", "invoices"))
    assert (streams["custom_invoices"], streams["invoices"]) == (False, True)


def test_nothing_of_the_key_is_shown_when_the_key_is_refused():
    with pytest.raises(ConfigError) as caught:
        settings(api_key="secret secret-key-0123456789")
    assert "secret-key" not in str(caught.value)
