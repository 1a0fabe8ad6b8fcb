"""What once failed, made as small as it could be: found by stories (tools/soak/) or by thinking of others."""

import pytest

from codat_simulator import Fault, Simulator
from integration_tests.support.connector import catalog, config, read, selected

INVOICES = ("invoices", "invoices")
BANKING = ("banking_transactions", "banking-transactions")


@pytest.fixture
def sim():
    with Simulator(companies=1, seed=7, records=10) as simulator:
        yield simulator


class Account:
    """One company with connections of one kind, read on its own."""

    def __init__(self, sim, stream, data_type, *kinds):
        self.sim, self.stream, self.data_type = sim, stream, data_type
        self.id = sim.world.add_company(connections=kinds)
        self.links = [link.id for link in sim.world.company(self.id).connections]
        self.state = None
        self.rows = {}

    def read(self, **options):
        said = read(self.sim, self.stream, state=self.state, **selected(self.id), **options)
        self.state = said.state
        for one in said.records(self.stream):
            self.rows[str(one.get("id") or one.get("rowKey") or one)] = one
        return said

    def begin(self, link, status="Processing"):
        return self.sim.world.start_sync(self.id, self.data_type, link, status)

    def run(self, sync):
        """What has only waited begins to write."""
        self.sim.world.pulls.named(sync).status = "Processing"

    def stage(self, sync, name):
        self.sim.world.stage(sync, {"id": name})

    def whole(self, link, *names):
        self.sim.world.sync(
            self.id, self.data_type, link, changes=lambda: [{"id": name} for name in names] or None
        )

    def later(self, seconds=3600):
        self.sim.world.clock.advance(seconds)


def once(path, page, change):
    """Change something before the first answer to a page of a path."""
    done: list[bool] = []

    def before(request):
        if not done and request.path.endswith(path) and request.query.get("page", "1") == page:
            done.append(True)
            change()

    return before


def test_a_connection_that_was_never_synced_beside_one_that_was_is_skipped(sim):
    account = Account(sim, *BANKING, "Banking")
    sim.world.add_connection(account.id, "Banking", sync=False)
    said = account.read()
    assert (said.code, said.statuses("banking_transactions")[-1]) == (0, "COMPLETE")
    assert account.rows


def test_a_connection_whose_only_sync_failed_is_skipped(sim):
    account = Account(sim, *BANKING, "Banking")
    link = sim.world.add_connection(account.id, "Banking", sync=False)
    sim.world.finish_sync(account.begin(link), "FetchError")
    said = account.read()
    assert (said.code, said.statuses("banking_transactions")[-1]) == (0, "COMPLETE")
    assert account.rows


@pytest.mark.parametrize("waiting", ["Queued", "Initial"])
def test_one_of_several_connections_waits_through_a_read_and_is_synced_later(sim, waiting):
    account = Account(sim, *BANKING, "Banking", "Banking")
    account.read()
    account.later()
    sync = account.begin(account.links[0], waiting)
    account.later()
    account.read()
    account.run(sync)
    account.stage(sync, "late")
    sim.world.finish_sync(sync)
    account.read()
    assert "late" in account.rows


def test_a_connection_waits_while_another_is_synced_and_is_synced_after_it(sim):
    account = Account(sim, *INVOICES, "Accounting", "Accounting")
    account.read()
    account.later()
    sync = account.begin(account.links[0], "Queued")
    account.later()
    account.whole(account.links[1], "other")
    account.read()
    account.read()
    account.run(sync)
    account.stage(sync, "late")
    sim.world.finish_sync(sync)
    account.read()
    assert {"other", "late"} <= set(account.rows)


def test_a_sync_that_waited_runs_and_fails_while_the_pages_are_read(sim):
    account = Account(sim, *INVOICES, "Accounting")
    link = account.links[0]
    sync = account.begin(link, "Queued")
    there = sorted(one["id"] for one in sim.world.records("invoices", account.id))

    def fail_halfway():
        account.run(sync)
        sim.world.vanish(account.id, "invoices", there[0], link)
        account.stage(sync, "~last")
        sim.world.reveal(sync)
        sim.world.finish_sync(sync, "FetchError")

    sim.on_request(once("/data/invoices", "2", fail_halfway))
    account.read(page_size=3)
    assert set(there[1:]) <= set(account.rows)


