"""Puts a query to the file that the demo left, or to another DuckDB file, or lists its tables.

Run as `python -m tools.demo.query "SELECT name FROM codat.companies"`, or without a query; with
`--database secrets/warehouse.duckdb` that file is asked.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb

from tools.demo.tables import side_by_side, table, terminal_width
from tools.demo.warehouse import SCHEMA, ask, counts, tables
from tools.demo.workspace import DATABASE, name_of

COMMAND = ".venv/bin/python -m tools.demo.query"


def main(arguments: Sequence[str]) -> int:
    """Print what a query answers, or the tables and their rows; 1 where it can't, 2 for too many queries."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo.query")
    parser.add_argument("--database", type=Path, metavar="FILE", help="the DuckDB file, if not the demo's")
    parser.add_argument("query", nargs="*", help="one query, in quotes; without it the tables are listed")
    given = parser.parse_args(arguments)
    if len(given.query) > 1:
        print(f'Give one query, in quotes: {COMMAND} "SELECT …"', file=sys.stderr)
        return 2
    database: Path = given.database or DATABASE
    if not database.exists():
        missing = f"There is no {given.database}: check the name."
        print(missing if given.database else _NO_DEMO.format(name_of(DATABASE)), file=sys.stderr)
        return 1
    try:
        if given.query:
            print(table(*ask(database, given.query[0]), terminal_width()))
        else:
            named = f" --database {given.database}" if given.database else ""
            print(_contents(database, f"{COMMAND}{named}"))
        sys.stdout.flush()
    except duckdb.Error as error:
        print(_sentence(error), file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


_NO_DEMO = "There is no {} yet: run make demo first."


def _contents(database: Path, command: str) -> str:
    """The tables beside one another, in alphabetical order from top to bottom, and how to look into one."""
    rows = counts(database, sorted(tables(database)))
    shown = side_by_side(rows, terminal_width())
    head = f"{len(rows)} tables in the schema {SCHEMA}, each with its number of rows:"
    table_asked = "invoices" if "invoices" in rows else next(iter(rows), "invoices")
    asked = f'{command} "SELECT * FROM {SCHEMA}.{table_asked} LIMIT 2"'  # noqa: S608 (own names)
    return f"{head}\n\n{shown}\n\nTo look into one:\n    {asked}"


def _sentence(error: duckdb.Error) -> str:
    """What DuckDB says, without the picture of where in the query that is."""
    return " ".join(re.split(r"\n+LINE \d", str(error))[0].split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
