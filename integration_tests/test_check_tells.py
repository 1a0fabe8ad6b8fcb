"""What a check says beside its verdict: how many companies it sees, and which filters bring nothing."""

import logging

import pytest

from codat_simulator import Fault
from integration_tests.support.connector import catalog, config, selected
from integration_tests.support.sentences import assert_sentence, failure
from source_codat import SourceCodat


def filters(**queries):
    return {"filters": [{"stream": stream, "query": query} for stream, query in queries.items()]}


@pytest.fixture(scope="module")
def source():
    return SourceCodat()


@pytest.fixture
def check(source, caplog):
    """Checks in process; returns the verdict and what was logged from INFO on."""
    caplog.set_level(logging.INFO, "airbyte")

    def run(sim, **options):
        caplog.clear()
        status = source.check(logging.getLogger("airbyte"), config(sim, **options)).status.name
        return status, [record.getMessage() for record in caplog.records]

    return run


def test_a_check_that_succeeds_logs_how_many_companies_it_sees(sim, check, only):
    assert check(sim) == ("SUCCEEDED", ["The check succeeded: it sees 3 companies."])
    assert check(sim, **only) == ("SUCCEEDED", ["The check succeeded: it sees 1 company."])
    ids = [one["id"] for one in sim.world.companies[:2]]
    assert check(sim, **selected(*ids)) == ("SUCCEEDED", ["The check succeeded: it sees 2 companies."])
    sim.world.add_company(name="Tagged", tags={"region": "uk"})
    tagged = {"companies": {"selection": "tags", "tags_query": "region=uk"}}
    seen = sum(one.get("tags", {}).get("region") == "uk" for one in sim.world.companies)
    noun = "company" if seen == 1 else "companies"
    assert check(sim, **tagged)[1] == [f"The check succeeded: it sees {seen} {noun} with these tags."]


def test_a_list_that_does_not_count_its_companies_is_told_as_far_as_it_was_seen(sim, check):
    body = {"results": [sim.world.companies[0]], "_links": {"next": {"href": "/companies?page=2"}}}
    sim.faults.add(Fault(path="/companies", status=200, body=body, times=None))
    assert check(sim) == ("SUCCEEDED", ["The check succeeded: it sees at least 1 company."])


def test_a_filter_that_matches_nothing_at_the_companies_tried_is_told(sim, check):
    status, told = check(sim, **filters(invoices="note=no such note"))
    assert status == "SUCCEEDED"
    [warning] = [line for line in told if "filter" in line]
    assert_sentence(warning, "'invoices'", "matches nothing at the companies tried")


def test_a_filter_that_matches_at_one_company_only_is_not_told(sim, check):
    last = sim.world.companies[-1]["id"]
    sim.world.put(last, "invoices", {"id": "only one", "status": "Draft", "note": "the only one"})
    status, told = check(sim, **filters(invoices="note=the only one"))
    assert (status, [line for line in told if "filter" in line]) == ("SUCCEEDED", [])


@pytest.mark.parametrize("query", ["status='Paid'", 'status="Paid"', "status=\u201cPaid\u201d"])
def test_a_filter_with_quotes_is_told(sim, check, query):
    status, told = check(sim, **filters(invoices=query))
    assert status == "SUCCEEDED"
    assert any("has quotes in it" in line for line in told)


def test_a_start_date_that_is_yet_to_come_ends_a_read_in_the_words_of_the_check(
    sim, script, tmp_path, source
):
    settings = config(sim, start_date="2099-01-01")
    said = script.run("read", tmp_path, config=settings, catalog=catalog("invoices"))
    assert failure(said) == source.check(logging.getLogger("airbyte"), settings).message
    assert said.errors[-1]["failure_type"] == "config_error"
    assert said.records("invoices") == []
