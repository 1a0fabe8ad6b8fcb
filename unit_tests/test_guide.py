"""The setup guide that Airbyte shows beside the form: true to the form and to what the connector says."""

import ast
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from source_codat.foundation.skip_reasons import SKIP_RULES
from tools.scripts import pictures, read_costs, stream_table
from unit_tests.support.manifest import MANIFEST

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "integrations" / "sources" / "codat.md").read_text(encoding="utf-8")
SPEC = json.loads((ROOT / "source_codat" / "spec.json").read_text(encoding="utf-8"))
PROPERTIES: dict[str, Any] = SPEC["connectionSpecification"]["properties"]
PANEL = 570  # pixels beside the form; a wider table takes the whole panel with it when it is scrolled
CELL_PADDING = 17  # pixels, with the border
LONGEST_OPEN_TABLE = 14  # lines
ENTRIES = 5  # of a list in the form that light up their step in the guide
ANCHORS = {name for found in re.findall(r'<FieldAnchor field="(.+?)">', GUIDE) for name in found.split(",")}


def section(heading: str) -> str:
    level = heading.split(" ", maxsplit=1)[0]
    rest = GUIDE.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def fields() -> set[str]:
    """Every field that the form shows, by the path that Airbyte's page knows it by."""
    found = set()
    for name, field in PROPERTIES.items():
        options = field.get("oneOf", [])
        for option in options:
            own = dict(option["properties"])
            found.add(f"{name}[{own.pop('selection')['const']}]")
            found |= {f"{name}.{inner}" for inner in own}
        if not options and not field.get("airbyte_hidden"):
            found.add(name)
        # Airbyte's page knows a field of a list's entry by the entry's number.
        entry = field.get("items", {}).get("properties", {})
        found |= {f"{name}.{number}.{inner}" for number in range(ENTRIES) for inner in entry}
    return found


def said() -> str:
    """Everything that the connector can say: its string constants, and the manifest's messages."""
    filters = MANIFEST["definitions"]["requester"]["error_handler"]["response_filters"]
    texts = [one["error_message"] for one in filters if "error_message" in one]
    for path in sorted((ROOT / "source_codat").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
            if isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
                texts.append("".join(parts))
    texts += [f"… companies skipped, {rule.words}: …" for rule in SKIP_RULES.values() if rule.is_told]
    return "\n".join(texts)


SAID = said()
MESSAGES = re.findall(r"^\| \*(.+?)\* \|", section("### Troubleshooting"), re.MULTILINE)


def test_every_field_of_the_form_has_its_step_in_the_guide() -> None:
    assert fields() == ANCHORS


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("## Set up Codat", "Developers > API keys"),
        ("## The fields", "Most people want this"),
        ("## Supported sync modes", "What incremental means here."),
        ("## Supported sync modes", "Syncing more often than Codat brings nothing."),
        ("## Setup guide", "Which streams do I need?"),
        ("## Supported Streams", "<summary>Accounting: "),
        ("### Four kinds of bank transactions", "| Use it for |"),
        ("### How the tables relate", "unique only within a company"),
        ("## Deleted records", "metadata.isDeleted: true"),
        ("## Deleted records", "Companies and connections that are deleted in Codat"),
        ("## What later changes of an option do", "| Option |"),
        ("## Deleted records", "records from before are deleted, or their status becomes `Void`"),
        ("## Refreshing before reading", "platforms charge for refreshes"),
        ("## Personal data and company links", "<summary>Streams by the kinds of personal data"),
        ("## Performance considerations", "1,000 requests a day, plus 1,000 for each company"),
        ("## Performance considerations", "That limit is the IP\naddress's"),
        ("## Performance considerations", "When Codat adds a field to its own model"),
        ("## Performance considerations", "Staying within it."),
        ("## Data type map", "| Codat | Airbyte |"),
        ("### Limitations", "mTLS"),
        ("### Version policy", "breaking change"),
        ("### Troubleshooting", "| Message |"),
        ("## Changelog", "0.1.0"),
    ],
)
def test_a_new_user_finds_what_there_is_to_know(heading: str, words: str) -> None:
    assert words in section(heading)


