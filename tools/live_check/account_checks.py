"""What we assume of the account as a whole: authentication, paging, headers, errors."""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from source_codat.foundation import timestamps
from source_codat.trust.statuses import FINISHED, UNFINISHED
from tools.live_check.api import Answer, Codat
from tools.live_check.company import Company
from tools.live_check.finding import Finding, Verdict, judge

NOBODY = "00000000-0000-0000-0000-000000000000"
STATUSES = UNFINISHED | FINISHED


def authentication(api: Codat) -> Iterator[Finding]:
    """How the key is sent, and what a wrong one gets."""
    bare = api.get("/companies", page=1, pageSize=1)
    yield judge("the key's base64, without a colon, is accepted", str(bare), bare.ok)
    colon = api.get("/companies", credentials="{key}:", page=1, pageSize=1)
    yield Finding("the key with a colon, as HTTP Basic has it", str(colon), Verdict.NOTED)
    wrong = api.get("/companies", credentials="not-a-key-of-this-account", page=1, pageSize=1)
    yield judge("a wrong key gets 401", str(wrong), wrong.status == 401)


def headers(api: Codat) -> Iterator[Finding]:
    """The headers that the connector reads."""
    answer = api.get("/companies", page=1, pageSize=1)
    date = answer.headers.get("Date")
    yield judge("every answer has a Date header", str(date), bool(date and _http_date(date)))
    for name in ("Limit", "Remaining"):
        value = answer.headers.get(f"X-Rate-Limit-{name}")
        yield judge(f"X-Rate-Limit-{name} is a whole number", str(value), (value or "").isdigit())
    reset = answer.headers.get("X-Rate-Limit-Reset")
    yield judge("X-Rate-Limit-Reset is a date, an epoch or seconds", f"{reset}", _known_moment(reset))


def companies(api: Codat) -> Iterator[Finding]:
    """Paging, order and tags of the company list."""
    first = api.get("/companies", page=1, pageSize=1, orderBy="id")
    yield judge("/companies takes orderBy=id", str(first), first.ok)
    yield from _paging(api, "/companies", first)
    tags = api.get("/companies", page=1, pageSize=1, tags="source-codat-check=none")
    seen = f"{tags}, {tags.total} match a tag that nobody has"
    yield judge(
        "/companies takes a tags query, and totalResults counts after it", seen, tags.ok and tags.total == 0
    )
    broken = api.get("/companies", page=1, pageSize=1, tags="=")
    yield judge("a tags query that makes no sense gets 400", str(broken), broken.status == 400)


def errors(api: Codat) -> Iterator[Finding]:
    """What a company that doesn't exist looks like."""
    answer = api.get(f"/companies/{NOBODY}/data/invoices", page=1, pageSize=1)
    told = isinstance(answer.body, dict) and "error" in answer.body
    yield judge(
        "a company that doesn't exist gets 404 with an error text", str(answer), answer.status == 404 and told
    )


def company(api: Codat, company: Company) -> Iterator[Finding]:
    """dataStatus, connections, sync history and the reports of one company."""
    path = f"/companies/{company.id}"
    listed = api.get(f"{path}/connections", page=1, pageSize=1, orderBy="id")
    yield judge("/connections takes orderBy=id", str(listed), listed.ok)
    yield embedded(company)
    kinds = [value for value in company.data_status.values() if isinstance(value, dict)]
    shaped = bool(kinds) and all(key == value.get("dataType") for key, value in company.data_status.items())
    yield judge("dataStatus is an object keyed by data type", f"{len(kinds)} data types", shaped)
    statuses = {str(value["currentStatus"]) for value in kinds if value.get("currentStatus")}
    seen = ", ".join(sorted(statuses)) or "none"
    known = statuses <= STATUSES if statuses else None
    yield judge("dataStatus has only statuses that we know", seen, known)
    yield _sync_ids(kinds)
    yield last_sync_of(company)
    yield _history(api.get(f"{path}/data/history", page=1, pageSize=100))
    running = api.get(f"{path}/data/history", page=1, pageSize=1, query="status!=Complete")
    yield judge(
        "the sync history takes query=status!=Complete", f"{running}, {running.total} rows", running.ok
    )
    for report in ("balanceSheet", "profitAndLoss"):
        answer = api.get(f"{path}/data/financials/{report}", periodLength=1, periodsToCompare=24)
        there = (
            None
            if answer.status in {404, 409}
            else answer.ok and isinstance(answer.body.get("reports"), list)
        )
        yield judge(f"{report} gives 24 periods under `reports`", _periods(answer), there)


