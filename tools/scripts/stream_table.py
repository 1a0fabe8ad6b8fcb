"""Writes what the documents say of each stream, from the streams that `discover` shows: `make docs`.

It is read off the manifest's rows and the schemas, so that it can't differ from what the connector does,
and nothing is said in two documents: the guide tells what a stream holds, how it is read, what it costs and
whose data it is; docs/streams.md where it comes from in Codat's API and, of a stream without a cursor, why
it has none (from `read_whole.py`); docs/keys.md what its key is made of;
docs/behaviour.md, "Counters", where its answers say how many rows there are (from `counters.py`).
The guide's figures and pictures come from the measured costs. `unit_tests/test_stream_table.py` fails where
a committed document is stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from source_codat import SourceCodat
from source_codat.streams.catalog import CodatStream
from source_codat.streams.definition import ROW_KEY, CodatRetriever
from tools.scripts import counters, pictures, read_costs, read_hours, read_whole

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = ROOT / "docs" / "integrations" / "sources" / "codat.md"
STREAMS = ROOT / "docs" / "streams.md"
KEYS = ROOT / "docs" / "keys.md"
BEHAVIOUR = ROOT / "docs" / "behaviour.md"
PICTURES = ROOT / "docs" / "pictures"
REQUESTS_PLOT, TABLES_PICTURE = PICTURES / "requests.svg", PICTURES / "tables.svg"
USUAL_CURSOR = "modifiedDate"
# Streams whose answers a read has in any case.
_AT_NO_COST = {
    "connections": "0, as they come with the list of companies",
    "data_status": "1 for each company, the one that nearly every read begins with",
}
_IDENTIFIER = "identifier"
_CUSTOM = f"custom_{_IDENTIFIER}"

# What a document has between these comments is replaced.
BEGIN, END = "<!-- {name}: written by make docs -->", "<!-- end of {name} -->"

# Kinds of personal data, by the names of the fields that hold them, wherever in the record they are.
PERSONAL: Mapping[str, frozenset[str]] = {
    "names": frozenset(
        [
            "accountHolder",
            "companyLegalName",
            "companyName",
            "contactName",
            "contactRef",
            "counterparty",
            "counterpartyNames",
            "createdBy",
            "createdByUserName",
            "customerName",
            "firstName",
            "holder",
            "lastName",
            "lender",
            "merchantName",
            "supplierName",
        ]
    ),
    "email": frozenset({"email", "emailAddress"}),
    "phone": frozenset({"phone", "phoneNumber", "phoneNumbers"}),
    "addresses": frozenset({"address", "addresses", "shipTo"}),
    "tax numbers": frozenset({"taxNumber"}),
    "registration numbers": frozenset({"registrationNumber"}),
    "bank details": frozenset(
        [
            "accountNumber",
            "accountNumbers",
            "bic",
            "iBan",
            "iban",
            "maskedAccountNumber",
            "routingInfo",
            "sortCode",
        ]
    ),
    "whatever the platform or you put there": frozenset({"connectionInfo", "content", "tags"}),
}
# Beside one of these, a plain `name` is that of a person or a business.
_OF_SOMEBODY = PERSONAL["email"] | PERSONAL["phone"] | PERSONAL["addresses"] | frozenset({"contactName"})
_SUPPLEMENT = "supplementalData"  # has a `content` too, in nearly every stream: the legend says so


@cache
def all_streams() -> list[CodatStream]:
    """Every stream; one custom data type stands for all that a user may name."""
    return SourceCodat().streams({"api_key": "none-is-needed", "custom_data_types": [_IDENTIFIER]})


def shown_name(stream: CodatStream) -> str:
    """The stream's name, with a placeholder where the user's own identifier goes."""
    return f"custom_<{_IDENTIFIER}>" if stream.name == _CUSTOM else stream.name


def endpoint(stream: CodatStream) -> str:
    """The request, with the places for ids."""
    return f"GET {stream.retriever.path}"


def scope(stream: CodatStream) -> str:
    """What a stream is asked for by: each company, connection or parent's row, or once for the account."""
    retriever = stream.retriever
    if retriever.parent:
        return "parent"
    if retriever.per_connection:
        return "connection"
    return "company" if retriever.scope else "account"


