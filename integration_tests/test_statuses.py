"""What each status means: one table, the same in docs/behaviour.md, in the error handler and here."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import read, touch
from unit_tests.support.manifest import MANIFEST

ROOT = Path(__file__).resolve().parent.parent
STREAM, NEIGHBOUR = "invoices", "bills"
ACCOUNTS = ("bank_accounts", "bankAccounts")  # read by connection
WORDS = "Codat's words, and no other's."
CORRELATION_ID = "1f0c2a9e5b7d4c63"
REQUESTS_OF_A_PAGE = 7


@dataclass(frozen=True)
class Row:
    """One row: an answer that one company (or the list of companies) always gets, and what comes of it.

    ends: skipped, failed, stopped or waited. tried: how often each partition or page is asked for.
    said: what the warning says beside Codat's words.
    """

    statuses: tuple[int, ...]
    ends: str
    failure: str = ""
    path: str = "/companies/{broken}/data/invoices"
    state: str = "kept"
    tried: int = 1
    said: str = ""
    headers: dict | None = None
    by_connection: bool = False
    is_syncing: bool = False


PASSING: dict[str, Any] = {"ends": "failed", "failure": "transient_error", "tried": REQUESTS_OF_A_PAGE}
REFUSED: dict[str, Any] = {"ends": "failed", "failure": "system_error"}
KEY: dict[str, Any] = {"ends": "stopped", "failure": "config_error"}
TABLE = {
    ("400", "any time"): Row((400,), **REFUSED, tried=2),  # once more, without its order
    ("401", "on the company list"): Row((401,), **KEY, path="/companies", said="copy it again"),
    ("401", "of one company"): Row((401,), **REFUSED, said="the API key is let in elsewhere"),
    ("402", "on the company list"): Row((402,), **KEY, path="/companies", said="check your plan"),
    ("402", "of one company"): Row((402,), **REFUSED, said="the API key is let in elsewhere"),
    ("403", "on the company list"): Row((403,), **KEY, path="/companies", said="use a current key"),
    ("403", "elsewhere"): Row((403,), "skipped", said="is the product bought?"),
    ("404", "on dataStatus"): Row(
        (404,), "skipped", path="/companies/{broken}/dataStatus", state="dropped", said="deleted in Codat"
    ),
    ("404", "elsewhere"): Row((404,), "skipped", said="not supported by the company's platform, or no data"),
    ("405", "any time"): Row((405,), **REFUSED),
    ("408", "any time"): Row((408,), **PASSING),
    ("409", "never requested"): Row((409,), "skipped", said="never synced", by_connection=True),
    ("409", "while it is synced"): Row(
        (409,), "failed", "transient_error", said="while it is being synced", is_syncing=True
    ),
    ("409", "synced, nothing runs"): Row((409,), "skipped", said="Codat holds back"),
    ("429", "for a short time"): Row((429,), "waited", headers={"Retry-After": "7"}),
    ("429", "past the bounds, one company"): Row(
        (429,), "failed", "transient_error", headers={"Retry-After": "7200"}, said="takes no requests for"
    ),
    ("429", "past the bounds, the quota"): Row(
        (429,),
        "stopped",
        "transient_error",
        headers={"Retry-After": "7200", "X-Rate-Limit-Remaining": "0"},
        said="used up until",
    ),
    ("451", "any time"): Row((451,), "skipped", said="compliance"),
    ("500 to 504", "any time"): Row((500, 501, 502, 503, 504), **PASSING),
    ("other", "below 500"): Row((302, 410, 418), **REFUSED),
    ("other", "from 500 on"): Row((505, 520), **PASSING),
}
pytestmark = pytest.mark.usefixtures("naps")
CASES = [
    (pytest.param(row, status, id=f"{status} {when}"), row)
    for (_, when), row in TABLE.items()
    for status in row.statuses
]


def cases(*ends):
    return [case for case, row in CASES if row.ends in ends]


@pytest.fixture
def sim():
    with Simulator(companies=2, seed=7, records=5) as simulator:
        yield simulator


class Story:
    """A read; then a change in every company, and one company's answer goes wrong; then it is mended."""

    def __init__(self, sim, row, status):
        self.sim, self.row = sim, row
        self.broken, *self.others = [one["id"] for one in sim.world.companies]
        self.stream, self.data_type = ACCOUNTS if row.by_connection else (STREAM, "invoices")
        self.link = None
        self.first = read(sim, self.stream, NEIGHBOUR)
        for company in (self.broken, *self.others):
            self._change(company)
        path = row.path.format(broken=self.broken)
        if row.by_connection:
            self.link = sim.world.add_connection(self.broken, "Accounting", sync=False)
            path = f"/companies/{self.broken}/connections/{self.link}/data/bankAccounts"
        self.path = f"{path}$"
        body = {"error": WORDS, "correlationId": CORRELATION_ID}
        times = 1 if row.ends == "waited" else None
        self.running = sim.world.start_sync(self.broken, self.data_type) if row.is_syncing else None
        headers = {"Location": "https://example.org/"} if status < 400 else row.headers
        sim.faults.add(Fault(path=self.path, times=times, status=status, body=body, headers=headers))
        sim.clear_log()
        self.said = read(sim, self.stream, NEIGHBOUR, state=self.first.state)
        self.asked = sim.requests_for(self.path)

    def _change(self, company):
        for stream, data_type in ((self.stream, self.data_type), (NEIGHBOUR, "bills")):
            victim = self.sim.world.records(data_type, company)[0]["id"]
            touch(self.sim, company, victim, data_type=data_type, note=f"second {stream}")

    def mend(self):
        self.sim.faults.clear()
        self.sim.clear_log()
        if self.running:
            self.sim.world.finish_sync(self.running)
        if self.link:
            self.sim.world.sync(
                self.broken,
                self.data_type,
                self.link,
                changes=lambda: [{"id": "late", "note": f"second {self.stream}"}],
            )
        return read(self.sim, self.stream, NEIGHBOUR, state=self.said.state)

    def changed(self, said, stream):
        """The companies whose change arrived."""
        return {one["companyId"] for one in said.records(stream) if one.get("note") == f"second {stream}"}

    def entries(self, said, company):
        """What the stream's state says of a company, and of the broken connection where it is one."""
        return [
            one
            for one in said.stream_state(self.stream)["states"]
            if one["partition"]["company_id"] == company
            and (not self.link or one["partition"]["connection_id"] == self.link)
        ]

    def warnings(self, *words):
        logs = [one["message"] for one in self.said.of("LOG") if one["level"] == "WARNING"]
        return [line for line in logs if all(word in line for word in words)]


