"""The manifest's rules: no key that nobody reads, no row without its schema, nothing that grep can't find."""

import copy
import dataclasses
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from airbyte_cdk.utils.yaml_loader import safe_load_yaml

from source_codat.http.authenticator import CodatAuthenticator
from source_codat.streams.definition import CodatRetriever
from source_codat.streams.read_outcomes import READ_OUTCOMES
from unit_tests.support import schema_files
from unit_tests.support.catalogue import (
    CATALOGUE,
    DATED_BY_CODAT_SYNC,
    OTHER_KEYS,
    SYNCED_AT,
    cursor_of,
    key_of,
)
from unit_tests.support.manifest import MANIFEST, TEXT
from unit_tests.support.source import streams_of

PACKAGE = Path(__file__).resolve().parent.parent / "source_codat"
RESOLVED: dict[str, Any] = dict(ManifestReferenceResolver().preprocess_manifest(safe_load_yaml(TEXT)))
ROWS: list[dict[str, Any]] = MANIFEST["streams"]
NAMES = [row["$parameters"]["name"] for row in ROWS]
DEFINITIONS: dict[str, Any] = MANIFEST["definitions"]
FAMILIES = {name for name, one in DEFINITIONS.items() if "retriever" in one}  # the others are plumbing
OF_CUSTOM_DATA_TYPES = "custom_data_by_connection"  # the one family without a row
STREAMS = {one.name: one for one in streams_of()}
CUSTOM = streams_of(custom_data_types=["identifier"])[-1]

CDK: dict[str, Any] = safe_load_yaml(
    pkgutil.get_data("airbyte_cdk", "sources/declarative/declarative_component_schema.yaml") or b""
)["definitions"]
OURS = {
    f"{one.__module__}.{one.__name__}": {field.name for field in dataclasses.fields(one)}
    for one in (CodatRetriever, CodatAuthenticator)
}
# What the factory or the connector sets: saying it in the manifest would change nothing.
NOT_IN_A_ROW = {"config", "shares_answers", "columns"}
UNTYPED = {"response_filters": "HttpResponseFilter"}  # where the CDK needs no `type`
FREE_FORM = {"request_parameters", "request_headers", "parent_ids", "from_nested", "each"}

KEY_MATERIAL = [
    "/apiKeys",
    "/profile",
    "/companies/{companyId}/accessToken",
    "/companies/{companyId}/connectionManagement/accessToken",
    "/connectionManagement/accessToken",
    "/integrations/credentials/{platformKey}",
    "/webhooks",
    "/webhooks/{webhookId}",
    "/rules",
]


def unknown_keys(node: Any, path: str = "", default: str = "") -> Iterator[str]:
    """Keys that the CDK, or our own components, would pass over in silence."""
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from unknown_keys(child, f"{path}[{number}]", default)
    if not isinstance(node, dict):
        return
    kind = str(node.get("type", default))
    own = OURS.get(node.get("class_name", ""))
    if own is not None:
        known = {"class_name"} | (own - NOT_IN_A_ROW)
    elif kind in CDK:
        known = set(CDK[kind]["properties"])
    else:
        yield f"{path}: a component of no type that is known"
        return
    yield from (f"{path}.{name}" for name in set(node) - known - {"$parameters", "type"})
    for name, child in node.items():
        if name not in FREE_FORM | {"$parameters"}:
            yield from unknown_keys(child, f"{path}.{name}" if path else name, UNTYPED.get(name, ""))


def references(node: Any) -> Iterator[str]:
    """What a part of the unresolved manifest refers to, at any depth."""
    if isinstance(node, str) and node.startswith("#/"):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(child)


def test_a_line_is_no_longer_than_one_of_code():
    assert [line for line in TEXT.splitlines() if len(line) > 110] == []


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_refers_to_the_plumbing_only_and_never_to_a_family(name):
    plumbing = {f"#/definitions/{one}" for one in set(DEFINITIONS) - FAMILIES}
    assert set(references(DEFINITIONS[name])) - plumbing == set()


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_family_says_itself_how_its_streams_are_read(name):
    family = DEFINITIONS[name]
    assert set(family) == {"type", "primary_key", "schema_loader", "retriever"}
    assert {"path", "records"} <= set(family["retriever"])


def test_references_are_found_wherever_they_are():
    node = {"$ref": "#/a", "one": [{"two": {"$ref": "#/b"}}, "#/c"], "path": "/d", "pages": 4}
    assert set(references(node)) == {"#/a", "#/b", "#/c"}


