"""Files and names that can't be used: one clear sentence each, the right message and exit code.

Wrong configurations are in test_check_offline.py and test_check.py.
"""

import uuid

import pytest

from integration_tests.support.connector import catalog, config, run, selected
from integration_tests.support.sentences import assert_sentence, failure, refusal

UNKNOWN = str(uuid.UUID(int=5))


def test_a_process_of_its_own_says_what_a_warm_one_does(sim, script, tmp_path):
    wrong = config(sim, page_size="many")
    assert refusal(run("check", tmp_path, config=wrong)) == refusal(
        script.run("check", tmp_path, config=wrong)
    )
    ways = [one("read", tmp_path, config=wrong, catalog=catalog("bills")) for one in (run, script.run)]
    assert [said.code for said in ways] == [1, 1]
    assert len({said.errors[0]["message"] for said in ways}) == 1


@pytest.mark.parametrize("command", ["check", "discover", "read"])
@pytest.mark.parametrize("content", ["{not json", "[1, 2]", '"text"', "", "null", None])
def test_a_configuration_file_that_cannot_be_used_is_an_error_in_every_command(
    script, tmp_path, command, content
):
    contents = {"config": content, "catalog": catalog("invoices") if command == "read" else None}
    extra = ["--config", str(tmp_path / "missing.json")] if content is None else []
    said = script.run(command, tmp_path, *extra, **contents)
    assert_sentence(failure(said), "onfiguration")
    assert {error["failure_type"] for error in said.errors} == {"config_error"}


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"catalog": "{"}, "catalog"),
        ({"catalog": {"streams": []}}, "selects no stream"),
        ({"catalog": {"streams": [{"stream": {}}]}}, "correct it at 'streams/0/stream/name' and try again"),
        ({"catalog": [1]}, "catalog"),
        ({"state": "{"}, "state"),
    ],
)
def test_a_catalog_or_state_that_cannot_be_used_is_told_in_one_sentence(
    sim, script, tmp_path, contents, words
):
    said = script.run("read", tmp_path, **{"config": config(sim), "catalog": catalog("invoices"), **contents})
    assert_sentence(failure(said), words)


@pytest.mark.parametrize("name", ["config", "catalog"])
def test_json_in_place_of_a_files_name_is_told_without_repeating_it(sim, script, tmp_path, name):
    given = {"config": config(sim), "catalog": catalog("invoices")}
    extra = [f"--{name}", '{"api_key": "' + sim.api_key + '"}']
    said = script.run("read", tmp_path, *extra, **given)
    assert_sentence(failure(said), f"The {name if name == 'catalog' else 'configuration'} was ")
    assert sim.api_key not in said.text


def test_a_stream_that_does_not_exist_is_named(sim, script, tmp_path):
    said = script.run("read", tmp_path, config=config(sim), catalog=catalog("invoices", "invoicez"))
    assert said.code == 1
    assert_sentence(said.errors[0]["message"], "'invoicez'")
    assert said.errors[0]["failure_type"] == "config_error"


def test_one_company_that_is_gone_does_not_fail_the_others(sim, script, tmp_path):
    known = sim.world.companies[0]["id"]
    said = script.run(
        "read", tmp_path, config=config(sim, **selected(known, UNKNOWN)), catalog=catalog("invoices")
    )
    assert said.code == 0
    assert len(said.records("invoices")) == len(sim.world.records("invoices", company_id=known))
    assert any(UNKNOWN in line for line in said.logs)
