"""Reading in parts: each company by exactly one connection, and the others' places in the state kept."""

import logging

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import config, read, selected, touch
from source_codat import SourceCodat
from source_codat.config.parts import part_of

PARTS = [f"{number}/4" for number in range(1, 5)]


@pytest.fixture(scope="module")
def codat():
    """A small account that nothing changes."""
    with Simulator(companies=9, seed=7, records=4) as simulator:
        yield simulator


def ids(sim):
    return [one["id"] for one in sim.world.companies]


def in_part(sim, part):
    return {company_id for company_id in ids(sim) if part_of(part).has(company_id)}


def a_full_part(sim, parts=4):
    return max((f"{one}/{parts}" for one in range(1, parts + 1)), key=lambda part: len(in_part(sim, part)))


def an_empty_part(sim, parts=40):
    return next(f"{one}/{parts}" for one in range(1, parts + 1) if not in_part(sim, f"{one}/{parts}"))


def read_ids(said):
    return [one["id"] for one in said.records("companies")]


@pytest.mark.parametrize(
    "chosen",
    [
        lambda _: {},
        lambda sim: selected(*ids(sim)[:7]),
        lambda _: {"companies": {"selection": "tags", "tags_query": "region=uk"}},
    ],
    ids=["all", "ids", "tags"],
)
def test_all_parts_together_read_every_selected_company_exactly_once(codat, chosen):
    options = chosen(codat)
    whole = read(codat, "companies", "invoices", **options)
    said = [read(codat, "companies", "invoices", part=part, **options) for part in PARTS]
    assert {one.code for one in (whole, *said)} == {0}
    assert sorted(company for one in said for company in read_ids(one)) == sorted(read_ids(whole))
    rows = [row["id"] for one in said for row in one.records("invoices")]
    assert sorted(rows) == sorted(row["id"] for row in whole.records("invoices"))
    assert len(read_ids(whole)) > 2


def test_a_part_asks_for_its_own_companies_alone(codat):
    part = a_full_part(codat)
    codat.clear_log()
    read(codat, "companies", "invoices", part=part)
    asked = {one.company_id for one in codat.requests if one.company_id}
    assert asked == in_part(codat, part) != set()


def test_what_is_no_companys_is_read_by_every_part(codat):
    said = [read(codat, "integrations", part=part) for part in PARTS[:2]]
    assert said[0].records("integrations") == said[1].records("integrations") != []


def test_companies_of_other_parts_keep_their_place_in_the_state(sim):
    first = read(sim, "invoices")
    before = {one["partition"]["company_id"]: one for one in first.stream_state("invoices")["states"]}
    for company in ids(sim):
        touch(sim, company, sim.world.records("invoices", company)[0]["id"])
    part = next(f"{one}/2" for one in (1, 2) if 0 < len(in_part(sim, f"{one}/2")) < 3)
    said = read(sim, "invoices", part=part, state=first.state)
    after = {one["partition"]["company_id"]: one for one in said.stream_state("invoices")["states"]}
    assert set(after) == set(before)
    assert {company for company in after if after[company] != before[company]} == in_part(sim, part)


def test_a_part_continues_from_the_state_of_a_read_in_one_piece(codat):
    whole = read(codat, "invoices")
    for part in PARTS:
        codat.clear_log()
        said = read(codat, "invoices", part=part, state=whole.state)
        assert said.records("invoices") == []
        assert not [one for one in codat.requests if one.path.endswith("/invoices")]


def test_a_part_without_companies_is_read_and_says_so(codat):
    part = an_empty_part(codat)
    said = read(codat, "companies", "invoices", part=part)
    assert (said.code, said.errors, said.of("RECORD")) == (0, [], [])
    assert [said.statuses(name)[-1] for name in ("companies", "invoices")] == ["COMPLETE"] * 2
    assert f"Reading 2 streams of 0 companies, those of part {part}." in said.logs


def test_a_part_without_named_companies_asks_for_nothing(codat):
    one = ids(codat)[0]
    part = next(f"{number}/4" for number in range(1, 5) if one not in in_part(codat, f"{number}/4"))
    codat.clear_log()
    said = read(codat, "companies", "invoices", part=part, **selected(one))
    assert (said.code, said.of("RECORD"), codat.requests) == (0, [], [])


@pytest.fixture
def check(codat, caplog):
    def run(**options):
        caplog.clear()
        with caplog.at_level("INFO", "airbyte"):
            found = SourceCodat().check(logging.getLogger("airbyte"), config(codat, **options))
        return found.status.name, found.message, caplog.messages

    return run


def test_check_says_how_many_companies_the_part_has(codat, check):
    part = a_full_part(codat)
    status, _, logged = check(part=part, page_size=4)
    assert status == "SUCCEEDED"
    number = len(in_part(codat, part))
    assert logged[-1] == f"The check succeeded: it sees 9 companies, of which part {part} has {number}."


def test_check_accepts_a_part_without_companies_and_says_so(codat, check):
    part = an_empty_part(codat)
    status, _, logged = check(part=part)
    assert status == "SUCCEEDED"
    assert logged[-1] == (
        f"The check succeeded: it sees 9 companies, and part {part} has none of them, so that a read of it "
        "brings nothing of any company."
    )


def test_check_tries_all_named_companies_whatever_their_part(codat, check):
    unknown = "00000000-0000-0000-0000-000000000001"
    part = next(one for one in PARTS if not part_of(one).has(unknown))
    status, message, _ = check(part=part, **selected(*ids(codat), unknown))
    assert status == "FAILED"
    assert unknown in message


def test_a_selection_that_matches_no_company_fails_in_every_part(codat, check):
    status, message, _ = check(part="1/4", companies={"selection": "tags", "tags_query": "region=nowhere"})
    assert status == "FAILED"
    assert message.startswith("No company matches the tags query")
    said = read(
        codat, "invoices", part="1/4", companies={"selection": "tags", "tags_query": "region=nowhere"}
    )
    assert said.code == 1
