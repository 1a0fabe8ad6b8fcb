"""Every form of a key is masked, and nothing else is."""

import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets
from hypothesis import given
from hypothesis import strategies as st

from source_codat.config import api_key
from source_codat.config.api_key import masked, register_secrets, secrets_of, token_of
from source_codat.foundation.errors import ConfigError, PartitionFailed, PartitionSkipped, ReadStopped
from source_codat.foundation.skip_reasons import SkipReason

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=20, max_size=60)
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": quote,
    "in a query": quote_plus,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in HTML": html.escape,
    "twice in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "in cautious JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/").replace("+", "\\u002B"),
    "in numbered HTML": lambda text: "".join(f"&#{ord(one)};" for one in text),
}


@pytest.fixture(autouse=True)
def _no_secrets():
    update_secrets([])
    yield
    update_secrets([])


@pytest.mark.parametrize("kind", [ConfigError, ReadStopped, PartitionFailed])
def test_an_error_is_masked_where_it_is_made(kind):
    key = "abcdefghijklmnopqrstuvwxyz012345"
    register_secrets(key)
    for form in (key, token_of(key)):
        error = kind(f"It said {form}.")
        told_by = [str(error), error.message, getattr(error, "internal_message", "")]
        assert not any(form in text for text in told_by)
        assert form not in PartitionSkipped(SkipReason.NOT_ALLOWED, form).detail


@pytest.mark.parametrize("way", WAYS)
@given(key=KEYS)
def test_a_servers_words_never_hold_the_key_in_any_spelling(way, key):
    for text in (key, token_of(key)):
        spelt = WAYS[way](text)
        assert spelt not in masked(f"Bad credentials: {spelt} (sorry)", secrets_of(key))


def test_words_that_repeat_nothing_stay_as_they_are():
    text = "50% of {a&b} <b>isn't</b> \\u002B done+today: Malformed query. [HTTP 400]"
    assert masked(text, secrets_of("Jp2fEXAMPLEkey0000000000000000000000abcd")) == text


@given(key=KEYS)
def test_what_is_hidden_once_is_hidden_in_all_that_is_logged(key):
    update_secrets([])
    register_secrets(key)
    for text in (
        key,
        token_of(key),
        f"Basic {token_of(key)}",
        repr(key),
        json.dumps(key),
        quote(key, safe=""),
    ):
        assert text.strip("'\"") not in filter_secrets(f"before {text} after")


def test_a_key_is_registered_once_however_often_it_is_used(mocker):
    registered = mocker.spy(api_key, "add_to_secrets")
    for _ in range(3):
        register_secrets("Jp2fEXAMPLEkey0000000000000000000000abcd")
    first = registered.call_count
    register_secrets("Jp2fEXAMPLEkey0000000000000000000000abcd")
    assert registered.call_count == first <= len(secrets_of("Jp2fEXAMPLEkey0000000000000000000000abcd"))


@pytest.mark.parametrize("value", [None, "", " ", 17, ["a"], "short"])
def test_what_is_no_key_masks_no_ordinary_words(value):
    register_secrets(value)
    assert filter_secrets("a short read of 17 companies") == "a short read of 17 companies"


@pytest.mark.parametrize(
    "value", ["two words of 0123456789", "Basic not-base64!-0123456789", "k\u00e9y-0123456789"]
)
def test_what_is_refused_as_a_key_is_masked_all_the_same(value):
    register_secrets(value)
    assert value not in filter_secrets(f"It says {value}.")
    register_secrets("\ud800 lone surrogate 0123456789")
