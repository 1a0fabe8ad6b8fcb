"""The promises of incremental reading: nothing lost, nothing asked for twice without need."""

import time
from datetime import timedelta

import pytest

from codat_simulator import Fault
from integration_tests.support.connector import by_key, read, selected, touch

ALL = ("accounts", "customers", "invoices", "bills", "banking_transactions", "commerce_orders")


def ids(said, stream="invoices"):
    return {one["id"] for one in said.records(stream)}


def entries(said, stream="invoices"):
    return {tuple(one["partition"].values()): one["cursor"] for one in said.stream_state(stream)["states"]}


def test_a_second_read_brings_only_what_changed_and_ties(sim, company):
    first = read(sim, "invoices")
    victims = [one["id"] for one in sim.world.records("invoices", company_id=company)[:3]]
    sim.world.clock.advance(3600)
    touch(sim, company, *victims, note="new")
    second = read(sim, "invoices", state=first.state)
    got = second.records("invoices")
    assert set(victims) <= {one["id"] for one in got}
    assert {one["companyId"] for one in got} == {company}
    old = entries(first)[(company,)]["modifiedDate"]
    changed = [one for one in got if one["id"] in victims]
    ties = [one for one in got if one["id"] not in victims]
    assert all(one["note"] == "new" for one in changed)
    assert all(one["modifiedDate"][:19] == old[:19] for one in ties)


def test_nothing_changed_costs_one_request_a_company_and_the_company_list(sim):
    first = read(sim, *ALL)
    sim.clear_log()
    second = read(sim, *ALL, state=first.state)
    multiple = sum("/data/history" in one.path for one in sim.requests)
    assert len(sim.requests) - multiple == len(sim.world.companies) + 1
    assert not any(second.records(stream) for stream in ALL)
    assert [second.stream_state(name) for name in ALL] == [first.stream_state(name) for name in ALL]


def test_skip_unchanged_can_be_turned_off(sim):
    first = read(sim, "invoices")
    sim.clear_log()
    read(sim, "invoices", state=first.state, skip_unchanged=False)
    assert len(sim.requests_for(r"/data/invoices$")) == len(sim.world.companies)


def test_a_full_refresh_skips_nothing_and_ignores_the_state(sim):
    first = read(sim, "invoices")
    again = read(sim, "invoices", state=first.state, mode="full_refresh")
    assert ids(again) == ids(first)


def test_a_company_linked_later_brings_its_whole_history(sim):
    first = read(sim, "invoices")
    added = sim.world.add_company(name="Late")
    old = sim.world.records("invoices", company_id=added)
    for one in old[:5]:
        sim.world.put(added, "invoices", one, modified="2015-01-01T00:00:00Z")
    second = read(sim, "invoices", state=first.state)
    assert {one["id"] for one in second.records("invoices") if one["companyId"] == added} == {
        one["id"] for one in sim.world.records("invoices", company_id=added)
    }


def test_a_first_read_without_start_date_sends_no_filter_so_rows_without_a_date_come_too(sim, company):
    record = dict(sim.world.records("invoices", company_id=company)[0], id="undated")
    record.pop("modifiedDate")
    sim.world.put(company, "invoices", record, modified="")
    said = read(sim, "invoices")
    assert not any("query" in one.query for one in sim.requests_for(r"/data/invoices$"))
    assert len(said.records("invoices")) == len(sim.world.records("invoices"))


def test_a_start_date_reads_only_what_changed_since(sim, company):
    for number, one in enumerate(sim.world.records("invoices", company_id=company)):
        sim.world.put(company, "invoices", one, modified=f"20{10 + number % 10}-01-01T00:00:00Z")
    said = read(sim, "invoices", start_date="2015-01-01", **selected(company))
    assert {one["modifiedDate"][:4] for one in said.records("invoices")} == {
        "2015",
        "2016",
        "2017",
        "2018",
        "2019",
    }


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"start_date": "2026-11-01"}, {"start_date": "2001-01-01"}),
        ({"deleted_records": "leave_out"}, {}),
        ({}, {"deleted_records": "remove"}),
        ({"filters": [{"stream": "invoices", "query": "status=Paid"}]}, {}),
    ],
)
def test_a_changed_option_starts_the_partitions_again(sim, before, now):
    first = read(sim, "invoices", **before)
    second = read(sim, "invoices", state=first.state, **now)
    assert ids(second) == {one["id"] for one in sim.world.records("invoices")}


