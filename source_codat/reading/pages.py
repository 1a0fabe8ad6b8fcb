"""One answer of Codat taken apart: the rows as the bytes they came as, and what surrounds them."""

from __future__ import annotations

import contextlib
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import msgspec

from source_codat.foundation import timestamps
from source_codat.foundation.errors import MalformedAnswer
from source_codat.reading.row_fields import NULL, RawFields, fields_of, identifier, row_of
from source_codat.streams.columns import other_spellings
from source_codat.streams.definition import CodatRetriever

_MAY_BE_NULL = frozenset({"attachments"})  # Codat's specification: a list or null
_DEEPEST_COUNTER = 4  # objects in objects; in the answers that Codat documents it is one
_COUNTER = re.compile(rb'"total_?results"', re.IGNORECASE)
# An escape, told apart: a surrogate pair, half a pair, or any other.
_SURROGATES = re.compile(
    rb"\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_FIRST_ERROR = 400  # the lowest HTTP status of an error
_MANY_ESCAPES = 100  # bytes between backslashes, from where on looking at each takes longer
_ZERO_CHARACTER = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Never = Annotated[int, msgspec.Meta(ge=1, le=0)]  # no value is one: a row that has such a field is told


class _Link(msgspec.Struct):
    href: str | None = None


class _Links(msgspec.Struct):
    next: _Link | None = None


_LINKS = msgspec.json.Decoder(_Links)


class _Pagination(msgspec.Struct):
    continuationToken: str | int | None = None  # noqa: N815 - Codat's name


class _Envelope(msgspec.Struct):
    """What stands beside the rows and tells where they end."""

    totalResults: Any = None  # noqa: N815 - Codat's name
    pageSize: Any = None  # noqa: N815 - Codat's name
    links: msgspec.Raw = msgspec.field(default=NULL, name="_links")
    pagination: _Pagination | None = None


class _ListAnswer(_Envelope, kw_only=True):
    results: list[msgspec.Raw] | None


_LIST = msgspec.json.Decoder(_ListAnswer)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(RawFields)


class _Head(NamedTuple):
    """What is read of a row: what tells it apart, its date, and whether it is finished."""

    key: str | int | float | None
    cursor: str | None
    status: str | None


@dataclass
class Page:
    """The rows of one answer.

    rows: each row's JSON object, as Codat sent it, without line breaks.
    ids: the rows' `id`s, in order; None where a row has none, or an empty one.
    latest: the latest instant among the rows' cursor fields, None where there is none.
    has_rows_without_date: whether such a field of a row is missing, or says no date that Codat's clock
    can have shown.
    oldest_unfinished: the oldest one of a row that will still change, None where there is none.
    total: `totalResults`, wherever it stands, None where the answer doesn't say.
    has_next: whether `_links` names more. has_links: whether it has `_links`.
    token: what asks for the next page, where that isn't a number.
    server_time: Codat's clock when it answered, an instant.
    page_size: the page size that the answer says it used, None where it doesn't.
    is_irregular: whether a row can't leave as it is: it has a field that the connector adds, one that
    differs from a key column in case alone, or a value that its column can't hold.
    envelope: the top-level fields beside the rows that the stream asked for.
    """

    rows: Sequence[msgspec.Raw | bytes]
    ids: Sequence[str | int | float | None]
    latest: int | None = None
    total: int | None = None
    page_size: int | None = None
    has_next: bool = False
    has_links: bool = False
    token: str = ""
    server_time: int | None = None
    oldest_unfinished: int | None = None
    has_rows_without_date: bool = False
    is_irregular: bool = False
    size: int = 0
    envelope: Mapping[str, msgspec.Raw] = field(default_factory=dict)


@dataclass(frozen=True)
class PageHashes:
    """The rows of one page in eight bytes each: those with an id by that, the others by what they say."""

    ids: array[int]
    without_id: array[int]

    @classmethod
    def of(cls, page: Page) -> PageHashes:
        """The hashes of a page's rows; an id that is an empty text is none."""
        kinds = set(map(type, page.ids))
        if kinds <= {str} and "" not in page.ids:
            return cls(array("q", map(hash, page.ids)), array("q"))
        ids, without_id = array("q"), array("q")
        for key, row in zip(page.ids, page.rows, strict=True):
            if key is None or key == "":
                without_id.append(hash(bytes(row)))
            else:  # numbers are their own hashes: sums of such would prove little
                ids.append(hash(key if isinstance(key, str) else (type(key).__name__, key)))
        return cls(ids, without_id)


class PageDecoder:
    """Reads a stream's answers; one for each stream, safe to use from several threads."""

    def __init__(self, retriever: CodatRetriever) -> None:
        self._records = retriever.records
        self._envelope_fields = tuple(retriever.from_envelope)
        self._finished = frozenset(retriever.finished)
        self._id_field = retriever.id_field
        self._cursor = retriever.row_cursor_field or "modifiedDate"
        head = msgspec.defstruct("Head", self._regular_fields(retriever))
        self._head = msgspec.json.Decoder(head)
        heads = msgspec.defstruct("Heads", [("results", list[head] | None)])  # type: ignore[valid-type]  # made here
        self._list_heads: Any = msgspec.json.Decoder(heads)

    def _regular_fields(self, retriever: CodatRetriever) -> list[tuple[str, Any, Any]]:
        """The fields of a row that can leave as it is, as a struct's; any other row doesn't decode."""
        columns = retriever.columns
        added = (
            "" if retriever.row_cursor_field else retriever.cursor_field,
            *retriever.scope,
            *retriever.from_envelope,
            *retriever.from_request,
        )
        types: dict[str, Any] = dict.fromkeys(filter(None, added), _Never)
        reserved = {*types, *columns.key, columns.cursor} - {""}
        types |= dict.fromkeys(set().union(*map(other_spellings, reserved)), _Never)
        types = {
            **dict.fromkeys(columns.numbers, float | None),
            **dict.fromkeys(columns.booleans, bool | None),
            **dict.fromkeys(columns.dates, _Text | None),
            **types,
        }
        for name in (self._id_field, self._cursor, "status"):
            types.pop(name, None)
        fields: list[tuple[str, Any, Any]] = [
            ("key", _Text | int | float | None, msgspec.field(default=None, name=self._id_field or " none")),
            ("cursor", _Text | None, msgspec.field(default=None, name=self._cursor)),
        ]
        if self._finished:
            fields.append(("status", str | None, None))
        fields += [
            (f"field{number}", kind, msgspec.field(default=None, name=name))
            for number, (name, kind) in enumerate(types.items())
        ]
        return fields

    def decode(self, body: bytes) -> Page:
        """Take an answer's body apart; raises MalformedAnswer where it isn't what was asked for."""
        body = _clean(body)
        with _malformed():
            return self._decode_list(body) if self._records == "results" else self._decode_other(body)

    def decode_row(self, body: bytes) -> Page:
        """Take an answer apart whose whole body is one row; raises like `decode`."""
        body = _clean(body).strip()
        page = Page([msgspec.Raw(body)], (), size=len(body))
        with _malformed():
            self._note_heads(page, self._heads(page))
        return page

    def _decode_list(self, body: bytes) -> Page:
        if body.lstrip()[:1] == b"[":  # a published example of one list is bare
            body = b'{"results":' + body + b"}"
        answer = _LIST.decode(body)
        page = Page(answer.results or (), (), size=len(body))
        _note_envelope(page, answer)
        if page.total is None:
            _note_counters(page, _OBJECT.decode(body), self._records)
        if answer.results is None:
            self._accept_null(page)
        try:
            heads = self._list_heads.decode(body).results or []
        except msgspec.ValidationError:
            heads = self._heads(page)
        self._note_heads(page, heads)
        return page

    def _decode_other(self, body: bytes) -> Page:
        if not body:
            return Page((), ())
        envelope: dict[str, msgspec.Raw] = {}
        is_null = False
        rows: list[msgspec.Raw]
        if self._records == "" and body.lstrip()[:1] == b"[":
            rows = _ROWS.decode(body)
        elif self._records == "":
            rows = [msgspec.Raw(body.strip())]
            _refuse_error(_OBJECT.decode(body))
        elif self._records == "*":
            rows = [self._named(row, name) for name, row in _OBJECT.decode(body).items()]
        else:
            envelope = _OBJECT.decode(body)
            if self._records not in envelope:
                raise MalformedAnswer(f"the answer has no '{self._records}'")
            is_null = bytes(envelope[self._records]) == b"null"
            rows = [] if is_null else _ROWS.decode(envelope[self._records])
        page = Page(rows, (), size=len(body))
        page.envelope = {name: envelope[name] for name in self._envelope_fields if name in envelope}
        if envelope:
            _note_envelope(page, _ENVELOPE.decode(body))
            if page.total is None:
                _note_counters(page, envelope, self._records)
            if is_null:
                self._accept_null(page)
        elif self._records == "" and len(rows) == 1 and _COUNTER.search(body):
            page.has_next = _is_first_part(rows[0])
        self._note_heads(page, self._heads(page))
        return page

    def _accept_null(self, page: Page) -> None:
        """Take null for an empty list where Codat documents that, or says itself that there are no rows.

        Raises MalformedAnswer anywhere else: the rows that a list may have would be gone without a sign.
        """
        if self._records not in _MAY_BE_NULL and page.total != 0:
            raise MalformedAnswer(f"the answer has null where its list '{self._records}' belongs")

    def _named(self, row: msgspec.Raw, name: str) -> msgspec.Raw:
        """A row that stands in an object under its id: with that id, where it doesn't say it itself."""
        fields = {} if bytes(row) == b"null" else fields_of(row)
        if identifier(fields.get(self._id_field)) is not None:
            return row
        return msgspec.Raw(row_of({**fields, self._id_field: name}))

    def _heads(self, page: Page) -> list[Any]:
        """The heads of a page's rows, one by one; notes where a row is irregular."""
        return [self._head_of(row, page) for row in page.rows]

    def _head_of(self, row: msgspec.Raw | bytes, page: Page) -> Any:
        try:
            return self._head.decode(row)
        except msgspec.ValidationError:
            page.is_irregular = True
            return self._irregular_head(row)

    def _irregular_head(self, row: msgspec.Raw | bytes) -> _Head:
        fields = fields_of(row)
        return _Head(
            identifier(fields.get(self._id_field)),
            _text_of(fields.get(self._cursor)),
            _text_of(fields.get("status")),
        )

    def _note_heads(self, page: Page, heads: Sequence[Any]) -> None:
        page.ids = [head.key for head in heads]
        # A whole sync often carries one value: each distinct text is parsed once.
        texts = {head.cursor for head in heads}
        dates = [timestamps.instant(text) if text else None for text in texts]
        usable = [date for date in dates if date is not None and date >= timestamps.FIRST_USABLE_DATE]
        page.latest = max(usable, default=None)
        page.has_rows_without_date = len(usable) < len(dates)
        if self._finished:
            page.oldest_unfinished = min(
                (
                    timestamps.instant(head.cursor or "") or 0
                    for head in heads
                    if head.status not in self._finished
                ),
                default=None,
            )


def _text_of(value: msgspec.Raw | None) -> str | None:
    return str(msgspec.json.decode(value)) if value is not None and bytes(value)[:1] == b'"' else None


@contextlib.contextmanager
def _malformed() -> Iterator[None]:
    """Turn what a decoder raises into MalformedAnswer."""
    try:
        yield
    except (msgspec.MsgspecError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else error
        raise MalformedAnswer(f"the answer wasn't the JSON that was expected ({what})") from None


def _note_envelope(page: Page, envelope: _Envelope) -> None:
    page.total, page.page_size = _count(envelope.totalResults), _count(envelope.pageSize)
    links = _links_in(envelope.links)
    page.has_next = bool(links and links.next and links.next.href)
    page.has_links = links is not None
    page.token = str((envelope.pagination and envelope.pagination.continuationToken) or "")


def _links_in(raw: msgspec.Raw) -> _Links | None:
    """The links of an answer; None where it has none, or such as say nothing of what follows."""
    try:
        return None if bytes(raw) == b"null" else _LINKS.decode(raw)
    except msgspec.ValidationError:
        return None


def _note_counters(page: Page, fields: Mapping[str, msgspec.Raw], records: str, depth: int = 0) -> None:
    """Note the counters that stand elsewhere than at the top: in `reportInfo`, say, or spelled otherwise."""
    for name, value in fields.items():
        plain = name.lower().replace("_", "")
        if plain == "totalresults" and page.total is None:
            page.total = _count(msgspec.json.decode(value))
        elif plain == "pagesize" and page.page_size is None:
            page.page_size = _count(msgspec.json.decode(value))
    for name, value in fields.items():
        if page.total is None and name != records and depth < _DEEPEST_COUNTER and _COUNTER.search(value):
            raw = bytes(value)
            if raw[:1] == b"{":
                _note_counters(page, _OBJECT.decode(raw), "", depth + 1)


def _refuse_error(answer: Mapping[str, msgspec.Raw]) -> None:
    """Raise MalformedAnswer for Codat's description of an error that came with a good status."""
    code = answer.get("statusCode")
    if code is not None and "error" in answer and (_count(msgspec.json.decode(code)) or 0) >= _FIRST_ERROR:
        raise MalformedAnswer("the answer describes an error, although its status says that it is good")


def _is_first_part(row: msgspec.Raw) -> bool:
    """Whether one object, a report, says that there is more of it than a page holds."""
    counted = Page((), ())
    if bytes(row)[:1] == b"{":
        _note_counters(counted, _OBJECT.decode(row), "")
    return bool(counted.total and counted.page_size and counted.total > counted.page_size)


def _count(value: object) -> int | None:
    """A counter as a number; None where it isn't one, or says that the number isn't known."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if value.isdecimal() and len(value) < 10 else None
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e15 else None


def _whole_or_replaced(escape: re.Match[bytes]) -> bytes:
    """Half a surrogate pair is no character: what can't be read is U+FFFD."""
    return b"\\ufffd" if escape.group(2) else escape.group()


def _may_have_half_a_pair(body: bytes) -> bool:
    """Whether an escape of a body may be a surrogate's: one byte is looked for ten times as fast as three."""
    at = body.find(b"\\")
    looks = len(body) // _MANY_ESCAPES
    while at >= 0:
        if body[at + 1 : at + 3] in {b"ud", b"uD"}:
            return True
        looks -= 1
        if looks < 0:
            return b"\\ud" in body or b"\\uD" in body
        at = body.find(b"\\", at + 2)
    return False


def _clean(body: bytes) -> bytes:
    """A body whose rows may be cut into output lines: without half characters and breaks between tokens."""
    if _may_have_half_a_pair(body):
        body = _SURROGATES.sub(_whole_or_replaced, body)
    # No database takes the character U+0000 in a text. Searched from the end, as that is four times faster.
    if b"\\" in body and body.rfind(b"\\u0000") >= 0:
        body = _ZERO_CHARACTER.sub(rb"\1\\ufffd", body)
    # JSON allows line breaks between tokens only; inside a string they are escaped.
    return body.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in body or b"\r" in body else body
