"""In which envelope a list is answered: in pages, by continuation token, whole, or as a single object."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol
from urllib.parse import quote

from codat_simulator.definitions.shape import Shape
from codat_simulator.http.answers import JSON_HEADERS, Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.records.dataset import Rows, encode
from codat_simulator.records.query import QueryError, properties

LARGEST = 5000
_LINK_SAFE = "!*'()~.-_:"


class Source(Protocol):
    """What an envelope takes its records from."""

    @property
    def shape(self) -> Shape:
        """Return the shape of the records."""

    def view(self, query: str = "", order_by: str = "", group: str = "") -> Rows:
        """Return the rows that a query selects, in the order asked for."""

    def shuffled(self, query: str, order_by: str, group: str, rng: Random) -> Rows:
        """Return a view whose ties stand in another order each time."""


class Envelope(Protocol):
    """Turns records into an answer."""

    def answer(self, call: Call, source: Source) -> Answer:
        """Answer with the records that a call asks for; refused with 400 where its parameters are wrong."""


@dataclass(frozen=True)
class Pages:
    """One page, which the call's `page` and `pageSize` name, with counters and links."""

    under: str = "results"
    """The property that holds the records."""
    counters: bool = True
    """Whether `pageNumber`, `pageSize` and `totalResults` are given."""
    counters_in: str = ""
    """The property that holds the counters; beside the records where it is empty."""
    beside_counters: Mapping[str, Any] = field(default_factory=dict)
    links: bool = True
    """Whether `_links` are given."""
    queryable: bool = True
    """Whether `query` selects records; else it is ignored."""
    orderable: bool = True
    """Whether `orderBy` orders records; else it is ignored."""

    def answer(self, call: Call, source: Source, group: str = "") -> Answer:
        """Answer with one page, of the records of one group where one is given."""
        page, size = _window(call)
        query = call.query.get("query", "") if self.queryable else ""
        rows = _chosen(call, source, query, group, self.orderable)
        shown = call.content_faults.page or page
        parts = [_list(self.under, rows, (shown - 1) * size, shown * size)]
        counters: dict[str, Any] = {}
        if self.counters:
            counters = {
                "pageNumber": page,
                "pageSize": size,
                "totalResults": len(rows),
                **self.beside_counters,
            }
        if self.counters_in:
            parts.insert(0, _members({self.counters_in: counters}))
        else:
            parts.append(_members(counters))
        if self.links and not (call.options.drop_links or call.content_faults.drop_links):
            more = page * size < len(rows) or call.content_faults.page is not None
            parts.append(_members({"_links": _links(call, page, size, more)}))
        return _object(*parts)


@dataclass(frozen=True)
class ContinuedPages:
    """One page, found by the token that the page before gave; it says where to go on and nothing else."""

    unless_asked: Mapping[str, str] = field(default_factory=dict)
    """By property, the condition on it that holds where the call's `query` doesn't name the property."""

    def answer(self, call: Call, source: Source) -> Answer:
        """Answer with the page of the call's `continuationToken`, the first one without it."""
        query = call.query.get("query", "")
        for name, condition in self.unless_asked.items():
            if name not in properties(query):
                query = f"{{{query}}}&&{{{condition}}}" if query else condition
        rows = _chosen(call, source, query, orderable=False)
        start, size = self._start(call), min(call.options.default_page_size, call.options.page_size_cap)
        pagination: dict[str, str] = {}
        if start + size < len(rows):
            token = json.dumps({"start": start + size, "pageCount": len(rows)}).encode()
            pagination["continuationToken"] = base64.b64encode(token).decode()
        return _object(_list("results", rows, start, start + size), _members({"pagination": pagination}))

    @staticmethod
    def _start(call: Call) -> int:
        token = call.query.get("continuationToken")
        if token is None:
            return 0
        try:
            read = base64.b64decode(token.removeprefix("continuationToken="), validate=True)
            return int(json.loads(read)["start"])
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise Refusal(400, "The continuationToken is not valid.") from None


@dataclass(frozen=True)
class WholeList:
    """All records at once: a bare array, or an object that holds them."""

    under: str = ""
    """The property that holds the records; empty for a bare array."""
    queryable: bool = False
    """Whether `query` selects records; else it is ignored."""

    def answer(self, call: Call, source: Source) -> Answer:
        """Answer with every record."""
        query = call.query.get("query", "")
        rows = _chosen(call, source, query, orderable=False) if self.queryable else source.view()
        if self.under:
            return _object(_list(self.under, rows, 0, len(rows)))
        return Answer(200, b"[" + b",".join(rows.blobs(0, len(rows))) + b"]", dict(JSON_HEADERS))


@dataclass(frozen=True)
class SingleObject:
    """The first record, bare."""

    def answer(self, call: Call, source: Source) -> Answer:  # noqa: ARG002 - as every envelope is called
        """Answer with the first record; refused with 404 where there is none."""
        for blob in source.view().blobs(0, 1):
            return Answer(200, blob, dict(JSON_HEADERS))
        raise Refusal(404, "No data available.")


def _object(*parts: bytes) -> Answer:
    """Answer with an object of members written as JSON; an empty part stands for none."""
    return Answer(200, b"{" + b",".join(part for part in parts if part) + b"}", dict(JSON_HEADERS))


def _members(values: Mapping[str, Any]) -> bytes:
    return encode(values)[1:-1]


def _list(under: str, rows: Rows, start: int, stop: int) -> bytes:
    return encode(under) + b":[" + b",".join(rows.blobs(start, stop)) + b"]"


def _chosen(call: Call, source: Source, query: str, group: str = "", orderable: bool = True) -> Rows:
    """Return the rows that a query and the call's `orderBy` ask for; refused with Codat's words."""
    order_by = call.query.get("orderBy", "") if orderable else ""
    if call.content_faults.refuse_order_by and order_by.lstrip("-") == "id":
        raise Refusal(400, "Error parsing orderBy - Could not order by id")
    try:
        if call.content_faults.shuffle is not None:
            return source.shuffled(query, order_by, group, call.content_faults.shuffle)
        return source.view(query, order_by, group)
    except QueryError as error:
        raise Refusal(400, str(error)) from None
    except LookupError as error:
        name = error.args[0] if error.args else order_by
        raise Refusal(
            400, f"Error parsing orderBy - Could not resolve property {name} on {source.shape.name}"
        ) from None


def _window(call: Call) -> tuple[int, int]:
    """Return the page number and the page size to give."""
    page = call.number("page", default=1)
    size = call.number("pageSize", default=call.options.default_page_size)
    if size > LARGEST:
        raise Refusal(400, f"The field pageSize must be between 1 and {LARGEST}.")
    return page, min(size, call.options.page_size_cap)


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
