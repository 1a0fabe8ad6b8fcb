"""What every schema file under source_codat/schemas promises, whichever stream it belongs to."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.sources.utils.schema_helpers import ResourceSchemaLoader
from airbyte_cdk.test.standard_tests._read_assertions import RecordFormatChecker, StrictIntegerDraft7Validator

import source_codat
from unit_tests.support.schema_files import node_of

FOLDER = Path(source_codat.__file__).parent / "schemas"
STREAMS = sorted(path.stem for path in FOLDER.glob("*.json"))
SHARED = sorted(path.stem for path in (FOLDER / "shared").glob("*.json"))

KEYWORDS = {"type", "properties", "items", "additionalProperties", "format", "airbyte_type", "description"}
STAMP = {"type": ["null", "string"], "format": "date-time"}
BUSINESS_DATE = {"type": ["null", "string"], "airbyte_type": "timestamp_without_timezone"}

STAMP_FORMS = [
    "2022-10-23T09:15:00Z",
    "2022-10-23T09:15:00",
    "2022-10-23T09:15:00.5Z",
    "2022-10-27T10:22:43.6464237Z",
    "2022-10-27T10:22:43.6464237",
]
BUSINESS_DATE_FORMS = [*STAMP_FORMS, "2022-10-23", "2022-10-23T00:00:00-05:00", "0001-01-01T00:00:00.0000000"]

MONEY = re.compile(
    r"amount|subTotal|unitPrice|currencyRate|quantity|currentBalance|availableBalance|overdraftLimit"
    r"|net(Assets|Profit)|grossProfit|(discount|tax|match)Percentage|\w+(Amount|Quantity|TaxRate)",
)

LINES = {
    "balance_sheet_lines": ["companyId", "periodLength", "rowKey", "date", "lineKey"],
    "profit_and_loss_lines": ["companyId", "periodLength", "rowKey", "fromDate", "toDate", "lineKey"],
    "cash_flow_lines": ["companyId", "periodLength", "rowKey", "fromDate", "toDate", "lineKey"],
}

# What a type may be so that every loader knows a column for it (Airbyte's page "Supported data types").
AIRBYTE_TYPES = {"string", "number", "integer", "boolean", "object", "array"}
AIRBYTE_SUBTYPES = {"timestamp_with_timezone", "timestamp_without_timezone"}

METRICS = ["revenue", "orders", "refunds", "customer_retention", "lifetime_value"]
# Fields that Codat's published examples, older specifications or libraries have, and its present
# specification lacks: rows carry them, so they need a column.
ONLY_IN_EXAMPLES = {
    "aged_creditors": ".customerId .customerName",
    "bank_account_transactions": ".counterparty",
    "banking_accounts": (
        ".accountName .accountHolder .accountType .accountNumbers .accountNumbers.maskedAccountNumber"
    ),
    "commerce_orders": ".orderLineItems[].taxes[].taxAmount",
    "commerce_payments": ".type",
    "commerce_products": (
        ".variants[].quantity .productCategoryRefs .createdDate .modifiedDate .sourceModifiedDate .status"
    ),
    "companies": ".platform .groups",
    "items": ".supplementalData",
    "lending_reports": ".requested .updated",
    "loan_summaries": ".totalInvestments",
    "loan_transactions": ".transactionType",
    "purchase_orders": ".lineItems[].lineNumber .lineItems[].unitOfMeasurement .createdBy",
    "tax_rates": ".temp_IsAutomaticRate .temp_IsTaxable",
    "transfers": ".from.accountRef.name .from.status .to.accountRef.name .to.status",
    **dict.fromkeys(
        [f"commerce_metrics_{metric}" for metric in METRICS],
        " ".join(f".dimensions[].items[].{field}" for field in ("displayName", "start", "end", "value")),
    ),
}

# Fields whose name doesn't say what they mean.
NOT_PLAIN = {
    *("companyId", "connectionId", "reportId", "datasetId", "rowKey", "lineKey", "parentLineKey"),
    *("modifiedDate", "sourceModifiedDate", "reportDate", "lastSuccessfulSync"),
    *("metadata", "supplementalData", "latestSyncId", "latestSuccessfulSyncId", "pushOperationKey"),
    *("currencyRate", "amountDue", "remainingCredit", "nominalCode", "reportBasis", "periodLength"),
    *("section", "depth", "position", "path"),
}
TEXTS_OF_NUMBERS = {("data_integrity_details", ".matches[].amount")}  # as Codat declares it


# When which form of a date: what to write for a field that has neither or another.
FORMS_OF_DATES = """`{path}` is a date. Write one of
    {{"$ref": "modified_date.json"}} or {{"$ref": "source_modified_date.json"}} for the fields of these names;
    {{"type": ["null", "string"], "format": "date-time"}}
        for a moment that a clock has stamped (always for names in modifiedDate, lastSync, OnUtc);
    {{"type": ["null", "string"], "airbyte_type": "timestamp_without_timezone"}}
        for a date of business (issued, due, paid, posted, created), which may lack a time or a zone."""
WITHOUT_MEANING = (
    "`{name}` needs a description beside its type; the shared piece, if there is one, has it: {node}"
)


def in_file(stream: str, *told: str) -> str:
    """What to change in a stream's file."""
    return "\n".join(f"source_codat/schemas/{stream}.json: {one}" for one in told)


