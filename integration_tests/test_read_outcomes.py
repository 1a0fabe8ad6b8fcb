"""The stream read_outcomes: one row for each company and selected stream, whatever became of the read."""

import itertools
import json
import logging
import re
import signal
from collections import Counter

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import REPO, catalog, config, parse, read, start, touch
from source_codat import SourceCodat
from source_codat.state.store import NO_CURSOR_STATE

KEY = ("companyId", "stream", "readStartedAt")


@pytest.fixture
def four():
    """Four companies with accounting, the last of them with banking too."""
    with Simulator(companies=0, seed=7, records=5) as simulator:
        for number in range(3):
            simulator.world.add_company(name=f"Company {number}", connections=("Accounting",))
        simulator.world.add_company(name="Company 3", connections=("Accounting", "Banking"))
        yield simulator


def rows(said, stream=None):
    """The rows by company and stream; of one stream by company."""
    found = said.records("read_outcomes")
    assert len({tuple(row[name] for name in KEY) for row in found}) == len(found)
    assert len({row["readStartedAt"] for row in found}) <= 1
    if stream:
        return {row["companyId"]: row for row in found if row["stream"] == stream}
    return {(row["companyId"], row["stream"]): row for row in found}


def outcomes(said):
    return {key: (row["outcome"], row["reason"]) for key, row in rows(said).items()}


def ids(sim):
    return [company["id"] for company in sim.world.companies]


def refuse(sim, company, status=422, stream="invoices"):
    path = f"/companies/{company}/data/{stream}$"
    return sim.faults.add(Fault(path=path, status=status, times=None))


def test_every_company_has_a_row_in_every_selected_stream_and_they_come_last(four):
    said = read(four, "companies", "invoices", "banking_transactions", "read_outcomes")
    *without_banking, fourth = ids(four)
    assert outcomes(said) == {
        ("*", "companies"): ("complete", None),
        **{(company, "invoices"): ("complete", None) for company in ids(four)},
        **{(company, "banking_transactions"): ("skipped", "no_connection") for company in without_banking},
        (fourth, "banking_transactions"): ("complete", None),
    }
    streams = [one["record"]["stream"] for one in said.messages if one["type"] == "RECORD"]
    assert streams.index("read_outcomes") == len(streams) - len(rows(said))
    assert said.statuses("read_outcomes") == ["STARTED", "RUNNING", "COMPLETE"]


def test_a_row_says_rows_cursors_requests_seconds_and_the_companys_name(four):
    first = read(four, "invoices", "read_outcomes")
    company = ids(four)[1]
    row = rows(first, "invoices")[company]
    there = four.world.records("invoices", company_id=company)
    assert (row["rows"], row["companyName"], row["cursorBefore"]) == (len(there), "Company 1", None)
    assert row["requests"] == 1
    assert row["seconds"] > 0
    assert row["readStartedAt"] <= row["endedAt"]
    touch(four, company, there[0]["id"])
    second = read(four, "invoices", "read_outcomes", state=first.state)
    again = rows(second, "invoices")[company]
    assert again["cursorBefore"] == row["cursorAfter"] < again["cursorAfter"]
    assert again["readStartedAt"] > row["readStartedAt"]


def test_requests_of_a_row_are_those_that_were_sent_for_it_alone(four):
    said = read(four, "invoices", "bills", "bank_account_transactions", "read_outcomes")
    for company in ids(four):
        sent = [one.path for one in four.requests if one.path.startswith(f"/companies/{company}/")]
        alone = [path for path in sent if not path.endswith(("/dataStatus", "/history"))]
        counted = [row["requests"] for (one, _), row in rows(said).items() if one == company]
        assert sum(counted) == len(alone)


def test_it_needs_no_request_and_no_other_stream(four):
    read(four, "invoices", "read_outcomes")
    asked = Counter(one.path for one in four.requests)
    known = {f"/companies/{one}/{what}" for one in ids(four) for what in ("dataStatus", "data/history")}
    assert asked.keys() - known == {"/companies", *(f"/companies/{one}/data/invoices" for one in ids(four))}
    assert set(asked.values()) == {1}
    assert rows(read(four, "read_outcomes")) == {}


