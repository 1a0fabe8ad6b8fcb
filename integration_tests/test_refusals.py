"""What Codat refuses of a question is left out of it, however many workers put that question at once."""

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import read


@pytest.fixture
def slow():
    """Answers come late enough that every company's first question is on its way before the first refusal."""
    with Simulator(companies=4, seed=11, records=6, latency=0.1) as simulator:
        yield simulator


@pytest.mark.parametrize("stream", ["invoices", "banking_account_balances"])
def test_an_order_refused_to_several_workers_at_once_fails_nobody(slow, stream):
    if stream == "invoices":
        slow.faults.add(Fault(path=r"/data/invoices", times=None, action="refuse_order_by"))
    said = read(slow, stream)
    assert (said.code, said.statuses(stream)[-1]) == (0, "COMPLETE")
    data_type = {"banking_account_balances": "banking-accountBalances"}.get(stream, stream)
    assert len(said.records(stream)) == slow.world.size_of(data_type)