def test_a_later_start_date_starts_nothing_again(sim):
    first = read(sim, "invoices")
    assert not ids(read(sim, "invoices", state=first.state, start_date="2003-01-01"))


@pytest.mark.parametrize(
    "date",
    [
        "2024-05-01T10:22:43Z",
        "2024-05-01T10:22:43",
        "2024-05-01T10:22:43.6464237Z",
        "2024-05-01T10:22:43.1",
        "2024-05-01T10:22:43.123456789Z",
    ],
)
def test_every_form_of_date_moves_the_cursor_and_is_never_rounded_up(sim, company, date):
    for one in sim.world.records("invoices", company_id=company):
        sim.world.put(company, "invoices", one, modified=date)
    said = read(sim, "invoices", **selected(company))
    cursor = entries(said)[(company,)]["modifiedDate"]
    assert cursor.rstrip("Z") == date.rstrip("Z")[:27]
    sim.world.clock.advance(60)
    sim.world.sync(company, "invoices")
    again = read(sim, "invoices", state=said.state, **selected(company))
    assert ids(again) == ids(said)


def test_a_row_from_the_future_does_not_move_the_cursor_past_the_server_clock(sim, company):
    one = sim.world.records("invoices", company_id=company)[0]
    sim.world.put(company, "invoices", one, modified="2099-01-01T00:00:00Z")
    said = read(sim, "invoices")
    assert entries(said)[(company,)]["modifiedDate"] < "2098"
    sim.world.clock.advance(60)
    touch(sim, company, sim.world.records("invoices", company_id=company)[5]["id"], note="x")
    assert any(one.get("note") == "x" for one in read(sim, "invoices", state=said.state).records("invoices"))


def test_a_state_from_the_future_loses_nothing(sim):
    first = read(sim, "invoices")
    state = first.state
    for one in state[0]["stream"]["stream_state"]["states"]:
        one["cursor"] = {"modifiedDate": "2099-01-01T00:00:00Z"}
    assert ids(read(sim, "invoices", state=state)) == ids(first)


@pytest.mark.parametrize("trouble", ["doubt", "failure"])
def test_a_date_that_is_still_to_come_is_not_believed_when_it_has_come(sim, company, trouble):
    first = read(sim, "invoices")
    state = first.state
    for one in state[0]["stream"]["stream_state"]["states"]:
        to_come = sim.world.clock.now() + timedelta(hours=20)
        one["cursor"] = {"modifiedDate": to_come.isoformat()}
    if trouble == "doubt":
        sim.world.set_status(company, "invoices", "Thinking")
    else:
        sim.faults.add(Fault(path=f"/companies/{company}/data/invoices", times=1, status=400))
    second = read(sim, "invoices", state=state)
    sim.world.clock.advance(36_000)
    victim = sim.world.records("invoices", company_id=company)[0]["id"]
    touch(sim, company, victim, note="x")
    sim.world.clock.advance(40_000)
    third = read(sim, "invoices", state=second.state)
    assert any(one.get("note") == "x" for one in third.records("invoices"))


def test_lookback_reads_again_what_changed_before_the_cursor(sim, company):
    first = read(sim, "invoices")
    late = dict(sim.world.records("invoices", company_id=company)[0], id="late")
    cursor = entries(first)[(company,)]["modifiedDate"]
    sim.world.put(company, "invoices", late, modified=cursor[:4] + "-01-01T00:00:00Z")
    sim.world.clock.advance(60)
    sim.world.sync(company, "invoices")
    assert "late" not in ids(read(sim, "invoices", state=first.state))
    assert "late" in ids(read(sim, "invoices", state=first.state, lookback_hours=8760))


def test_a_failed_partition_keeps_its_state_and_the_others_move(sim, company):
    first = read(sim, "invoices")
    sim.world.clock.advance(60)
    for one in sim.world.companies:
        victim = sim.world.records("invoices", company_id=one["id"])[0]["id"]
        touch(sim, one["id"], victim, note="x")
    sim.faults.add(Fault(path=f"/companies/{company}/data/invoices", times=None, status=400))
    second = read(sim, "invoices", state=first.state)
    assert second.code == 1
    assert second.statuses("invoices")[-1] == "INCOMPLETE"
    assert entries(second)[(company,)] == entries(first)[(company,)]
    others = [key for key in entries(first) if key != (company,)]
    assert all(entries(second)[key] != entries(first)[key] for key in others)
    sim.faults.clear()
    third = read(sim, "invoices", state=second.state)
    assert {one["companyId"] for one in third.records("invoices")} == {company}