def embedded(company: Company) -> Finding:
    """Whether the company list embeds the connections as their own list has them."""
    embedded = company.row.get("dataConnections")
    same = sorted(map(repr, embedded or ())) == sorted(map(repr, company.connections))
    return judge(
        "the company list has the connections as their own list has them",
        f"{len(embedded or ())} in the company list, {len(company.connections)} in their own",
        same if company.connections else None,
    )


def last_sync_of(company: Company) -> Finding:
    """Whether a company's lastSync moves with every Codat sync of every data type.

    The connector doesn't count on it: if it did everywhere, the company list alone would say which companies
    are unchanged.
    """
    shown = timestamps.span(str(company.row.get("lastSync") or ""))
    synced = {
        name: date
        for name, kind in company.data_status.items()
        if isinstance(kind, dict)
        if (date := timestamps.instant(str(kind.get("lastSuccessfulSync") or ""))) is not None
    }
    later = sorted(name for name, date in synced.items() if shown is None or date > shown.last)
    return Finding(
        "does a company's lastSync move with every Codat sync of every data type? (nothing depends on it)",
        f"lastSync {company.row.get('lastSync')}: {len(synced) - len(later)} of {len(synced)} data types "
        f"were last synced no later{'; later: ' + ', '.join(later) if later else ''}",
        Verdict.NOTED,
    )


def _sync_ids(kinds: list[dict[str, Any]]) -> Finding:
    synced = [kind for kind in kinds if kind.get("lastSuccessfulSync")]
    named = [kind for kind in synced if kind.get("latestSyncId") and kind.get("latestSuccessfulSyncId")]
    return judge(
        "dataStatus has the ids of the Codat syncs of what was synced",
        f"{len(named)} of {len(synced)} data types",
        len(named) == len(synced) if synced else None,
    )


def _history(answer: Answer) -> Finding:
    needed = ("id", "connectionId", "dataType", "status", "requested")
    rows = answer.results
    whole = [row for row in rows if all(row.get(name) for name in needed) and row["status"] in STATUSES]
    return judge(
        f"the sync history's rows have {', '.join(needed)}, with a status that we know",
        f"{answer}, {len(whole)} of {len(rows)} rows",
        len(whole) == len(rows) if rows else None,
    )


def _periods(answer: Answer) -> str:
    return f"{len(answer.body.get('reports') or [])} periods" if answer.ok else str(answer)


def _paging(api: Codat, path: str, first: Answer) -> Iterator[Finding]:
    total = first.total or 0
    last = api.get(path, page=max(total, 1), pageSize=1, orderBy="id")
    seen = f"{total} rows; page 1 {_link(first)}, last page {_link(last)}"
    right = bool(first.next_page) == (total > 1) and not last.next_page
    yield judge("_links.next is there exactly when more rows are", seen, right if total > 1 else None)
    href = first.next_page
    yield judge("_links are relative paths", str(href), href.startswith("/") if href else None)


def _link(answer: Answer) -> str:
    return "has next" if answer.next_page else "has none"


def _http_date(text: str) -> bool:
    try:
        return bool(parsedate_to_datetime(text))
    except ValueError:
        return False


def _known_moment(text: str | None) -> bool:
    if not text:
        return False
    return text.isdigit() or bool(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text)) or _http_date(text)
