"""Partitions from other streams' rows, rows without ids, statements as lines, logs, custom types."""

from typing import Any

import pytest

from codat_simulator import Fault
from integration_tests.support.connector import read, selected


def transactions(sim, company):
    return sim.world.records("bankTransactions", company_id=company)


def keys(said, stream="bank_account_transactions"):
    return [(one["accountId"], one["rowKey"]) for one in said.records(stream)]


def account_of(sim, company):
    said = read(sim, "bank_accounts", **selected(company))
    return said.records("bank_accounts")[0]["id"]


def test_bank_transactions_are_read_through_every_account(sim, company, only):
    said = read(sim, "bank_account_transactions", **only)
    assert said.code == 0
    assert len(said.records("bank_account_transactions")) == len(transactions(sim, company))
    assert len(set(keys(said))) == len(keys(said))


def test_ids_with_slashes_colons_and_spaces_are_encoded_in_paths(sim, company, only):
    awkward = "CREDITCARD:55/a b=@"
    template = sim.world.records("bankAccounts", company_id=company)[0]
    sim.world.put(company, "bankAccounts", {**template, "id": awkward})
    sim.world.put(company, "bankTransactions", {"id": "t1", "amount": 5}, account_id=awkward)
    said = read(sim, "bank_account_transactions", **only)
    assert (awkward, "t1") in keys(said)


def test_one_failing_parent_never_moves_or_hides_anothers_partition(sim, only):
    first = read(sim, "bank_account_transactions", **only)
    accounts = [
        one["partition"]["account_id"] for one in first.stream_state("bank_account_transactions")["states"]
    ]
    assert len(accounts) > 1
    sim.faults.add(Fault(path=r"bankTransactions", status=405, times=1))
    said = read(sim, "bank_account_transactions", **only)
    states = said.stream_state("bank_account_transactions")["states"]
    assert said.code == 1
    assert len(states) == len(accounts) - 1
    assert {one["accountId"] for one in said.records("bank_account_transactions")} == {
        one["partition"]["account_id"] for one in states
    }


def put_plain(sim, company, account, *rows):
    for row in rows:
        sim.world.put(company, "bankTransactions", dict(row), account_id=account)


def test_equal_rows_without_ids_get_different_keys_that_stay(sim, company, only):
    account = account_of(sim, company)
    row = {"date": "2026-01-01", "description": "Zebra crossing", "amount": 3.5}
    put_plain(sim, company, account, row, row, {**row, "amount": 4})
    first = [
        one
        for one in read(sim, "bank_account_transactions", **only).records("bank_account_transactions")
        if one.get("description") == "Zebra crossing"
    ]
    again = [
        one
        for one in read(sim, "bank_account_transactions", **only).records("bank_account_transactions")
        if one.get("description") == "Zebra crossing"
    ]
    assert len({one["rowKey"] for one in first}) == 3
    assert {one["rowKey"] for one in first} == {one["rowKey"] for one in again}
    assert {one["rowKey"].rsplit("-", 1)[1] for one in first} == {"1", "2"}


def test_a_start_date_leaves_old_rows_out_and_changes_no_key(sim, company, only):
    account = account_of(sim, company)
    row = {"date": "2026-01-01", "description": "Same", "amount": 1}
    put_plain(sim, company, account, {**row, "modifiedDate": "2020-01-01T00:00:00Z"}, row)
    said = [
        read(sim, "bank_account_transactions", **only, **more) for more in ({}, {"start_date": "2020-01-02"})
    ]
    every, recent = [
        {one["rowKey"]: one["modifiedDate"] for one in each.records("bank_account_transactions")}
        for each in said
    ]
    same = [key for key in every if every[key].startswith("2020-01-01")]
    assert len(same) == 1
    assert recent == {key: date for key, date in every.items() if key not in same}


def test_the_order_of_a_rows_fields_makes_no_other_row_of_it(sim, company, only):
    account = account_of(sim, company)
    row = {"date": "2026-01-01", "description": "Same", "amount": 1}
    put_plain(sim, company, account, row, dict(reversed(row.items())))
    said = read(sim, "bank_account_transactions", **only)
    same = [one for one in said.records("bank_account_transactions") if one.get("description") == "Same"]
    hashes, numbers = zip(*(one["rowKey"].split("-") for one in same), strict=True)
    assert len(set(hashes)) == 1
    assert sorted(numbers) == ["1", "2"]


