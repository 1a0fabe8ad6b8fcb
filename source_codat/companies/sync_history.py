"""A company's sync history, asked so that no Codat sync is passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from source_codat.companies.lenient_json import as_text, decoded
from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer, PartitionFailed, PartitionSkipped
from source_codat.http.client import CodatClient
from source_codat.http.transport import Answer
from source_codat.trust.evidence import History, HistoryEntry
from source_codat.trust.statuses import FINISHED, UNFINISHED

_PAGE = 2000  # the most that Codat's specification lets an answer hold
_MOST_PAGES = 40  # more than that can't be told from an endless answer: then it is in doubt
_PASSES = 4
# The unfinished are asked for by name, and whatever isn't known to be finished as well.
_UNFINISHED = "||".join(
    [
        *(f"status={status}" for status in sorted(UNFINISHED)),
        "{" + "&&".join(f"status!={status}" for status in sorted(FINISHED)) + "}",
    ]
)


class _Page(msgspec.Struct):
    entries: list[HistoryEntry]
    total: int | None
    may_go_on: bool


def ask_history(client: CodatClient, path: str, since: int) -> History:
    """The Codat syncs that haven't finished, and those requested since an instant.

    Codat syncs begin and end while the history is paged, and others shift to a page that was read already.
    One answer that holds all is a snapshot; several pages have to come twice alike. The entries are None
    where Codat won't tell for sure.
    """
    query = f"{_UNFINISHED}||requested>={timestamps.query_date(since)}"
    params = {"pageSize": _PAGE, "orderBy": "-requested", "query": query}
    previous: Sequence[HistoryEntry] | None = None
    for _ in range(_PASSES):
        try:
            found, pages = _walk(client, f"{path}/data/history", params)
        except (PartitionFailed, PartitionSkipped):
            return History(None, since)
        if found is not None and (pages == 1 or found == previous):
            return History(found, since)
        previous = found
    return History(None, since)


def _walk(
    client: CodatClient, path: str, params: Mapping[str, Any]
) -> tuple[Sequence[HistoryEntry] | None, int]:
    """The entries of all pages, and how many pages; None where their number isn't the one announced."""
    found: dict[HistoryEntry | str, HistoryEntry] = {}
    for number in range(1, _MOST_PAGES + 1):
        page = client.get(path, {**params, "page": number}, _page)
        before = len(found)
        found.update((entry.id or entry, entry) for entry in page.entries)
        if page.total is None:
            is_last = not page.entries or not page.may_go_on
        else:
            is_last = not page.entries or len(found) >= page.total
        if is_last:
            is_whole = page.total is None or len(found) == page.total
            return (list(found.values()) if is_whole else None), number
        if len(found) == before:
            break  # the same page again, and so it might go on
    return None, _MOST_PAGES


def _page(answer: Answer) -> _Page:
    body = decoded(answer.body, "the sync history")
    rows = body.get("results") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(rows, list):
        raise MalformedAnswer("the sync history has no list of results")
    links, total = body.get("_links"), body.get("totalResults")
    is_last = isinstance(links, dict) and not links.get("next")
    return _Page(
        [history_entry(row) for row in rows],
        total if isinstance(total, int) and not isinstance(total, bool) else None,
        not is_last,
    )


def history_entry(row: Any) -> HistoryEntry:
    """One entry of the history; what isn't there or isn't text in it stays empty or odd, and is doubt."""
    fields = row if isinstance(row, dict) else {}
    return HistoryEntry(*(as_text(fields.get(name)) for name in HistoryEntry._fields))
