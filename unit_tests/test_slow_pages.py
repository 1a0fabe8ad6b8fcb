"""How long one company whose answers don't come to their end can hold a read up."""

import json
from typing import Any

import pytest

from source_codat import SourceCodat
from source_codat.config.settings import Settings
from source_codat.foundation.errors import PartitionFailed
from source_codat.http.transport import Answer
from source_codat.reading.reader import StreamReader
from source_codat.reading.requests import Partition

CONFIG = {"api_key": "none-is-needed-but-a-long-one"}
ROWS = [{"id": f"i{number:03}", "modifiedDate": "2024-03-01"} for number in range(60)]
MINUTE = 60.0
TRIES = 20 * MINUTE  # four tries for one page, each of five minutes


class SlowCodat:
    """A client of a Codat that gives pages of up to some size; larger ones take a while, and then fail."""

    def __init__(self, mocker, *, largest, seconds):
        self.largest, self.seconds, self.sizes, self.now = largest, seconds, [], 0.0
        mocker.patch("source_codat.reading.requests.time.monotonic", side_effect=lambda: self.now)

    def get(self, _path, params, parse, _stats):
        number, size = params["page"], params["pageSize"]
        self.sizes.append(size)
        if size > self.largest:
            self.now += self.seconds
            raise PartitionFailed("too slow", timed_out=True)
        rows = ROWS[(number - 1) * size : number * size]
        return parse(Answer(200, json.dumps({"results": rows, "totalResults": len(ROWS)}).encode(), {}))

    def read(self):
        stream = next(one for one in SourceCodat().streams(CONFIG) if one.name == "invoices")
        found: list[bytes] = []
        settings = Settings.from_config(CONFIG)
        client: Any = self
        reader = StreamReader(
            client, stream.retriever, settings, lambda batch: found.extend(map(bytes, batch.rows))
        )
        reader.read(Partition({"companyId": "c1"}))
        return len({json.loads(row)["id"] for row in found})


def test_a_page_that_never_comes_fails_its_partition_in_forty_minutes(mocker):
    codat = SlowCodat(mocker, largest=0, seconds=TRIES)
    with pytest.raises(PartitionFailed):
        codat.read()
    assert (codat.sizes, codat.now) == ([1000, 25], 40 * MINUTE)


def test_quick_time_outs_ask_for_a_quarter_each_time(mocker):
    codat = SlowCodat(mocker, largest=62, seconds=MINUTE)
    assert codat.read() == len(ROWS)
    assert codat.sizes[:3] == [1000, 250, 62]


def test_what_took_too_long_in_one_pass_is_not_asked_for_in_the_next(mocker):
    codat = SlowCodat(mocker, largest=25, seconds=TRIES)
    assert codat.read() == len(ROWS)
    assert codat.sizes == [1000, *[25] * 6]  # two passes, as no Codat sync can be compared
    assert codat.now == TRIES
