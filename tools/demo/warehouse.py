"""The DuckDB file that the demo fills, and queries of it."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

SCHEMA = "codat"  # as tools/demo/load.py calls it

PROFITS = """
SELECT c.name AS company, strftime(p.fromdate, '%Y-%m') AS month,
       p.currency, p.grossprofit AS gross_profit, p.netprofit AS net_profit
FROM codat.profit_and_loss p JOIN codat.companies c ON c.id = p.companyid
QUALIFY row_number() OVER (PARTITION BY c.id ORDER BY p.fromdate DESC) <= 3
ORDER BY company, month
""".strip()


def ask(database: Path, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and the rows of a query."""
    with duckdb.connect(str(database), read_only=True) as connection:
        answer = connection.execute(query)
        return [column[0] for column in answer.description or []], answer.fetchall()


def counts(database: Path, streams: Iterable[str], after: datetime | None = None) -> dict[str, int]:
    """Count each stream's rows: all, or those that arrived after a moment; 0 for a stream without a table."""
    where = f"WHERE _airbyte_extracted_at > TIMESTAMP '{after.isoformat()}'" if after else ""
    found = dict(_of_each_table(database, "count(*)", where))
    return {name: int(found.get(name, 0)) for name in streams}


def last_arrival(database: Path) -> datetime:
    """Return when the newest row of all streams arrived."""
    found: list[datetime | None] = [
        moment for _, moment in _of_each_table(database, "max(_airbyte_extracted_at)")
    ]
    return max(moment for moment in found if moment is not None)


def _of_each_table(database: Path, value: str, where: str = "") -> list[tuple[str, Any]]:
    """Return each table's name and a value of its rows; one question, as opening the file takes longest."""
    questions = [f"SELECT '{name}', {value} FROM {SCHEMA}.\"{name}\" {where}" for name in tables(database)]  # noqa: S608 (own names)
    answers = ask(database, " UNION ALL ".join(questions))[1] if questions else []
    return [(name, found) for name, found in answers]


def tables(database: Path) -> list[str]:
    """Return the streams' tables; PyAirbyte's own begin with an underscore."""
    query = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{SCHEMA}'"  # noqa: S608 (own name)
    return [name for [name] in ask(database, query)[1] if not name.startswith("_")]


def write_down(database: Path) -> None:
    """Put everything into the one file, so that it can be moved."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("CHECKPOINT")
