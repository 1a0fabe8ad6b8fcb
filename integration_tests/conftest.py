import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import selected
from integration_tests.support.warm import WarmStart


@pytest.fixture
def sim():
    with Simulator(companies=3, seed=7, records=40) as simulator:
        yield simulator


@pytest.fixture
def company(sim):
    """The first company's id."""
    return sim.world.companies[0]["id"]


@pytest.fixture
def only(company):
    """The options that select the first company alone."""
    return selected(company)


@pytest.fixture
def naps(mocker):
    """How long the client slept, without sleeping."""
    slept: list[float] = []
    mocker.patch(
        "source_codat.http.client.CodatClient._sleep",
        lambda _, seconds: slept.append(seconds) if seconds > 0 else None,
    )
    return slept


@pytest.fixture(scope="session")
def script():
    """The console script, started a hundred times in the time of one."""
    with WarmStart() as warm:
        yield warm
