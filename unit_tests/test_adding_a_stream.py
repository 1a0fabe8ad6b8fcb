"""Whoever adds a stream is told which file lacks it, and what to write there."""

import json
import re

import pytest
import yaml

from tools.scripts.counters import ARRAY, CONTINUED, COUNTERS, LIST, OBJECT, REPORT_INFO, TOP
from tools.scripts.read_whole import READ_WHOLE
from tools.scripts.stream_table import ROOT
from unit_tests.support import schema_files
from unit_tests.support.catalogue import CATALOGUE
from unit_tests.support.source import streams_of

STREAMS = {one.name: one for one in streams_of()}
ROWS = yaml.safe_load((ROOT / "source_codat" / "manifest.yaml").read_text(encoding="utf-8"))["streams"]
FAMILY = {row["$parameters"]["name"]: row["$ref"].removeprefix("#/definitions/") for row in ROWS}
INCREMENTAL = sum(1 for one in STREAMS.values() if one.retriever.cursor_field) + 1
DISCOVERED = len(STREAMS) + 1  # with read_outcomes, which isn't Codat's

NOT_IN_CATALOGUE = """\
unit_tests/support/catalogue.py lacks the stream {name}. Look up in Codat's documentation where it is read
from, what tells its rows apart and by which date changed ones can be asked for (None where there is none),
and write that into CATALOGUE: path, columns of the key, cursor. As the manifest has it, that is
    {entry}"""
WITHOUT_STREAM = "{file} has {name}, which is no stream of source_codat/manifest.yaml: take it out."
NOT_AMONG_COUNTERS = """\
tools/scripts/counters.py lacks the stream {name}, or has it twice. Look up in Codat's documentation how
its answers say how many rows there are, write the name into COUNTERS under that heading, and run `make docs`:
    TOP: {TOP}
    REPORT_INFO: {REPORT_INFO}
    CONTINUED: {CONTINUED}
    LIST: {LIST}
    OBJECT: {OBJECT}
    ARRAY: {ARRAY}"""
WITHOUT_REASON = """\
tools/scripts/read_whole.py lacks the stream {name}, or has it twice: it is read whole, as its family has no
`cursor_field`. If it has a data type that dataStatus names, give the family `cursor_field: syncedAt` and
`dated_by: codat_sync`. Else write the name into READ_WHOLE under its reason, and run `make docs`."""
WITH_CURSOR = "tools/scripts/read_whole.py has {name}, which has a cursor: take it out."
UNMARKED = """\
The family {family} says `marks_deleted: true`: deleted records stay, with metadata.isDeleted, and a stream
of it must have that column. If Codat documents `metadata` for {name}, write into
source_codat/schemas/{name}.json
    "metadata": {{"$ref": "metadata.json"}},
If it doesn't, make a family in source_codat/manifest.yaml that is the same without `marks_deleted`, and let
the stream's row refer to it."""


def catalogue_entry(name: str) -> str:
    """A stream's line of the catalogue, as the manifest has it."""
    stream = STREAMS[name]
    cursor = json.dumps(stream.retriever.cursor_field) if stream.retriever.cursor_field else None
    return f'"{name}": ("{stream.retriever.path}", "{" ".join(stream.primary_key)}", {cursor}),'


def test_every_stream_is_in_codats_catalogue_and_every_entry_is_a_stream() -> None:
    told = [
        NOT_IN_CATALOGUE.format(name=name, entry=catalogue_entry(name))
        for name in STREAMS
        if name not in CATALOGUE
    ]
    file = "unit_tests/support/catalogue.py"
    told += [WITHOUT_STREAM.format(file=file, name=name) for name in CATALOGUE if name not in STREAMS]
    assert not told, "\n\n".join(told)


def test_an_entry_is_suggested_as_the_catalogue_has_it() -> None:
    assert catalogue_entry("files").startswith(
        '"files": ("/companies/{companyId}/files", "companyId rowKey", None)'
    )
    assert catalogue_entry("bills").endswith('"companyId id", "modifiedDate"),')


def test_every_stream_has_one_place_in_the_table_of_counters() -> None:
    listed = [name for names in COUNTERS.values() for name in names]
    headings = {
        "TOP": TOP,
        "REPORT_INFO": REPORT_INFO,
        "CONTINUED": CONTINUED,
        "LIST": LIST,
        "OBJECT": OBJECT,
        "ARRAY": ARRAY,
    }
    told = [NOT_AMONG_COUNTERS.format(name=name, **headings) for name in STREAMS if listed.count(name) != 1]
    file = "tools/scripts/counters.py"
    told += [WITHOUT_STREAM.format(file=file, name=name) for name in listed if name not in STREAMS]
    assert not told, "\n\n".join(told)


def test_every_stream_that_is_read_whole_has_one_reason_for_it() -> None:
    listed = [name for names in READ_WHOLE.values() for name in names]
    whole = [name for name, one in STREAMS.items() if not one.retriever.cursor_field]
    told = [WITHOUT_REASON.format(name=name) for name in whole if listed.count(name) != 1]
    told += [WITH_CURSOR.format(name=name) for name in listed if name not in whole]
    assert not told, "\n\n".join(told)


def test_a_stream_whose_deleted_records_are_marked_has_the_mark() -> None:
    told = [
        UNMARKED.format(name=name, family=FAMILY[name])
        for name, one in STREAMS.items()
        if one.retriever.marks_deleted
        if "metadata" not in one.schema_loader.get_json_schema()["properties"]
    ]
    assert not told, "\n\n".join(told)


@pytest.mark.parametrize(
    ("file", "pattern", "number"),
    [
        ("README.md", r"^discover[ .]+(\d+) streams", DISCOVERED),
        ("README.md", r"^discover[ .]+\d+ streams, (\d+) incremental", INCREMENTAL),
        ("README.md", r"\b[Aa]ll (\d+) streams", DISCOVERED),
        ("CHANGELOG.md", r"^- (\d+) streams: every core", DISCOVERED),
    ],
)
def test_a_document_says_how_many_streams_there_are(file: str, pattern: str, number: int) -> None:
    found = [
        (line_number, line, int(told))
        for line_number, line in enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), start=1)
        for told in re.findall(pattern, line)
    ]
    assert found, f"{file} says it nowhere in the words that are looked for"
    wrong = [
        f"{file}, line {line_number}: write {number} instead of {told}: {line}"
        for line_number, line, told in found
        if told != number
    ]
    assert not wrong, "\n".join(wrong)


def test_a_schema_that_nothing_can_be_tested_with_is_named_with_what_it_lacks(tmp_path) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "silent.json").write_text('{"properties": {}}')
    (tmp_path / "whole.json").write_text('{"description": "Rows.", "properties": {}}')
    told = list(schema_files.unusable(tmp_path, ["missing", "broken", "silent", "whole"]))
    begins = {"missing": "is missing", "broken": "isn't JSON", "silent": 'has no "description"'}
    assert len(told) == len(begins)
    for (name, words), line in zip(begins.items(), told, strict=True):
        assert line.startswith(f"source_codat/schemas/{name}.json {words}")
