"""The manifest's table of streams, built for one configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airbyte_cdk.models import AirbyteStream, SyncMode
from airbyte_cdk.sources.declarative.models.declarative_component_schema import (
    CustomRetriever,
    JsonFileSchemaLoader,
)
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.declarative.schema import SchemaLoader

from source_codat.streams.columns import Columns
from source_codat.streams.definition import CUSTOM, CUSTOM_IDENTIFIER, DELETED_AT, CodatRetriever
from source_codat.streams.read_outcomes import READ_OUTCOMES

_DELETED_AT = {
    "type": ["null", "string"],
    "format": "date-time",
    "description": "When the record was deleted at its source; null while it is there.",
}


@dataclass(frozen=True)
class CodatStream:
    """One row of the manifest's table, ready to be read."""

    retriever: CodatRetriever
    primary_key: Sequence[str]
    schema_loader: SchemaLoader = field(repr=False)  # it has the configuration in it

    @property
    def name(self) -> str:
        """The stream's name in the catalog."""
        return self.retriever.name

    def json_schema(self) -> dict[str, Any]:
        """The stream's columns, with that of deletions where its rows have it."""
        schema = dict(self.schema_loader.get_json_schema())
        if self.retriever.dates_deletions:
            schema["properties"] = {**schema["properties"], DELETED_AT: _DELETED_AT}
        return schema

    def as_airbyte_stream(self) -> AirbyteStream:
        """The stream as `discover` shows it."""
        incremental = bool(self.retriever.cursor_field)
        modes = [SyncMode.full_refresh] + [SyncMode.incremental] * incremental
        return AirbyteStream(
            name=self.name,
            json_schema=self.json_schema(),
            supported_sync_modes=modes,
            source_defined_cursor=True if incremental else None,
            default_cursor_field=[self.retriever.cursor_field] if incremental else None,
            source_defined_primary_key=[[name] for name in self.primary_key],
            # A second attempt of a full refresh writes into the same table, and would bring again what
            # the first one brought: the platform must empty it in between.
            is_resumable=False,
        )


def build_streams(
    factory: ModelToComponentFactory,
    manifest: Mapping[str, Any],
    identifiers: Sequence[str],
    config: Mapping[str, Any],
    names: Collection[str] | None = None,
    *,
    dates_deletions: bool = False,
) -> dict[str, CodatStream]:
    """The streams by name, in the manifest's order, then one for each custom data identifier.

    names: build only these, their parents and the company list; None builds all. dates_deletions: whether
    rows say when they were deleted, in streams whose deleted records stay.
    """
    definitions = [
        *manifest["streams"],
        *(_custom(manifest["definitions"], identifier) for identifier in identifiers),
    ]
    if names is not None:
        parents = {
            definition["retriever"].get("parent") for definition in definitions if definition["name"] in names
        }
        wanted = {*names, *parents, "companies"}
        definitions = [definition for definition in definitions if definition["name"] in wanted]
    streams: dict[str, CodatStream] = {}
    for definition in definitions:
        name = definition["name"]
        retriever = factory.create_component(CustomRetriever, definition["retriever"], config, name=name)
        loader = factory.create_component(JsonFileSchemaLoader, definition["schema_loader"], config)
        key = definition["primary_key"]
        retriever.dates_deletions = dates_deletions and retriever.marks_deleted
        retriever.columns = Columns(key, retriever.cursor_field, loader.get_json_schema)
        streams[name] = CodatStream(retriever, key, loader)
    asked = Counter(stream.retriever.path for stream in streams.values())
    for stream in streams.values():
        stream.retriever.shares_answers = asked[stream.retriever.path] > 1
    return streams


def queryable_streams(manifest: Mapping[str, Any], identifiers: Sequence[str]) -> dict[str, bool]:
    """By name, whether Codat can filter a stream; nothing is built for that."""
    listed = {row["name"]: bool(row["retriever"].get("queryable")) for row in manifest["streams"]}
    return {**listed, **{f"custom_{identifier}": False for identifier in identifiers}, READ_OUTCOMES: False}


def _custom(definitions: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    """The definition of a stream for one custom data identifier."""
    family = definitions["custom_data_by_connection"]
    retriever = {
        **family["retriever"],
        "each": {CUSTOM_IDENTIFIER: [identifier]},
        "data_type": f"{CUSTOM}{identifier}",
    }
    loader = {**family["schema_loader"], "$parameters": {"name": "custom_data_type_records"}}
    return {**family, "name": f"custom_{identifier}", "retriever": retriever, "schema_loader": loader}