def test_a_connection_linked_while_a_read_begins_hides_no_sync_of_another(sim):
    account = Account(sim, *BANKING, "Banking")
    account.read()
    account.later()
    sync = account.begin(account.links[0])
    account.stage(sync, "stamped first, shown last")
    account.later(60)
    sim.world.put(account.id, "banking-transactions", {"id": "shown"}, account.links[0])
    account.later(60)

    def link():
        account.whole(sim.world.add_connection(account.id, "Banking", sync=False), "other")

    sim.on_request(once("/dataStatus", "1", link))
    account.read()
    sim.world.finish_sync(sync)
    account.read()
    assert "stamped first, shown last" in account.rows


def test_a_sync_that_ends_right_after_the_companies_were_listed_is_not_taken_as_unchanged(sim):
    account = Account(sim, *INVOICES, "Accounting")
    account.read()
    account.later()
    sim.on_request(once("/dataStatus", "1", lambda: account.whole(account.links[0], "new")))
    account.read()
    assert "new" in account.rows


def test_a_page_whose_rows_are_all_older_than_the_start_date_writes_no_line(sim, script, tmp_path):
    account = Account(sim, "bank_account_transactions", "bankTransactions", "Accounting")
    settings = config(sim, **selected(account.id), start_date="2099-01-01")
    said = script.run("read", tmp_path, config=settings, catalog=catalog("bank_account_transactions"))
    assert said.unparsed == []
    assert said.records("bank_account_transactions") == []


def test_transactions_of_accounts_that_were_never_synced_are_skipped(sim):
    account = Account(sim, "bank_account_transactions", "bankTransactions", "Accounting")
    sim.world.forget_sync(account.id, "bankAccounts")
    said = account.read()
    assert (said.code, said.statuses("bank_account_transactions")[-1]) == (0, "COMPLETE")


def _after_a_failed_sync(sim, status):
    """An account that was read before a Codat sync showed a row and failed."""
    account = Account(sim, *INVOICES, "Accounting")
    account.read()
    account.later()
    failing = account.begin(account.links[0])
    account.stage(failing, "shown before it failed")
    sim.world.reveal(failing)
    sim.world.finish_sync(failing, status)
    return account


def test_a_failed_sync_is_a_doubt_so_its_data_type_is_asked_for(sim):
    account = _after_a_failed_sync(sim, "ProcessingError")
    account.read()
    assert "shown before it failed" in account.rows
    account.later()
    account.whole(account.links[0], "next")
    account.read()
    assert "next" in account.rows


class Transactions(Account):
    """A company whose one connection has three bank accounts more, with a transaction each."""

    def __init__(self, sim, *more):
        super().__init__(sim, "bank_account_transactions", "bankTransactions", "Accounting", *more)
        self.accounts = ("A", "B", "C")
        sim.world.sync(
            self.id, "bankAccounts", self.links[0], changes=lambda: [{"id": one} for one in self.accounts]
        )
        sim.world.sync(self.id, "bankTransactions", self.links[0], changes=self._bring)
        self.later()  # what was synced in this very second is asked for again anyway

    def _bring(self):
        for one in self.accounts:
            record = {"id": f"of {one}"}
            self.sim.world.put(self.id, "bankTransactions", record, self.links[0], account_id=one)

    @property
    def all_there(self):
        return {f"of {one}" for one in self.accounts} <= set(self.rows)


def test_a_sync_that_failed_is_not_hidden_by_one_that_waits_after_it(sim):
    account = _after_a_failed_sync(sim, "Cancelled")
    account.begin(account.links[0], "Queued")
    account.read()
    assert "shown before it failed" in account.rows