def description(stream: CodatStream) -> str:
    """What the stream holds, in the words of its schema."""
    return str(stream.schema_loader.get_json_schema()["description"])


def way_to_read(stream: CodatStream) -> str:
    """Whether it can be read incrementally, and by which cursor where that isn't the usual one."""
    cursor = stream.retriever.cursor_field
    if not cursor:
        return "full refresh"
    return "incremental" if cursor == USUAL_CURSOR else f"incremental by `{cursor}`"


def cost(stream: CodatStream, streams: Sequence[CodatStream]) -> str:
    """The requests that a read takes at least, in words."""
    if stream.name in _AT_NO_COST:
        return _AT_NO_COST[stream.name]
    retriever = stream.retriever
    page = "1 a page" if retriever.has_pages else "1"
    if retriever.by_new_parents:
        return f"{page} for each new row of `{retriever.parent}`"
    if retriever.latest:
        return f"{page} of the latest report of each company, and the list of reports"
    if retriever.parent:
        return f"{page} for each row of `{retriever.parent}`, and those rows"
    times = 1
    for values in retriever.each.values():
        times *= len(values)
    if times > 1:
        page = f"{times} times {page}" if retriever.has_pages else str(times)
    where = {"connection": " for each connection", "company": " for each company", "account": ""}
    return f"{page}{where[scope(stream)]}{_shared(retriever, streams)}"


def _shared(retriever: CodatRetriever, streams: Sequence[CodatStream]) -> str:
    others = [one.name for one in streams if one.retriever.path == retriever.path]
    others.remove(retriever.name)
    return f", shared with `{others[0]}`" if retriever.shares_answers else ""


def needs(stream: CodatStream) -> str:
    """The Codat product, or the kind of connection, without which the stream is empty."""
    retriever = stream.retriever
    if stream.name == _CUSTOM:
        return "Custom data type"
    return retriever.product or ", ".join(retriever.source_types) or "core"


def personal_data(stream: CodatStream) -> str:
    """The kinds of personal data that the schema has fields for."""
    found = set(_kinds(stream.schema_loader.get_json_schema()))
    return ", ".join(kind for kind in PERSONAL if kind in found)


def _kinds(node: Mapping[str, Any]) -> Iterator[str]:
    fields = node.get("properties", {})
    for name, child in fields.items():
        if name == _SUPPLEMENT:
            continue
        yield from (kind for kind, names in PERSONAL.items() if name in names)
        if name == "name" and _OF_SOMEBODY.intersection(fields):
            yield "names"
        yield from _kinds(child)
    if "items" in node:
        yield from _kinds(node["items"])


def company_link(stream: CodatStream) -> str:
    """The columns that lead to the company and to its connection."""
    fields = stream.schema_loader.get_json_schema()["properties"]
    if stream.name == "companies":
        return "`id`"
    names = [name for name in ("companyId", "connectionId") if name in fields]
    return ", ".join(f"`{name}`" for name in names)


def key(stream: CodatStream) -> str:
    """The primary key's columns."""
    return ", ".join(f"`{name}`" for name in stream.primary_key)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell or "–" for cell in line) + " |" for line in lines)  # noqa: RUF001 - a dash, as in a table


def streams_lists(streams: Sequence[CodatStream]) -> str:
    """The guide's lists: what each stream holds, how it is read and what it costs, by what it needs."""
    return "\n\n".join(
        _folded(
            f"{_capital(kind)}: {len(group)} {'stream' if len(group) == 1 else 'streams'}",
            "\n".join(_entry(one, streams) for one in group),
        )
        for kind, group in by_need(streams).items()
    )


def _entry(stream: CodatStream, streams: Sequence[CodatStream]) -> str:
    told = f"{_capital(way_to_read(stream))}; {cost(stream, streams)}."
    return f"- `{shown_name(stream)}`: {description(stream)} *{told}*"


