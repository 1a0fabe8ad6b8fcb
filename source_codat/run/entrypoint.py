"""The four commands, from files to lines on stdout."""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import is_platform_debug_log_enabled
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
    Type,
)
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.config.api_key import register_secrets
from source_codat.foundation.errors import ConfigError
from source_codat.reading.rows import RowBatch
from source_codat.source import SourceCodat

_NL = b"\n"
_PLACE = re.compile(r"instance_path='([^']+)'")


class CodatEntrypoint(AirbyteEntrypoint):
    """The CDK's entry point, but for three things.

    A wrong configuration is told in our sentences instead of JSON schema's; files that can't be
    used are told in one sentence; and rows leave in batches of bytes.
    """

    source: SourceCodat

    def lines(self, args: argparse.Namespace) -> Iterator[bytes]:
        """What a command writes, as whole lines; raises AirbyteTracedException where it fails."""
        update_secrets([])
        if args.command == "spec":
            spec = AirbyteMessage(type=Type.SPEC, spec=self.source.spec(self.logger))
            yield self._line(spec)
            return
        config = _read_json(args.config, "configuration")
        if not isinstance(config, dict):
            raise ConfigError("The configuration file must contain a JSON object: see 'spec' for its fields.")
        register_secrets(config.get("api_key"))  # the other files may hold it too, by mistake
        if args.command == "check":
            status = self.source.check(self.logger, config)
            yield self._line(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status))
        elif args.command == "discover":
            catalog = self.source.discover(self.logger, config)
            yield self._line(AirbyteMessage(type=Type.CATALOG, catalog=catalog))
        else:
            catalog = _read_catalog(args.catalog)
            yield from self._read_lines(config, catalog, _read_state(args.state))

    def set_log_level(self, args: argparse.Namespace) -> None:
        """Log as much as --debug or the platform's LOG_LEVEL asks for."""
        debug = getattr(args, "debug", False) or is_platform_debug_log_enabled()
        logging.getLogger("airbyte").setLevel(logging.DEBUG if debug else logging.INFO)

    def _read_lines(
        self,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage],
    ) -> Iterator[bytes]:
        for message in self.source.read_batches(config, catalog, state):
            yield message.lines() if isinstance(message, RowBatch) else self._line(message)

    def _line(self, message: AirbyteMessage) -> bytes:
        return self.airbyte_message_to_string(message).encode() + _NL


def _read_json(path: str, what: str) -> Any:
    if path.lstrip()[:1] in ("{", "["):  # its contents, the key among them, aren't repeated
        raise _file_error(f"The {what} was given itself: write it to a file and give that file's name.")
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _file_error(f"The {what} file '{path}' can't be read: {reason}.") from None
    except ValueError:
        raise _file_error(f"The {what} file '{path}' isn't valid JSON: correct it and try again.") from None


def _read_catalog(path: str) -> ConfiguredAirbyteCatalog:
    content = _read_json(path, "catalog")
    try:
        catalog = ConfiguredAirbyteCatalogSerializer.load(content)
    except Exception as error:  # the serializer raises errors of many kinds  # noqa: BLE001
        raise _malformed("catalog", path, "a configured catalog", error) from None
    if not catalog.streams:
        raise _file_error(f"The catalog file '{path}' selects no stream: add at least one.")
    return catalog


def _read_state(path: str | None) -> list[AirbyteStateMessage]:
    if not path:
        return []
    content = _read_json(path, "state")
    if isinstance(content, dict):  # one message, or nothing at all
        content = [content] if content else []
    try:
        return [AirbyteStateMessageSerializer.load(one) for one in content or []]
    except Exception as error:  # noqa: BLE001 - as above
        raise _malformed("state", path, "a list of Airbyte state messages", error) from None


def _malformed(what: str, path: str, wanted: str, error: Exception) -> AirbyteTracedException:
    # Where it is wrong, and no more: a configuration taken for a catalog would be quoted, key and all.
    found = _PLACE.search(str(error))
    place = f" at '{found.group(1)[:200]}'" if found else ""
    return _file_error(f"The {what} file '{path}' isn't {wanted}: correct it{place} and try again.")


def _file_error(sentence: str) -> AirbyteTracedException:
    return AirbyteTracedException(
        message=sentence, internal_message=sentence, failure_type=FailureType.config_error
    )