@pytest.mark.parametrize(("row", "status"), cases("skipped"))
def test_what_is_skipped_is_skipped_alone_warned_about_and_tried_again(sim, row, status):
    story = Story(sim, row, status)
    said = story.said
    assert (said.code, said.errors) == (0, [])
    assert (said.statuses(story.stream)[-1], said.statuses(NEIGHBOUR)[-1]) == ("COMPLETE", "COMPLETE")
    assert set(story.others) <= story.changed(said, story.stream)
    assert set(story.others) <= story.changed(said, NEIGHBOUR)
    [warning] = story.warnings(f"{story.stream}: 1 company skipped", row.said)
    assert WORDS in warning
    assert f"correlation id {CORRELATION_ID}" in warning
    assert story.broken in warning
    assert len(story.asked) == row.tried
    before, after = story.entries(story.first, story.broken), story.entries(said, story.broken)
    assert after == ([] if row.state == "dropped" else before)
    again = story.mend()
    assert (again.code, again.statuses(story.stream)[-1]) == (0, "COMPLETE")
    assert story.broken in story.changed(again, story.stream)
    if row.state == "dropped":  # it is as new
        there = {one["id"] for one in sim.world.records("invoices", story.broken)}
        assert {one["id"] for one in again.records(STREAM) if one["companyId"] == story.broken} == there


@pytest.mark.parametrize(("row", "status"), cases("failed"))
def test_what_failed_fails_one_company_of_one_stream_and_says_which(sim, row, status):
    story = Story(sim, row, status)
    said = story.said
    assert said.code == 1
    assert (said.statuses(STREAM)[-1], said.statuses(NEIGHBOUR)[-1]) == ("INCOMPLETE", "COMPLETE")
    assert story.changed(said, STREAM) == set(story.others)
    assert story.changed(said, NEIGHBOUR) == {story.broken, *story.others}
    assert {one["failure_type"] for one in said.errors} == {row.failure}
    error = said.errors[0]["message"]
    assert story.broken in error
    assert not any(company in error for company in story.others)
    if status >= 400:
        assert WORDS in error
        assert f"correlation id {CORRELATION_ID}" in error
    assert row.said in error
    sizes = {one.query["pageSize"] for one in story.asked}
    assert len(story.asked) == row.tried * len(sizes)
    assert (len(sizes) > 1) is (status in (408, 504))  # a smaller page may come in time
    assert story.entries(said, story.broken) == story.entries(story.first, story.broken)
    again = story.mend()
    assert (again.code, again.statuses(STREAM)[-1]) == (0, "COMPLETE")
    assert story.changed(again, STREAM) >= {story.broken}


