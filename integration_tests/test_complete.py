"""A read is complete, or says that it isn't, while everything moves."""

import random

import pytest

from codat_simulator import Fault
from integration_tests.support.connector import read, selected, touch

SIZE = 7


@pytest.fixture
def only(company):
    return {**selected(company), "page_size": SIZE}


def ids(said, stream="invoices"):
    return {one["id"] for one in said.records(stream)}


def names(sim, company):
    return [one["id"] for one in sim.world.records("invoices", company_id=company)]


def cursor(said, company):
    states = said.stream_state("invoices")["states"]
    return next((one["cursor"] for one in states if one["partition"]["company_id"] == company), None)


def invoice_pages(change, pages=None):
    """Call `change` before each page of invoices is answered (or before those numbered)."""

    def before(request):
        if request.path.endswith("/data/invoices") and (pages is None or request.query.get("page") in pages):
            change()

    return before


def test_rows_that_change_while_paged_arrive_all_the_same(sim, company, only):
    rng = random.Random(1)
    there = names(sim, company)
    sim.on_request(invoice_pages(lambda: touch(sim, company, rng.choice(there), note="x")))
    said = read(sim, "invoices", **only)
    assert set(there) <= ids(said)


def test_rows_that_vanish_while_paged_take_no_bystander_along(sim, company, only):
    there = sorted(names(sim, company))
    gone = there[:6]
    queue = list(gone)
    sim.on_request(
        invoice_pages(lambda: queue and sim.world.vanish(company, "invoices", queue.pop()), {"2", "3", "4"})
    )
    said = read(sim, "invoices", **only)
    assert set(there) - set(gone) <= ids(said)


def test_one_gone_and_one_new_leave_the_count_alone_and_are_found_out(sim, company, only):
    there = sorted(names(sim, company))
    template = sim.world.records("invoices", company_id=company)[0]
    done: list[bool] = []

    def swap():
        if not done:
            done.append(True)
            sim.world.sync(
                company,
                "invoices",
                changes=lambda: [
                    {**template, "id": "~last"},
                    *(sim.world.vanish(company, "invoices", there[2]) or ()),
                ],
            )

    sim.on_request(invoice_pages(swap, {"2"}))
    said = read(sim, "invoices", **only)
    assert set(there) - {there[2]} <= ids(said)
    assert len(sim.requests_for(r"/data/invoices$")) > 6  # a second pass was needed


def test_ties_in_an_order_that_differs_between_requests_lose_nothing(sim, company, only):
    for one in sim.world.records("invoices", company_id=company):
        sim.world.put(company, "invoices", one, modified="2026-01-01T00:00:00Z")
    sim.faults.add(Fault(path=r"/data/invoices", times=None, action="shuffle_ties"))
    assert ids(read(sim, "invoices", **only)) == set(names(sim, company))


def test_a_refused_order_is_left_out_and_nothing_is_lost(sim, company, only):
    sim.faults.add(Fault(path=r"/data/invoices", times=None, action="refuse_order_by"))
    said = read(sim, "invoices", **only)
    assert said.code == 0
    assert ids(said) == set(names(sim, company))


def test_a_refused_order_with_shuffled_rows_is_complete_or_says_so(sim, company, only):
    sim.faults.add(Fault(path=r"/data/invoices", times=None, action="refuse_order_by"))
    sim.faults.add(Fault(path=r"/data/invoices", times=None, action="shuffle_ties"))
    for one in sim.world.records("invoices", company_id=company):
        sim.world.put(company, "invoices", one, modified="2026-01-01T00:00:00Z")
    said = read(sim, "invoices", **only)
    assert ids(said) == set(names(sim, company)) or cursor(said, company) is None


@pytest.mark.parametrize("cap", [3, 5, 6])
def test_pages_cut_below_what_was_asked_are_followed_to_the_end(sim, company, only, cap):
    sim.page_size_cap = cap
    assert ids(read(sim, "invoices", **only)) == set(names(sim, company))


def test_links_that_are_left_out_are_not_needed(sim, company, only):
    sim.drop_links = True
    assert ids(read(sim, "invoices", **only)) == set(names(sim, company))


def test_a_page_repeated_for_ever_ends_with_a_warning_and_the_cursor_stays(sim, company, only):
    sim.faults.add(Fault(path=r"/data/invoices", times=None, action="repeat_page"))
    said = read(sim, "invoices", **only)
    assert len(sim.requests) < 40
    assert cursor(said, company) is None
    assert said.code == 0
    assert any("kept changing" in line for line in said.logs)


def test_what_never_stands_still_is_read_a_bounded_number_of_times(sim, company, only):
    template = sim.world.records("invoices", company_id=company)[0]
    there = names(sim, company)
    count = iter(range(10_000))
    sim.on_request(
        invoice_pages(
            lambda: sim.world.sync(
                company,
                "invoices",
                changes=lambda: [{**template, "id": f"new{next(count)}"}],
            )
        )
    )
    said = read(sim, "invoices", **only)
    assert set(there) <= ids(said)
    assert cursor(said, company) is None
    assert len(sim.requests_for(r"/data/invoices$")) < 80
    assert any("kept changing" in line for line in said.logs)
    assert said.statuses("invoices")[-1] == "COMPLETE"


