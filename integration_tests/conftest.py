import pytest

from codat_simulator import Simulator


@pytest.fixture
def sim():
    with Simulator(companies=3, seed=7, records=40) as simulator:
        yield simulator