@cache
def schema(stream: str) -> dict[str, Any]:
    return ResourceSchemaLoader("source_codat").get_schema(stream)


def nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")


def fields(stream: str) -> list[tuple[str, dict[str, Any]]]:
    return [(path, node) for path, node in nodes(schema(stream)) if path]


def can_be_null(node: dict[str, Any]) -> bool:
    kinds = node.get("type")
    return isinstance(kinds, list) and kinds[0] == "null" and len(kinds) > 1


def types(node: dict[str, Any]) -> set[str]:
    kinds = node["type"]
    return {kinds} if isinstance(kinds, str) else set(kinds) - {"null"}


def accepts(node: dict[str, Any], value: object) -> bool:
    """Judge as Airbyte's standard tests do: integers are strict, a date-time needs a time but no zone."""
    return not list(
        StrictIntegerDraft7Validator(node, format_checker=RecordFormatChecker()).iter_errors(value)
    )


@pytest.mark.parametrize("stream", STREAMS)
def test_a_schema_is_an_open_draft_07_object(stream):
    root = schema(stream)
    heads = ["$schema", "description", "type", "additionalProperties", "properties"]
    assert list(root) == heads, in_file(stream, f"the file's own keys are, in this order: {heads}")
    assert root["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert root["type"] == "object"
    assert root["additionalProperties"] is True
    StrictIntegerDraft7Validator.check_schema(root)


@pytest.mark.parametrize("stream", STREAMS)
def test_nothing_is_left_to_look_up(stream):
    text = json.dumps(schema(stream))
    assert "$ref" not in text
    assert "definitions" not in text


@pytest.mark.parametrize("stream", STREAMS)
def test_every_field_can_be_null(stream):
    strict = [path for path, node in fields(stream) if not can_be_null(node)]
    assert not strict, in_file(stream, f'{strict}: write the type as a list, as in ["null", "string"]')


@pytest.mark.parametrize("stream", STREAMS)
def test_every_field_has_one_type_and_one_that_airbyte_knows(stream):
    """A loader that can't tell a column's type warns about it, and guesses."""
    for path, node in fields(stream):
        one_type = in_file(stream, f'`{path}` has one type beside "null", of {sorted(AIRBYTE_TYPES)}')
        assert len(types(node)) == 1, one_type
        assert types(node) <= AIRBYTE_TYPES, one_type
        one_subtype = in_file(
            stream, f'`{path}`: "airbyte_type" is one of {sorted(AIRBYTE_SUBTYPES)}, or left out'
        )
        assert node.get("airbyte_type") in {None, *AIRBYTE_SUBTYPES}, one_subtype


@pytest.mark.parametrize("stream", ONLY_IN_EXAMPLES)
def test_a_field_that_only_published_examples_have_has_its_column_too(stream):
    known = {path for path, _ in fields(stream)}
    assert [path for path in ONLY_IN_EXAMPLES[stream].split() if path not in known] == []


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_described_in_a_sentence_and_no_other_in_the_same(stream):
    text = schema(stream)["description"]
    assert re.fullmatch(r"[A-Z][^\n]{25,}\.", text), in_file(
        stream, "the description isn't one sentence of more than 25 letters with a full stop"
    )
    same = [one for one in STREAMS if one != stream and schema(one)["description"] == text]
    assert not same, in_file(stream, f"write another description: {same} have this one")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_column_whose_name_doesnt_say_what_it_means_is_described(stream):
    columns = schema(stream)["properties"]
    bare = [name for name in columns if name in NOT_PLAIN and not columns[name].get("description")]
    assert not bare, in_file(
        stream, *(WITHOUT_MEANING.format(name=name, node=node_of(name)) for name in bare)
    )


@pytest.mark.parametrize("stream", STREAMS)
def test_a_fields_description_is_a_phrase_without_a_full_stop(stream):
    texts = [node["description"] for _, node in fields(stream) if "description" in node]
    assert [text for text in texts if text.endswith(".")] == []


@pytest.mark.parametrize("stream", STREAMS)
def test_every_object_is_open_and_every_list_says_what_it_holds(stream):
    for path, node in fields(stream):
        if "object" in types(node):
            is_open = node.get("additionalProperties") is True
            assert is_open, in_file(stream, f'`{path}`: an object has "additionalProperties": true')
        else:
            assert not {"properties", "additionalProperties"} & set(node), in_file(
                stream, f"`{path}`: no object"
            )
        says = ("items" in node) == ("array" in types(node))
        assert says, in_file(stream, f'`{path}`: "items" says what a list holds, and stands in lists only')


@pytest.mark.parametrize("stream", STREAMS)
def test_only_keywords_that_every_destination_knows_are_used(stream):
    others = {keyword for _, node in fields(stream) for keyword in node} - KEYWORDS
    assert not others, in_file(stream, f"leave out {sorted(others)}: some destination doesn't know it")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_date_is_a_stamp_or_a_business_date(stream):
    for path, node in fields(stream):
        if "format" in node or "airbyte_type" in node:
            bare = {keyword: value for keyword, value in node.items() if keyword != "description"}
            assert bare in (STAMP, BUSINESS_DATE), in_file(stream, FORMS_OF_DATES.format(path=path))


@pytest.mark.parametrize("stream", STREAMS)
def test_a_field_named_after_a_date_is_typed_as_one(stream):
    for path, node in fields(stream):
        name = path.rpartition(".")[2]
        if re.search(r"(^d|D)ate$|Utc$", name) and types(node) == {"string"}:
            typed = "format" in node or "airbyte_type" in node
            assert typed, in_file(stream, FORMS_OF_DATES.format(path=path))


@pytest.mark.parametrize("stream", STREAMS)
def test_modification_stamps_are_date_times_in_every_stream(stream):
    for path, node in fields(stream):
        if path.endswith(("odifiedDate", ".lastSync", "OnUtc")):
            stamped = node.get("format") == "date-time"
            assert stamped, in_file(stream, FORMS_OF_DATES.format(path=path))


@pytest.mark.parametrize("form", STAMP_FORMS)
def test_every_form_of_a_stamp_that_codat_sends_is_valid(form):
    assert accepts(STAMP, form)


@pytest.mark.parametrize("form", BUSINESS_DATE_FORMS)
def test_every_form_of_a_business_date_that_codat_sends_is_valid(form):
    assert accepts(BUSINESS_DATE, form)


def test_a_plain_date_is_why_a_business_date_has_no_format():
    assert not accepts(STAMP, "2022-10-23")


@pytest.mark.parametrize("stream", STREAMS)
def test_no_two_fields_differ_in_case_alone(stream):
    for path, node in [("", schema(stream)), *fields(stream)]:
        names = [name.lower() for name in node.get("properties", {})]
        assert len(names) == len(set(names)), path


@pytest.mark.parametrize("stream", STREAMS)
def test_every_column_has_a_name_of_its_own_in_a_warehouse(stream):
    """Loaders write lower case, `_` for anything odd, columns of their own, and PostgreSQL 63 bytes."""
    columns = [re.sub(r"[^a-z0-9]", "_", name.lower())[:63] for name in schema(stream)["properties"]]
    assert len(columns) == len(set(columns))
    assert not [name for name in columns if name.startswith("_airbyte") or name[0].isdigit()]


@pytest.mark.parametrize("stream", STREAMS)
def test_money_rates_and_quantities_are_numbers(stream):
    for path, node in fields(stream):
        if (stream, path) in TEXTS_OF_NUMBERS:
            continue
        if MONEY.fullmatch(path.rpartition(".")[2]) and "object" not in types(node):
            is_number = "number" in types(node)
            assert is_number, in_file(stream, f'`{path}` is an amount: write {{"type": ["null", "number"]}}')


@pytest.mark.parametrize("stream", STREAMS)
def test_a_row_of_nulls_and_unknown_fields_is_valid(stream):
    row: dict[str, Any] = dict.fromkeys(schema(stream)["properties"])
    is_valid = accepts(schema(stream), {**row, "aFieldCodatAddsNextYear": {"any": ["thing"]}})
    assert is_valid, in_file(stream, "every field has null among its types, and the root is open")


@pytest.mark.parametrize("stream", sorted(LINES))
def test_a_statement_line_has_its_key_and_its_place_in_the_tree(stream):
    columns = schema(stream)["properties"]
    assert list(columns)[: len(LINES[stream])] == LINES[stream]
    for name in ("section", "parentLineKey", "accountId", "name"):
        assert types(columns[name]) == {"string"}
    for name in ("periodLength", "depth", "position"):
        assert types(columns[name]) == {"integer"}
    assert types(columns["value"]) == {"number"}
    assert columns["path"]["items"] == {"type": ["null", "string"]}


@pytest.mark.parametrize("piece", SHARED)
def test_a_shared_piece_can_be_null_and_is_used_three_times_or_more(piece):
    assert json.loads((FOLDER / "shared" / f"{piece}.json").read_text())["type"][0] == "null"
    texts = [path.read_text() for path in FOLDER.rglob("*.json")]
    assert sum(text.count(f'{{"$ref": "{piece}.json"}}') for text in texts) >= 3


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.json")), ids=lambda path: path.stem)
def test_a_file_reads_line_by_line(path):
    text = path.read_text()
    assert text.endswith("}\n")
    assert max(map(len, text.splitlines())) <= 120
    assert not re.search(r'"type": \[\n', text)