def test_an_update_during_the_read_arrives_by_the_next_one(sim, company, only):
    there = sorted(names(sim, company))
    done: list[bool] = []

    def once():
        if not done:
            done.append(True)
            sim.world.clock.advance(5)
            touch(sim, company, there[0], note="late")

    sim.on_request(invoice_pages(once, {"4"}))
    first = read(sim, "invoices", **only)
    second = read(sim, "invoices", state=first.state, **only)
    notes = [
        one.get("note")
        for said in (first, second)
        for one in said.records("invoices")
        if one["id"] == there[0]
    ]
    assert notes[-1] == "late"


def test_a_single_page_is_a_snapshot_and_asks_nothing_more(sim, company):
    read(sim, "invoices", **selected(company))
    assert len(sim.requests_for(r"/data/invoices$")) == 1
    assert len(sim.requests_for(r"/dataStatus$")) == 1


def test_several_pages_cost_one_more_look_at_the_syncs(sim, only):
    read(sim, "invoices", **only)
    assert len(sim.requests_for(r"/dataStatus$")) == 2


def test_the_company_list_is_read_completely_while_companies_come_and_go(sim):
    for number in range(20):
        sim.world.add_company(name=f"Company {number}", connections=())
    there = sorted(one["id"] for one in sim.world.companies)
    done: list[bool] = []

    def swap(request):
        if request.path == "/companies" and request.query.get("page") == "2" and not done:
            done.append(True)
            sim.world.remove_company(there[1])
            sim.world.add_company(name="New", connections=())

    sim.on_request(swap)
    said = read(sim, "companies", page_size=5)
    assert said.code == 0
    assert set(there) - {there[1]} <= ids(said, "companies")


def test_each_company_of_a_list_of_several_pages_comes_once(sim):
    for number in range(12):
        sim.world.add_company(name=f"Company {number}", connections=())
    sim.clear_log()
    said = read(sim, "companies", page_size=5)
    assert len(sim.requests) == 6, "the list is read twice, to prove that none was missed"
    assert sorted(one["id"] for one in said.records("companies")) == sorted(
        one["id"] for one in sim.world.companies
    )


def test_a_company_that_changes_while_the_list_is_read_twice_comes_in_both_versions(sim):
    for number in range(12):
        sim.world.add_company(name=f"Company {number}", connections=("Accounting",))
    changed = sim.world.companies[0]
    [link, *_] = changed["dataConnections"]
    pages = []

    def unlink(request):
        pages.append(request.path)
        if len(pages) == 4:
            sim.world.set_connection_status(changed["id"], link["id"], "Unlinked")

    sim.on_request(unlink)
    said = read(sim, "companies", page_size=5)
    versions = [one for one in said.records("companies") if one["id"] == changed["id"]]
    assert [one["dataConnections"][0]["status"] for one in versions] == ["Linked", "Unlinked"]


def test_a_company_list_that_never_stands_still_stops_the_read(sim):
    for number in range(12):
        sim.world.add_company(name=f"Company {number}", connections=())

    def add(request):
        if request.path == "/companies":
            sim.world.add_company(name="Another", connections=())

    sim.on_request(add)
    said = read(sim, "companies", "invoices", page_size=5)
    assert said.code == 1
    assert said.errors[-1]["failure_type"] == "transient_error"
    assert "list of companies" in said.errors[-1]["message"]
    assert said.statuses("invoices")[-1] == "INCOMPLETE"


def test_a_clock_that_moves_while_reading_loses_nothing(sim, company, only):
    steps = iter([86_400, -86_400, 3600, -3600] * 50)
    forget = sim.on_request(invoice_pages(lambda: sim.world.clock.advance(next(steps))))
    first = read(sim, "invoices", **only)
    assert ids(first) == set(names(sim, company))
    forget()
    sim.world.clock.advance(60)
    victim = names(sim, company)[0]
    touch(sim, company, victim, note="x")
    assert victim in ids(read(sim, "invoices", state=first.state, **only))


def test_a_page_that_keeps_timing_out_is_asked_for_in_smaller_pages(sim, company, mocker):
    mocker.patch("source_codat.http.client.CodatClient._back_off", return_value=0.0)
    sim.faults.add(
        Fault(path=r"/data/invoices", query=r"pageSize=1000", times=None, action="stall", seconds=5)
    )
    mocker.patch("source_codat.http.client.time_outs", return_value=(5.0, 0.3))
    said = read(sim, "invoices", **selected(company))
    assert ids(said) == set(names(sim, company))
    assert said.code == 0
    assert any("pages of 250" in line for line in said.logs)


@pytest.mark.parametrize("action", ["reset", "cut", "malformed", "wrong_length", "html"])
def test_a_broken_answer_is_asked_for_again_and_never_taken_as_read(sim, company, only, mocker, action):
    mocker.patch("source_codat.http.client.CodatClient._back_off", return_value=0.0)
    sim.faults.add(Fault(path=r"/data/invoices", after=2, times=2, action=action))
    said = read(sim, "invoices", **only)
    assert said.code == 0
    assert ids(said) == set(names(sim, company))


@pytest.mark.parametrize("action", ["pretty", "bom"])
def test_odd_but_whole_answers_are_understood(sim, company, only, action):
    sim.faults.add(Fault(path=r"/data/invoices", times=None, action=action))
    assert ids(read(sim, "invoices", **only)) == set(names(sim, company))
