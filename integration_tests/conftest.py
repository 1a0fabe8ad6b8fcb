from dataclasses import astuple

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import selected
from integration_tests.support.image import Base, build, find_base
from integration_tests.support.loading import loader
from integration_tests.support.warm import WarmStart

BASE = pytest.StashKey[Base]()


def pytest_configure(config):
    """All processes of a run hold the same of the engine: what the first one found."""
    given = getattr(config, "workerinput", {}).get("base")
    config.stash[BASE] = Base(*given) if given else find_base()


def pytest_collection_modifyitems(items):
    """First those that wait, as the linters work beside them; then the slow ones; short ones end the run."""
    order = ["waits", "slow"]
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in order])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["base"] = astuple(node.config.stash[BASE])


@pytest.fixture(scope="session")
def image(pytestconfig):
    """The id of the image, built once."""
    base = pytestconfig.stash[BASE]
    if base.missing:
        pytest.skip(base.missing)
    return build(base.name)


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


@pytest.fixture(scope="session")
def program(script, tmp_path_factory):
    """A program that does what the console script does, and starts in no time; not for tests that kill -9."""
    return str(script.stand_in(tmp_path_factory.mktemp("bin") / "source-codat"))


@pytest.fixture(scope="session")
def load(program, tmp_path_factory):
    """What runs `python -m tools.demo.load` with arguments; PyAirbyte is imported once for all."""
    with loader(program, tmp_path_factory.mktemp("logs")) as run:
        yield run
