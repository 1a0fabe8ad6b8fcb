"""Refreshes: queued only when asked for, only what is stale; waited for, but not for ever."""

import time
from collections import Counter
from types import SimpleNamespace

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import by_key, catalog, config, read, selected
from integration_tests.support.signs_of_life import after_states
from source_codat.engine.scheduler import Scheduler
from source_codat.foundation.wording import counted

DAY = 24


@pytest.fixture(autouse=True)
def quick(mocker):
    """Looks that follow each other at once."""
    mocker.patch("source_codat.engine.refresh.FIRST_PAUSE_SECONDS", 0.02)
    mocker.patch("source_codat.engine.refresh.LONGEST_PAUSE_SECONDS", 0.05)


class Ahead:
    """How far the clock of the waiting is ahead of the real one."""

    seconds = 0.0


@pytest.fixture
def clock(mocker):
    """Only a test moves it on: what is waited for ends when the test says so, however slow the machine is."""
    ahead = Ahead()
    mocker.patch(
        "source_codat.engine.refresh.time",
        SimpleNamespace(monotonic=lambda: time.monotonic() + ahead.seconds),
    )
    return ahead


@pytest.fixture
def stale():
    """Companies of which every data type was synced longer than a day ago."""
    with Simulator(companies=3, seed=7, records=10) as simulator:
        simulator.world.clock.advance(2 * DAY * 3600)
        yield simulator


def queued(sim):
    return [one.raw_path for one in sim.requests if one.method == "POST"]


def company(sim, number=0):
    return sim.world.companies[number]["id"]


def test_nothing_is_ever_queued_unless_the_user_asked_for_it(stale):
    assert read(stale, "invoices", "bills").code == 0
    assert queued(stale) == []


def test_what_is_stale_and_selected_is_queued_waited_for_and_then_read(stale):
    for one in stale.world.companies:
        bill = {"id": f"new-{one['id']}", "totalAmount": 1}
        stale.world.pulls.plan(one["id"], "bills", changes=lambda bill=bill: bill)
    said = read(stale, "invoices", "bills", refresh_older_than_hours=DAY)
    assert said.code == 0
    # The third company's accounting connection isn't linked any more.
    wanted = {
        f"/companies/{one['id']}/data/queue/{kind}"
        for one in stale.world.companies[:2]
        for kind in ("invoices", "bills")
    }
    assert sorted(queued(stale)) == sorted(wanted)
    assert by_key(said.records("bills"), "companyId", "id").keys() == {
        (one["id"], bill["id"])
        for one in stale.world.companies
        for bill in stale.world.records("bills", one["id"])
    }
    assert any(one["id"].startswith("new-") for one in said.records("bills"))


def test_the_next_read_reads_what_the_refresh_brought_and_no_more(stale):
    first = read(stale, "invoices", refresh_older_than_hours=DAY)
    stale.world.clock.advance(2 * DAY * 3600)
    stale.world.pulls.plan(company(stale), "invoices", changes=lambda: {"id": "late"})
    second = read(stale, "invoices", state=first.state, refresh_older_than_hours=DAY)
    assert "late" in {one["id"] for one in second.records("invoices")}
    stale.world.clock.advance(3600)  # what was synced in this very second is in doubt, and read again
    third = read(stale, "invoices", state=second.state, refresh_older_than_hours=DAY)
    assert third.records("invoices") == []


def test_what_was_synced_lately_is_not_queued_and_costs_no_request_more(stale):
    for one in stale.world.companies:
        stale.world.sync(one["id"], "invoices")
    said = read(stale, "invoices", refresh_older_than_hours=DAY)
    assert said.code == 0
    assert queued(stale) == []
    assert len(stale.requests_for("/companies/{companyId}/dataStatus")) == 3


