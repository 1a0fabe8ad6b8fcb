"""The setup guide that Airbyte shows beside the form: true to the form and to what the connector says."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from source_codat.foundation.skip_reasons import SKIP_RULES

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "integrations" / "sources" / "codat.md").read_text(encoding="utf-8")
SPEC = json.loads((ROOT / "source_codat" / "spec.json").read_text(encoding="utf-8"))
PROPERTIES: dict[str, Any] = SPEC["connectionSpecification"]["properties"]
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
    manifest = yaml.safe_load((ROOT / "source_codat" / "manifest.yaml").read_text(encoding="utf-8"))
    filters = manifest["definitions"]["requester"]["error_handler"]["response_filters"]
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
        ("## Supported Streams", "| Stream | Sync modes | Primary key | Requests | Needs |"),
        ("## Deleted records", "metadata.isDeleted: true"),
        ("## Deleted records", "Companies and connections that are deleted in Codat"),
        ("## What later changes of an option do", "| Option |"),
        ("## Personal data and company links", "| Stream | Personal data |"),
        ("### Performance considerations", "1,000 requests a day, plus 1,000 for each company"),
        ("### Performance considerations", "Staying within it."),
        ("## Data type map", "| Codat | Airbyte |"),
        ("### Limitations", "mTLS"),
        ("### Version policy", "breaking change"),
        ("### Troubleshooting", "| Message |"),
        ("## Changelog", "0.1.0"),
    ],
)
def test_a_new_user_finds_what_there_is_to_know(heading: str, words: str) -> None:
    assert words in section(heading)


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
    manifest = yaml.safe_load((ROOT / "source_codat" / "manifest.yaml").read_text(encoding="utf-8"))
    filters = manifest["definitions"]["requester"]["error_handler"]["response_filters"]
    [told] = [one["error_message"] for one in filters if status in one["http_codes"]]
    assert told in MESSAGES


def test_the_changelog_names_the_version() -> None:
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
    assert f"| {metadata['dockerImageTag']} |" in section("## Changelog")


def test_links_inside_the_guide_lead_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= slugs
