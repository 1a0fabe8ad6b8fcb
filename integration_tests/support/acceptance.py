"""What Airbyte's standard tests read: a world, and the files that acceptance-test-config.yml names."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codat_simulator import Simulator
from integration_tests.support.connector import config

FOLDER = Path(__file__).resolve().parent.parent.parent / ".tmp" / "acceptance"
CUSTOM = "DynamicsPurchaseOrders"


@contextmanager
def acceptance() -> Iterator[Simulator]:
    """A small world with rows for every stream, while it is served."""
    with Simulator(companies=2, seed=11, records=6) as simulator:
        simulator.world.add_company(
            name="D", connections=({"source_type": "Accounting", "platform": "dyna"},)
        )
        right = config(simulator, custom_data_types=[CUSTOM])
        wrong = [{"stream": "invoices", "query": "noSuchField=1"}]
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, content in {
            "config": right,
            "wrong_key": {**right, "api_key": "0123456789abcdef0123456789abcdef"},
            "wrong_query": {**right, "filters": wrong},
        }.items():
            (FOLDER / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        yield simulator