@pytest.mark.parametrize(
    ("kind", "said", "is_asked"),
    [
        ("Other", {BANKING[1]: None}, True),  # no status
        ("Accounting", {BANKING[1].upper(): {"currentStatus": "Complete"}}, True),  # spelt in another way
        ("Other", {"invoices": {}}, True),  # not named, and a connection that may hold anything
        ("Accounting", {"invoices": {}}, False),  # not named, and nothing that could hold it
        ("Other", {BANKING[1]: {"dataType": BANKING[1]}}, False),  # named, and never synced
    ],
)
def test_only_what_is_known_to_hold_nothing_is_not_asked(sim, kind, said, is_asked):
    account = Account(sim, *BANKING, kind)
    sim.faults.add(Fault(path="/dataStatus$", status=200, body=said, times=None))
    account.read()
    assert bool(sim.requests_for(f"{account.links[0]}/data/banking-transactions")) is is_asked


@pytest.mark.parametrize("status", [403, 404, 405, 451])
def test_an_account_refused_once_is_read_next_time_though_nothing_was_synced(sim, status):
    account = Transactions(sim)
    sim.faults.add(Fault(path="/bankAccounts/B/bankTransactions", status=status))
    account.read()
    assert not account.all_there
    account.read()
    assert account.all_there
    sim.clear_log()
    account.read()
    assert not sim.requests_for("/bankAccounts"), "now that all of them were read, nobody need be asked"


@pytest.mark.parametrize("more", [(), ("Accounting",)], ids=["", "another connection is synced meanwhile"])
def test_accounts_that_a_read_did_not_get_to_are_read_next_time(sim, monkeypatch, more):
    monkeypatch.setattr("source_codat.state.store._BYTES_PER_STATE_BYTE", 0)
    account = Transactions(sim, *more)
    whole = account.read(num_workers=2)
    for link in account.links[1:]:
        account.later()
        account.whole(link)
    for state in whole.of("STATE"):
        account.rows.clear()
        account.state = [state]
        seen = account.read()
        stood = whole.messages.index({"type": "STATE", "state": state})
        came = [one["record"]["data"] for one in whole.messages[:stood] if one["type"] == "RECORD"]
        account.rows.update((one.get("id"), one) for one in came)
        assert account.all_there, seen.logs


def test_an_account_that_came_after_the_accounts_were_listed_is_not_passed_over(sim):
    account = Transactions(sim)
    link = account.links[0]
    for one in sim.world.records("bankAccounts", account.id):
        if one["id"] != "A":
            sim.world.vanish(account.id, "bankAccounts", one["id"])
    for number in range(9):
        sim.world.put(account.id, "bankTransactions", {"id": f"A/{number}"}, link, account_id="A")
    pull = sim.world.start_sync(account.id, "bankAccounts", link)
    sim.world.stage(pull, {"id": "new"})

    def comes():
        sim.world.finish_sync(pull)
        sim.world.sync(account.id, "bankTransactions")
        sim.world.put(account.id, "bankTransactions", {"id": "of new"}, link, account_id="new")

    sim.on_request(once("/bankAccounts/A/bankTransactions", "2", comes))
    account.read(page_size=4)
    account.later()
    account.read()
    assert "of new" in account.rows


def test_a_group_refused_where_nothing_names_its_data_types_has_no_place_in_the_state(sim):
    account = Account(sim, "bank_account_transactions", "bankTransactions", "Accounting")
    for data_type in ("bankAccounts", "bankTransactions"):
        sim.world.unsupported(sim.world.company(account.id).connections[0].platform.name, data_type)
    sim.faults.add(Fault(path="/integrations", status=404, times=None))
    said = account.read()
    assert (said.code, said.errors) == (0, [])
    assert said.statuses("bank_account_transactions")[-1] == "COMPLETE"


