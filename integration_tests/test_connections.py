"""`connections` come from the company list, which embeds them, unless that says less."""

import base64
import json

import pytest
import requests

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import read, selected
from integration_tests.support.scripted import ScriptedCodat


@pytest.fixture
def world():
    with Simulator(companies=3, seed=9, records=4) as sim:
        sim.world.add_company(name="Bare", connections=())
        sim.world.add_company(name="Many", connections=("Accounting", "Banking", "Commerce", "BankFeed"))
        yield sim


def asked_for_connections(sim):
    return [one.path for one in sim.requests if one.path.endswith("/connections")]


def endpoint_alone(sim):
    """What the stream brings where the company list has no connections in it."""
    said = read_without(sim, lambda _: None)
    assert said.code == 0
    return said


class OtherList(ScriptedCodat):
    """A simulator whose company list is what `change` makes of its rows."""

    def __init__(self, sim, change):
        super().__init__(None)
        self._sim, self._change = sim, change
        self._header = {"Authorization": f"Basic {base64.b64encode(sim.api_key.encode()).decode()}"}

    def respond(self, path, query):
        found = requests.get(self._sim.url + path, params=query, headers=self._header, timeout=30)
        if path != "/companies":
            return found.status_code, found.content
        rows = self._change(found.json()["results"])
        return 200, json.dumps({**found.json(), "results": rows, "totalResults": len(rows)}).encode()


def read_without(sim, change):
    """Read with a company list whose embedded connections are what `change` makes of them."""

    def changed(rows):
        for row in rows:
            row["dataConnections"] = change(row["dataConnections"])
        return rows

    with OtherList(sim, changed) as codat:
        return read(codat.config, "connections")


def test_connections_cost_no_request_beside_the_company_list(world):
    said = read(world, "companies", "connections")
    assert said.code == 0
    assert len(world.requests) == 1
    assert len(said.records("connections")) == sum(
        len(one["dataConnections"]) for one in world.world.companies
    )


def test_rows_are_those_of_the_endpoint(world):
    listed = read(world, "connections")
    assert not asked_for_connections(world)
    one_by_one = endpoint_alone(world)
    assert len(asked_for_connections(world)) == len(world.world.companies)
    assert sorted(map(json.dumps, listed.records("connections"))) == sorted(
        map(json.dumps, one_by_one.records("connections"))
    )
    assert listed.statuses("connections") == one_by_one.statuses("connections")


def test_companies_by_id_say_their_connections_too(world):
    company = world.world.companies[0]
    said = read(world, "connections", **selected(company["id"]))
    assert not asked_for_connections(world)
    assert {one["id"] for one in said.records("connections")} == {
        one["id"] for one in company["dataConnections"]
    }


@pytest.mark.parametrize(
    "less",
    [
        lambda _: None,
        lambda _: "none",
        lambda links: [*links, None],
        lambda links: [*links, {"id": None}],
        lambda links: [{name: value for name, value in link.items() if name != "linkUrl"} for link in links],
        lambda links: [link["id"] for link in links],
    ],
    ids=["null", "no list", "null among them", "without an id", "without a field", "ids only"],
)
def test_where_the_list_says_less_the_endpoint_is_asked_for_that_company(world, less):
    with_all = endpoint_alone(world)
    world.clear_log()
    bare = [one["id"] for one in world.world.companies if not one["dataConnections"]]
    said = read_without(world, lambda links: less(links) if links else links)
    asked = asked_for_connections(world)
    assert len(asked) == len(world.world.companies) - len(bare)
    assert not [path for path in asked if bare[0] in path]
    assert sorted(map(json.dumps, said.records("connections"))) == sorted(
        map(json.dumps, with_all.records("connections"))
    )


def test_a_list_that_shows_a_company_twice_is_no_list_of_its_connections(world):
    twice = world.world.companies[0]["id"]

    def changed(rows):
        [row] = [one for one in rows if one["id"] == twice]
        return [*rows, {**row, "dataConnections": row["dataConnections"][:1]}]

    with OtherList(world, changed) as codat:
        said = read(codat.config, "connections")
    assert asked_for_connections(world) == [f"/companies/{twice}/connections"]
    assert said.code == 0


def test_the_endpoints_own_trouble_is_none_of_theirs(world):
    world.faults.add(Fault(path=r"/companies/[^/]+/connections", status=500, times=None))
    said = read(world, "connections")
    assert (said.code, said.statuses("connections")[-1]) == (0, "COMPLETE")