@pytest.mark.parametrize("job", read_costs.JOBS, ids=lambda job: job.title)
def test_what_a_job_needs_is_what_its_cost_was_measured_with(job: read_costs.Job) -> None:
    [told] = re.findall(rf"^- \*\*{job.title}\*\*: (.+?)(?=^- |^$)", GUIDE, re.MULTILINE | re.DOTALL)
    streams, _, way = told.split(". ", 1)[0].split(":", 1)[0].rpartition(", ")
    assert ("companies", *re.findall(r"`(\w+)`", streams)) == job.streams
    cursors = {one.name: one.retriever.cursor_field for one in stream_table.all_streams()}
    expected = {bool(cursors[name]) for name in job.streams[1:]}
    assert expected == {"incremental" in way}, way
    assert ("overwrite" in way) != ("incremental" in way)


def test_what_is_said_of_dividing_a_days_quota_follows_the_measured_costs() -> None:
    [told] = re.findall(r"with (\d+) requests a company a read can run 50 times a day", GUIDE)
    cost = read_costs.committed()[read_costs.SUGGESTED]
    assert float(told) == pytest.approx(max(cost.first, cost.changed), abs=0.5)
    assert float(told) * 50 < 1000


def test_a_job_that_takes_more_streams_of_the_same_kind_does_not_cost_less() -> None:
    costs = read_costs.committed()
    for more in read_costs.JOBS:
        for fewer in read_costs.JOBS:
            if set(fewer.streams) <= set(more.streams):
                assert costs[fewer.title].first <= costs[more.title].first


def test_no_table_of_costs_stands_before_the_key() -> None:
    assert "|" not in section("## Setup guide")


def test_the_guide_begins_with_the_streams_that_one_needs() -> None:
    headings = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    assert headings[:2] == ["Prerequisites", "Setup guide"], "no other heading may come before these two"
    assert section("## Setup guide").lstrip().startswith("**Which streams do I need?**")


def test_no_heading_stands_above_nothing() -> None:
    shown = re.sub(r"<!--.*?-->", "", GUIDE)
    empty = re.findall(r"^(#+ .+)\n+(?=#+ )", shown, re.MULTILINE)
    parents = [
        one for one in empty if re.search(rf"^{re.escape(one)}\n+#{one.split()[0]} ", shown, re.MULTILINE)
    ]
    assert [one for one in empty if one not in parents] == []


def rows_of_tables() -> list[str]:
    return re.findall(r"^\|.*\|$", GUIDE, re.MULTILINE)


def test_no_cell_has_code_inside_bold_which_would_show_raw_asterisks() -> None:
    assert [row for row in rows_of_tables() if re.search(r"\*\*[^*|]*`[^*|]*\*\*", row)] == []


def test_a_table_fits_into_the_panel_beside_the_form() -> None:
    """A cell is as wide as its longest word that can't be broken."""
    for table in re.findall(r"(?:^\|.*\|\n)+", GUIDE, re.MULTILINE):
        columns = zip(*(re.split(r"(?<!\\)\|", row)[1:-1] for row in table.splitlines()), strict=True)
        widths = [max(width(word) for cell in column for word in cell.split() or [""]) for column in columns]
        assert sum(widths) <= PANEL, table


def width(word: str) -> float:
    """Pixels of a word in a cell, its share of the cell's padding included."""
    shown = re.sub(r"[*`\[]|\]\(\S+?\)", "", word.replace("&nbsp;", " "))
    return len(shown) * 8.5 + CELL_PADDING


@pytest.mark.parametrize(
    "table", re.findall(r"(?:^\|.*\|\n)+", GUIDE, re.MULTILINE), ids=lambda one: one[:30]
)
def test_a_long_table_stands_last_or_is_folded(table: str) -> None:
    before, after = GUIDE.split(table)
    folded = before.count("<details>") > before.count("</details>")
    assert folded or len(table.splitlines()) <= LONGEST_OPEN_TABLE or "\n## Changelog" in after[:20]


def test_airbyte_cloud_is_explained_only_there_and_not_offered_elsewhere() -> None:
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
    assert metadata["registryOverrides"]["cloud"]["enabled"] is False
    elsewhere = re.sub(r"<!-- env:cloud -->.*?<!-- /env:cloud -->", "", GUIDE, flags=re.DOTALL)
    assert "cloud.airbyte.com" in GUIDE, "Airbyte's checks want the passage"
    assert "Airbyte Cloud" not in elsewhere
    assert GUIDE.count("<!-- env:cloud -->") == GUIDE.count("<!-- /env:cloud -->") == 2