def by_need(streams: Sequence[CodatStream]) -> dict[str, list[CodatStream]]:
    """The streams by what they need, in the order in which it first comes."""
    groups: dict[str, list[CodatStream]] = {}
    for one in streams:
        groups.setdefault(needs(one), []).append(one)
    return groups


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _folded(summary: str, body: str) -> str:
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def personal_lists(streams: Sequence[CodatStream]) -> str:
    """The guide's list of whose data it is: the kinds of personal data, with the streams that have them."""
    kinds: dict[str, list[str]] = {}
    for one in streams:
        kinds.setdefault(personal_data(one), []).append(f"`{shown_name(one)}`")
    kinds.pop("", None)
    lines = [f"- **{_capital(kind)}**: {', '.join(names)}" for kind, names in kinds.items()]
    lines.append("- None of these: all other streams")
    return _folded("Streams by the kinds of personal data", "\n".join(lines))


def costs_table(costs: Mapping[str, read_costs.Cost]) -> str:
    """The guide's figures: requests and minutes for many companies."""
    jobs = [job.title for job in read_costs.JOBS]
    return _table(
        ("You want", "First read", "After a Codat sync", "No Codat sync since"),
        [
            (title, *(_requests_and_minutes(number) for number in (one.first, one.changed, one.unchanged)))
            for title, one in costs.items()
            if title in jobs
        ],
    )


def _requests_and_minutes(for_a_company: float) -> str:
    requests = read_costs.for_all_companies(for_a_company)
    return f"{requests:,}&nbsp;({read_costs.minutes(requests)}&nbsp;min)"


def sets_table(costs: Mapping[str, read_costs.Cost]) -> str:
    """The guide's figures for whole sets of streams: requests a company."""
    jobs = [job.title for job in read_costs.JOBS]
    return _table(
        ("Streams", "First read", "After a Codat sync", "No Codat sync since"),
        [
            (title, *(f"{number:.0f}" for number in (one.first, one.changed, one.unchanged)))
            for title, one in costs.items()
            if title not in jobs
        ],
    )


def costs_picture(cost: read_costs.Cost) -> str:
    """The picture's place in the guide, with what it shows in words."""
    words = (
        "Requests for a company with 4,000 invoices, suggested streams: "
        f"the first read takes {cost.first:.0f}, a read after a Codat sync of everything {cost.changed:.0f}, "
        f"a read with no Codat sync since the last one {cost.unchanged:.0f}."
    )
    return f"![{words}](../../pictures/{REQUESTS_PLOT.name})"


def document(streams: Sequence[CodatStream]) -> str:
    """The whole of docs/streams.md."""
    table = _table(
        ("Stream", "Request", "Read by", "Data type in `dataStatus`", "Company link"),
        [
            (
                f"`{shown_name(one)}`",
                f"`{endpoint(one)}`",
                scope(one),
                f"`{one.retriever.data_type}`" if one.retriever.data_type else "",
                company_link(one),
            )
            for one in streams
        ],
    )
    whole = _table(
        ("Why", "Streams"),
        [
            (f"{_capital(why)}.", ", ".join(f"`{name}`" for name in names))
            for why, names in read_whole.READ_WHOLE.items()
        ],
    )
    return f"""# Where each stream comes from

Written by `make docs` from the manifest and the schemas; don't edit it by hand. What a stream holds, how it
is read, what it costs and whose data it is stands in [the guide](integrations/sources/codat.md), what its
key is made of in [keys.md](keys.md).

- **Read by**: what there is one request (or one list of pages) for.
- **Data type**: Codat's name for it, by which `dataStatus` tells when it was last synced. Streams without
  one are asked for in every read.
- **Company link**: `companyId` is `companies.id`, `connectionId` is `connections.id`.

`read_outcomes` isn't here, as nothing is asked of Codat for it: it tells what became of each company in
each of these.

{table}

## Streams that are read whole, and why

All others are incremental, by a date that Codat gives each row, or by `syncedAt`: the last successful
Codat sync of their data type.

{whole}
"""