def test_a_key_does_not_change_when_only_the_stamps_do(sim, company, only):
    account = account_of(sim, company)
    row = {"date": "2026-01-01", "description": "Yak wool", "amount": 3.5}
    sim.world.put(company, "bankTransactions", row, account_id=account, modified="2026-01-01T00:00:00Z")

    def tea(said):
        return [
            one["rowKey"]
            for one in said.records("bank_account_transactions")
            if one.get("description") == "Yak wool"
        ]

    first = tea(read(sim, "bank_account_transactions", **only))
    position = next(
        number
        for number, one in enumerate(transactions(sim, company))
        if one.get("description") == "Yak wool"
    )
    sim.world.change(company, "bankTransactions", position)
    assert tea(read(sim, "bank_account_transactions", **only)) == first


def test_an_edited_row_without_id_gets_a_new_key_and_so_leaves_its_old_copy_behind(sim, company, only):
    account = account_of(sim, company)
    put_plain(sim, company, account, {"date": "2026-01-01", "description": "Xenon lamp", "amount": 3.5})
    first = set(keys(read(sim, "bank_account_transactions", **only)))
    position = next(
        number
        for number, one in enumerate(transactions(sim, company))
        if one.get("description") == "Xenon lamp"
    )
    sim.world.change(company, "bankTransactions", position, amount=9.5)
    second = set(keys(read(sim, "bank_account_transactions", **only)))
    assert len(second - first) == 1
    assert len(first - second) == 1


def test_partitions_whose_rows_lack_ids_are_read_whole_each_time(sim, company, only):
    account = account_of(sim, company)
    put_plain(sim, company, account, {"date": "2026-01-01", "amount": 1}, {"date": "2026-01-01", "amount": 1})
    first = read(sim, "bank_account_transactions", **only)
    states = {
        one["partition"]["account_id"]: one["cursor"]
        for one in first.stream_state("bank_account_transactions")["states"]
    }
    assert set(states[account]) == {"syncId", "syncedAt"}
    sim.world.clock.advance(60)
    sim.world.sync(company, "bankTransactions")
    second = read(sim, "bank_account_transactions", state=first.state, **only)
    of_account = {key for key in keys(first) if key[0] == account}
    assert {key for key in keys(second) if key[0] == account} == of_account


def test_ids_that_go_missing_after_a_read_make_the_partition_whole_again(sim, company, only):
    account = account_of(sim, company)
    for number, _ in reversed(list(enumerate(transactions(sim, company)))):
        sim.world.vanish(company, "bankTransactions", number)
    for number in range(5):
        sim.world.put(company, "bankTransactions", {"id": f"t{number}", "amount": number}, account_id=account)
    first = read(sim, "bank_account_transactions", **only)
    sim.world.clock.advance(60)
    sim.world.sync(
        company,
        "bankTransactions",
        changes=lambda: put_plain(sim, company, account, {"amount": 1.5}, {"amount": 1.5}),
    )
    second = read(sim, "bank_account_transactions", state=first.state, **only)
    assert {key for _, key in keys(second)} >= {"t0", "t4"}
    assert len([key for _, key in keys(second) if "-" in key]) == 2


def test_rows_that_come_again_on_a_second_page_leave_no_key_of_their_own(sim, company, only):
    account = account_of(sim, company)
    put_plain(
        sim,
        company,
        account,
        *({"date": "2026-01-01", "description": "Same", "amount": 1} for _ in range(12)),
    )
    state = {"armed": True}

    def shift(request):
        if state["armed"] and request.path.endswith("bankTransactions") and request.query.get("page") == "2":
            state["armed"] = False
            sim.world.put(company, "bankTransactions", {"id": " first", "amount": 0}, account_id=account)

    sim.on_request(shift)
    said = read(sim, "bank_account_transactions", page_size=5, **only)
    same = {
        one["rowKey"] for one in said.records("bank_account_transactions") if one.get("description") == "Same"
    }
    assert len(same) == 12


def test_attachments_are_read_for_every_parent(sim, company, only):
    said = read(sim, "bill_attachments", **only)
    bills = {one["id"] for one in sim.world.records("bills", company_id=company)}
    asked = {
        one.path.split("/data/bills/")[1].split("/")[0]
        for one in sim.requests
        if one.path.endswith("/attachments")
    }
    assert len(asked) == len(bills)
    assert {one["billId"] for one in said.records("bill_attachments")} <= bills


