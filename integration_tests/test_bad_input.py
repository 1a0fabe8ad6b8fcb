"""Mistakes: one clear sentence each, the right message and exit code, the key nowhere."""

import base64
import uuid

import pytest

from integration_tests.connector import catalog, config, run

UNKNOWN = str(uuid.UUID(int=5))
WRONG_KEY = "WrongKeyEXAMPLE000000000000000000000wrong"


def assert_sentence(text, *words):
    assert text
    assert text[0].isupper() or text[0] == "'"
    assert text.rstrip().endswith((".", ")", "'"))
    assert "Traceback" not in text
    for word in words:
        assert word in text


def assert_no_key(said, *keys):
    for key in keys:
        for form in (key, base64.b64encode(key.encode()).decode()):
            assert form not in said.text


def ids(*company_ids):
    return {"selection": "ids", "company_ids": list(company_ids)}


MISTAKES = {
    "wrong key": ({"api_key": WRONG_KEY}, ("API key",)),
    "no key": ({"api_key": ""}, ("API key is missing",)),
    "unknown company": ({"companies": ids(UNKNOWN)}, ("company_ids",)),
    "refused tags query": (
        {"companies": {"selection": "tags", "tags_query": "region>uk"}},
        ("tags query 'region>uk'",),
    ),
    "no company matched": (
        {"companies": {"selection": "tags", "tags_query": "region=nowhere"}},
        ("No company matches",),
    ),
    "malformed number": ({"page_size": "many"}, ("page_size",)),
    "malformed selection": ({"companies": {"selection": "any"}}, ("'all', 'ids' or 'tags'",)),
    "http to the world": ({"base_url": "http://example.org"}, ("https",)),
}
FILTERS = {
    "unknown stream": ([{"stream": "invoice", "query": "a=1"}], ("'invoice'", "doesn't exist")),
    "stream that can't be filtered": ([{"stream": "balance_sheets", "query": "a=1"}], ("can't filter",)),
    "unknown property": (
        [{"stream": "invoices", "query": "colour=red"}],
        ("refused the filter for 'invoices'", "colour"),
    ),
    "broken query": ([{"stream": "invoices", "query": "{status="}], ("refused the filter for 'invoices'",)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_check_answers_a_wrong_configuration_with_failed_and_one_sentence(sim, tmp_path, mistake):
    options, words = MISTAKES[mistake]
    said = run("check", tmp_path, config=config(sim, **options))
    assert said.code == 0
    assert said.status["status"] == "FAILED"
    assert_sentence(said.status["message"], *words)
    assert_no_key(said, sim.api_key, WRONG_KEY)


def test_check_names_a_custom_data_type_that_no_platform_knows(sim, tmp_path):
    said = run("check", tmp_path, config=config(sim, custom_data_types=["NoSuchThing"]))
    assert said.status["status"] == "FAILED"
    assert_sentence(said.status["message"], "'NoSuchThing'")


def test_custom_data_types_that_collide_in_lower_case_fail_check(sim, tmp_path):
    said = run("check", tmp_path, config=config(sim, custom_data_types=["Orders", "orders"]))
    assert said.status["status"] == "FAILED"
    assert_sentence(said.status["message"], "'Orders'", "'orders'")


@pytest.mark.parametrize("mistake", FILTERS)
def test_check_tries_the_filters(sim, tmp_path, mistake):
    filters, words = FILTERS[mistake]
    said = run("check", tmp_path, config=config(sim, filters=filters))
    assert said.status["status"] == "FAILED"
    assert_sentence(said.status["message"], *words)


def test_check_names_the_ids_that_do_not_exist(sim, tmp_path):
    known = sim.world.companies[0]["id"]
    said = run("check", tmp_path, config=config(sim, companies=ids(known, UNKNOWN)))
    assert said.status["status"] == "FAILED"
    assert UNKNOWN in said.status["message"]
    assert known not in said.status["message"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_read_fails_with_the_same_sentence_as_a_configuration_error(sim, tmp_path, mistake):
    options, words = MISTAKES[mistake]
    said = run("read", tmp_path, config=config(sim, **options), catalog=catalog("invoices"))
    assert said.code == 1
    assert {error["failure_type"] for error in said.errors} == {"config_error"}
    assert_sentence(said.errors[0]["message"], *words)
    assert said.unparsed == []
    assert_no_key(said, sim.api_key, WRONG_KEY)


@pytest.mark.parametrize("mistake", ["no key", "malformed number", "malformed selection"])
def test_discover_fails_with_the_same_sentence(sim, tmp_path, mistake):
    options, words = MISTAKES[mistake]
    said = run("discover", tmp_path, config=config(sim, **options))
    assert said.code == 1
    assert_sentence(said.errors[0]["message"], *words)
    assert said.errors[0]["failure_type"] == "config_error"


@pytest.mark.parametrize("command", ["check", "discover", "read"])
@pytest.mark.parametrize("content", ["{not json", "[1, 2]", '"text"', None])
def test_a_configuration_file_that_cannot_be_used_is_an_error_in_every_command(tmp_path, command, content):
    contents = {"config": content, "catalog": catalog("invoices") if command == "read" else None}
    extra = ["--config", str(tmp_path / "missing.json")] if content is None else []
    said = run(command, tmp_path, *extra, **contents)
    assert said.code == 1
    assert said.unparsed == []
    assert_sentence(said.errors[0]["message"], "onfiguration")


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"catalog": "{"}, "catalog"),
        ({"catalog": {"streams": []}}, "selects no stream"),
        ({"catalog": {"streams": [{"stream": {}}]}}, "catalog"),
        ({"catalog": [1]}, "catalog"),
        ({"state": "{"}, "state"),
        ({"state": [{"type": "STREAM", "stream": 5}]}, "state"),
        ({"state": ["x"]}, "state"),
        ({"state": "3"}, "state"),
    ],
)
def test_a_catalog_or_state_that_cannot_be_used_is_told_in_one_sentence(sim, tmp_path, contents, words):
    said = run("read", tmp_path, **{"config": config(sim), "catalog": catalog("invoices"), **contents})
    assert said.code == 1
    assert said.unparsed == []
    assert_sentence(said.errors[0]["message"], words)


def test_a_stream_that_does_not_exist_is_named(sim, tmp_path):
    said = run("read", tmp_path, config=config(sim), catalog=catalog("invoices", "invoicez"))
    assert said.code == 1
    assert_sentence(said.errors[0]["message"], "'invoicez'")
    assert said.errors[0]["failure_type"] == "config_error"


def test_one_company_that_is_gone_does_not_fail_the_others(sim, tmp_path):
    known = sim.world.companies[0]["id"]
    said = run(
        "read", tmp_path, config=config(sim, companies=ids(known, UNKNOWN)), catalog=catalog("invoices")
    )
    assert said.code == 0
    assert len(said.records("invoices")) == len(sim.world.records("invoices", company_id=known))
    assert any(UNKNOWN in line for line in said.logs)


def test_debug_logs_hold_no_form_of_the_key(sim, tmp_path):
    said = run("read", tmp_path, "--debug", config=config(sim), catalog=catalog("invoices"))
    assert said.code == 0
    assert_no_key(said, sim.api_key)