def origin(stream: CodatStream, part: str) -> str:
    """Where one part of a stream's key comes from, in the words that docs/keys.md explains."""
    retriever = stream.retriever
    if part in retriever.scope and part not in retriever.each:
        return f"address (a row of `{retriever.parent}`)" if part in retriever.parent_ids else "address"
    if part in (*retriever.each, *retriever.from_request):
        return "question"
    if part == ROW_KEY:
        fields = [
            f"{name} ({retriever.from_nested[name]})" if name in retriever.from_nested else name
            for name in retriever.key_fields or ("id",)
        ]
        return "row key of " + ", ".join(f"`{name}`" for name in fields)
    otherwise = {"*": "id, or else its place in the answer"}.get(retriever.records, "id")
    return "id (without one the list is refused)" if retriever.ids_required else otherwise


def keys_document(streams: Sequence[CodatStream]) -> str:
    """The whole of docs/keys.md."""
    table = _table(
        ("Stream", "Primary key and where its parts come from"),
        [
            (
                f"`{shown_name(one)}`",
                " · ".join(f"`{part}`: {origin(one, part)}" for part in one.primary_key),
            )
            for one in streams
        ],
    )
    return f"""# Keys

Written by `make docs` from the manifest; don't edit it by hand.

No part of a key is null or empty in any record, whatever Codat leaves out, and no two rows of different
connections share a key. `unit_tests/test_keys.py` tries that for every stream: with rows that lack
everything, with null, empty and odd ids, with rows that differ in nothing. Where a part comes from, and
why it is there:

- **address**: an id in the address that was asked for, added to the row by the connector. It can't be
  empty, as nothing could be asked for then: a company or connection without an id isn't read, and rows of
  a parent stream that have none are counted in a warning. What a row says under that name doesn't count.
- **question**: a value that the connector asked with (a report's date, the length of its periods, a data
  type), added to the row in the same way.
- **id**: Codat's own id of the row. Where it is missing, null, empty, a list or an object, the column
  gets `no-id-<hash>-<number>` instead. The hash is over the company and what the row says, but for
  `modifiedDate` and `sourceModifiedDate`; the number tells equal rows apart.
- **row key of** some fields: the column `rowKey`, which the connector adds where a row may have no id,
  where its id is unique only beside another field, or where a date is part of what tells it apart (a
  warehouse makes null of a date that it can't read). It is made of the fields that are named, joined with
  `/`, dates in one form whatever the row's. Where they are missing, or where two rows of one answer have
  the same, it is `<hash>-<number>` as above.

A row without an id that is edited is another row: [behaviour.md](behaviour.md), "Rows without an id".

Warehouses often don't tell `ID` from `id`. A field of a row that differs in case alone from a part of the
key, from the cursor or from a field that the connector adds goes on with `_as_sent` after its name
(`ID_as_sent`), and the key keeps its column.

`read_outcomes`, which isn't Codat's, has the key `companyId` (`*` where a stream isn't read by company),
`stream` and `readStartedAt`, the start of the read.

{table}
"""


def counters_table() -> str:
    """Where answers say how many rows there are, by stream: the table of docs/behaviour.md."""
    return _table(
        ("where", "streams"), [(where, ", ".join(names)) for where, names in counters.COUNTERS.items()]
    )


def with_table(text: str, name: str, table: str) -> str:
    """A document with what stands between a pair of comments replaced."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    pattern = re.compile(rf"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"The document needs one pair of comments for '{name}': {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n\n{table}\n\n{end}", text)


def documents() -> dict[Path, str]:
    """Every document that has a table, as it should read."""
    streams = all_streams()
    guide = GUIDE.read_text(encoding="utf-8")
    costs = read_costs.committed()
    for name, text in {
        "costs": costs_table(costs),
        "streams": streams_lists(streams),
        "costs of sets": sets_table(costs),
        "the picture of costs": costs_picture(costs[read_costs.LARGE]),
        "hours": _table(read_hours.HEADS, read_hours.rows(costs)),
        "personal data": personal_lists(streams),
    }.items():
        guide = with_table(guide, name, text)
    return {
        STREAMS: document(streams),
        KEYS: keys_document(streams),
        GUIDE: guide,
        BEHAVIOUR: with_table(BEHAVIOUR.read_text(encoding="utf-8"), "counters", counters_table()),
        REQUESTS_PLOT: pictures.requests_plot(costs[read_costs.LARGE]),
        TABLES_PICTURE: pictures.tables_picture(),
    }


def main() -> None:
    """Bring the documents up to date."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