@pytest.mark.parametrize("page", ["1", "2"])
@pytest.mark.parametrize("ended", [False, True])
def test_a_sync_that_begins_while_a_connection_is_read_is_no_reason_to_pass_it_over(sim, page, ended):
    sim.world.conflict_while_syncing = True
    account = Account(sim, "bank_accounts", "bankAccounts", "Accounting", "Accounting")
    account.whole(account.links[0], "a", "b", "c")
    account.later()
    syncs: list[str] = []

    def begin(request):
        if request.path.endswith(f"{account.links[0]}/data/bankAccounts") and not syncs:
            if request.query.get("page") == page:
                syncs.append(account.begin(account.links[0]))
        elif syncs and ended and request.path.endswith("/dataStatus"):
            sim.world.finish_sync(syncs[0])

    sim.on_request(begin)
    said = account.read(mode="full_refresh", page_size=2)
    assert syncs
    assert (said.code, said.statuses("bank_accounts")[-1]) == (1, "INCOMPLETE")
    assert said.errors[0]["failure_type"] == "transient_error"


@pytest.mark.parametrize("status", [403, 405, 451])
def test_validation_results_that_were_refused_once_are_asked_for_next_time(sim, status):
    account = Account(sim, "read_validation_results", "invoices", "Accounting")
    fault = sim.faults.add(Fault(path=r"/validation$", after=1, status=status))
    account.state = account.read(num_workers=2).state
    refused = next(one.path for one in sim.requests_for("/validation$") if one.fault)
    sim.clear_log()
    account.read()
    assert fault.hits == 1
    assert refused in {one.path for one in sim.requests_for("/validation$")}


def paged_history(sim, account):
    """A sync that runs on one connection, hidden by another's: only the sync history, in pages, tells."""
    for one in ("bills", "items"):
        sim.world.start_sync(account.id, one, account.links[0])
    running = account.begin(account.links[0])
    others = [sim.world.start_sync(account.id, one, account.links[0]) for one in ("customers", "suppliers")]
    account.stage(running, "late")
    account.later()
    account.whole(account.links[1], "early")

    def cap(request):
        sim.page_size_cap = 2 if request.path.endswith("/data/history") else 5000

    sim.on_request(cap)
    return running, others


def test_a_sync_that_shifts_to_another_page_of_the_history_is_not_passed_over(sim):
    account = Account(sim, *INVOICES, "Accounting", "Accounting")
    running, others = paged_history(sim, account)
    sim.on_request(once("/data/history", "2", lambda: sim.world.finish_sync(others[1])))
    account.read()
    sim.world.finish_sync(running)
    account.read()
    assert {"early", "late"} <= set(account.rows)


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "repeat_page"},
        {"query": r"\bpage=2", "status": 200, "body": {"results": [], "totalResults": 5}},
    ],
    ids=["a page that comes twice", "less than is announced"],
)
def test_a_history_that_does_not_come_whole_is_a_doubt(sim, fault):
    account = Account(sim, *INVOICES, "Accounting", "Accounting")
    running, _ = paged_history(sim, account)
    sim.faults.add(Fault(path="/data/history", times=None, **fault))
    account.read()
    sim.faults.clear()
    sim.world.finish_sync(running)
    account.read()
    assert {"early", "late"} <= set(account.rows)


@pytest.mark.usefixtures("naps")
@pytest.mark.parametrize("status", [403, 500])
def test_a_history_that_codat_does_not_give_is_a_doubt(sim, status):
    account = Account(sim, *INVOICES, "Accounting", "Accounting")
    account.read()
    account.later()
    sim.faults.add(Fault(path="/data/history", status=status, times=None))
    account.whole(account.links[1], "second")
    account.read()
    assert "second" in account.rows, "what isn't known to be unchanged is read"
    running = account.begin(account.links[0])
    account.stage(running, "late")
    account.later()
    account.whole(account.links[1], "third")
    account.read()
    sim.faults.clear()
    sim.world.finish_sync(running)
    account.read()
    assert {"second", "late", "third"} <= set(account.rows)


def test_one_account_that_may_have_changed_is_enough_to_ask_for_all(sim):
    account = Transactions(sim)
    account.read()
    account.read()  # what was synced in the second of the first read was in doubt
    sim.clear_log()
    account.read()
    assert not sim.requests_for("/bankAccounts")
    assert account.state
    [state] = [one for one in account.state if one["stream"]["stream_descriptor"]["name"] == account.stream]
    state["stream"]["stream_state"]["states"][1]["cursor"]["syncId"] = "an earlier one"
    account.read()
    assert sim.requests_for("/bankAccounts")
