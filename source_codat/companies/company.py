"""A company as the read sees it: its name, its connections, and what dataStatus says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import msgspec

from source_codat.companies.lenient_json import as_text, decoded
from source_codat.foundation.errors import MalformedAnswer
from source_codat.foundation.secrets import told
from source_codat.http.transport import Answer
from source_codat.trust.evidence import DataTypeStatus, Look

_LINKED = "Linked"
_PENDING = "PendingAuth"
_MOST_NAME = 100  # characters of a name that are told
# Codat's documented source types that say what a connection can hold; `Other` and `Unknown` say nothing.
_TELLING = frozenset({"Accounting", "Banking", "BankFeed", "Commerce", "Expense"})


class Shown(Enum):
    """What dataStatus shows of a data type, as far as it tells which connections have to be asked."""

    NOTHING = "it says in known words that there is none"
    NOT_NAMED = "it doesn't name the data type"
    DATA = "there is data, or a word that isn't known leaves that open"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One connection of a company, as the company list embeds it."""

    id: str
    sourceType: str | None = None  # noqa: N815 - Codat's name
    status: str | None = None
    integrationKey: str | None = None  # noqa: N815 - Codat's name
    integrationId: str | None = None  # noqa: N815 - Codat's name
    platformName: str | None = None  # noqa: N815 - Codat's name

    @property
    def is_linked(self) -> bool:
        """Whether Codat can fetch from the connection at present."""
        return self.status == _LINKED

    @property
    def label(self) -> str:
        """The connection as people are told of it: by platform where that is known, and by id."""
        platform = f"{self.platformName} " if self.platformName else ""
        return f"{platform}connection {self.id}"


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """One company.

    oddities: what couldn't be used of its row in the company list, in words. connection_list: what Codat
    answers where its connections are asked for, if the company list says all of that and it was to be kept;
    else None.
    """

    id: str
    name: str | None = None
    lastSync: str | None = None  # noqa: N815 - Codat's name
    dataConnections: list[Connection] | None = None  # noqa: N815 - Codat's name
    # No fields of Codat's:
    oddities: tuple[str, ...] = msgspec.field(default=(), name=" oddities")
    connection_list: bytes | None = msgspec.field(default=None, name=" connection_list")

    @property
    def label(self) -> str:
        """The company as people are told of it: by name where it has one, and by id."""
        if not self.name:
            return self.id or "all companies"
        name = self.name if len(self.name) <= _MOST_NAME else f"{told(self.name, _MOST_NAME)}…"
        return f"{name} ({self.id})"

    def connections(self, source_types: Iterable[str], *, shown: Shown = Shown.NOTHING) -> list[Connection]:
        """The connections that may hold data of these source types (of any, where none is named).

        Linked, unlinked and deauthorized ones do; those pending never did. shown: what dataStatus shows of
        such data. Unless it rules it out, connections count whose source type says nothing; where it shows
        data that none of these can hold, all do.
        """
        wanted = set(source_types)
        readable = [connection for connection in self.dataConnections or () if connection.status != _PENDING]
        fitting = [
            connection
            for connection in readable
            if not wanted
            or connection.sourceType in wanted
            or (shown is not Shown.NOTHING and connection.sourceType not in _TELLING)
        ]
        return fitting if fitting or shown is not Shown.DATA else readable

    @property
    def links(self) -> list[tuple[str, str]]:
        """The id and the status of each connection: others mean that there may be other data."""
        return [(connection.id, connection.status or "") for connection in self.dataConnections or ()]

    def may_be_several(self, source_types: Iterable[str]) -> bool:
        """Whether more than one connection may hold data of these source types."""
        return len(self.connections(source_types, shown=Shown.DATA)) > 1


_COMPANY = msgspec.json.Decoder(Company)


def companies_in(rows: Iterable[Any]) -> Iterator[Company]:
    """The companies in rows of the company list; raises MalformedAnswer where one has no id.

    What can't be used of a row is left out of its company and named in `oddities`.
    """
    for row in rows:
        try:
            company = _COMPANY.decode(row)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            company = _company_of_odd_row(decoded(bytes(row), "a row of the company list"))
        if not company.id:
            raise MalformedAnswer("the company list has a row without an id")
        yield company