def rebuilt(lines):
    """The tree that lines came from."""
    nodes = {
        one["lineKey"]: {**{k: one[k] for k in ("name", "accountId", "value")}, "items": []} for one in lines
    }
    roots = {}
    for one in sorted(lines, key=lambda line: (line["depth"], line["position"])):
        if one["parentLineKey"] is None:
            roots[one["section"]] = nodes[one["lineKey"]]
        else:
            nodes[one["parentLineKey"]]["items"].append(nodes[one["lineKey"]])
    return roots


def plain(line):
    if not isinstance(line, dict):
        return {"name": None, "accountId": None, "value": line, "items": []}
    return {
        "name": line.get("name"),
        "accountId": line.get("accountId"),
        "value": line.get("value"),
        "items": [plain(one) for one in line.get("items") or ()],
    }


@pytest.mark.parametrize(
    ("whole", "lines", "period"),
    [
        ("balance_sheets", "balance_sheet_lines", ["date"]),
        ("profit_and_loss", "profit_and_loss_lines", ["fromDate", "toDate"]),
        ("cash_flow_statements", "cash_flow_lines", ["fromDate", "toDate"]),
    ],
)
def test_the_lines_of_a_statement_rebuild_its_tree(sim, whole, lines, period):
    said = read(sim, whole, lines)
    groups: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}

    def place(one):
        return tuple(one[name] for name in period)

    for one in said.records(lines):
        groups.setdefault((one["companyId"], place(one)), []).append(one)
    statements = said.records(whole)
    assert len(groups) == len(statements) > 0
    beside = {*period, "companyId", "currency", "periodLength", "reportBasis", "reportInput", "rowKey"}
    beside.add("syncedAt")
    for statement in statements:
        tree = rebuilt(groups[statement["companyId"], place(statement)])
        assert tree == {name: plain(value) for name, value in statement.items() if name not in beside}


def test_statement_and_lines_are_asked_for_once(sim):
    read(sim, "balance_sheets", "balance_sheet_lines")
    assert len(sim.requests_for("balanceSheet")) == len(sim.world.companies)


def test_validation_results_are_read_through_syncs_not_seen_before(sim, company, only):
    first = read(sim, "read_validation_results", **only)
    assert first.records("read_validation_results")
    sim.world.clock.advance(60)
    new = sim.world.sync(company, "invoices")
    sim.clear_log()
    read(sim, "read_validation_results", state=first.state, **only)
    asked = [one.path.split("/sync/")[1].split("/")[0] for one in sim.requests_for("/validation$")]
    assert new in asked
    assert len(asked) <= 2  # and the last one seen, whose date is the cursor


def test_logs_are_read_from_their_oldest_unfinished_entry(sim, company, only):
    running = sim.world.start_sync(company, "invoices")
    sim.world.clock.advance(3600)
    later = sim.world.sync(company, "bills")
    first = read(sim, "sync_history", **only)
    sim.world.finish_sync(running)
    second = read(sim, "sync_history", state=first.state, **only)
    statuses = {one["id"]: one["status"] for one in second.records("sync_history")}
    assert statuses[running] == "Complete"
    assert later in statuses
    third = read(sim, "sync_history", state=second.state, **only)
    assert running not in {one["id"] for one in third.records("sync_history")}


def test_custom_data_types_become_streams_read_where_the_platform_has_them(sim):
    name = "DynamicsPurchaseOrders"
    added = sim.world.add_company(name="D", connections=({"source_type": "Accounting", "platform": "dyna"},))
    said = read(sim, f"custom_{name}", custom_data_types=[name])
    assert said.code == 0
    assert {one.company_id for one in sim.requests_for("/data/custom/")} == {added}
    records = said.records(f"custom_{name}")
    assert {one["customDataIdentifier"] for one in records} == {name}
    assert all(isinstance(one["content"], dict) for one in records)


def test_bill_pay_lists_every_status_and_follows_its_tokens(sim, only):
    said = read(sim, "bill_pay_bills", **only)
    assert {"Paid", "Open"} <= {one["status"] for one in said.records("bill_pay_bills")}


def test_reports_carry_the_date_of_the_syncs_start_in_their_key(sim):
    said = read(sim, "aged_debtors", "commerce_metrics_revenue")
    dates = {
        one["reportDate"]
        for stream in ("aged_debtors", "commerce_metrics_revenue")
        for one in said.records(stream)
    }
    assert len(dates) == 1
    assert len(dates.pop()) == len("2026-01-31")
