"""The lines that financial statements have now: Codat's own, and the guide's query for them."""

import re
from collections import Counter

from integration_tests.support.connector import REPO

GUIDE = REPO / "docs" / "integrations" / "sources" / "codat.md"


def true_lines(reports, dated_by):
    """Section, names from the root and value of each line of statements, by the statement's dates."""
    found: Counter = Counter()

    def walk(line, section, names, period):
        path = (*names, line["name"])
        found[period, section, path, float(line["value"])] += 1
        for item in line.get("items") or ():
            walk(item, section, path, period)

    for report in reports:
        period = tuple(report[name][:10] for name in dated_by)
        for section, value in report.items():
            if isinstance(value, dict):
                walk(value, section, (), period)
            elif section not in dated_by and isinstance(value, (int, float)):
                found[period, section, (), float(value)] += 1
    return found


def query_of_current_lines(stream, table):
    """The guide's query for the lines of balance sheets, said for another stream as the guide tells to.

    table: what to select from instead of the stream's own table.
    """
    text = GUIDE.read_text(encoding="utf-8")
    [query] = re.findall(r"```sql\n([^`]*codat\.balance_sheet_lines\b[^`]*)```", text)
    if stream != "balance_sheet_lines":
        query = query.replace("periodlength, date)", "periodlength, fromdate, todate)")
    return query.replace("codat.balance_sheet_lines", table)
