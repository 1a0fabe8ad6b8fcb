"""The form that Airbyte makes of the spec: every rule that it goes by and that a program can check."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from airbyte_cdk.test.standard_tests._spec_lint import assert_spec_is_valid

from source_codat import SourceCodat
from source_codat.config.settings import Settings
from source_codat.foundation.errors import ConfigError

FILE = Path(__file__).resolve().parent.parent / "source_codat" / "spec.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
SPEC: dict[str, Any] = DOCUMENT["connectionSpecification"]
FIELDS: dict[str, dict[str, Any]] = SPEC["properties"]
KEY = "0123456789abcdef0123456789abcdef"
UUID = "8a210b68-6988-11ed-a1eb-0242ac120002"

ORDER = [
    "api_key",
    "companies",
    "start_date",
    "deleted_records",
    "filters",
    "custom_data_types",
    "skip_unchanged",
    "lookback_hours",
    "refresh_older_than_hours",
    "refresh_wait_minutes",
    "report_period_months",
    "report_periods",
    "part",
    "requests_per_minute",
    "continue_past_failures",
    "page_size",
    "num_workers",
    "base_url",
]
DEFAULTS = {
    "deleted_records": "keep",
    "filters": [],
    "skip_unchanged": True,
    "lookback_hours": 0,
    "refresh_wait_minutes": 30,
    "report_period_months": 1,
    "report_periods": 24,
    "custom_data_types": [],
    "requests_per_minute": 900,
    "continue_past_failures": False,
    "page_size": 1000,
    "num_workers": 10,
}
BOUNDS = {
    "page_size": (1, 5000),
    "num_workers": (2, 50),
    "refresh_wait_minutes": (1, 240),
    "requests_per_minute": (10, 1000),
}
TAGS = {"a", "b", "code", "br", "ul", "ol", "li"}
LONGEST_TOOLTIP = 82  # words: the longest that was seen whole
LONGEST_HINT = 36  # characters beside a label: a UUID's, the longest that was seen on one line


def objects(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in the spec, with the path that leads to it."""
    if not isinstance(node, dict):
        return
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from objects(child, f"{path}.{name}")
    for number, child in enumerate(node.get("oneOf", [])):
        yield from objects(child, f"{path}[{number}]")
    if "items" in node:
        yield from objects(node["items"], f"{path}[]")


NODES = dict(objects(SPEC))
NAMED = {path: node for path, node in NODES.items() if re.search(r"\.\w+$", path)}
SHOWN = {path: node for path, node in NAMED.items() if "const" not in node}
ONE_OFS = {path: node for path, node in NODES.items() if "oneOf" in node}


def options() -> list[dict[str, Any]]:
    return [option for node in ONE_OFS.values() for option in node["oneOf"]]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 - the parser's signature
        self.seen.append(tag)


def test_the_spec_passes_airbytes_own_lint():
    assert_spec_is_valid(SourceCodat().spec(None), connector_name="source-codat")  # type: ignore[arg-type]  # unused


def test_the_spec_that_is_emitted_is_the_file():
    emitted = SourceCodat().spec(None)  # type: ignore[arg-type]  # unused
    assert emitted.connectionSpecification == SPEC
    assert emitted.documentationUrl == DOCUMENT["documentationUrl"]


def test_the_spec_is_a_valid_schema():
    jsonschema.Draft7Validator.check_schema(SPEC)


def test_fields_come_in_the_order_in_which_they_are_read():
    assert list(FIELDS) == ORDER
    assert [field["order"] for field in FIELDS.values()] == list(range(len(ORDER)))


def test_no_two_fields_of_an_object_have_the_same_order():
    for path, node in NODES.items():
        orders = Counter(field.get("order") for field in node.get("properties", {}).values())
        assert None not in orders, path
        assert set(orders.values()) <= {1}, path


def test_what_most_people_need_is_shown_openly_and_the_rest_is_folded():
    open_ones = [
        name
        for name, field in FIELDS.items()
        if name in SPEC["required"] or field.get("always_show") or "oneOf" in field
    ]
    assert open_ones == ["api_key", "companies", "start_date"]


def test_only_the_key_is_required():
    assert SPEC["required"] == ["api_key"]


@pytest.mark.parametrize("path", SHOWN)
def test_every_field_has_a_title_and_a_description(path):
    assert SHOWN[path]["title"]
    assert SHOWN[path]["description"].rstrip().endswith(".")


@pytest.mark.parametrize("path", SHOWN)
def test_a_description_is_html_that_a_tooltip_shows_and_no_markdown(path):
    text = SHOWN[path]["description"]
    parser = _Tags()
    parser.feed(text)
    assert set(parser.seen) <= TAGS
    assert not re.search(r"`|\*\*|\]\(|^#", text)


@pytest.mark.parametrize("name", DEFAULTS)
def test_an_optional_field_says_what_a_later_change_does(name):
    description = FIELDS[name]["description"]
    assert re.search(r"later change|after a change|changing (it|a)\b", description, re.IGNORECASE), (
        description
    )


