"""What becomes of a page's rows where they don't leave as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from source_codat.reading.pages import Page
from source_codat.reading.row_fields import fields_of, row_of
from source_codat.reading.statements import lines
from source_codat.streams.definition import CodatRetriever, Shape


def shaped(retriever: CodatRetriever, page: Page) -> Page:
    """The page as the stream shows it: statements as lines, nested ids as columns."""
    if retriever.shape is Shape.LINES:
        rows = [line for report in page.rows for line in lines(report)]
        return replace(page, rows=rows, ids=[True] * len(rows), size=sum(map(len, rows)))
    if retriever.from_nested:
        return replace(page, rows=[_with_nested(row, retriever.from_nested) for row in page.rows])
    return page


def _with_nested(row: msgspec.Raw | bytes, paths: Mapping[str, str]) -> bytes:
    """A row with fields added at top level from nested ones, as far as it has those."""
    fields = fields_of(row)
    for name, path in paths.items():
        value: msgspec.Raw | None = msgspec.Raw(bytes(row))
        for part in path.split("."):
            inner = fields_of(value) if value is not None and bytes(value)[:1] == b"{" else {}
            value = inner.get(part)
        if value is not None:
            fields[name] = value
    return row_of(fields)