def test_deselected_companies_keep_their_state_and_gone_ones_lose_it(sim):
    first = read(sim, "invoices")
    chosen, gone = sim.world.companies[1]["id"], sim.world.companies[2]["id"]
    second = read(sim, "invoices", state=first.state, **selected(chosen))
    assert set(entries(second)) == set(entries(first))
    sim.world.remove_company(gone)
    third = read(sim, "invoices", state=second.state, **selected(chosen, gone))
    assert set(entries(third)) == set(entries(first)) - {(gone,)}
    assert by_key(third.records("invoices"), "id") == {}


def test_what_was_never_synced_is_not_asked_for_and_read_when_it_is_there(sim, company):
    sim.world.forget_sync(company, "invoices")
    first = read(sim, "invoices")
    assert (first.code, first.statuses("invoices")[-1]) == (0, "COMPLETE")
    assert not sim.requests_for(f"/companies/{company}/data/invoices$")
    sim.world.sync(company, "invoices")
    second = read(sim, "invoices", state=first.state)
    assert {one["id"] for one in second.records("invoices")} == {
        one["id"] for one in sim.world.records("invoices", company_id=company)
    }


def test_a_sync_under_way_holds_the_cursor_at_the_last_successful_one(sim, company):
    first = read(sim, "invoices")
    sim.world.clock.advance(3600)
    running = sim.world.start_sync(company, "invoices")
    sim.world.stage(running, {"id": "staged-early"})
    sim.world.clock.advance(3600)
    late = sim.world.put(company, "invoices", {"id": "visible-late"})
    second = read(sim, "invoices", state=first.state)
    assert "visible-late" in ids(second)
    assert entries(second)[(company,)]["modifiedDate"] < late["modifiedDate"]
    assert "staged-early" not in ids(second)
    sim.world.finish_sync(running)
    third = read(sim, "invoices", state=second.state)
    assert "staged-early" in ids(third)


def test_a_sync_under_way_on_one_of_several_connections_holds_their_cursor(sim):
    company = sim.world.add_company(name="Two banks", connections=("Banking", "Banking"))
    only = selected(company)
    one, other = (
        c["id"] for known in sim.world.companies if known["id"] == company for c in known["dataConnections"]
    )
    first = read(sim, "banking_transactions", **only)
    sim.world.clock.advance(3600)
    running = sim.world.start_sync(company, "banking-transactions", connection_id=one)
    sim.world.stage(running, {"id": "staged-early"})
    sim.world.clock.advance(600)
    sim.world.sync(company, "banking-transactions", connection_id=other)  # dataStatus now tells of this one
    sim.world.clock.advance(600)
    sim.world.put(company, "banking-transactions", {"id": "visible-late"}, connection_id=one)
    second = read(sim, "banking_transactions", **only, state=first.state)
    assert "visible-late" in ids(second, "banking_transactions")
    sim.world.finish_sync(running)
    third = read(sim, "banking_transactions", **only, state=second.state)
    assert "staged-early" in ids(third, "banking_transactions")


def test_several_connections_with_nothing_new_cost_two_requests_a_company(sim):
    company = sim.world.add_company(name="Two banks", connections=("Banking", "Banking"))
    only = selected(company)
    said = read(sim, "banking_transactions", **only)
    for _ in range(2):
        sim.clear_log()
        said = read(sim, "banking_transactions", **only, state=said.state)
    assert len(sim.requests) == 3
    assert not said.records("banking_transactions")


def test_a_read_is_quick_when_the_state_is_large(sim):
    first = read(sim, "invoices")
    state = first.state
    many = [
        {"partition": {"company_id": f"c{number}"}, "cursor": {"modifiedDate": "2024-01-01T00:00:00Z"}}
        for number in range(20_000)
    ]
    state[0]["stream"]["stream_state"]["states"] += many
    began = time.process_time()
    second = read(sim, "invoices", state=state)
    assert time.process_time() - began < 20
    assert len(second.stream_state("invoices")["states"]) == 20_000 + len(sim.world.companies)
