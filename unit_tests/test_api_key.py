"""Every form of a key is masked, and nothing else is."""

import base64
import html
import json
import logging
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets
from hypothesis import given
from hypothesis import strategies as st

from source_codat.config.api_key import register_secrets, secrets_of, token_of
from source_codat.foundation import secrets
from source_codat.foundation.errors import (
    ConfigError,
    PartitionFailed,
    PartitionSkipped,
    ReadStopped,
    trace_of,
)
from source_codat.foundation.secrets import MASK, WITHHELD, masked
from source_codat.foundation.skip_reasons import SkipReason

KEY = "Jp2fEXAMPLEkey0000000000000000000000abcd"
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=20, max_size=60)
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "in a URL": quote,
    "in a query": quote_plus,
    "every byte in a URL": lambda text: "".join(f"%{ord(one):02x}" for one in text),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in Python": lambda text: repr(text)[1:-1],
    "in HTML": html.escape,
    "twice in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "thrice in a URL": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "in a URL in JSON": lambda text: json.dumps(quote(text, safe=""))[1:-1],
    "in cautious JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/").replace("+", "\\u002B"),
    "every character in JSON": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "every byte in Python": lambda text: "".join(f"\\x{ord(one):02x}" for one in text),
    "in numbered HTML": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "in hexadecimal HTML": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "in hexadecimal": lambda text: text.encode().hex(),
    "in full width": lambda text: "".join(chr(ord(one) + 0xFEE0) for one in text),
    "in lines": lambda text: "\n".join(text[start : start + 8] for start in range(0, len(text), 8)),
    "with nothing between": "\u200b".join,
}


@pytest.fixture(autouse=True)
def _no_secrets(mocker):
    mocker.patch.object(secrets, "_spellings", ())
    update_secrets([])
    yield
    update_secrets([])


def only(key):
    secrets._spellings = ()
    update_secrets([])
    register_secrets(key)


@pytest.mark.parametrize("kind", [ConfigError, ReadStopped, PartitionFailed])
def test_an_error_is_masked_where_it_is_made(kind):
    key = "abcdefghijklmnopqrstuvwxyz012345"
    register_secrets(key)
    for form in (key, token_of(key)):
        error = kind(f"It said {form}.")
        told_by = [str(error), error.message, getattr(error, "internal_message", "")]
        assert not any(form in text for text in told_by)
        assert form not in PartitionSkipped(SkipReason.BLOCKED, form).detail
        assert form not in PartitionFailed("No.", detail=form).detail


@pytest.mark.parametrize("way", WAYS)
@given(key=KEYS)
def test_a_servers_words_never_hold_the_key_in_any_spelling(way, key):
    only(key)
    for text in (key, token_of(key)):
        spelt = WAYS[way](text)
        told = masked(f"Bad credentials: {spelt} (sorry)")
        assert spelt not in told
        assert MASK in told or told == WITHHELD


@given(key=KEYS, before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_the_key_is_masked_inside_the_base64_of_any_longer_text(key, before, after):
    only(key)
    for packed in (base64.b64encode, base64.urlsafe_b64encode):
        told = masked(f"It said {packed(before + key.encode() + after).decode()}.")
        assert MASK in told


def test_words_that_repeat_nothing_stay_as_they_are():
    register_secrets(KEY)
    for text in (
        "50% of {a&b} <b>isn't</b> \\u002B done+today: Malformed query. [HTTP 400]",
        "Müller &amp; Söhne\n(4496374a-cf42-57b1-bf3e-78e82b1773ea) ﬁne\u200b %zz \\x \\u{110000}",
        "",
    ):
        assert masked(text) == text


def test_only_the_word_that_repeats_the_key_is_left_out():
    register_secrets(KEY)
    disguised = WAYS["every byte in a URL"](KEY)
    assert masked(f"Company N {disguised} (4496374a) failed.") == f"Company N {MASK} (4496374a) failed."
    assert masked(f"Company {KEY} failed.") == f"Company {MASK} failed."


@given(st.text())
def test_masking_never_raises_and_is_done_once(text):
    register_secrets(KEY)
    assert masked(masked(text)) == masked(text)


@given(key=KEYS)
def test_what_is_registered_is_masked_in_all_that_is_logged(key):
    only(key)
    for text in (
        key,
        token_of(key),
        f"Basic {token_of(key)}",
        repr(key),
        json.dumps(key),
        quote(key, safe=""),
    ):
        assert text.strip("'\"") not in filter_secrets(f"before {text} after")


@pytest.mark.parametrize("name", ["airbyte", "urllib3.connectionpool", "urllib3.connection"])
def test_no_handler_of_a_log_gets_to_see_the_key(name, caplog):
    register_secrets(KEY)
    log = logging.getLogger(name)
    with caplog.at_level(logging.DEBUG, logger=name):
        log.info("Company %s: %s", f"N {KEY}", WAYS["every byte in a URL"](KEY))
        log.debug(f"GET /companies/{quote(KEY)}")  # noqa: G004 - as other modules write it
        try:
            raise ValueError(f"It said {KEY}.")
        except ValueError:
            log.exception("Failed")
        log.info("%d", 3)
    assert KEY not in caplog.text
    assert "%4a" not in caplog.text
    assert caplog.text.count(MASK) >= 4


def test_a_record_that_cannot_be_written_is_left_to_its_handler():
    register_secrets(KEY)
    record = logging.LogRecord("airbyte", logging.INFO, "", 0, "%d of %s", ("x",), None)
    assert secrets._FILTER.filter(record)


def test_a_trace_is_masked_with_its_stack_and_stays_a_message():
    register_secrets(KEY)
    try:
        try:
            raise ValueError(f"It said {WAYS['every character in JSON'](KEY)} and {KEY}.")
        except ValueError as error:
            raise ReadStopped("Stopped.") from error
    except ReadStopped as stopped:
        told = trace_of(stopped).trace
    assert told is not None
    assert told.error is not None
    assert told.error.message == "Stopped."
    assert KEY not in str(told.error.stack_trace)
    assert "\\u004a" not in str(told.error.stack_trace)


def test_a_key_is_registered_once_however_often_it_is_used(mocker):
    registered = mocker.spy(secrets, "add_to_secrets")
    for _ in range(3):
        register_secrets(KEY)
    first = registered.call_count
    register_secrets(KEY)
    assert registered.call_count == first <= len(secrets_of(KEY))
    assert len(secrets._spellings) <= len(secrets_of(KEY))


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
