"""Puts a query to the file that the demo left, or lists its tables.

Run as `python -m tools.demo.query "SELECT name FROM codat.companies"`, or without a query.
"""

import re
import sys
from collections.abc import Sequence

import duckdb

from tools.demo.tables import side_by_side, table, terminal_width
from tools.demo.warehouse import SCHEMA, ask, counts, tables
from tools.demo.workspace import DATABASE, name_of


def main(arguments: Sequence[str]) -> int:
    """Print what a query answers, or the tables and their rows; 1 where it can't, 2 for too many queries."""
    if len(arguments) > 1:
        print('Give one query, in quotes: python -m tools.demo.query "SELECT …"', file=sys.stderr)
        return 2
    if not DATABASE.exists():
        print(f"There is no {name_of(DATABASE)} yet: run make demo first.", file=sys.stderr)
        return 1
    try:
        print(table(*ask(DATABASE, arguments[0]), terminal_width()) if arguments else _contents())
    except duckdb.Error as error:
        print(_sentence(error), file=sys.stderr)
        return 1
    return 0


def _contents() -> str:
    """The tables beside one another, in alphabetical order from top to bottom."""
    rows = counts(DATABASE, sorted(tables(DATABASE)))
    shown = side_by_side([f"{name} {number:,}" for name, number in rows.items()], terminal_width())
    head = f"{len(rows)} tables in the schema {SCHEMA}, each with its number of rows:"
    asked = f'.venv/bin/python -m tools.demo.query "SELECT * FROM {SCHEMA}.invoices LIMIT 2"'  # noqa: S608
    return f"{head}\n\n{shown}\n\nTo look into one:\n    {asked}"


def _sentence(error: duckdb.Error) -> str:
    """What DuckDB says, without the picture of where in the query that is."""
    return " ".join(re.split(r"\n+LINE \d", str(error))[0].split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
