"""What a read says before it begins: where each stream starts, and what of its files is of no use."""

import pytest

from integration_tests.support.connector import catalog, config, read
from integration_tests.support.sentences import assert_sentence, failure


def about(said, stream):
    """The first line on a stream."""
    return next(line for line in said.logs if line.startswith(f"{stream}: "))


def renamed(states, name):
    """States as if they were of another stream."""
    return [{**one, "stream": {**one["stream"], "stream_descriptor": {"name": name}}} for one in states]


def warnings(said):
    return [one["message"] for one in said.of("LOG") if one["level"] in {"WARN", "WARNING"}]


def test_a_stream_says_that_it_continues_and_from_where(sim):
    first = read(sim, "invoices", "bills")
    second = read(sim, "invoices", "bills", state=first.state)
    dates = sorted(one["cursor"]["modifiedDate"] for one in first.stream_state("invoices")["states"])
    assert len(set(dates)) > 1
    assert about(second, "invoices") == (
        f"invoices: continues from {dates[0]} to {dates[-1]}, each company from its own date (3 companies)."
    )


def test_a_stream_of_one_company_continues_from_one_date(sim, only):
    first = read(sim, "invoices", **only)
    second = read(sim, "invoices", state=first.state, **only)
    date = first.stream_state("invoices")["states"][0]["cursor"]["modifiedDate"]
    assert about(second, "invoices") == f"invoices: continues from {date} (1 company)."


STARTS: dict = {
    "no state was given": None,
    "the state is empty": [],
    "the state has nothing of it": "bills",
}


@pytest.mark.parametrize("reason", STARTS)
def test_a_stream_says_that_it_starts_and_why(sim, script, tmp_path, reason):
    given = STARTS[reason]
    state = read(sim, given).state if isinstance(given, str) else given
    said = script.run("read", tmp_path, config=config(sim), catalog=catalog("invoices"), state=state)
    assert about(said, "invoices") == f"invoices: starts from the beginning, as {reason}."


def test_a_start_date_is_told_where_a_stream_starts(sim):
    said = read(sim, "invoices", start_date="2024-01-01")
    assert "invoices: starts from the start date, 2024-01-01, as " in about(said, "invoices")


def test_changed_options_are_the_reason_that_is_told(sim):
    first = read(sim, "invoices", start_date="2024-01-01")
    said = read(sim, "invoices", state=first.state)
    lines = [line for line in said.logs if line.startswith("invoices: ")]
    assert "options that decide what is read have changed" in lines[0]
    assert not any("starts from" in line or "continues" in line for line in lines)


def test_streams_that_are_read_whole_say_why(sim):
    assert about(read(sim, "aged_debtors"), "aged_debtors").startswith(
        "aged_debtors: read whole, as Codat doesn't tell what has changed in it."
    )
    said = read(sim, "invoices", mode="full_refresh")
    assert about(said, "invoices") == "invoices: read whole, as the catalog asks for full_refresh."
    again = read(sim, "invoices", state=said.state)
    assert about(again, "invoices") == "invoices: starts from the beginning, as it was read whole before."


def test_a_state_of_another_connectors_streams_is_told(sim):
    said = read(sim, "invoices", state=renamed(read(sim, "bills").state, "charges"))
    [warning] = [line for line in warnings(said) if "charges" in line]
    assert_sentence(warning, "streams that this connector doesn't have (charges)", "another connector")
    assert said.code == 0
    assert said.records("invoices")


def test_a_state_of_streams_that_are_not_read_is_told_to_be_kept(sim):
    said = read(sim, "invoices", state=read(sim, "bills").state)
    [warning] = [line for line in warnings(said) if "bills" in line]
    assert_sentence(warning, "doesn't select (bills): keep it")


def test_a_state_that_is_all_used_is_no_reason_to_warn(sim):
    first = read(sim, "invoices", "bills", "companies")
    second = read(sim, "invoices", "bills", state=first.state)
    assert not [line for line in warnings(second) if "state" in line]


NEAR = {
    "invoice": "names the stream 'invoice', which this connector doesn't have (did you mean 'invoices'?): ",
    "Bank-Accounts": "which this connector doesn't have (did you mean 'bank_accounts'?): ",
    "custom_orders": "add its identifier to 'custom_data_types', or leave the stream out.",
    "weather": "which this connector doesn't have: refresh the source's schema",
}


@pytest.mark.parametrize("name", NEAR)
def test_a_stream_name_that_is_nearly_right_is_told_with_the_right_one(sim, script, tmp_path, name):
    said = script.run("read", tmp_path, config=config(sim), catalog=catalog("bills", name))
    assert_sentence(failure(said), NEAR[name])
    assert not sim.requests


def test_another_connectors_catalog_is_told_as_such(sim, script, tmp_path):
    said = script.run("read", tmp_path, config=config(sim), catalog=catalog("charges", "weather"))
    assert_sentence(failure(said), "The catalog is another connector's", "charges, weather")


@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_a_key_that_the_spec_does_not_have_is_named_by_every_command(sim, script, tmp_path, command):
    contents = {"catalog": catalog("companies")} if command == "read" else {}
    settings = config(sim, company_ids=[sim.world.companies[0]["id"]])
    said = script.run(command, tmp_path, config=settings, **contents)
    assert said.code == 0
    named = [line for line in warnings(said) if "company_ids" in line]
    assert len(named) == 1
    assert_sentence(named[0], "did you mean 'companies.company_ids'?", "all of them are read")


def test_a_key_is_named_before_the_error_that_it_leads_to(sim, script, tmp_path):
    settings = config(sim, companies={"selection": "ids", "companyIds": ["x"]})
    said = script.run("discover", tmp_path, config=settings)
    assert any("did you mean 'companies.company_ids'?" in line for line in warnings(said))
    assert "'company_ids' lists none" in failure(said)
