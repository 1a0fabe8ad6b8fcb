"""What a read costs at least where nothing was synced: all suggested streams, each in its best mode."""

from collections import Counter

import pytest
import yaml
from airbyte_cdk.models import SyncMode

from codat_simulator import Simulator
from integration_tests.support.connector import REPO, read
from source_codat import SourceCodat

METADATA = yaml.safe_load((REPO / "metadata.yaml").read_text(encoding="utf-8"))["data"]
SUGGESTED = METADATA["suggestedStreams"]["streams"]
COMPANIES = 4


@pytest.mark.parametrize(
    ("connections", "of_each_company"),
    [
        (("Accounting",), ["dataStatus"]),
        (("Accounting", "Banking", "Commerce"), ["dataStatus"]),
        (("Accounting", "Accounting"), ["dataStatus", "data/history"]),
        (("Accounting", "Banking", "Banking", "Commerce"), ["dataStatus", "data/history"]),
    ],
    ids=" ".join,
)
def test_nothing_changed_costs_one_request_a_company_and_two_where_several_connections_hold_a_data_type(
    connections, of_each_company
):
    with Simulator(companies=0, seed=4, records=5) as sim:
        for _ in range(COMPANIES):
            sim.world.add_company(connections=connections)
        sim.world.clock.advance(3600)
        first = read(sim, *SUGGESTED)
        assert (first.code, first.errors) == (0, [])
        sim.clear_log()
        second = read(sim, *SUGGESTED, state=first.state)
        asked = Counter(one.path.partition("/companies")[2] for one in sim.requests)
    assert (second.code, second.errors) == (0, [])
    companies = {one["id"] for one in second.records("companies")}
    assert len(companies) == COMPANIES
    assert asked == {"": 1, **{f"/{company}/{path}": 1 for company in companies for path in of_each_company}}
    # What is in no state is all that came.
    assert {one["stream"] for one in second.of("RECORD")} == {"companies", "connections", "data_status"}


def test_what_is_suggested_is_incremental_but_for_what_costs_nothing():
    whole = {
        one.name
        for one in SourceCodat().discover(None, {"api_key": "any"}).streams  # type: ignore[arg-type]
        if one.name in SUGGESTED and SyncMode.incremental not in one.supported_sync_modes
    }
    assert whole == {"companies", "connections", "data_status"}
