"""The column by which Airbyte's destinations delete a row: what it says of which row."""

import json

import msgspec
import pytest

from source_codat.foundation import timestamps
from source_codat.reading.deletions import with_deletion_dates
from source_codat.reading.pages import Page

ANSWERED = "2026-05-10T12:00:00Z"
DATE = "2024-05-01T10:22:43.6464237Z"
COLUMN = "_ab_cdc_deleted_at"


def dated(text: str) -> dict[str, object]:
    """A row as it leaves, of an answer that came at ANSWERED."""
    page = Page([msgspec.Raw(text.encode())], ["1"], server_time=timestamps.instant(ANSWERED))
    [row] = with_deletion_dates(page).rows
    found: dict[str, object] = json.loads(bytes(row))
    return found


@pytest.mark.parametrize(
    "metadata",
    [
        '{"isDeleted": false}',
        '{"isDeleted": null}',
        "{}",
        "null",
        '"gone"',
        "[true]",
        '{"isDeleted": "true"}',
        '{"isDeleted": 1}',
    ],
)
def test_only_a_row_that_is_surely_deleted_says_so(metadata):
    row = dated(f'{{"id": "1", "modifiedDate": "{DATE}", "metadata": {metadata}}}')
    assert row == {COLUMN: None, "id": "1", "modifiedDate": DATE, "metadata": json.loads(metadata)}


def test_a_row_without_metadata_is_there():
    assert dated('{"id": "1"}') == {COLUMN: None, "id": "1"}


@pytest.mark.parametrize("date", [DATE, "2024-05-01T10:22:43", "2024-05-01T10:22:43.6Z"])
def test_a_deleted_row_says_its_modified_date_as_codat_sent_it(date):
    row = dated(f'{{"id": "1", "modifiedDate": "{date}", "metadata": {{"isDeleted": true}}}}')
    assert (row[COLUMN], row["modifiedDate"]) == (date, date)


@pytest.mark.parametrize("date", ["null", '""', '"soon"', '"0001-01-01T00:00:00"', "5", "[]"])
def test_a_deleted_row_without_a_usable_date_says_when_codat_answered(date):
    row = dated(f'{{"id": "1", "modifiedDate": {date}, "metadata": {{"isDeleted": true}}}}')
    assert (row[COLUMN], row["modifiedDate"]) == (ANSWERED, json.loads(date))


def test_a_column_of_that_name_in_codats_row_decides_nothing():
    text = (
        f'{{"id": "1", "modifiedDate": "{DATE}", "{COLUMN}": "2020-01-01", "metadata": {{"isDeleted": %s}}}}'
    )
    assert dated(text % "false")[COLUMN] is None
    assert dated(text % "true")[COLUMN] == DATE


def test_what_else_a_row_says_stays_as_it_was_sent():
    text = f'{{"id":"1","amount":1.100,"metadata":{{"isDeleted":true}},"modifiedDate":"{DATE}"}}'
    page = with_deletion_dates(Page([msgspec.Raw(text.encode())], ["1"]))
    [row] = page.rows
    assert bytes(row) == b'{"%s":"%s",%s' % (COLUMN.encode(), DATE.encode(), text.encode()[1:])
    assert page.size == len(bytes(row))
