import pytest
import requests

from codat_simulator import Simulator


class Client:
    """A Codat client of a few lines: it knows the key and nothing of the simulator's insides."""

    def __init__(self, sim):
        self.sim = sim
        self.session = requests.Session()
        self.session.headers["Authorization"] = sim.authorization

    def get(self, path, **params):
        return self.session.get(self.sim.url + path, params=params, timeout=10)

    def post(self, path, **params):
        return self.session.post(self.sim.url + path, params=params, timeout=10)

    def pages(self, path, **params):
        """Follow `_links.next` to the end and return the rows of all pages."""
        rows, page = [], 1
        while True:
            body = self.get(path, page=page, **params).json()
            rows += body["results"]
            if "next" not in body["_links"]:
                return rows
            page += 1

    def ids(self, path, **params):
        return [row["id"] for row in self.pages(path, **params)]


@pytest.fixture
def sim():
    with Simulator(companies=3, seed=7, records=25) as simulator:
        yield simulator


@pytest.fixture
def codat(sim):
    client = Client(sim)
    yield client
    client.session.close()


@pytest.fixture
def first(sim):
    """Return the path of the first company, which has a connection of every kind."""
    return f"/companies/{sim.world.companies[0]['id']}"


@pytest.fixture
def link(sim):
    """Return the path of a company's connection of a source type."""

    def find(source_type, number=0):
        company = sim.world.companies[number]
        for connection in company["dataConnections"]:
            if connection["sourceType"] == source_type:
                return f"/companies/{company['id']}/connections/{connection['id']}"
        raise LookupError(source_type)

    return find