def test_what_is_under_way_already_is_waited_for_but_not_queued_again(stale):
    running = stale.world.start_sync(company(stale), "invoices", status="Fetching")
    looks = []

    def finish(request):
        if request.path.endswith(f"{company(stale)}/dataStatus"):
            looks.append(request)
            if len(looks) == 3:
                stale.world.stage(running, {"id": "fetched"})
                stale.world.finish_sync(running)

    stale.on_request(finish)
    chosen = selected(company(stale))
    said = read(stale, "invoices", refresh_older_than_hours=DAY, **chosen)
    assert (said.code, queued(stale)) == (0, [])
    assert "fetched" in {one["id"] for one in said.records("invoices")}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "DatasetAlreadyInProgressException: it is being fetched"),
        (409, "DatasetAlreadyInProgressException: it is being fetched"),
        (409, "Conflict"),
    ],
)
def test_a_refusal_because_it_runs_already_counts_as_running(stale, status, words):
    body = {"statusCode": status, "error": words}
    stale.faults.add(Fault(path="/data/queue/invoices", method="POST", status=status, body=body, times=None))
    said = read(stale, "invoices", refresh_older_than_hours=DAY)
    assert said.code == 0
    assert not any("refused" in line for line in said.logs)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("FetchError", "the platform answered with an error"),
        ("MapError", "couldn't map"),
        ("ValidationError", "validation"),
        ("ProcessingError", "couldn't process"),
        ("InternalError", "an error of its own"),
        ("AuthError", "has to be linked again"),
        ("RateLimitError", "limit of requests"),
        ("PermissionsError", "permission"),
        ("PrerequisiteNotMet", "needs first"),
        ("Cancelled", "cancelled"),
    ],
)
def test_a_refresh_that_ends_badly_is_reported_by_name_and_what_was_there_is_read(stale, status, words):
    stale.world.pulls.plan(company(stale), "invoices", status)
    said = read(stale, "invoices", refresh_older_than_hours=DAY)
    assert (said.code, said.statuses("invoices")[-1]) == (0, "COMPLETE")
    warning = next(line for line in said.logs if f"ended with {status}" in line)
    assert words in warning
    assert company(stale) in warning
    assert "invoices" in warning
    assert len(by_key(said.records("invoices"), "companyId", "id")) == stale.world.size_of("invoices")
    links = [one["id"] for one in stale.world.companies[0]["dataConnections"] if one["id"] in warning]
    assert len(links) == int(status == "AuthError")


@pytest.mark.parametrize("status", ["Deauthorized", "Unlinked"])
def test_connections_that_must_be_linked_again_are_named_and_not_queued(stale, status):
    links = stale.world.companies[0]["dataConnections"]
    for link in links:
        stale.world.set_connection_status(company(stale), link["id"], status)
    said = read(stale, "invoices", refresh_older_than_hours=DAY)
    assert said.code == 0
    assert not any(company(stale) in path for path in queued(stale))
    warning = next(line for line in said.logs if "isn't linked any more" in line)
    accounting = next(one for one in links if one["sourceType"] == "Accounting")
    assert accounting["id"] in warning


def test_dataStatus_that_has_not_heard_of_a_refresh_does_not_end_the_wait(stale):  # noqa: N802 - Codat's name
    one = company(stale)
    stale.world.pulls.plan(one, "invoices", changes=lambda: {"id": "fresh"})
    before = stale.world.pulls.status(stale.world.company(one))
    stale.faults.add(Fault(path=f"{one}/dataStatus", status=200, body=before, times=None))
    chosen = selected(one)
    said = read(stale, "invoices", refresh_older_than_hours=DAY, **chosen)
    assert said.code == 0
    assert "fresh" in {row["id"] for row in said.records("invoices")}


def test_a_connection_that_is_ready_does_not_end_the_wait_for_another(stale):
    link = {"source_type": "Accounting", "platform": "gbol"}
    one = stale.world.add_company("Two books", connections=(link, link))
    stale.world.clock.advance(2 * DAY * 3600)
    stale.world.pulls.plan(one, "invoices", "Fetching")
    looks = []

    def go_on(request):
        if not request.path.endswith(f"{one}/dataStatus"):
            return
        looks.append(request)
        pulls = [sync for sync in stale.world.company(one).syncs if sync.outcome]
        if len(looks) == 2:
            stale.world.finish_sync(pulls[-1].id)  # the one that dataStatus shows
        if len(looks) == 4:
            stale.world.stage(pulls[0].id, {"id": "from the first"})
            stale.world.finish_sync(pulls[0].id)

    stale.on_request(go_on)
    chosen = selected(one)
    said = read(stale, "invoices", refresh_older_than_hours=DAY, **chosen)
    assert (said.code, len(queued(stale))) == (0, 1)
    assert "from the first" in {row["id"] for row in said.records("invoices")}


def test_a_refresh_that_never_ends_holds_up_no_other_company_and_no_worker(stale, clock):
    stuck = company(stale)
    stale.world.pulls.plan(stuck, "invoices", "Fetching")
    others = {one["id"] for one in stale.world.companies} - {stuck}
    opened: list[str] = []

    def note(request):
        if "/data/invoices" in request.path:
            opened.append(request.company_id)
            if others <= set(opened):
                clock.seconds = 61

    stale.on_request(note)
    said = read(stale, "invoices", refresh_older_than_hours=DAY, refresh_wait_minutes=1, num_workers=2)
    assert said.code == 0
    assert set(opened[: opened.index(stuck)]) == others
    warning = next(line for line in said.logs if "didn't finish within" in line)
    assert stuck in warning
    assert "invoices" in warning
    assert len(by_key(said.records("invoices"), "companyId", "id")) == stale.world.size_of("invoices")