def words(description: str) -> list[str]:
    """What a tooltip shows of a description."""
    return re.sub(r"<[^>]+>", "", description).split()


@pytest.mark.parametrize("path", SHOWN)
def test_a_description_fits_into_a_tooltip(path):
    assert len(words(SHOWN[path]["description"])) <= LONGEST_TOOLTIP


def test_a_pattern_has_a_descriptor_so_that_nobody_reads_the_regex():
    for path, node in NODES.items():
        assert "pattern" not in node or "pattern_descriptor" in node, path
        if "pattern" in node:
            re.compile(node["pattern"])


def test_a_descriptor_is_the_shape_itself_as_it_stands_in_a_sentence_and_beside_the_label():
    for path, node in NODES.items():
        if "pattern_descriptor" in node and not node.get("airbyte_hidden"):
            hint = node["pattern_descriptor"]
            assert len(hint) <= LONGEST_HINT, path
            assert not re.search(r"\b(an?|the|or|such as|like|example)\b", hint), path


def test_a_blank_text_is_told_as_missing_and_not_as_a_pattern():
    for path, node in NODES.items():
        assert not ("pattern" in node and re.search(node["pattern"], "x")), f"{path}: leave the pattern out"


def test_a_list_has_no_rule_that_only_the_server_knows():
    for path, node in NODES.items():
        assert not set(node) & {"minItems", "maxItems", "uniqueItems", "minLength", "maxLength"}, path


@pytest.mark.parametrize("sent", [[], [UUID, UUID]], ids=["emptied", "doubled"])
def test_a_list_that_the_form_can_send_gets_past_the_server(sent):
    jsonschema.validate({"api_key": KEY, "companies": {"selection": "ids", "company_ids": sent}}, SPEC)


def test_an_emptied_list_is_told_by_check_in_a_sentence_and_a_doubled_id_is_one():
    companies = {"selection": "ids", "company_ids": []}
    with pytest.raises(ConfigError, match="add at least one company ID"):
        Settings.from_config({"api_key": KEY, "companies": companies})
    companies = {"selection": "ids", "company_ids": [UUID, UUID.upper()]}
    assert Settings.from_config({"api_key": KEY, "companies": companies}).selection.company_ids == (UUID,)


def test_a_list_of_chips_says_how_to_paste_several():
    lists = {path: node for path, node in NODES.items() if node.get("type") == "array"}
    chips = {path: node for path, node in lists.items() if node["items"]["type"] != "object"}
    assert chips
    assert [
        path for path, node in chips.items() if "separate with commas" not in node["description"].lower()
    ] == []


def test_every_field_that_is_shown_stands_in_a_card_with_a_title():
    cards = [one["id"] for one in SPEC["groups"]]
    assert all(one["title"] for one in SPEC["groups"])
    used = [field["group"] for field in FIELDS.values() if not field.get("airbyte_hidden")]
    assert list(dict.fromkeys(used)) == cards, "a field without a card comes last, below all cards"
    assert [card for card, _ in groupby(used)] == cards, "fields of a card stand together in the spec"


def test_what_is_shown_openly_is_one_card_and_every_other_card_is_folded():
    openly = {"api_key", "companies", "start_date"}
    assert {name for name, field in FIELDS.items() if field.get("group") == "account"} == openly


def test_the_pattern_of_a_list_of_chips_is_on_its_items():
    for path, node in NODES.items():
        assert node.get("type") != "array" or "pattern" not in node, path


@pytest.mark.parametrize("path", SHOWN)
def test_examples_are_a_list_that_the_field_accepts(path):
    node = SHOWN[path]
    for example in node.get("examples", []):
        value = [example] if node["type"] == "array" else example
        jsonschema.validate(value, node)


def test_a_date_is_typed_as_a_date_because_a_date_time_field_crashed_the_page():
    assert "date-time" not in FILE.read_text(encoding="utf-8")
    assert FIELDS["start_date"]["format"] == "date"
    pattern = FIELDS["start_date"]["pattern"]
    assert re.search(pattern, "2024-01-31")
    assert re.search(pattern, "2024-01-31T00:00:00Z")
    assert not re.search(pattern, "31.01.2024")


@pytest.mark.parametrize(
    "typed",
    [
        "2024-13-45",
        "2024-00-10",
        "2024-01-00",
        "2024-01-32",
        "2024-1-1",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
    ],
)
def test_a_date_that_no_calendar_has_is_refused_while_it_is_typed(typed):
    assert not re.search(FIELDS["start_date"]["pattern"], typed)


@pytest.mark.parametrize("path", ONE_OFS)
def test_a_one_of_is_an_object_whose_options_share_one_constant(path):
    node = ONE_OFS[path]
    assert node["type"] == "object"
    constants = []
    for option in node["oneOf"]:
        assert option["type"] == "object"
        assert option["title"]
        assert option["properties"]
        found = {name: field["const"] for name, field in option["properties"].items() if "const" in field}
        assert len(found) == 1
        [(name, value)] = found.items()
        assert value, "a falsy constant stops the form from being built"
        assert name in option["required"]
        assert option["properties"][name].get("default", value) == value
        assert option["properties"][name].get("enum", [value]) == [value]
        constants.append((name, value))
    assert len({name for name, _ in constants}) == 1
    assert len(set(constants)) == len(constants)