def test_what_is_unchanged_is_told_as_that(four):
    first = read(four, "invoices", "read_outcomes")
    second = read(four, "invoices", "read_outcomes", state=first.state)
    assert set(outcomes(second).values()) == {("unchanged", None)}
    assert {row["rows"] + row["requests"] for row in rows(second).values()} == {0}
    before = {company: row["cursorAfter"] for company, row in rows(first, "invoices").items()}
    assert {company: row["cursorAfter"] for company, row in rows(second, "invoices").items()} == before


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, ("skipped", "not_supported")),
        (403, ("skipped", "not_allowed")),
        (451, ("skipped", "blocked")),
        (422, ("failed", "transient_error")),
        (405, ("failed", "system_error")),
    ],
)
def test_a_refusal_is_told_with_codats_words_and_correlation_id(four, status, expected):
    company = ids(four)[0]
    refuse(four, company, status)
    said = read(four, "invoices", "bills", "read_outcomes")
    found = outcomes(said)
    if expected[0] == "failed":
        expected = ("failed", found[(company, "invoices")][1])
    assert found.pop((company, "invoices")) == expected
    assert set(found.values()) == {("complete", None)}
    row = rows(said)[(company, "invoices")]
    assert f"[HTTP {status}]" in row["message"]
    assert row["correlationId"]
    assert row["correlationId"] in row["message"]
    assert said.statuses("read_outcomes")[-1] == "COMPLETE"


def test_of_several_partitions_the_worst_tells_and_rows_add_up(four):
    company = four.world.add_company(name="Two banks", connections=("Banking", "Banking"))
    links = [one.id for one in four.world.known_companies()[-1].connections]
    path = f"/connections/{links[0]}/data/banking-transactions"
    four.faults.add(Fault(path=path, status=422, times=None))
    said = read(four, "banking_transactions", "read_outcomes")
    row = rows(said, "banking_transactions")[company]
    assert row["outcome"] == "failed"
    sent = [one for one in said.records("banking_transactions") if one["companyId"] == company]
    assert row["rows"] == len(sent) > 0


def test_a_read_that_stops_tells_what_it_did_not_reach_and_why(four):
    _, *others = ids(four)
    refused = f"/companies/{others[0]}/data/invoices"
    four.on_request(lambda request: four.revoke_key() if request.path == refused else None)
    said = read(four, "invoices", "read_outcomes", num_workers=2)
    assert said.code == 1
    found = rows(said, "invoices")
    assert found.keys() == set(ids(four))
    missed = {company: row for company, row in found.items() if row["outcome"] != "complete"}
    assert others[0] in missed
    for row in missed.values():
        assert (row["outcome"], row["reason"], row["endedAt"]) == ("failed", "not_reached", None)
        assert "API key" in row["message"]
    came = {record["companyId"] for record in said.records("invoices")}
    assert found.keys() - missed.keys() <= came
    assert said.statuses("read_outcomes")[-1] == "COMPLETE"
    assert said.messages[-1]["trace"]["type"] == "ERROR"


def test_where_the_companies_are_not_known_each_stream_has_a_row(four):
    four.faults.add(Fault(path="/companies$", status=401, times=None))
    said = read(four, "companies", "invoices", "read_outcomes")
    assert outcomes(said) == {("*", name): ("failed", "not_reached") for name in ("companies", "invoices")}


def test_a_selected_company_that_is_gone_has_its_rows(four):
    gone = "00000000-0000-4000-8000-000000000000"
    selection = {"selection": "ids", "company_ids": [ids(four)[0], gone]}
    said = read(four, "invoices", "bills", "read_outcomes", companies=selection)
    assert {key: one for key, one in outcomes(said).items() if key[0] == gone} == {
        (gone, name): ("skipped", "company_gone") for name in ("invoices", "bills")
    }


