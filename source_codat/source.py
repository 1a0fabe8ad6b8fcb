"""SourceCodat: the connector as Airbyte's CDK sees it."""

from __future__ import annotations

import json
import logging
import pkgutil
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    Status,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from airbyte_cdk.utils.yaml_loader import safe_load_yaml

from source_codat.check import Check, check_filters
from source_codat.config.api_key import register_secrets
from source_codat.config.settings import DeletedRecords, Settings
from source_codat.config.unknown_keys import unknown_keys
from source_codat.engine.assembly import build_read
from source_codat.engine.read import Read
from source_codat.foundation.errors import ConfigError, PartitionFailed, ReadStopped
from source_codat.reading.rows import RowBatch
from source_codat.state.store import SavedStates, unused
from source_codat.streams import read_outcomes
from source_codat.streams.catalog import CodatStream, build_streams, queryable_streams
from source_codat.streams.names import refuse_unknown

logger = logging.getLogger("airbyte")


class SourceCodat(ConcurrentDeclarativeSource):
    """Reads Codat; works with and without a configuration at construction.

    The manifest says how to ask and which streams there are. Reading, state and errors are the
    connector's own: docs/behaviour.md says why.
    """

    # Our own sentences say what is wrong with a configuration; the stock ones quote JSON schema.
    check_config_against_spec = False

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        **kwargs: Any,
    ) -> None:
        manifest = safe_load_yaml(_package_file("manifest.yaml"))
        super().__init__(catalog, config, state, source_config=manifest, **kwargs)
        self._read: Read | None = None

    def check(
        self,
        logger: logging.Logger,  # noqa: ARG002 - the CDK's signature
        config: Mapping[str, Any],
    ) -> AirbyteConnectionStatus:
        """Whether a configuration works, with one full sentence where it doesn't."""
        try:
            settings, streams = self._prepare(config)
            Check(settings, streams).run()
        except (ConfigError, ReadStopped, PartitionFailed) as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=error.message)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(
        self,
        logger: logging.Logger,  # noqa: ARG002 - the CDK's signature
        config: Mapping[str, Any],
    ) -> AirbyteCatalog:
        """The streams and their schemas; raises ConfigError where the configuration is wrong."""
        _, streams = self._prepare(config)
        of_codat = [stream.as_airbyte_stream() for stream in streams.values()]
        return AirbyteCatalog(streams=[*of_codat, read_outcomes.as_airbyte_stream()])

    def read(
        self,
        logger: logging.Logger,  # noqa: ARG002 - the CDK's signature
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Read the configured streams as ordinary Airbyte messages."""
        for message in self.read_batches(config, catalog, state):
            if isinstance(message, RowBatch):
                yield from message.messages()
            else:
                yield message

    def read_batches(
        self,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage | RowBatch]:
        """Read the configured streams with rows still in batches: what the console script writes."""
        names = [configured.stream.name for configured in catalog.streams]
        settings, streams = self._prepare(config, names)
        refuse_unknown(names, self._names(settings))
        saved = None if state is None else SavedStates(state)
        for sentence in unused(saved or SavedStates(), names, self._names(settings)):
            logger.warning(sentence)
        self._read = build_read(settings, streams, catalog, saved)
        yield from self._read.messages()

    def stop(self, error: AirbyteTracedException) -> bool:
        """End a running read after the last state, and raise `error` then; False where none runs."""
        if self._read is not None:
            self._read.request_stop(error)
        return self._read is not None

    def streams(self, config: Mapping[str, Any]) -> list[CodatStream]:  # type: ignore[override]  # see CodatStream
        """The streams of the manifest for a configuration; `read_outcomes` isn't one of them."""
        return list(self._prepare(config)[1].values())

    def _prepare(
        self, config: Mapping[str, Any], names: Collection[str] | None = None
    ) -> tuple[Settings, dict[str, CodatStream]]:
        config = config or self._config
        register_secrets((config or {}).get("api_key"))  # before anything is said of the rest
        for sentence in unknown_keys(config or {}, self._schema_of_configurations()):
            logger.warning(sentence)
        settings = Settings.from_config(config)
        check_filters(settings, queryable_streams(self._source_config, settings.custom_data_types))
        return settings, build_streams(
            self._constructor,
            self._source_config,
            settings.custom_data_types,
            config,
            names,
            dates_deletions=settings.deleted_records is DeletedRecords.REMOVE,
        )

    def _names(self, settings: Settings) -> Collection[str]:
        return queryable_streams(self._source_config, settings.custom_data_types)

    @staticmethod
    def _schema_of_configurations() -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(_package_file("spec.json"))["connectionSpecification"]
        return found


def _package_file(name: str) -> bytes:
    content = pkgutil.get_data("source_codat", name)
    if content is None:
        raise FileNotFoundError(f"source_codat/{name}")
    return content
