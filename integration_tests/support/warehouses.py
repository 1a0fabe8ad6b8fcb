"""Three loads into a warehouse by tools.demo.load; what Codat and the tables held after each."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from math import isclose
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from codat_simulator import DATA_TYPES, Simulator
from integration_tests.support.connector import config
from tools.demo.truth import data_types, records, rows_in_codat

LISTS = {name: key for name, key in data_types().items() if DATA_TYPES[key].is_list}
OWN = {"_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta"}


@dataclass
class Stage:
    """After one load: the tables' rows, how many Codat has, and its records by stream and key."""

    tables: dict
    expected: dict
    records: dict


@dataclass
class Warehouse:
    """One database, after its three loads."""

    address: str
    columns: dict = field(default_factory=dict)
    first: Stage | None = None
    second: Stage | None = None
    resynced: Stage | None = None
    gone: tuple = ()
    """Company, connection and id of a bank transaction that vanished before the second load."""


def fill(address: str, folder: Path, load: Callable[..., None]) -> Warehouse:
    """Load everything, then what has changed, then everything anew, by this function."""
    warehouse = Warehouse(address)
    with Simulator(companies=2, seed=7, records=6) as sim:
        _put_odd_rows(sim)
        path = folder / "config.json"
        path.write_text(json.dumps(config(sim)), encoding="utf-8")
        load(path, address)
        warehouse.first = look(address, sim)
        warehouse.gone = _disturb(sim)
        load(path, address)
        warehouse.second = look(address, sim)
        load(path, address, "--resync")
        warehouse.resynced = look(address, sim)
    warehouse.columns = _columns(address)
    return warehouse


def _put_odd_rows(sim: Simulator) -> None:
    """Rows that no warehouse takes as they are sent, each twice: without an id, with texts for numbers."""
    company = sim.world.companies[0]["id"]
    account = next(key for _, _, key, _ in records(sim, "bankAccounts"))
    odd = {
        "RowKey": "other",
        "CompanyId": "other",
        "description": "a\0b",
        "amount": "",
        "date": "",
        "balance": "1.50",
    }
    for _ in range(2):
        sim.world.put(company, "chartOfAccounts", {"name": "Without an id", "currentBalance": ""})
        sim.world.put(company, "bankTransactions", dict(odd), account_id=account)


def _disturb(sim: Simulator) -> tuple:
    """Change, add and delete records of several kinds, in syncs; return what vanished."""
    company = sim.world.companies[0]["id"]
    invoices = [record["id"] for record in sim.world.records("invoices", company)]

    def change() -> None:
        sim.world.change(company, "invoices", invoices[0], note="changed", totalAmount=12.25)
        sim.world.delete(company, "invoices", invoices[1])
        sim.world.put(company, "invoices", {"id": "brand new", "totalAmount": 0.1, "currency": "GBP"})

    sim.world.sync(company, "invoices", changes=change)
    there = [(one, link, key) for one, link, key, _ in records(sim, "banking-transactions")]
    gone = there[-1]
    sim.world.sync(
        gone[0],
        "banking-transactions",
        gone[1],
        changes=lambda: sim.world.vanish(gone[0], "banking-transactions", gone[2], gone[1]),
    )
    return gone


def look(address: str, sim: Simulator) -> Stage:
    """Take the tables and the truth as they are now."""
    truth = {
        name: {
            (company, link, key): record
            for company, link, key, record in records(sim, data_type)
            if "id" in record
        }
        for name, data_type in LISTS.items()
    }
    return Stage(tables(address), rows_in_codat(sim), truth)


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """A connection to a warehouse, and nothing left of it."""
    engine = create_engine(address if "://" in address else f"duckdb:///{address}")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def query(address: str, statement: str) -> list[dict]:
    """Ask a warehouse something."""
    with connected(address) as connection:
        return rows_of(connection, statement)


def rows_of(connection: Connection, statement: str) -> list[dict]:
    """All rows of a query, over a connection that stays open."""
    return [dict(row) for row in connection.execute(text(statement)).mappings()]


def tables(address: str) -> dict:
    """All rows of all streams' tables."""
    listed = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'codat'"
    with connected(address) as connection:
        names = [one["name"] for one in rows_of(connection, listed)]
        return {
            name: rows_of(connection, f'SELECT * FROM codat."{name}"')
            for name in names
            if not name.startswith("_airbyte")
        }


def _columns(address: str) -> dict:
    found: dict = {}
    for row in query(
        address,
        "SELECT table_name AS name, column_name AS col, data_type AS kind, numeric_precision AS digits,"
        " numeric_scale AS decimals FROM information_schema.columns WHERE table_schema = 'codat'",
    ):
        kind = row["kind"].split("(")[0].upper().replace("NUMERIC", "DECIMAL").replace("JSONB", "JSON")
        kind = kind.removesuffix(" WITHOUT TIME ZONE")
        number = f"({row['digits']},{row['decimals']})" if kind == "DECIMAL" else ""
        found.setdefault(row["name"], {})[row["col"]] = kind + number
    return found


def same(wanted, got, guessing: bool) -> bool:
    """Whether a value of Codat's is what a column holds, to what a loader keeps.

    PyAirbyte drops the offset of a date; on its way into PostgreSQL it also guesses, and texts that look like
    numbers change (4 to 4.0).
    """
    if isinstance(got, datetime):
        told = [_moment(wanted), _moment(wanted, local=True)]  # the seventh digit is cut or rounded
        return any(one and abs(one - got.replace(tzinfo=None)) <= timedelta(microseconds=1) for one in told)
    if isinstance(wanted, dict | list) and isinstance(got, str):
        got = json.loads(got)
    if isinstance(wanted, dict) and isinstance(got, dict):
        return set(wanted) == set(got) and all(same(wanted[name], got[name], guessing) for name in wanted)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(same, wanted, got, [guessing] * len(wanted)))
    if _is_number(wanted) and _is_number(got):
        return isclose(wanted, got, rel_tol=1e-14, abs_tol=1e-9)  # about 15 digits, 9 decimals
    if guessing and isinstance(wanted, str) and wanted.isdigit() and isinstance(got, str):
        return wanted == got or float(wanted) == float(got)
    return bool(wanted == got)


def _is_number(value) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _moment(wanted, local: bool = False) -> datetime | None:
    """A date of Codat's without a zone, cut to microseconds: as UTC, or as it stands."""
    if not isinstance(wanted, str):
        return None
    match = re.fullmatch(r"([^.+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", wanted)
    if match is None:
        return None
    whole, digits, zone = match.groups()
    found = datetime.fromisoformat(whole).replace(microsecond=int((digits or "")[:6].ljust(6, "0")))
    if local or zone in (None, "Z"):
        return found
    return datetime.fromisoformat(f"{found.isoformat()}{zone}").astimezone(timezone.utc).replace(tzinfo=None)
