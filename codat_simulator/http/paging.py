"""Lists in pages, with counters and relative links."""

from __future__ import annotations

from random import Random
from typing import Any, Protocol
from urllib.parse import quote

from codat_simulator.definitions.shape import Shape
from codat_simulator.http.answers import JSON_HEADERS, Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.records.dataset import Rows, encode
from codat_simulator.records.query import QueryError

LARGEST = 5000
_LINK_SAFE = "!*'()~.-_:"


class Source(Protocol):
    """What pages can be cut from."""

    @property
    def shape(self) -> Shape:
        """Return the shape of the records."""

    def view(self, query: str = "", order_by: str = "", group: str = "") -> Rows:
        """Return the rows that a query selects, in the order asked for."""

    def shuffled(self, query: str, order_by: str, group: str, rng: Random) -> Rows:
        """Return a view whose ties stand in another order each time."""


def selected(
    call: Call, source: Source, group: str = "", queryable: bool = True, orderable: bool = True
) -> Rows:
    """Return the rows that the call's `query` and `orderBy` ask for; refused with Codat's words."""
    query = call.query.get("query", "") if queryable else ""
    return chosen(call, source, query, group, orderable)


def chosen(call: Call, source: Source, query: str, group: str = "", orderable: bool = True) -> Rows:
    """Return the rows that a query and the call's `orderBy` ask for; refused with Codat's words."""
    order_by = call.query.get("orderBy", "") if orderable else ""
    if call.quirks.refuse_order_by and order_by.lstrip("-") == "id":
        raise Refusal(400, "Error parsing orderBy - Could not order by id")
    try:
        if call.quirks.shuffle is not None:
            return source.shuffled(query, order_by, group, call.quirks.shuffle)
        return source.view(query, order_by, group)
    except QueryError as error:
        raise Refusal(400, str(error)) from None
    except LookupError as error:
        name = error.args[0] if error.args else order_by
        raise Refusal(
            400, f"Error parsing orderBy - Could not resolve property {name} on {source.shape.name}"
        ) from None


def window(call: Call) -> tuple[int, int]:
    """Return the page number and the page size to give."""
    page = call.number("page", default=1)
    size = call.number("pageSize", default=call.knobs.default_page_size)
    if size > LARGEST:
        raise Refusal(400, f"The field pageSize must be between 1 and {LARGEST}.")
    return page, min(size, call.knobs.page_size_cap)


def paged(
    call: Call,
    source: Source,
    group: str = "",
    links: bool = True,
    queryable: bool = True,
    orderable: bool = True,
    counters: bool = True,
) -> Answer:
    """Answer with one page of a list, in Codat's envelope."""
    page, size = window(call)
    rows = selected(call, source, group, queryable, orderable)
    shown = call.quirks.page or page
    blobs = rows.blobs((shown - 1) * size, shown * size)
    tail: dict[str, Any] = {}
    if counters:
        tail = {"pageNumber": page, "pageSize": size, "totalResults": len(rows)}
    if links and not (call.knobs.drop_links or call.quirks.drop_links):
        more = page * size < len(rows) or call.quirks.page is not None
        tail["_links"] = _links(call, page, size, more)
    body = b"".join((b'{"results":[', b",".join(blobs), b"]", b"," if tail else b"", encode(tail)[1:]))
    return Answer(200, body, dict(JSON_HEADERS))


def _links(call: Call, page: int, size: int, more: bool) -> dict[str, Any]:
    kept = "".join(
        f"&{name}={quote(call.query[name], safe=_LINK_SAFE)}"
        for name in ("query", "orderBy", "tags")
        if name in call.query
    )
    path = call.request.raw_path

    def link(number: int) -> dict[str, str]:
        return {"href": f"{path}?page={number}&pageSize={size}{kept}"}

    found: dict[str, Any] = {"self": {"href": path}, "current": link(page)}
    if more:
        found["next"] = link(page + 1)
    if page > 1:
        found["previous"] = link(page - 1)
    return found