def test_one_clock_runs_for_the_whole_sync(stale, clock):
    for one in stale.world.companies:
        stale.world.pulls.plan(one["id"], "invoices", "Queued")
        stale.world.pulls.plan(one["id"], "bills", "Queued")
    posts: list[str] = []
    looks: Counter[str] = Counter()

    def note(request):
        if request.method == "POST":
            posts.append(request.path)
        if request.path.endswith("/dataStatus"):
            looks[request.path] += 1
            # Two data types of the two companies that are linked are queued, and waited for.
            if len(posts) == 4 and looks[request.path] > 1:
                clock.seconds = 61  # once for all: nothing moves the clock on for another wait

    stale.on_request(note)
    said = read(stale, "invoices", "bills", refresh_older_than_hours=DAY, refresh_wait_minutes=1)
    assert (said.code, len(queued(stale)), clock.seconds) == (0, 4, 61)
    assert sum("didn't finish within" in line for line in said.logs) == 1


def test_the_clock_starts_with_the_first_refresh_and_those_synced_longest_ago_come_first(clock):
    with Simulator(companies=16, seed=7, records=3) as sim:
        held = {one["id"]: sim.world.company(one["id"]).supporting("invoices") for one in sim.world.companies}
        newest_first = [one for one, links in held.items() if any(link.status == "Linked" for link in links)]
        for one in reversed(newest_first):
            sim.world.clock.advance(3600)
            sim.world.sync(one, "invoices")
            sim.world.pulls.plan(one, "invoices", "Queued")
        sim.world.clock.advance(2 * DAY * 3600)
        asked: list[str] = []

        def note(request):
            if request.method == "POST":
                asked.append(request.company_id)
                clock.seconds = 61 * (len(asked) >= 4)

        sim.on_request(note)
        said = read(sim, "invoices", refresh_older_than_hours=DAY, refresh_wait_minutes=1, num_workers=2)
    assert said.code == 0
    assert 4 <= len(asked) <= 5  # the other worker may have begun before the time was over
    late = [one for one in newest_first if one not in asked]
    assert set(newest_first[len(late) + 1 :]) <= set(asked)
    warning = next(line for line in said.logs if "Refresh not asked for" in line)
    assert f"{counted(len(late), 'company')}" in warning
    assert any(one in warning for one in late)


def test_looks_at_a_refresh_become_rarer(stale, clock, mocker):
    mocker.patch("source_codat.engine.refresh.FIRST_PAUSE_SECONDS", 5.0)
    mocker.patch("source_codat.engine.refresh.LONGEST_PAUSE_SECONDS", 120.0)
    add_later, pauses = Scheduler.add_later, []

    def pass_at_once(self, task, seconds):
        pauses.append(seconds)
        clock.seconds += seconds
        add_later(self, task, 0)

    mocker.patch.object(Scheduler, "add_later", pass_at_once)
    stale.world.pulls.plan(company(stale), "invoices", "Fetching")
    chosen = selected(company(stale))
    said = read(stale, "invoices", refresh_older_than_hours=DAY, refresh_wait_minutes=30, **chosen)
    assert said.code == 0
    assert pauses[:4] == pytest.approx([5, 7.5, 11.25, 16.875])
    assert max(pauses) == pytest.approx(120)
    assert sum(pauses) == pytest.approx(30 * 60, abs=60)  # the last look is when the time is over


@pytest.mark.parametrize("mode", ["incremental", "full_refresh"])
def test_waiting_sends_signs_of_life_and_says_what_is_waited_for(stale, clock, mocker, mode):
    after_states(mocker, 20, lambda: setattr(clock, "seconds", 61))
    stale.world.pulls.plan(company(stale), "invoices", "Queued")
    chosen = selected(company(stale))
    said = read(stale, "invoices", refresh_older_than_hours=DAY, refresh_wait_minutes=1, **chosen, mode=mode)
    before = said.messages[: next(i for i, one in enumerate(said.messages) if one["type"] == "RECORD")]
    assert sum(one["type"] == "STATE" for one in before) >= 20
    assert any("waiting for Codat to refresh 1 data type of 1 company" in line for line in said.logs)


def test_a_platform_that_lacks_a_data_type_is_not_asked_to_fetch_it(stale):
    stale.world.unsupported("Xero", "journals")
    assert read(stale, "journals", refresh_older_than_hours=DAY).code == 0
    assert all("journals" in path for path in queued(stale))
    refused = [one for one in stale.requests if one.method == "POST" and one.status >= 400]
    assert refused == []