@pytest.mark.parametrize("name", ["check", "concurrency_level", "streams"])
def test_no_component_has_a_key_that_nobody_reads(name):
    assert list(unknown_keys(RESOLVED[name], name)) == []


@pytest.mark.parametrize("name", RESOLVED["definitions"])
def test_no_definition_has_a_key_that_nobody_reads(name):
    definition = {"type": "DeclarativeStream", "name": name, **RESOLVED["definitions"][name]}
    node = definition if "retriever" in definition else RESOLVED["definitions"][name]
    assert list(unknown_keys(node, name)) == []


@pytest.mark.parametrize(
    "place",
    [
        "",
        "schema_loader",
        "retriever",
        "retriever.requester",
        "retriever.requester.authenticator",
        "retriever.requester.error_handler",
        "retriever.requester.error_handler.response_filters.0",
    ],
)
def test_a_misspelt_key_is_noticed_wherever_it_is(place):
    row = copy.deepcopy(RESOLVED["streams"][0])
    node = row
    for step in filter(None, place.split(".")):
        node = node[int(step)] if step.isdigit() else node[step]
    node["page_sise"] = 5
    [found] = unknown_keys([row], "streams")
    assert found.endswith(".page_sise")


def test_what_only_the_factory_may_set_is_no_key_of_the_manifest():
    row = copy.deepcopy(RESOLVED["streams"][0])
    row["retriever"]["shares_answers"] = True
    assert list(unknown_keys([row], "streams")) == ["streams[0].retriever.shares_answers"]


def test_the_top_level_has_only_what_the_cdk_knows():
    assert set(MANIFEST) <= set(safe_load_yaml(_schema())["properties"])


def _schema() -> bytes:
    return pkgutil.get_data("airbyte_cdk", "sources/declarative/declarative_component_schema.yaml") or b""


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_row_is_a_family_and_a_few_names(row):
    assert set(row) == {"$ref", "$parameters"}
    assert row["$ref"].startswith("#/definitions/")
    assert {"name"} <= set(row["$parameters"]) <= {"name", "dataset", "data_type"}


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_row_stands_on_one_line_or_is_broken_where_that_is_too_long_and_answers_to_grep(row):
    parameters = ", ".join(f"{name}: {value}" for name, value in row["$parameters"].items())
    halves = f'  - {{ $ref: "{row["$ref"]}",', f"$parameters: {{ {parameters} }} }}"
    line = " ".join(halves)
    form = line if len(line) <= 110 else "\n      ".join(halves)
    assert f"\n{TEXT}".count(f"\n{form}\n") == 1, f"source_codat/manifest.yaml: write the row as\n{form}"


def test_no_name_is_given_twice():
    assert len(set(NAMES)) == len(NAMES)
    assert len({name.lower() for name in NAMES}) == len(NAMES)


def test_no_schema_stands_in_the_manifest_and_no_yaml_anchor():
    assert "InlineSchemaLoader" not in TEXT
    assert not re.search(r"(^|[\s:\[,])[&*][A-Za-z_]\w*", TEXT)


def test_every_row_has_a_schema_and_every_schema_a_row():
    files = {path.stem for path in (PACKAGE / "schemas").glob("*.json")}
    assert files == {*NAMES, "custom_data_type_records", READ_OUTCOMES}


def test_every_family_has_a_row_or_is_that_of_the_custom_data_types():
    of_rows = {row["$ref"].removeprefix("#/definitions/") for row in ROWS}
    assert of_rows | {OF_CUSTOM_DATA_TYPES} == FAMILIES


def test_no_plumbing_is_unused():
    used = {found.removeprefix("#/definitions/") for found in references(DEFINITIONS)}
    assert used == set(DEFINITIONS) - FAMILIES


def columns_to_add(name: str, columns: set[str]) -> str:
    """What to write into a stream's schema for columns that its key, cursor or path needs."""
    lines = "\n".join(
        f"    {json.dumps(column)}: {schema_files.node_of(column)}," for column in sorted(columns)
    )
    return f"source_codat/schemas/{name}.json lacks what the stream's family needs. Add:\n{lines}"


def leads_to_keys(path: str) -> bool:
    return bool(re.search(r"apiKeys|accessToken|/credentials(/|$)|^/(webhooks|rules|profile)(/|$)", path))


@pytest.mark.parametrize("path", KEY_MATERIAL)
def test_an_endpoint_that_returns_key_material_is_recognised(path):
    assert leads_to_keys(path)


@pytest.mark.parametrize("name", STREAMS)
def test_no_stream_is_read_from_an_endpoint_that_returns_key_material(name):
    path = STREAMS[name].retriever.path
    assert path not in KEY_MATERIAL
    assert not leads_to_keys(path)