# What Codat's specification requires of a connection, in both lists.
_REQUIRED_OF_CONNECTION = frozenset(
    {"id", "integrationId", "sourceId", "sourceType", "platformName", "linkUrl", "status", "created"}
)


class _Embedding(msgspec.Struct):
    dataConnections: list[dict[str, msgspec.Raw]]  # noqa: N815 - Codat's name


class _Embedded(msgspec.Struct):
    dataConnections: msgspec.Raw  # noqa: N815 - Codat's name


_EMBEDDING = msgspec.json.Decoder(_Embedding)
_EMBEDDED = msgspec.json.Decoder(_Embedded)


def with_connection_list(company: Company, row: bytes | msgspec.Raw) -> Company:
    """A company with its connection list, where its row in the company list says all of that.

    It says less where there is no list, or where a connection lacks what Codat's specification requires.
    """
    try:
        links = _EMBEDDING.decode(row).dataConnections
        if company.oddities or not all(map(_REQUIRED_OF_CONNECTION.issubset, links)):
            return company
        found = bytes(_EMBEDDED.decode(row).dataConnections)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return company
    answer = b'{"results":%s,"totalResults":%d}' % (found, len(links))
    return msgspec.structs.replace(company, connection_list=answer)


def merged(first: Company, again: Company) -> Company:
    """A company that the list names twice: with the connections of both rows, which are asked for anew."""
    links = {
        connection.id: connection
        for connection in (*(first.dataConnections or ()), *(again.dataConnections or ()))
    }
    return msgspec.structs.replace(again, dataConnections=list(links.values()), connection_list=None)


def look_of(answer: Answer, asked_at: float) -> Look:
    """Read an answer of dataStatus; raises MalformedAnswer where it is no object of objects.

    A value that isn't text is kept as the text that spells it, which is no known good value.
    """
    body = decoded(answer.body, "dataStatus")
    is_as_documented = isinstance(body, dict) and all(
        fields is None or isinstance(fields, dict) for fields in body.values()
    )
    if not is_as_documented:
        raise MalformedAnswer("dataStatus wasn't the JSON that was expected")
    types = {name: _status(name, fields) for name, fields in body.items()}
    return Look(types, answer.server_time, asked_at, answer.body)


def _status(name: str, fields: Mapping[str, Any] | None) -> DataTypeStatus:
    if fields is None:  # neither a status nor the lack of one
        return DataTypeStatus(currentStatus="null")
    about = as_text(fields.get("dataType"))
    if about is not None and about != name:
        return DataTypeStatus(currentStatus=f"of {about}")  # whose it is, nobody knows
    return DataTypeStatus(*(as_text(fields.get(name)) for name in DataTypeStatus._fields))


def _company_of_odd_row(fields: Any) -> Company:
    """A company from a row with values of other types than Codat documents."""
    if not isinstance(fields, dict):
        raise MalformedAnswer("the company list has a row that isn't an object")
    oddities = [f"its {name} isn't text" for name in ("name", "lastSync") if _is_odd(fields.get(name))]
    links, given = [], fields.get("dataConnections")
    if given is not None and not isinstance(given, list):
        oddities.append("its connections aren't a list")
    for link in given if isinstance(given, list) else ():
        found = _connection(link)
        if found is None:
            oddities.append("a connection without an id is left out")
        else:
            links.append(found)
    return Company(
        id=as_text(fields.get("id")) or "",
        name=as_text(fields.get("name")),
        lastSync=as_text(fields.get("lastSync")),
        dataConnections=links,
        oddities=tuple(dict.fromkeys(oddities)),
    )


def _is_odd(value: Any) -> bool:
    return value is not None and not isinstance(value, str)


def _connection(link: Any) -> Connection | None:
    if not isinstance(link, dict) or not as_text(link.get("id")):
        return None
    names = Connection.__struct_fields__
    return Connection(**{name: as_text(link.get(name)) for name in names})  # type: ignore[arg-type]  # id is text
