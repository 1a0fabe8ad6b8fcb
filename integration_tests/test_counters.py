"""Every answer that says how many rows there are is held against that, in every stream."""

import base64
import functools
import json
import re
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import requests

from codat_simulator import Simulator
from integration_tests.support.connector import config, read
from integration_tests.support.scripted import ScriptedCodat, page
from tools.scripts.counters import ARRAY, COUNTERS, OBJECT
from unit_tests.support.catalogue import CATALOGUE

KIND = {name: kind for kind, names in COUNTERS.items() for name in names}
COUNTED = [name for name, kind in KIND.items() if kind not in (OBJECT, ARRAY)]
_ROWS = ("results", "reports", "data", "attachments", "reportItems", "metadata", "summaries")


class Miscounting(ScriptedCodat):
    """A simulator seen through a server that announces one row more than there is, wherever it can."""

    def __init__(self, sim):
        super().__init__(None)
        self._sim = sim
        self._session = requests.Session()
        self._header = {"Authorization": f"Basic {base64.b64encode(sim.api_key.encode()).decode()}"}

    def respond(self, path, query):
        found = self._session.get(self._sim.url + path, params=query, headers=self._header, timeout=30)
        body = found.content
        if found.status_code == 200 and body:
            body = json.dumps(_one_more(found.json())).encode()
        return found.status_code, body


def _one_more(answer):
    """An answer that announces a row too many; where it has a list without counters, it gets some."""
    if not isinstance(answer, dict):
        return answer
    for row in answer.get("results") or ():
        for link in row.get("dataConnections") or ():
            link.pop("linkUrl", None)  # the company list says less, so that their own list is asked for
    if "totalResults" in answer:
        return {**answer, "totalResults": answer["totalResults"] + 1}
    info = answer.get("reportInfo")
    if isinstance(info, dict) and "totalResults" in info:
        return {**answer, "reportInfo": {**info, "totalResults": info["totalResults"] + 1}}
    rows = next((answer[name] for name in _ROWS if isinstance(answer.get(name), list)), None)
    if rows is None or "dimensions" in answer:
        return answer
    return {**answer, "paging": {"about": {"total_results": len(rows) + 1}}}


@functools.cache
def readings():
    """A small world, read as it is and through a server that miscounts."""
    with Simulator(companies=2, seed=11, records=6) as sim:
        honest = read(sim, *CATALOGUE, mode="full_refresh", page_size=4)
        # More than a minute's requests: the limit is no business of these tests.
        unlimited = mock.patch("source_codat.http.rate_limit.WINDOW_SECONDS", 0.0)
        with unlimited, Miscounting(sim) as codat:
            told = read({**config(sim), **codat.config}, *CATALOGUE, mode="full_refresh", page_size=4)
    return SimpleNamespace(honest=honest, told=told)


def peculiar(said, stream):
    mark = f"{stream}: "
    return [one for one in said.logs if one.startswith(mark) and "although Codat announces" in one]


def contents(said, stream):
    """A stream's records, apart from when a report was made up, and from what is left out on purpose."""
    apart = {"generated": None, "dataConnections": None}
    return {json.dumps({**one, **apart}, sort_keys=True) for one in said.records(stream)}


@pytest.mark.parametrize("stream", CATALOGUE)
def test_counters_that_agree_say_nothing(stream):
    said = readings().honest
    assert said.statuses(stream)[-1] == "COMPLETE"
    assert peculiar(said, stream) == []


@pytest.mark.parametrize("stream", COUNTED)
def test_a_row_too_many_is_told_or_the_stream_is_incomplete(stream):
    said = readings().told
    is_told = stream == "companies" and any("list of companies is taken as read" in one for one in said.logs)
    assert is_told or peculiar(said, stream) or said.statuses(stream)[-1] == "INCOMPLETE"
    assert contents(said, stream) == contents(readings().honest, stream)


