"""What we assume of every list of records: order, query, page size, dates, and how a missing one answers."""

import re
from collections import Counter
from collections.abc import Iterator

from tools.live_check.api import Answer, Codat
from tools.live_check.company import Company, Dataset
from tools.live_check.finding import Finding, judge

LONG_AGO = "modifiedDate>=2000-01-01T00:00:00.000Z"
NOT_YET = "modifiedDate>=2999-01-01T00:00:00.000Z"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,7}))?(Z?)$")


def dataset(api: Codat, company: Company, data: Dataset) -> Iterator[Finding]:
    """All assumptions about one list, or one line that says why it can't be read."""
    path = data.url(company)
    if path is None:
        yield judge(f"{data.name}: readable", f"the company has no {data.source_type} connection", None)
        return
    first = api.get(path, page=1, pageSize=100, orderBy="id")
    if first.status in {403, 404, 409, 451}:
        told = isinstance(first.body, dict) and bool(first.body.get("error"))
        yield judge(f"{data.name}: what can't be read says why, in `error`", str(first), told)
        return
    yield judge(f"{data.name}: takes orderBy=id", str(first), first.ok)
    if first.ok:
        yield from _order(api, path, data, first)
        yield from _queries(api, path, data, first)
        yield _dates(data, first)


def page_size(api: Codat, company: Company, data: Dataset) -> Iterator[Finding]:
    """How many rows Codat gives a page when asked for 5,000."""
    path = data.url(company)
    answer = api.get(path, page=1, pageSize=5000) if path else None
    if answer is None or not answer.ok:
        return
    granted, total = answer.body.get("pageSize"), answer.total or 0
    seen = f"pageSize {granted} in the answer, {len(answer.results)} of {total} rows"
    whole = len(answer.results) == min(granted or 0, total) and bool(answer.next_page) == (
        total > (granted or 0)
    )
    yield judge(f"{data.name}: the answer's pageSize says what was granted, of 5000", seen, whole)


def unknown_property(api: Codat, company: Company, data: Dataset) -> Iterator[Finding]:
    """Codat refuses a query that it doesn't understand, rather than leave it out."""
    path = data.url(company)
    if path is None:
        return
    answer = api.get(path, page=1, pageSize=1, query="noSuchProperty=1")
    yield judge(
        f"{data.name}: an unknown property in query gets 400", str(answer), _unless_absent(answer, 400)
    )


def _unless_absent(answer: Answer, expected: int) -> bool | None:
    return None if answer.status in {403, 404, 409, 451} else answer.status == expected


def _order(api: Codat, path: str, data: Dataset, first: Answer) -> Iterator[Finding]:
    again = api.get(path, page=1, pageSize=100, orderBy="id")
    ids = [record.get("id") for record in first.results]
    same = ids == [record.get("id") for record in again.results] and len(set(ids)) == len(ids)
    seen = f"{len(ids)} rows, {'the same twice' if same else 'not the same twice, or ids repeat'}"
    yield judge(f"{data.name}: orderBy=id gives one order", seen, same if len(ids) > 1 else None)


def _queries(api: Codat, path: str, data: Dataset, first: Answer) -> Iterator[Finding]:
    old = api.get(path, page=1, pageSize=1, query=LONG_AGO)
    none = api.get(path, page=1, pageSize=1, query=NOT_YET)
    seen = f"{old}: {old.total} since 2000, {none}: {none.total} since 2999, {first.total} in all"
    right = old.ok and none.ok and none.total == 0 and (old.total or 0) <= (first.total or 0)
    yield judge(f"{data.name}: takes modifiedDate>= with milliseconds; totalResults is after it", seen, right)
    if data.source_type == "Accounting":
        kept = api.get(path, page=1, pageSize=1, query="metadata.isDeleted!=true")
        seen = f"{kept}: {kept.total} of {first.total}"
        yield judge(f"{data.name}: takes metadata.isDeleted!=true", seen, kept.ok)


def _dates(data: Dataset, first: Answer) -> Finding:
    forms = Counter(_form(record.get("modifiedDate")) for record in first.results)
    seen = ", ".join(f"{count} {form}" for form, count in forms.most_common()) or "no rows"
    known = not any(form.startswith("unknown") for form in forms)
    return judge(f"{data.name}: modifiedDate comes in a form that we know", seen, known if forms else None)


def _form(value: object) -> str:
    if value is None:
        return "without one"
    match = DATE.match(str(value))
    if not match:
        return f"unknown form {value}"
    return f"{len(match[1] or '')} digits {'Z' if match[2] else 'no zone'}"
