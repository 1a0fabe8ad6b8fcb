"""Numbers that a read tells: they are those of the records that it wrote."""

import re

import pytest

from integration_tests.support.connector import read


def told(said, stream):
    """The number of records that the log names for each partition of a stream."""
    lines = [re.fullmatch(rf"{stream}: .+ read, ([\d,]+) records?\.", line) for line in said.logs]
    return [int(found.group(1).replace(",", "")) for found in lines if found]


@pytest.mark.parametrize("stream", ["balance_sheet_lines", "profit_and_loss_lines", "invoices", "companies"])
def test_the_records_told_of_each_partition_are_those_that_were_written(sim, stream):
    said = read(sim, stream)
    assert sum(told(said, stream)) == len(said.records(stream)) > 0


def test_rows_that_a_start_date_leaves_out_are_not_counted(sim, company, only):
    account = sim.world.records("bankAccounts", company_id=company)[0]["id"]
    row = {"description": "Before", "modifiedDate": "2020-01-01T00:00:00Z"}
    sim.world.put(company, "bankTransactions", row, account_id=account)
    every, recent = (
        read(sim, "bank_account_transactions", **only, **more) for more in ({}, {"start_date": "2020-01-02"})
    )
    assert sum(told(every, "bank_account_transactions")) == len(every.records("bank_account_transactions"))
    assert sum(told(recent, "bank_account_transactions")) == len(recent.records("bank_account_transactions"))
    assert len(every.records("bank_account_transactions")) > len(recent.records("bank_account_transactions"))