@pytest.mark.parametrize(
    "counters",
    [
        {"totalResults": 3},
        {"total_results": 3},
        {"TotalResults": "3"},
        {"reportInfo": {"totalResults": 3}},
        {"pagination": {"totalResults": 3.0}},
        {"meta": {"paging": {"total_results": 3}}},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize(
    ("stream", "path", "rows_in"),
    [
        ("invoices", "/data/invoices", "results"),
        ("bill_attachments", "/attachments", "attachments"),
        ("categorized_balance_sheet", "/enhancedBalanceSheet/accounts", "reportItems"),
        ("bill_pay_suppliers", "/payables/suppliers", "results"),
    ],
)
def test_counters_are_found_wherever_they_stand(counters, stream, path, rows_in):
    rows = [{"id": "1", "modifiedDate": "2024-03-01"}, {"id": "2", "modifiedDate": "2024-03-01"}]

    def answer(asked, query):
        if asked.endswith(path):
            return {rows_in: rows if query.get("page", "1") == "1" else [], **counters}
        return page([{"id": "b", "modifiedDate": "2024-03-01"}], query) if asked.endswith("/bills") else None

    with ScriptedCodat(answer, data_types=("invoices", "bills")) as codat:
        said = codat.read(stream, mode="full_refresh")
    assert len({one["id"] for one in said.records(stream)}) == 2
    (warning,) = peculiar(said, stream)
    assert re.search("announces 3 rows and sends 2", warning)


@pytest.mark.parametrize(
    "body",
    [
        {"reportInfo": {"totalResults": 24, "pageSize": 12, "pageNumber": 1}, "reportData": [1] * 12},
        {"reportInfo": {"total_results": 24, "page_size": 12}, "reportData": [1] * 12},
    ],
)
def test_a_report_that_says_it_is_only_its_first_page_is_not_complete(body):
    with ScriptedCodat(lambda path, _: body if path.endswith("/revenue") else None) as codat:
        codat.companies[0]["dataConnections"][0]["sourceType"] = "Commerce"
        said = codat.read("commerce_metrics_revenue", mode="full_refresh")
    assert said.statuses("commerce_metrics_revenue")[-1] == "INCOMPLETE"
    assert "might have been missed" in said.errors[0]["message"]


def test_a_list_that_is_not_paged_and_says_it_is_only_its_first_page_is_not_complete():
    report: dict[str, Any] = {"reportItems": [{"accountId": str(one)} for one in range(5)]}
    report["reportInfo"] = {"totalResults": 9, "pageSize": 5}
    with ScriptedCodat(lambda path, _: report if path.endswith("/accounts") else None) as codat:
        said = codat.read("categorized_balance_sheet", mode="full_refresh")
    assert said.statuses("categorized_balance_sheet")[-1] == "INCOMPLETE"
    assert "might have been missed" in said.errors[0]["message"]


class CutOnce(Miscounting):
    """A simulator seen through a server that announces all balance sheets and sends three, the first time."""

    cuts = 0

    def respond(self, path, query):
        code, body = super().respond(path, query)
        if path.endswith("/balanceSheet"):
            found = json.loads(body)
            found["totalResults"] = len(found["reports"])
            if not self.cuts:
                found["reports"] = found["reports"][:3]
            self.cuts += 1
            body = json.dumps(found).encode()
        return code, body


@pytest.mark.parametrize("mode", ["incremental", "full_refresh"])
def test_what_two_streams_share_is_asked_anew_where_it_contradicts_itself(mode):
    both = ("balance_sheets", "balance_sheet_lines")
    with Simulator(companies=1, seed=11, records=6) as sim:
        honest = read(sim, *both, mode=mode)
        with CutOnce(sim) as codat:
            told = read({**config(sim), **codat.config}, *both, mode=mode)
    for stream in both:
        own = "rowKey" if stream.endswith("lines") else "date"
        assert {one[own] for one in told.records(stream)} == {one[own] for one in honest.records(stream)}
    assert not any(peculiar(told, stream) for stream in both)
