"""Ask the demo's file something: python -m demo.query "SELECT * FROM codat.companies"."""

import sys

from demo import ROOT
from demo.progress import table
from demo.warehouse import ask

if __name__ == "__main__":
    print(table(*ask(ROOT / ".demo" / "warehouse.duckdb", sys.argv[1])))
