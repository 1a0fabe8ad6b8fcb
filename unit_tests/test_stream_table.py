"""The tables of streams in the documents say what the connector does; `make docs` writes them."""

from pathlib import Path

import pytest
import yaml

from tools.scripts import stream_table
from tools.scripts.stream_table import ROOT

DOCUMENTS = stream_table.documents()
STREAMS = {one.name: one for one in stream_table.all_streams()}
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
SUGGESTED = METADATA["suggestedStreams"]["streams"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_committed_table_is_current(path: Path) -> None:
    current = DOCUMENTS[path]
    assert path.read_text(encoding="utf-8") == current, f"{path.relative_to(ROOT)} is stale: run `make docs`"


@pytest.mark.parametrize(
    ("path", "line"),
    [(stream_table.STREAMS, "| `{}` |"), (stream_table.KEYS, "| `{}` |"), (stream_table.GUIDE, "- `{}`: ")],
    ids=lambda one: getattr(one, "name", ""),
)
def test_every_stream_is_told_once_in_every_document(path: Path, line: str) -> None:
    text = DOCUMENTS[path]
    for name in map(stream_table.shown_name, STREAMS.values()):
        assert text.count("\n" + line.format(name)) == 1, name


def test_every_stream_with_personal_data_is_told_once_and_the_others_as_the_rest() -> None:
    told = stream_table.personal_lists(list(STREAMS.values()))
    for stream in STREAMS.values():
        expected = 1 if stream_table.personal_data(stream) else 0
        assert told.count(f"`{stream_table.shown_name(stream)}`") == expected, stream.name
    assert "None of these: all other streams" in told


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("invoices", "incremental"),
        ("push_history", "incremental by `requestedOnUtc`"),
        ("company_info", "incremental by `syncedAt`"),
        ("aged_debtors", "full refresh"),
    ],
)
def test_how_a_stream_is_read_names_the_cursor_where_it_is_an_unusual_one(name: str, words: str) -> None:
    assert stream_table.way_to_read(STREAMS[name]) == words


def test_a_stale_table_is_noticed() -> None:
    guide = stream_table.GUIDE.read_text(encoding="utf-8")
    assert stream_table.with_table(guide, "streams", "| other |") != guide


def test_a_guide_without_its_comments_is_refused() -> None:
    with pytest.raises(ValueError, match="one pair of comments for 'streams'"):
        stream_table.with_table("# Codat", "streams", "| table |")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("customers", "names, email, phone, addresses, tax numbers, registration numbers"),
        ("suppliers", "names, email, phone, addresses, tax numbers, registration numbers"),
        ("company_info", "names, phone, addresses, tax numbers, registration numbers"),
        ("bank_accounts", "bank details"),
        ("invoices", "names"),
        ("accounts", ""),
        ("tax_rates", ""),
    ],
)
def test_personal_data_is_told_by_the_schemas_fields(name: str, kinds: str) -> None:
    assert stream_table.personal_data(STREAMS[name]) == kinds


def test_every_kind_of_personal_data_is_found_somewhere() -> None:
    told = ", ".join(stream_table.personal_data(one) for one in STREAMS.values())
    assert [kind for kind in stream_table.PERSONAL if kind not in told] == []


def test_every_stream_of_a_company_leads_to_it() -> None:
    homeless = [name for name, one in STREAMS.items() if not stream_table.company_link(one)]
    assert homeless == ["integrations"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("companies", "1 a page"),
        ("company_info", "1 for each company"),
        ("connections", "0, as they come with the list of companies"),
        ("data_status", "1 for each company, the one that nearly every read begins with"),
        ("invoices", "1 a page for each company"),
        ("banking_transactions", "1 a page for each connection"),
        ("loan_summaries", "3 for each company"),
        ("data_integrity_details", "4 times 1 a page for each company"),
        ("balance_sheets", "1 for each company, shared with `balance_sheet_lines`"),
        ("bill_attachments", "1 for each row of `bills`, and those rows"),
        ("read_validation_results", "1 for each new row of `sync_history`"),
        (
            "spend_analysis_suppliers",
            "1 a page of the latest report of each company, and the list of reports",
        ),
    ],
)
def test_the_cost_names_what_it_grows_with(name: str, words: str) -> None:
    assert stream_table.cost(STREAMS[name], list(STREAMS.values())) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("companies", "core"),
        ("invoices", "Accounting"),
        ("aged_debtors", "Accounting"),
        ("aged_creditors", "Accounting"),
        ("banking_transactions", "Banking"),
        ("loan_summaries", "Lending"),
    ],
)
def test_what_a_stream_needs_is_the_kind_of_connection_or_the_product(name: str, words: str) -> None:
    assert stream_table.needs(STREAMS[name]) == words


def test_nothing_that_costs_a_request_for_each_row_is_suggested() -> None:
    assert SUGGESTED
    assert [name for name in SUGGESTED if STREAMS[name].retriever.parent] == []


def test_what_is_suggested_needs_nothing_that_codat_sells_separately() -> None:
    assert [name for name in SUGGESTED if STREAMS[name].retriever.product] == []


def test_suggestions_are_given_once_and_in_the_order_of_the_catalog() -> None:
    assert [name for name in STREAMS if name in SUGGESTED] == SUGGESTED