def test_a_company_without_a_parent_has_nothing_to_miss(four):
    empty = ids(four)[0]
    nothing = b'{"results": [], "totalResults": 0, "pageNumber": 1, "pageSize": 1000, "_links": {}}'
    four.faults.add(Fault(path=f"/companies/{empty}/data/bills$", status=200, body=nothing, times=None))
    said = read(four, "bill_attachments", "read_outcomes")
    assert rows(said, "bill_attachments")[empty]["outcome"] == "complete"


def test_what_kept_changing_is_unproven(four):
    company = ids(four)[0]

    numbers = itertools.count()

    def add(request):
        if request.path.endswith(f"{company}/data/invoices"):
            new = {"id": f"new {next(numbers)}"}
            four.world.sync(company, "invoices", changes=lambda: four.world.put(company, "invoices", new))

    end = four.on_request(add)
    said = read(four, "invoices", "read_outcomes", page_size=2)
    end()
    assert outcomes(said)[(company, "invoices")] == ("unproven", "kept_changing")


def test_incremental_keeps_the_history_by_a_cursor_of_the_sources_own(four):
    found = SourceCodat().discover(logging.getLogger(), config(four)).streams
    [stream] = [one for one in found if one.name == "read_outcomes"]
    assert stream.default_cursor_field == ["readStartedAt"]
    assert stream.source_defined_cursor
    assert stream.source_defined_primary_key == [[name] for name in KEY]
    said = read(four, "invoices", "read_outcomes")
    assert said.stream_state("read_outcomes") == NO_CURSOR_STATE
    assert len(rows(read(four, "invoices", "read_outcomes", state=said.state))) == len(ids(four))
    columns = stream.json_schema["properties"].keys()
    assert {frozenset(row) for row in said.records("read_outcomes")} == {frozenset(columns)}


def test_a_read_that_a_signal_ends_writes_it_too(four, tmp_path):
    four.latency = 0.3
    process = start(
        "read",
        tmp_path,
        config=config(four, num_workers=2),
        catalog=catalog("invoices", "bills", "customers", "read_outcomes"),
    )
    out = b""
    for line in process.stdout:
        out += line
        if b'"RECORD"' in line:
            process.send_signal(signal.SIGTERM)
            break
    rest, err = process.communicate(timeout=60)
    said = parse(out + rest, err, process.returncode)
    assert process.returncode == -signal.SIGTERM
    found = rows(said)
    assert found.keys() == {(c, s) for c in ids(four) for s in ("invoices", "bills", "customers")}
    missed = [row for row in found.values() if row["outcome"] == "failed"]
    assert missed
    assert {row["reason"] for row in missed} == {"not_reached"}
    assert all("SIGTERM" in row["message"] for row in missed)


def test_a_filter_on_it_is_refused(four):
    settings = config(four, filters=[{"stream": "read_outcomes", "query": "a=1"}])
    assert "which Codat can't filter" in json.dumps(read(settings, "invoices").errors)


def test_the_query_of_the_guide_finds_what_is_not_well_and_since_when(four, tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="DuckDB isn't installed")
    guide = (REPO / "docs" / "integrations" / "sources" / "codat.md").read_text(encoding="utf-8")
    [query] = re.findall(
        r"^## What became of each company\n.+?^```sql\n(.+?)^```$", guide, re.MULTILINE | re.DOTALL
    )
    first = read(four, "invoices", "bills", "read_outcomes")
    broken = ids(four)[1]
    refuse(four, broken)
    touch(four, broken, four.world.records("invoices", company_id=broken)[0]["id"])
    second = read(four, "invoices", "bills", "read_outcomes", state=first.state)
    file = tmp_path / "rows.json"
    all_rows = [*first.records("read_outcomes"), *second.records("read_outcomes")]
    file.write_text("\n".join(map(json.dumps, all_rows)), encoding="utf-8")
    database = duckdb.connect()
    database.execute(f"CREATE TABLE read_outcomes AS SELECT * FROM read_json_auto('{file}')")
    found = database.execute(query).fetchall()
    [(name, stream, outcome, _, message, since)] = found
    assert (name, stream, outcome) == ("Company 1", "invoices", "failed")
    assert "[HTTP 422]" in message
    started = first.records("read_outcomes")[0]["readStartedAt"]
    assert str(since).replace(" ", "T")[:19] == started[:19]
