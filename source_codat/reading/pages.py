"""One answer of Codat taken apart: the rows as the bytes they came as, and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer
from source_codat.streams.definition import CodatRetriever


class _Link(msgspec.Struct):
    href: str | None = None


class _Links(msgspec.Struct):
    next: _Link | None = None


class _Pagination(msgspec.Struct):
    continuationToken: str | None = None  # noqa: N815 - Codat's name


class _Counters(msgspec.Struct):
    totalResults: int | None = None  # noqa: N815 - Codat's name
    pageSize: int | None = None  # noqa: N815 - Codat's name


class _ListAnswer(msgspec.Struct):
    results: list[msgspec.Raw] | None
    totalResults: int | None = None  # noqa: N815 - Codat's name
    pageSize: int | None = None  # noqa: N815 - Codat's name
    links: _Links | None = msgspec.field(default=None, name="_links")
    pagination: _Pagination | None = None


_LIST = msgspec.json.Decoder(_ListAnswer)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass
class Page:
    """The rows of one answer.

    rows: each row's JSON object, as Codat sent it, without line breaks.
    ids: the rows' `id`s, in order; None where a row has none.
    latest: the latest instant among the rows' cursor fields, None where there is none.
    oldest_unfinished: the oldest one of a row that will still change, None where there is none.
    total: `totalResults`, None where the answer doesn't say; `has_next`: whether `_links` names more.
    linked: whether it has `_links`; token: what asks for the next page, where that isn't a number.
    server_time: Codat's clock when it answered, an instant.
    page_size: the page size that the answer says it used, None where it doesn't.
    clashing: whether a row already has a field that the connector adds.
    envelope: the top-level fields beside the rows that the stream asked for.
    """

    rows: Sequence[msgspec.Raw | bytes]
    ids: Sequence[str | int | float | None]
    latest: int | None = None
    total: int | None = None
    page_size: int | None = None
    has_next: bool = False
    linked: bool = False
    token: str = ""
    server_time: int | None = None
    oldest_unfinished: int | None = None
    clashing: bool = False
    size: int = 0
    envelope: Mapping[str, msgspec.Raw] = field(default_factory=dict)


class PageDecoder:
    """Reads a stream's answers; one for each stream, safe to use from several threads."""

    def __init__(self, retriever: CodatRetriever) -> None:
        self._records = retriever.records
        self._counters = retriever.counters
        self._envelope_fields = tuple(retriever.from_envelope)
        self._finished = frozenset(retriever.finished)
        self._id_field = retriever.id_field
        self._cursor = retriever.cursor_field or "modifiedDate"
        added = (
            retriever.cursor_field * retriever.by_new_parents,
            *retriever.scope,
            *retriever.from_envelope,
            *retriever.from_request,
        )
        own = {"key", "cursor", "status", self._id_field, self._cursor}
        self._added = tuple(dict.fromkeys(name for name in added if name and name not in own))
        fields: list[tuple[str, Any, Any]] = [
            ("key", str | int | float | None, msgspec.field(default=None, name=self._id_field or " none")),
            ("cursor", str | None, msgspec.field(default=None, name=self._cursor)),
        ]
        if self._finished:
            fields.append(("status", str | None, None))
        fields += [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in self._added]
        head = msgspec.defstruct("Head", fields)
        self._head = msgspec.json.Decoder(head)
        heads = msgspec.defstruct("Heads", [("results", list[head] | None)])  # type: ignore[valid-type]  # made here
        self._list_heads: Any = msgspec.json.Decoder(heads)

    def decode(self, body: bytes) -> Page:
        """Take an answer's body apart; raises MalformedAnswer where it isn't what was asked for."""
        body = _without_line_breaks(body)
        try:
            return self._decode_list(body) if self._records == "results" else self._decode_other(body)
        except msgspec.MsgspecError as error:
            raise MalformedAnswer(f"the answer wasn't the JSON that was expected ({error})") from None

    def decode_row(self, body: bytes) -> Page:
        """Take an answer apart whose whole body is one row."""
        body = _without_line_breaks(body).strip()
        try:
            page = Page([msgspec.Raw(body)], (), size=len(body))
            self._note_heads(page, [self._row_head(msgspec.Raw(body))])
        except msgspec.MsgspecError as error:
            raise MalformedAnswer(f"the answer wasn't the JSON that was expected ({error})") from None
        return page

    def _decode_list(self, body: bytes) -> Page:
        if body.lstrip()[:1] == b"[":  # a published example of one list is bare
            body = b'{"results":' + body + b"}"
        answer = _LIST.decode(body)
        rows = answer.results or []
        page = Page(rows, (), total=answer.totalResults, page_size=answer.pageSize, size=len(body))
        page.has_next = bool(answer.links and answer.links.next and answer.links.next.href)
        page.linked = answer.links is not None
        page.token = (answer.pagination and answer.pagination.continuationToken) or ""
        try:
            heads = self._list_heads.decode(body).results or []
        except msgspec.ValidationError:
            heads = [self._odd_head(row) for row in rows]
        self._note_heads(page, heads)
        return page

    def _decode_other(self, body: bytes) -> Page:
        if not body:
            return Page((), ())
        envelope: dict[str, msgspec.Raw] = {}
        rows: list[msgspec.Raw]
        if self._records == "" and body.lstrip()[:1] == b"[":
            rows = _ROWS.decode(body)
        elif self._records == "":
            rows = [msgspec.Raw(body.strip())]
        elif self._records == "*":
            rows = list(_OBJECT.decode(body).values())
        else:
            envelope = _OBJECT.decode(body)
            found = bytes(envelope.get(self._records, b"null"))
            rows = [] if found == b"null" else _ROWS.decode(found)
        page = Page(rows, (), size=len(body))
        page.envelope = {name: envelope[name] for name in self._envelope_fields if name in envelope}
        if self._counters in envelope:
            counters = msgspec.json.decode(envelope[self._counters], type=_Counters)
            page.total, page.page_size = counters.totalResults, counters.pageSize
        self._note_heads(page, [self._row_head(row) for row in rows])
        return page

    def _row_head(self, row: msgspec.Raw) -> Any:
        try:
            return self._head.decode(row)
        except msgspec.ValidationError:
            return self._odd_head(row)

    def _odd_head(self, row: msgspec.Raw) -> Any:
        """The head of a row whose id or date has a type that Codat doesn't document."""
        try:
            fields = _OBJECT.decode(row)
        except msgspec.ValidationError:
            raise MalformedAnswer("the answer has a row that isn't an object") from None
        known = {name: raw for name, raw in fields.items() if name in self._added}
        if self._id_field in fields:  # whatever it is, its text tells rows apart
            known[self._id_field] = msgspec.Raw(msgspec.json.encode(bytes(fields[self._id_field]).decode()))
        return self._head.decode(msgspec.json.encode(known))

    def _note_heads(self, page: Page, heads: Sequence[Any]) -> None:
        page.ids = [head.key for head in heads]
        page.latest = timestamps.latest(head.cursor for head in heads)
        if self._finished:
            page.oldest_unfinished = min(
                (
                    timestamps.instant(head.cursor or "") or 0
                    for head in heads
                    if head.status not in self._finished
                ),
                default=None,
            )
        page.clashing = any(
            getattr(head, name) is not msgspec.UNSET for head in heads for name in self._added
        )


def _without_line_breaks(body: bytes) -> bytes:
    """A body whose rows may be cut into output lines.

    JSON allows line breaks between tokens only; inside a string they are escaped.
    """
    return body.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in body or b"\r" in body else body
