"""From when on a company's sync history is asked for."""

import json
from typing import Any

from source_codat.companies.company import Company
from source_codat.companies.context import CompanyContext, WantedDataType
from source_codat.foundation import timestamps
from source_codat.http.transport import Answer
from source_codat.trust.evidence import Entry

NOW = "Tue, 02 Jan 2024 12:00:00 GMT"


class AskedForHistory:
    """Answers dataStatus, and remembers what the history was asked for."""

    def __init__(self, **types: tuple[str, str]) -> None:
        self.types = types
        self.query = ""

    def get(self, path: str, params: Any, parse: Any) -> Any:
        body: dict[str, Any] = {
            name: {"dataType": name, **self.status(*one)} for name, one in self.types.items()
        }
        if path.endswith("/history"):
            self.query = params["query"]
            body = {"results": [], "totalResults": 0, "_links": {}}
        return parse(Answer(200, json.dumps(body).encode(), {"Date": NOW}))

    @staticmethod
    def status(sync_id: str, date: str) -> dict[str, str]:
        same = {"latestSyncId": sync_id, "latestSuccessfulSyncId": sync_id}
        return {"currentStatus": "Complete", "lastSuccessfulSync": date, **same}

    @property
    def since(self) -> int:
        return timestamps.instant(self.query.partition("requested>=")[2]) or 0


def read_from(name, sync_id, date):
    """What the state says of a data type that several connections may hold."""
    return WantedDataType(is_shared=True, entries=(((name,), Entry(None, sync_id, date)),))


def since(types, wanted):
    codat: Any = AskedForHistory(**types)
    CompanyContext(codat, Company(id="c"), wanted).new_look()
    return codat.since


def test_where_nothing_is_new_only_for_what_has_not_finished():
    found = since({"a": ("s1", "2024-01-01T10:00:00Z")}, {"a": read_from("a", "s1", "2024-01-01T10:00:00Z")})
    assert found > timestamps.instant("2024-01-02T12:00:00Z")


def test_where_another_data_type_has_news_not_from_between_the_request_and_the_end_of_a_sync_that_is_known():
    """Such a history lacks what dataStatus names: that would be doubt, and all read again."""
    types = {"a": ("s1", "2024-01-01T10:00:00.370Z"), "b": ("s3", "2024-01-02T11:00:00Z")}
    wanted = {
        "a": read_from("a", "s1", "2024-01-01T10:00:00.370Z"),
        "b": read_from("b", "s2", "2024-01-01T10:00:01Z"),
    }
    found = since(types, wanted)
    assert found <= timestamps.instant("2023-12-31T11:00:00Z")
