"""The commands, from files to lines on stdout."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    Status,
    Type,
)
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets

from source_codat.config.api_key import register_secrets
from source_codat.config.parts import part_from_config
from source_codat.foundation.errors import ConfigError
from source_codat.reading.rows import RowBatch
from source_codat.run.arguments import Arguments, Command
from source_codat.run.catalogs import read_catalog
from source_codat.run.files import File
from source_codat.run.output import line_of
from source_codat.run.states import read_state
from source_codat.source import SourceCodat
from source_codat.state.merge import merged
from source_codat.state.store import SavedStates

_ADDS_NOTHING = (
    "it adds nothing to the merged state, and companies that only it knew start from the beginning."
)
logger = logging.getLogger("airbyte")


def lines(source: SourceCodat, arguments: Arguments, tell: Callable[[str], None]) -> Iterator[bytes]:
    """What a command writes, as whole lines; raises AirbyteTracedException where it fails.

    tell: takes the sentence of a check that didn't succeed, beside its message.
    """
    update_secrets([])
    if arguments.command is Command.SPEC:
        yield line_of(AirbyteMessage(type=Type.SPEC, spec=source.spec(logger)))
        return
    if arguments.command is Command.MERGE_STATES:
        yield from _merged(arguments)
        return
    config = File(arguments.config, "configuration").json()
    if not isinstance(config, dict):
        raise ConfigError("The configuration file must contain a JSON object: see 'spec' for its fields.")
    register_secrets(config.get("api_key"))  # the other files may hold it too, by mistake
    if arguments.command is Command.CHECK:
        yield _status(source.check(logger, config), tell)
    elif arguments.command is Command.DISCOVER:
        catalog = source.discover(logger, config)
        yield line_of(AirbyteMessage(type=Type.CATALOG, catalog=catalog))
    else:
        configured = read_catalog(arguments.catalog, arguments.streams)
        yield from _read(source, config, configured, read_state(arguments.state))


def _merged(arguments: Arguments) -> Iterator[bytes]:
    part = part_from_config(arguments.part, f"'{arguments.part}'")
    states = [SavedStates(read_state(path, without=_ADDS_NOTHING) or ()) for path in arguments.states]
    if not any(states):
        raise ConfigError("None of the files has a state, so there is nothing to merge: see which are meant.")
    messages, warnings = merged(states, part)
    yield from map(line_of, messages)
    for sentence in warnings:
        logger.warning(sentence)


def _status(status: AirbyteConnectionStatus, tell: Callable[[str], None]) -> bytes:
    if status.status is Status.FAILED and status.message:
        tell(status.message)
    return line_of(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status))


def _read(
    source: SourceCodat,
    config: Mapping[str, Any],
    catalog: ConfiguredAirbyteCatalog,
    state: list[AirbyteStateMessage] | None,
) -> Iterator[bytes]:
    for message in source.read_batches(config, catalog, state):
        if isinstance(message, RowBatch):
            yield from (part.lines() for part in message.slices())
        else:
            yield line_of(message)
