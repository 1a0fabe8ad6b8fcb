"""The catalog of a read: a configured one, or what `discover` printed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from airbyte_cdk.models import ConfiguredAirbyteCatalog, ConfiguredAirbyteCatalogSerializer, SyncMode, Type

from source_codat.foundation.errors import ConfigError
from source_codat.foundation.wording import did_you_mean, first_of
from source_codat.run.files import File, is_message, messages

_PLACE = re.compile(r"instance_path='([^']+)'")
_GIVE = "give what 'source-codat discover' printed, or a configured catalog"


def read_catalog(path: str, only: Sequence[str] = ()) -> ConfiguredAirbyteCatalog:
    """The streams to read; raises ConfigError where the file holds no catalog.

    only: the names of the streams to read, where not all of them are.
    """
    file = File(path, "catalog")
    content = _catalog(file)
    streams = content["streams"]
    if isinstance(streams, list) and any(_discovered(stream) for stream in streams):
        content = {"streams": [_configured(stream) if _discovered(stream) else stream for stream in streams]}
    try:
        catalog = ConfiguredAirbyteCatalogSerializer.load(content)
    except Exception as error:  # the serializer raises errors of many kinds  # noqa: BLE001
        # Where it is wrong, and no more: a configuration taken for a catalog would be quoted, key and all.
        found = _PLACE.search(str(error))
        place = f" at '{found.group(1)[:200]}'" if found else ""
        raise file.refused(f"isn't a catalog: correct it{place} and try again, or {_GIVE}.") from None
    if not catalog.streams:
        raise file.refused("selects no stream: add at least one.")
    return _narrowed(catalog, only) if only else catalog


def _catalog(file: File) -> dict[str, Any]:
    """The catalog in a file, whatever stands around it."""
    text = file.text()
    found = list(messages(text.splitlines()))
    if not found:
        whole = file.parsed(text)
        found = [value for value in (whole if isinstance(whole, list) else [whole]) if is_message(value)]
        if not found:
            if not isinstance(whole, dict) or "streams" not in whole:
                raise file.refused(f"holds no catalog: {_GIVE}.")
            return whole
    catalogs = [message.get("catalog") for message in found if message["type"] == Type.CATALOG.value]
    if catalogs and isinstance(catalogs[-1], dict) and "streams" in catalogs[-1]:
        return catalogs[-1]
    kinds = ", ".join(dict.fromkeys(message["type"] for message in found))
    raise file.refused(f"holds no catalog but messages of other kinds ({kinds}): {_GIVE}.")


def _discovered(stream: Any) -> bool:
    return isinstance(stream, dict) and "stream" not in stream and "supported_sync_modes" in stream


def _configured(stream: Mapping[str, Any]) -> dict[str, Any]:
    """A stream that `discover` printed, to be read incrementally where it can be."""
    modes = stream["supported_sync_modes"]
    incremental = isinstance(modes, list) and SyncMode.incremental.value in modes
    mode = SyncMode.incremental if incremental else SyncMode.full_refresh
    return {"stream": stream, "sync_mode": mode.value, "destination_sync_mode": "append"}


def _narrowed(catalog: ConfiguredAirbyteCatalog, only: Sequence[str]) -> ConfiguredAirbyteCatalog:
    names = [configured.stream.name for configured in catalog.streams]
    unknown = [name for name in only if name not in names]
    if unknown:
        told = [f"'{name}'{did_you_mean(name, names)}" for name in unknown]
        raise ConfigError(f"--streams names what the catalog doesn't have: {first_of(told)}.")
    return ConfiguredAirbyteCatalog(
        streams=[configured for configured in catalog.streams if configured.stream.name in only]
    )