def test_nor_is_one_that_was_never_synced_and_that_its_platform_does_not_have(stale):
    stale.world.forget_sync(company(stale), "items")
    links = [one["integrationId"] for one in stale.world.companies[0]["dataConnections"]]
    get = {"featureType": "Get", "featureState": "NotSupported"}
    features = [{"datatype": "items", "supportedFeatures": [get]}]
    listed = [{"integrationId": one, "datatypeFeatures": features} for one in links]
    body = {"results": listed, "totalResults": len(listed), "pageNumber": 1, "pageSize": 500}
    stale.faults.add(Fault(path="/integrations$", status=200, body=body, times=None))
    chosen = selected(company(stale))
    assert read(stale, "items", refresh_older_than_hours=DAY, **chosen).code == 0
    assert queued(stale) == []


def test_a_data_type_that_was_never_synced_is_queued_and_then_read(stale):
    stale.world.forget_sync(company(stale), "items")
    said = read(stale, "items", refresh_older_than_hours=DAY)
    assert f"/companies/{company(stale)}/data/queue/items" in queued(stale)
    assert (said.code, said.statuses("items")[-1]) == (0, "COMPLETE")
    assert company(stale) in {one["companyId"] for one in said.records("items")}


@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_a_refused_refresh_is_told_in_codats_words_and_the_rest_goes_on(stale, status):
    body = {"statusCode": status, "error": "Hourly syncs aren't part of it.", "correlationId": "corr-1"}
    path = f"/companies/{company(stale)}/data/queue"
    stale.faults.add(Fault(path=path, method="POST", status=status, body=body, times=None))
    said = read(stale, "invoices", refresh_older_than_hours=DAY)
    assert (said.code, said.statuses("invoices")[-1]) == (0, "COMPLETE")
    warning = next(line for line in said.logs if "refused by Codat" in line)
    assert "Hourly syncs aren't part of it." in warning
    assert "corr-1" in warning
    assert len(by_key(said.records("invoices"), "companyId", "id")) == stale.world.size_of("invoices")


def test_a_key_that_is_revoked_while_refreshes_are_queued_stops_the_read(stale):
    stale.on_request(lambda request: stale.revoke_key() if request.method == "POST" else None)
    said = read(stale, "invoices", refresh_older_than_hours=DAY)
    assert said.code == 1
    assert {one["failure_type"] for one in said.errors} == {"config_error"}


def test_a_custom_data_type_is_queued_at_each_connection_that_has_it(stale):
    name = "DynamicsPurchaseOrders"
    link = {"source_type": "Accounting", "platform": "dyna"}
    added = stale.world.add_company("Custom", connections=(link, link))
    stale.world.clock.advance(2 * DAY * 3600)
    said = read(stale, f"custom_{name}", refresh_older_than_hours=DAY, custom_data_types=[name])
    assert (said.code, said.statuses(f"custom_{name}")[-1]) == (0, "COMPLETE")
    links = next(one["dataConnections"] for one in stale.world.companies if one["id"] == added)
    base = f"/companies/{added}/connections"
    assert sorted(queued(stale)) == sorted(f"{base}/{one['id']}/data/queue/custom/{name}" for one in links)
    assert "Refresh: 2 data types queued, 2 complete." in said.logs


def test_a_sync_that_was_killed_while_it_waited_queues_nothing_twice(stale, script, tmp_path):
    one = company(stale)
    stale.world.pulls.plan(one, "invoices", "Fetching")
    settings = config(stale, refresh_older_than_hours=DAY, **selected(one))
    process = script.start("read", tmp_path, config=settings, catalog=catalog("invoices"))
    try:
        process.wait_until(lambda: queued(stale))
    finally:
        process.kill()
        process.communicate()
    assert len(queued(stale)) == 1
    sync = stale.requests_for("/data/queue/invoices")[0]
    assert sync.status == 200
    stale.world.pulls.plan(one, "invoices", changes=lambda: {"id": "at last"})
    for pull in stale.world.company(one).syncs:
        pull.outcome = pull.outcome and "Complete"
    said = read(settings, "invoices")
    assert (said.code, len(queued(stale))) == (0, 1)
    assert "at last" in {row["id"] for row in said.records("invoices")}


def test_the_closing_log_counts_the_refreshes(stale):
    stale.world.pulls.plan(company(stale), "invoices", "FetchError")
    said = read(stale, "invoices", refresh_older_than_hours=DAY)
    assert "Refresh: 2 data types queued, 1 complete." in said.logs
