"""Rows that wait for a proof leave as they came, also those that had to wait in a file."""

import json

from source_codat.reading.row_keys import HeldRows
from source_codat.reading.rows import RowBatch


def test_rows_that_waited_in_a_file_keep_the_ids_that_their_own_page_still_lacked(monkeypatch):
    monkeypatch.setattr("source_codat.reading.row_keys._MEMORY", 1)
    held, out = HeldRows(), []
    held.add(RowBatch("things", [b'{"companyId":"c1","id":1}'], b"", 0, 10))
    held.add(RowBatch("things", [b'{"id":2}'], b'"companyId":"c1",', 0, 10))
    held.release(lambda rows: out.extend(rows.lines().splitlines()))
    assert [json.loads(line)["record"]["data"] for line in out] == [
        {"companyId": "c1", "id": 1},
        {"companyId": "c1", "id": 2},
    ]