@pytest.mark.parametrize(("row", "status"), cases("stopped"))
def test_what_stops_the_read_says_why_saves_what_is_finished_and_asks_nothing_more(sim, row, status):
    story = Story(sim, row, status)
    said = story.said
    assert said.code == 1
    assert said.statuses(STREAM)[-1] == "INCOMPLETE"
    if said.statuses(NEIGHBOUR)[-1] != "INCOMPLETE":  # it was finished when the answer came
        assert story.changed(said, NEIGHBOUR) == {story.broken, *story.others}
    assert {one["failure_type"] for one in said.errors} == {row.failure}
    assert row.said in said.errors[0]["message"]
    assert WORDS in said.errors[0]["message"]
    assert f"correlation id {CORRELATION_ID}" in said.errors[0]["message"]
    assert len(story.asked) == row.tried
    assert story.entries(said, story.broken) == story.entries(story.first, story.broken)
    again = story.mend()
    assert again.code == 0
    arrived = story.changed(said, STREAM) | story.changed(again, STREAM)
    assert arrived == {story.broken, *story.others}


@pytest.mark.parametrize(("row", "status"), cases("waited"))
def test_what_is_waited_for_costs_nothing_but_time(sim, naps, row, status):
    story = Story(sim, row, status)
    assert (story.said.code, story.said.errors) == (0, [])
    assert story.changed(story.said, STREAM) == {story.broken, *story.others}
    assert any(6.5 <= one <= 7 for one in naps)


