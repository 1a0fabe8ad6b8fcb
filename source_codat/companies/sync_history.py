"""A company's sync history, read so that no sync is passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from source_codat.companies.company import RUNNING, WAITING, SyncEntry
from source_codat.foundation.errors import MalformedAnswer, PartitionFailed, PartitionSkipped
from source_codat.http.client import Answer, CodatClient

_PAGE = 2000  # the most that Codat's specification lets an answer hold
_MOST_PAGES = 40  # more than that can't be told from an endless answer: then it is in doubt
_PASSES = 4


class _Page(msgspec.Struct):
    results: list[SyncEntry] | None
    totalResults: int | None = None  # noqa: N815 - Codat's name


_PAGES = msgspec.json.Decoder(_Page)


def ask_history(client: CodatClient, path: str, since: str | None) -> Sequence[SyncEntry] | None:
    """The syncs under way or waiting, and those since an ISO date; None where Codat won't tell for sure.

    Syncs begin and end while the history is paged, and others shift to a page that was read
    already. One answer that holds all is a snapshot; several pages have to come twice alike.
    """
    query = "||".join(f"status={status}" for status in sorted(RUNNING | WAITING))
    if since:
        query += f"||requested>={since}"
    params = {"pageSize": _PAGE, "orderBy": "-requested", "query": query}
    previous: dict[str | None, SyncEntry] | None = None
    for _ in range(_PASSES):
        try:
            found, pages = _walk(client, f"{path}/data/history", params)
        except (PartitionFailed, PartitionSkipped):
            return None
        if found is not None and (pages == 1 or found == previous):
            return list(found.values())
        previous = found
    return None


def _walk(
    client: CodatClient, path: str, params: Mapping[str, Any]
) -> tuple[dict[str | None, SyncEntry] | None, int]:
    """The entries of all pages by id, and how many pages; None where their number isn't the one announced."""
    found: dict[str | None, SyncEntry] = {}
    total: int | None = None
    for page in range(1, _MOST_PAGES + 1):
        answer = client.get(path, {**params, "page": page}, _page)
        rows = answer.results or []
        before, total = len(found), answer.totalResults
        found.update((one.id, one) for one in rows)
        if not rows or (total is not None and len(found) >= total):
            whole = total is None or len(found) == total
            return (found if whole else None), page
        if len(found) == before:
            break  # the same page again, and so it might go on
    return None, _MOST_PAGES


def _page(answer: Answer) -> _Page:
    try:
        return _PAGES.decode(answer.body)
    except msgspec.MsgspecError as error:
        raise MalformedAnswer(f"the sync history wasn't the JSON that was expected ({error})") from None