@pytest.mark.parametrize(
    "picture", [stream_table.REQUESTS_PLOT, stream_table.TABLES_PICTURE], ids=lambda one: one.name
)
def test_a_picture_is_small_as_wide_as_the_panel_and_told_in_words_too(picture: Path) -> None:
    # Airbyte's page finds only what is addressed from the root of the documents: ../../.
    [words] = re.findall(rf"^!\[(.+)\]\(\.\./\.\./pictures/{picture.name}\)$", GUIDE, re.MULTILINE)
    assert len(words) > 100
    svg = ET.fromstring(picture.read_text(encoding="utf-8"))
    assert int(svg.attrib["width"]) <= PANEL
    assert picture.stat().st_size < 20_000


def test_the_picture_of_the_tables_has_only_columns_that_there_are() -> None:
    schemas = {one.name: one.schema_loader.get_json_schema() for one in stream_table.all_streams()}
    for relation in pictures.RELATIONS:
        assert relation.target in schemas
        for table in relation.tables:
            node = schemas[table]
            for step in relation.column.split("."):
                node = node["properties"][step.removesuffix("[]")]
                node = node["items"] if step.endswith("[]") else node


def test_the_four_kinds_of_bank_transactions_have_the_columns_that_are_told() -> None:
    kinds = re.findall(
        r"^- \*\*.+?\*\*: `(\w+)`", section("### Four kinds of bank transactions"), re.MULTILINE
    )
    streams = {one.name: one for one in stream_table.all_streams()}
    assert len(kinds) == 4
    for head in ("Key, after the company", "Date", "Amount", "Currency"):
        [row] = re.findall(rf"^\| {head} \|(.+)\|$", GUIDE, re.MULTILINE)
        for name, cell in zip(kinds, row.split("|"), strict=True):
            columns = re.findall(r"`(\w+)`", cell)
            assert set(columns) <= set(streams[name].schema_loader.get_json_schema()["properties"])
            if head.startswith("Key"):
                assert columns == [streams[name].primary_key[-1]]
                assert ("connection" in cell) == ("connectionId" in streams[name].primary_key)


def test_an_anchor_holds_no_list_as_airbytes_page_shows_its_marks_as_they_are() -> None:
    bodies = re.findall(r"<FieldAnchor .+?>\n(.+?)</FieldAnchor>", GUIDE, re.DOTALL)
    assert len(bodies) > 10
    assert [one for one in bodies if re.search(r"^\s*([-*]|\d+\.) ", one, re.MULTILINE)] == []


def test_no_emphasis_stands_inside_another_as_airbytes_page_shows_raw_asterisks() -> None:
    plain = re.sub(r"```.*?```|`[^`\n]*`", "code", GUIDE, flags=re.DOTALL)
    assert re.findall(r"(?<![*\w])\*(?![*\s])[^*\n]*\*\*[^*\n]+\*\*", plain) == []


def test_anchors_are_closed() -> None:
    assert GUIDE.count("<FieldAnchor") == GUIDE.count("</FieldAnchor>")


def test_every_title_of_the_form_is_used_in_the_guide() -> None:
    shown = [field for field in PROPERTIES.values() if not field.get("airbyte_hidden")]
    inner = [option for field in shown for option in field.get("oneOf", [])]
    missing = [one["title"] for one in [*shown, *inner] if f"**{one['title']}**" not in GUIDE]
    assert missing == []


def test_every_option_says_what_a_later_change_does() -> None:
    table = section("## What later changes of an option do")
    rows = " ".join(re.findall(r"^\| (.+?) \|", table, re.MULTILINE)).lower()
    shown = [field["title"] for field in PROPERTIES.values() if not field.get("airbyte_hidden")]
    assert [title for title in shown if title.lower() not in rows] == []


def test_troubleshooting_lists_many_messages() -> None:
    assert len(MESSAGES) >= 20


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_in_troubleshooting_is_one_that_the_connector_says(message: str) -> None:
    for part in message.split("…"):
        words = part.replace("\\|", "|").strip(" .,:()'")
        assert words in SAID or words == "", words


@pytest.mark.parametrize("status", [401, 402])
def test_what_the_manifest_says_of_a_status_is_explained(status: int) -> None:
    filters = MANIFEST["definitions"]["requester"]["error_handler"]["response_filters"]
    [told] = [one["error_message"] for one in filters if status in one["http_codes"]]
    assert told in MESSAGES


def test_the_changelog_names_the_version() -> None:
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
    assert f"| {metadata['dockerImageTag']} |" in section("## Changelog")


def test_links_inside_the_guide_lead_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= slugs
