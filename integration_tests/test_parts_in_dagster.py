"""The Dagster job of docs/scale.md: four parts in parallel processes, one warehouse."""

import json
import os
import signal

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import config, touch
from integration_tests.support.extras import require
from integration_tests.support.parts import WHILE_READING, WHILE_WRITING, PartRuns
from integration_tests.support.postgres import postgresql
from integration_tests.support.warehouses import OWN, query, tables

require("dagster", "Dagster")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]

STREAMS = ["companies", "customers", "invoices", "bills"]
KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def sim():
    with Simulator(companies=16, seed=7, records=6) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def runs(sim, program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dagster")
    (folder / "config.json").write_text(json.dumps(config(sim)), encoding="utf-8")
    environment = {
        "AIRBYTE_LOGGING_ROOT": str(folder / "logs"),
        "CODAT_CONFIG": str(folder / "config.json"),
        "CODAT_STREAMS": ",".join(STREAMS),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_HOME": str(folder),
        "PATH": os.pathsep.join([os.path.dirname(program), os.environ["PATH"]]),  # noqa: PTH120
    }
    with PartRuns(environment) as started:
        yield started


def rows(address):
    """All rows of the streams' tables, without what PyAirbyte adds, in an order of their own."""
    found = tables(address)
    assert set(found) == set(STREAMS)
    return {
        name: sorted(
            json.dumps(
                {key: value for key, value in row.items() if key not in OWN}, default=str, sort_keys=True
            )
            for row in found[name]
        )
        for name in found
    }


def versions(address):
    """Keys and dates of all rows: what PyAirbyte makes of a text for PostgreSQL depends on its neighbours."""
    return {
        name: sorted((row.get("companyid"), row["id"], str(row.get("modifieddate"))) for row in found)
        for name, found in tables(address).items()
    }


def owners(address):
    """Whose states the warehouse holds."""
    states = query(address, "SELECT table_name, stream_name FROM codat._airbyte_state")
    return {row["table_name"].removesuffix(row["stream_name"]).strip() for row in states}


def test_four_parts_of_which_two_are_killed_and_run_again_are_equal_to_a_read_in_one_piece(runs, tmp_path):
    warehouse, whole = str(tmp_path / "warehouse.duckdb"), str(tmp_path / "whole.duckdb")
    ended = runs.run(4, killed={2: WHILE_READING, 3: WHILE_WRITING}, CODAT_WAREHOUSE=warehouse)
    assert ended == {1: 0, 2: KILLED, 3: KILLED, 4: 0}
    assert runs.run(4, 2, 3, CODAT_WAREHOUSE=warehouse) == {2: 0, 3: 0}
    assert runs.run(1, CODAT_WAREHOUSE=whole) == {1: 0}
    assert rows(warehouse) == rows(whole)


def test_after_a_change_of_their_number_parts_bring_what_changed_and_read_nothing_else(runs, sim, tmp_path):
    """Four parts, then three, of which one is killed; nothing is asked for that Codat hasn't synced since."""
    warehouse, whole = str(tmp_path / "warehouse.duckdb"), str(tmp_path / "whole.duckdb")
    assert set(runs.run(4, CODAT_WAREHOUSE=warehouse).values()) == {0}
    company = sim.world.companies[0]["id"]
    touch(sim, company, sim.world.records("invoices", company)[0]["id"], note="changed")
    before = len(sim.requests)
    ended = runs.run(3, killed={2: WHILE_WRITING}, CODAT_WAREHOUSE=warehouse)
    assert ended == {1: 0, 2: KILLED, 3: 0}
    assert runs.run(3, 2, CODAT_WAREHOUSE=warehouse) == {2: 0}
    asked = {request.path for request in sim.requests[before:] if "/data/" in request.path}
    assert asked == {f"/companies/{company}/data/invoices"}
    assert set(runs.run(1, CODAT_WAREHOUSE=whole).values()) == {0}
    assert rows(warehouse) == rows(whole)
    assert owners(warehouse) == {"1/4", "2/4", "3/4", "4/4", "1/3", "2/3", "3/3"}


def test_parts_side_by_side_into_postgresql_are_equal_to_a_read_in_one_piece(runs):
    with postgresql() as warehouse:
        whole = warehouse.replace("/postgres", "/template1")
        assert runs.run(1, CODAT_WAREHOUSE=whole) == {1: 0}
        assert runs.run(2, CODAT_WAREHOUSE=warehouse) == {1: 0, 2: 0}
        assert versions(warehouse) == versions(whole)
