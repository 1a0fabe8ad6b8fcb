"""How many rows each stream should have, counted at the simulator and not by the connector."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import requests
import yaml

from codat_simulator import DATA_TYPES, Simulator
from tools.demo import ROOT

# What the connector asks for when nothing is configured.
PERIODS = {"periodLength": 1, "periodsToCompare": 24}


@dataclass
class Changes:
    """What happened to a stream's records between two snapshots.

    changed: how many are new or different. gone: how many aren't there any more.
    """

    changed: int = 0
    gone: int = 0


@dataclass
class Snapshot:
    """The records of each stream that is a list of a data type: as `connection/id` and as JSON, counted."""

    streams: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    def changes_until(self, later: "Snapshot") -> dict[str, Changes]:
        """What has changed from this snapshot to a later one, by stream."""
        return {
            name: Changes(
                changed=(records - self.streams[name]).total(),
                gone=(_ids(self.streams[name]) - _ids(records)).total(),
            )
            for name, records in later.streams.items()
        }


def snapshot(simulator: Simulator) -> Snapshot:
    """Count the records of all lists as they are now."""
    lists = {name: key for name, key in data_types().items() if DATA_TYPES[key].is_list}
    return Snapshot({name: _counted_records(simulator, key) for name, key in lists.items()})


def rows_in_codat(simulator: Simulator) -> dict[str, int]:
    """Count the rows that the simulated Codat holds now, of the streams for which it can tell."""
    companies = simulator.world.companies
    ids = [str(company["id"]) for company in companies]
    rows = {name: found.total() for name, found in snapshot(simulator).streams.items()}
    rows["companies"] = len(companies)
    rows["connections"] = sum(len(company["dataConnections"]) for company in companies)
    rows["integrations"] = _body_of(simulator, "/integrations")["totalResults"]
    rows["data_status"] = sum(len(_body_of(simulator, f"/companies/{one}/dataStatus")) for one in ids)
    rows["company_info"] = sum(bool(_body_of(simulator, f"/companies/{one}/data/info")) for one in ids)
    rows["sync_history"] = sum(
        _body_of(simulator, f"/companies/{one}/data/history")["totalResults"] for one in ids
    )
    for name, key in data_types().items():
        if key in {"balanceSheet", "profitAndLoss", "cashFlowStatement"}:
            path = f"/companies/{{}}/data/financials/{key}"
            answers = [_body_of(simulator, path.format(one), **PERIODS) for one in ids]
            statements = [report for answer in answers for report in answer.get("reports", [])]
            whole = not name.endswith("_lines")
            rows[name] = len(statements) if whole else sum(map(_lines, statements))
    return rows


@cache
def data_types() -> dict[str, str]:
    """Return the Codat data type of each stream that has one, as the manifest says."""
    manifest = yaml.safe_load((ROOT / "source_codat" / "manifest.yaml").read_text(encoding="utf-8"))
    rows = [row["$parameters"] for row in manifest["streams"]]
    return {row["name"]: row["data_type"] for row in rows if "data_type" in row}


def records(simulator: Simulator, data_type: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield company, connection, id and record of all that can be read of a data type.

    Bank transactions are read by account: those of an account that isn't there can't be.
    """
    world = simulator.world
    with world.lock:
        for company in world.known_companies():
            for link in company.supporting(data_type):
                if link.platform.source_type != DATA_TYPES[data_type].source_type:
                    continue
                if not world.supports(company, link.platform, data_type):
                    continue
                accounts = link.dataset("bankAccounts").rows if data_type == "bankTransactions" else None
                for row in link.dataset(data_type).rows.values():
                    if accounts is None or row.group in accounts:
                        yield company.id, link.id, row.key, json.loads(row.blob)


def _counted_records(simulator: Simulator, data_type: str) -> Counter[tuple[str, str]]:
    """Count the records of a data type, each as `connection/id` and as JSON."""
    return Counter(
        (f"{link}/{key}", json.dumps(record, sort_keys=True))
        for _, link, key, record in records(simulator, data_type)
    )


def _ids(records: Counter[tuple[str, str]]) -> Counter[str]:
    """The same records without their contents."""
    return Counter(name for name, _ in records.elements())


def _lines(report: dict[str, Any]) -> int:
    """Count the lines of a statement: every node of its trees, and the totals beside them."""
    found = 0
    for value in report.values():
        if isinstance(value, dict):
            found += _nodes(value)
        elif isinstance(value, int | float):
            found += 1
    return found


def _nodes(line: dict[str, Any]) -> int:
    return 1 + sum(map(_nodes, line.get("items") or []))


def _body_of(simulator: Simulator, path: str, **parameters: Any) -> dict[str, Any]:
    """The JSON object that the simulator answers with, empty where it refuses."""
    headers = {"Authorization": simulator.authorization}
    answer = requests.get(simulator.url + path, params=parameters, headers=headers, timeout=60)
    body = answer.json() if answer.ok else {}
    return body if isinstance(body, dict) else {}
