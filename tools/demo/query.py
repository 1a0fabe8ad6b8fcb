"""Puts a query to the file that the demo left: python -m tools.demo.query "SELECT * FROM codat.companies"."""

import sys

from tools.demo import ROOT
from tools.demo.progress import table
from tools.demo.warehouse import ask

if __name__ == "__main__":
    print(table(*ask(ROOT / ".demo" / "warehouse.duckdb", sys.argv[1])))