def test_two_to_four_options_are_shown_as_tiles_with_descriptions():
    for path, node in ONE_OFS.items():
        assert node["display_type"] == "radio", path
        assert 2 <= len(node["oneOf"]) <= 4, path
    assert all(option["description"] for option in options())


def test_a_display_type_belongs_to_a_one_of():
    assert {path for path, node in NODES.items() if "display_type" in node} == set(ONE_OFS)


def test_the_first_option_is_what_most_people_want():
    assert FIELDS["companies"]["oneOf"][0]["properties"]["selection"]["const"] == "all"


def test_titles_of_options_are_unique_in_the_whole_form():
    titles = [option["title"] for option in options()]
    assert len(set(titles)) == len(titles)


def test_titles_are_unique_in_every_object():
    for path, node in NODES.items():
        titles = [one.get("title") for one in node.get("properties", {}).values() if "const" not in one]
        assert len(set(titles)) == len(titles), path


def test_every_boolean_has_a_default():
    for path, node in NODES.items():
        if node.get("type") == "boolean":
            assert isinstance(node.get("default"), bool), path


def test_a_hidden_field_is_neither_required_nor_sent():
    hidden = [path for path, node in NODES.items() if node.get("airbyte_hidden")]
    assert hidden == [".base_url"]
    assert "base_url" not in SPEC["required"]
    assert "default" not in FIELDS["base_url"]


def test_no_field_is_a_plain_or_free_form_object():
    for path, node in NODES.items():
        if node.get("type") == "object" and path:
            assert node.get("properties") or "oneOf" in node, path
            assert "oneOf" in node or path.endswith("]"), f"{path}: a plain object is shown without its title"


def test_a_list_says_what_it_holds():
    for path, node in NODES.items():
        if node.get("type") == "array":
            assert node["items"]["type"] in {"object", "string", "number", "integer"}, path


def test_every_type_is_one_plain_word():
    assert {path for path, node in NODES.items() if not isinstance(node.get("type"), str)} == set()


def test_nothing_is_used_that_the_form_cannot_show():
    forbidden = [
        "anyOf",
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "patternProperties",
        "prefixItems",
        "dependentSchemas",
        "dependentRequired",
        "$ref",
    ]
    for path, node in NODES.items():
        assert not set(node) & set(forbidden), path
        assert node.get("additionalProperties", True) is True, path


def test_values_of_an_enumeration_are_unique():
    for path, node in NODES.items():
        values = node.get("enum", [])
        assert len(set(values)) == len(values), path


def test_a_group_is_only_used_at_the_top():
    assert [path for path, node in NODES.items() if "group" in node and path.count(".") > 1] == []


def test_the_key_and_nothing_else_is_secret():
    assert [path for path, node in NODES.items() if node.get("airbyte_secret")] == [".api_key"]
    assert FIELDS["api_key"]["airbyte_secret"] is True


def test_nothing_names_this_machine_by_its_number():
    assert "127.0.0.1" not in FILE.read_text(encoding="utf-8")
    assert re.search(FIELDS["base_url"]["pattern"], "http://localhost:8080")


def test_defaults_and_bounds_are_those_of_the_documents_and_of_the_code():
    told = {name: field["default"] for name, field in FIELDS.items() if "default" in field}
    assert told == DEFAULTS
    for name, (low, high) in BOUNDS.items():
        assert (FIELDS[name]["minimum"], FIELDS[name]["maximum"]) == (low, high)
    assert Settings.from_config({"api_key": KEY, **told}) == Settings.from_config({"api_key": KEY})


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field["type"] == "integer"])
def test_a_number_has_bounds_that_the_code_keeps_too(name):
    low, high = FIELDS[name]["minimum"], FIELDS[name]["maximum"]
    for value in (low, high):
        Settings.from_config({"api_key": KEY, name: value})
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=f"from {low} to {high}"):
            Settings.from_config({"api_key": KEY, name: value})


@pytest.mark.parametrize("option", options(), ids=lambda option: option["title"])
def test_every_option_that_the_form_can_send_is_understood(option):
    sent = {}
    for name, field in option["properties"].items():
        examples = field.get("examples")
        sent[name] = field.get("const") or (examples if field["type"] == "array" else examples[0])
    jsonschema.validate({"api_key": KEY, "companies": sent}, SPEC)
    assert Settings.from_config({"api_key": KEY, "companies": sent}).selection.kind.value == sent["selection"]


def test_what_the_form_sends_untouched_is_a_valid_configuration():
    sent = {"api_key": KEY, "companies": {"selection": "all"}, **DEFAULTS}
    jsonschema.validate(sent, SPEC)
    Settings.from_config(sent)