def test_passing_trouble_is_tried_again_after_a_growing_and_varying_wait(sim, naps):
    passing = [status for row in TABLE.values() for status in row.statuses if row.tried == REQUESTS_OF_A_PAGE]
    companies = [one["id"] for one in sim.world.companies]
    for number, status in enumerate(passing):  # four in a row for each company
        path = f"/companies/{companies[number // 4]}/data/invoices"
        sim.faults.add(Fault(path=path, after=number % 4, status=status, body=WORDS))
    said = read(sim, STREAM)
    assert len(passing) == len(companies) * 4
    assert (said.code, said.errors) == (0, [])
    assert len(said.records(STREAM)) == len(sim.world.records("invoices"))
    waits = sorted(one for one in naps if one > 0.4)
    assert len(waits) == len(passing)
    assert len(set(waits)) == len(passing)
    shares = [wait / (2 ** (number // len(companies))) for number, wait in enumerate(waits)]
    assert all(0.5 <= share <= 1 for share in shares)


def test_the_table_in_the_docs_has_these_rows_and_ends():
    text = (ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8")
    text = text.split("## Answers that are no data\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    assert [(status, when) for status, when, *_ in rows] == list(TABLE)
    ends = {"config_error": "configuration error", "transient_error": "transient error"}
    for (status, when, _, happens, end), row in zip(rows, TABLE.values(), strict=True):
        whole = row.ends in ("skipped", "waited")
        assert ("INCOMPLETE" in end) is not whole, (status, when)
        assert ends.get(row.failure, "system error" if row.failure else "COMPLETE") in end, (status, when)
        verb = {"skipped": "skipped", "failed": "failed", "stopped": "whole read stops", "waited": "waits"}
        assert verb[row.ends] in happens, (status, when)
        assert ("loses its state" in happens) is (row.state == "dropped"), (status, when)
        assert ("six more tries" in happens) is (row.tried == REQUESTS_OF_A_PAGE), (status, when)


def test_the_error_handler_names_the_same_statuses_and_sorts_them_alike():
    filters = MANIFEST["definitions"]["requester"]["error_handler"]["response_filters"]
    handled = {status: one for one in filters for status in one["http_codes"]}
    named = {status for (words, _), row in TABLE.items() for status in row.statuses if words != "other"}
    assert set(handled) == named
    actions = {"skipped": "IGNORE", "waited": "RATE_LIMITED", "stopped": "FAIL", "failed": "FAIL"}
    exceptions = {
        ("403", "on the company list"): "IGNORE",  # what is skipped elsewhere can't be here
        ("409", "while it is synced"): "IGNORE",  # told apart by dataStatus
        ("429", "past the bounds, one company"): "RATE_LIMITED",
        ("429", "past the bounds, the quota"): "RATE_LIMITED",
    }
    for key, row in TABLE.items():
        for status in row.statuses if key[0] != "other" else ():
            usual = "RETRY" if row.tried == REQUESTS_OF_A_PAGE else actions[row.ends]
            assert handled[status]["action"] == exceptions.get(key, usual), key


def test_each_stream_and_reason_has_one_warning_however_many_companies(sim):
    first, second = [one["id"] for one in sim.world.companies]
    for company, status in ((first, 404), (second, 404)):
        sim.faults.add(Fault(path=f"/companies/{company}/data/(invoices|bills)$", times=None, status=status))
    sim.faults.add(Fault(path=f"/companies/{first}/data/customers$", times=None, status=451))
    said = read(sim, "invoices", "bills", "customers", mode="full_refresh")
    lines = [one["message"] for one in said.of("LOG") if one["level"] == "WARNING"]
    lines = sorted(line for line in lines if " skipped, " in line)
    assert [line.split(" skipped")[0] for line in lines] == [
        "bills: 2 companies",
        "customers: 1 company",
        "invoices: 2 companies",
    ]
    for line in (lines[0], lines[2]):
        assert first in line
        assert second in line
    assert all("correlation id" in line for line in lines)
    assert said.code == 0


def test_what_dataStatus_rules_out_is_not_asked_for(sim):  # noqa: N802 - Codat's name
    company = sim.world.companies[0]["id"]
    sim.world.forget_sync(company, "invoices")
    said = read(sim, STREAM)
    assert said.code == 0
    assert not sim.requests_for(f"/companies/{company}/data/invoices")
    assert len({one["companyId"] for one in said.records(STREAM)}) == 1


@pytest.mark.parametrize("status", ["Queued", "Fetching"])
def test_a_company_in_its_first_sync_has_no_data_that_could_be_missed(sim, status):
    company = sim.world.companies[0]["id"]
    sim.world.forget_sync(company, "invoices")
    sim.world.start_sync(company, "invoices", status=status)
    sim.faults.add(Fault(path=f"/companies/{company}/data/invoices", times=None, status=409))
    said = read(sim, STREAM)
    assert (said.code, said.statuses(STREAM)[-1]) == (0, "COMPLETE")
    assert any("1 company skipped, never synced by Codat" in line for line in said.logs)


def test_the_first_error_is_one_that_a_new_attempt_may_mend_where_there_is_one(sim):
    """The platform goes by it, and tries again or doesn't."""
    sim.faults.add(Fault(path="/data/invoices", times=None, status=405))
    sim.faults.add(Fault(path="/data/bills", times=None, status=503))
    said = read(sim, "invoices", "bills", "customers")
    assert [one["failure_type"] for one in said.errors] == [
        "transient_error",
        "system_error",
        "transient_error",
    ]
    assert [said.statuses(name)[-1] for name in ("invoices", "bills", "customers")] == [
        "INCOMPLETE",
        "INCOMPLETE",
        "COMPLETE",
    ]


def test_in_full_refresh_a_stream_of_which_a_company_failed_is_incomplete_with_what_it_has(sim):
    company = sim.world.companies[0]["id"]
    sim.faults.add(Fault(path=f"/companies/{company}/data/invoices", times=None, status=405))
    said = read(sim, STREAM, NEIGHBOUR, mode="full_refresh")
    assert said.code == 1
    assert (said.statuses(STREAM)[-1], said.statuses(NEIGHBOUR)[-1]) == ("INCOMPLETE", "COMPLETE")
    assert len({one["companyId"] for one in said.records(STREAM)}) == 1
    assert said.stream_state(STREAM) is None  # as a finished full refresh would have


def test_the_docs_say_what_incomplete_means_for_loaders_that_write_all_or_nothing():
    text = (ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8")
    told = re.search(r"\*\*INCOMPLETE and loaders that write all or nothing\.\*\*(.*?)\n\n", text, re.DOTALL)
    assert told
    for word in ("full refresh", "PyAirbyte", "`companies`"):
        assert word in told[1]


def test_a_redirect_is_not_followed_so_the_key_stays_with_codat(sim):
    sim.faults.add(Fault(path=r"/data/invoices", action="redirect", times=None))
    said = read(sim, STREAM)
    assert (said.code, said.statuses(STREAM)[-1]) == (1, "INCOMPLETE")
    assert {one.headers["Host"] for one in sim.requests} == {sim.url.removeprefix("http://")}
    assert "points to another address" in said.errors[0]["message"]