@pytest.mark.parametrize("name", [name for name in NAMES if name in CATALOGUE])
def test_path_key_and_cursor_are_codats(name):
    """A stream that isn't in the catalogue is named in test_adding_a_stream.py."""
    stream = STREAMS[name]
    path, cursor = CATALOGUE[name][0], cursor_of(name)
    where = f"{name}: source_codat/manifest.yaml has it otherwise than unit_tests/support/catalogue.py"
    assert stream.retriever.path == path, where
    assert list(stream.primary_key) == key_of(name), (
        f"{where}; where another key is better, add it to OTHER_KEYS"
    )
    assert (stream.retriever.cursor_field or None) == cursor, where


def test_a_cursor_that_isnt_codats_is_there_where_codat_has_none():
    assert {name for name in DATED_BY_CODAT_SYNC if CATALOGUE[name][2]} == set()


@pytest.mark.parametrize("stream", [*STREAMS.values(), CUSTOM], ids=[*STREAMS, CUSTOM.name])
def test_what_is_dated_by_a_codat_sync_has_a_data_type_and_is_not_asked_for_by_date(stream):
    retriever = stream.retriever
    assert retriever.by_codat_sync == (retriever.cursor_field == SYNCED_AT)
    if retriever.by_codat_sync:
        assert retriever.data_types
        assert not retriever.queryable


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_data_type_that_data_status_names_makes_a_stream_incremental(stream):
    assert not stream.retriever.data_types or stream.retriever.cursor_field


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_only_a_stream_that_is_dated_by_its_parent_is_read_by_new_parents(stream):
    assert stream.retriever.by_new_parents == (stream.name == "read_validation_results")


@pytest.mark.parametrize("name", OTHER_KEYS)
def test_a_key_that_isnt_codats_differs_from_it_for_a_reason(name):
    key, reason = OTHER_KEYS[name]
    assert key != CATALOGUE[name][1]
    assert reason


@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_made_of_what_is_asked_for_and_of_one_column_that_is_never_empty(name):
    """The rest of the key is the row's own id, which is made up where it is missing, or rowKey."""
    retriever = STREAMS[name].retriever
    asked = {*retriever.scope, *retriever.from_request}
    own = [part for part in STREAMS[name].primary_key if part not in asked]
    assert own in ([], ["rowKey"], [retriever.own_key])
    assert bool(retriever.key_fields) <= retriever.has_row_key


@pytest.mark.parametrize("name", NAMES)
def test_keys_and_cursor_are_columns_of_the_schema(name):
    stream = STREAMS[name]
    columns = set(stream.schema_loader.get_json_schema()["properties"])
    wanted = {*stream.primary_key, *stream.retriever.key_fields, *stream.retriever.from_nested}
    lacking = (wanted | {stream.retriever.cursor_field}) - {""} - columns
    assert not lacking, columns_to_add(name, lacking)


@pytest.mark.parametrize("name", NAMES)
def test_every_id_of_the_path_is_in_the_record(name):
    stream = STREAMS[name]
    columns = set(stream.schema_loader.get_json_schema()["properties"])
    lacking = set(stream.retriever.scope) - columns
    assert not lacking, columns_to_add(name, lacking)


@pytest.mark.parametrize("name", NAMES)
def test_a_parent_is_a_stream_with_the_columns_that_its_children_need(name):
    retriever = STREAMS[name].retriever
    if retriever.parent:
        columns = set(STREAMS[retriever.parent].schema_loader.get_json_schema()["properties"])
        assert set(retriever.parent_ids.values()) <= columns
        assert set(retriever.parent_ids) <= set(retriever.scope)
    else:
        assert not retriever.parent_ids
        assert not retriever.latest


@pytest.mark.parametrize("name", NAMES)
def test_what_a_stream_depends_on_exists(name):
    known = {one.retriever.data_type for one in STREAMS.values()}
    assert set(STREAMS[name].retriever.depends_on) <= known


def test_a_custom_data_type_is_asked_for_by_its_identifier():
    assert CUSTOM.name == "custom_identifier"
    assert CUSTOM.retriever.path.endswith("/data/custom/{customDataIdentifier}")
    assert list(CUSTOM.primary_key) == ["companyId", "connectionId", "customDataIdentifier", "id"]


def test_only_get_requests_are_sent():
    assert RESOLVED["definitions"]["requester"]["http_method"] == "GET"
    assert set(re.findall(r"http_method: (\w+)", TEXT)) == {"GET"}
