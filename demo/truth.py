"""How many rows each stream should have, asked of the simulator and not of the connector."""

import json
from collections import Counter
from typing import Any

import requests
import yaml

from codat_simulator import Simulator
from demo import ROOT

# What the connector asks for when nothing is configured.
PERIODS = {"periodLength": 1, "periodsToCompare": 24}
REPORTS = {"balance_sheets": "balanceSheet", "profit_and_loss": "profitAndLoss"}


def rows_in_codat(simulator: Simulator) -> dict[str, int]:
    """Count, per stream, the rows that the simulated Codat holds now."""
    companies = simulator.world.companies
    ids = [str(company["id"]) for company in companies]
    counted = simulator.world.count()
    rows = {name: counted.get(data_type, 0) for name, data_type in data_types().items()}
    rows["companies"] = len(companies)
    rows["connections"] = sum(len(company["dataConnections"]) for company in companies)
    rows["data_status"] = sum(len(_ask(simulator, f"/companies/{one}/dataStatus")) for one in ids)
    rows["company_info"] = sum(bool(_ask(simulator, f"/companies/{one}/data/info")) for one in ids)
    for name, report in REPORTS.items():
        answers = [_ask(simulator, f"/companies/{one}/data/financials/{report}", **PERIODS) for one in ids]
        rows[name] = sum(len(answer.get("reports", [])) for answer in answers)
    return rows


def snapshot(simulator: Simulator) -> dict[str, Counter[str]]:
    """Return the records of every stream that has a cursor to follow, each as its JSON."""
    return {
        name: Counter(json.dumps(record, sort_keys=True) for record in simulator.world.records(data_type))
        for name, data_type in data_types().items()
    }


def changed(before: dict[str, Counter[str]], after: dict[str, Counter[str]]) -> dict[str, int]:
    """Count, per stream, the records that are new or differ."""
    return {name: (after[name] - before[name]).total() for name in after}


def data_types() -> dict[str, str]:
    """Return the Codat data type of each stream that has one, as the manifest's table says."""
    manifest = yaml.safe_load((ROOT / "source_codat" / "manifest.yaml").read_text(encoding="utf-8"))
    rows = [row["$parameters"] for row in manifest["streams"]]
    return {row["name"]: row["data_type"] for row in rows if "data_type" in row}


def _ask(simulator: Simulator, path: str, **parameters: Any) -> dict[str, Any]:
    headers = {"Authorization": simulator.authorization}
    answer = requests.get(simulator.url + path, params=parameters, headers=headers, timeout=60)
    body = answer.json() if answer.ok else {}
    return body if isinstance(body, dict) else {}
