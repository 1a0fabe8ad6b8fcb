"""What is made of an answer of dataStatus, and of what isn't as Codat documents it."""

import json

import pytest

from source_codat.companies.company import Company, look_of
from source_codat.http.transport import Answer
from source_codat.trust.evidence import DataTypeStatus, Look
from source_codat.trust.statuses import Stage

GOOD = {"dataType": "invoices", "currentStatus": "Complete", "latestSyncId": "S"}


def status(fields):
    answer = Answer(200, json.dumps({"invoices": fields}).encode(), {})
    return look_of(answer, 0.0).types["invoices"]


def test_a_status_of_the_data_type_that_it_stands_under_is_taken_as_it_is():
    assert status(GOOD).stage is Stage.COMPLETE


@pytest.mark.parametrize("fields", [None, {**GOOD, "dataType": "bills"}, {**GOOD, "dataType": "Invoices"}])
def test_no_status_or_one_of_another_data_type_is_doubt(fields):
    found = status(fields)
    assert found.stage is Stage.UNKNOWN
    assert found.may_have_data


@pytest.mark.parametrize("spelled", ["invoices", "Invoices", " invoices", "INVOICES "])
def test_a_data_type_is_named_however_it_is_spelled(spelled):
    assert Look({spelled: DataTypeStatus()}, None).names("invoices")
    assert not Look({spelled: DataTypeStatus()}, None).names("bills")


def test_a_name_of_a_company_is_told_in_a_hundred_characters():
    assert Company(id="1", name="Ltd").label == "Ltd (1)"
    assert Company(id="1", name="x" * 2_000_000).label == f"{'x' * 100}… (1)"
