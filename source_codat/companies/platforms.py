"""What the platforms behind connections support, as Codat's list of integrations says."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from source_codat.companies.company import Company, Connection
from source_codat.foundation.errors import MalformedAnswer, PartitionFailed, PartitionSkipped
from source_codat.foundation.paths import path_segment
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.http.client import CodatClient
from source_codat.http.transport import Answer

_MOST_PLATFORMS = 500


class _Feature(msgspec.Struct):
    featureType: str = ""  # noqa: N815 - Codat's name
    featureState: str = ""  # noqa: N815 - Codat's name


class _DataTypeFeatures(msgspec.Struct):
    dataType: str = ""  # noqa: N815 - Codat's name
    datatype: str = ""  # as Codat's specification has it in one place
    supportedFeatures: list[_Feature] | None = None  # noqa: N815 - Codat's name


class _Integration(msgspec.Struct):
    key: str = ""
    integrationId: str = ""  # noqa: N815 - Codat's name
    datatypeFeatures: list[_DataTypeFeatures] | None = None  # noqa: N815 - Codat's name

    def refuses(self, data_type: str) -> bool:
        """Whether the platform says that it can't give the data type; saying nothing isn't that."""
        states = [
            feature.featureState
            for listed in self.datatypeFeatures or ()
            if data_type in (listed.dataType, listed.datatype)
            for feature in listed.supportedFeatures or ()
            if feature.featureType == "Get"
        ]
        return bool(states) and all(state == "NotSupported" for state in states)


class _Integrations(msgspec.Struct):
    results: list[_Integration]


@dataclass
class Platforms:
    """Asks Codat for its integrations, once a read and only when needed; safe to use from several threads."""

    client: CodatClient
    _all: Mapping[str, _Integration] | None = None
    _custom: dict[tuple[str, str], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def none_supports(self, connections: Iterable[Connection], data_type: str) -> bool:
        """Whether none of these connections' platforms can give a data type; in doubt one may."""
        with self._lock:
            found = [self._integrations().get(connection.integrationId or "") for connection in connections]
        return bool(found) and all(
            integration is not None and integration.refuses(data_type) for integration in found
        )

    def has_custom(self, connection: Connection, identifier: str) -> bool:
        """Whether a connection's platform has a custom data type; in doubt it may."""
        with self._lock:
            known = None if connection.integrationKey else self._integrations()
            listed = known.get(connection.integrationId or "") if known else None
            platform = connection.integrationKey or (listed.key if listed else "")
            if not platform:
                return True
            if (platform, identifier) not in self._custom:
                self._custom[platform, identifier] = self._ask_custom(platform, identifier)
            return self._custom[platform, identifier]

    def any_has_custom(self, companies: Iterable[Company], identifier: str) -> bool:
        """Whether any connection of these companies can hold a custom data type."""
        links = (connection for company in companies for connection in company.connections(()))
        return any(self.has_custom(connection, identifier) for connection in links)

    def _integrations(self) -> Mapping[str, _Integration]:
        if self._all is None:
            self._all = {}
            with contextlib.suppress(PartitionSkipped, PartitionFailed):  # then all stays in doubt
                params = {"page": 1, "pageSize": _MOST_PLATFORMS}
                listed = self.client.get("/integrations", params, _parsed)
                self._all = {integration.integrationId: integration for integration in listed}
        return self._all

    def _ask_custom(self, platform: str, identifier: str) -> bool:
        try:
            path = f"/integrations/{path_segment(platform)}/dataTypes/custom/{path_segment(identifier)}"
            return self.client.get(path, None, lambda _: True)
        except PartitionSkipped as skipped:
            return skipped.reason is not SkipReason.NOT_SUPPORTED
        except PartitionFailed:
            return True


def _parsed(answer: Answer) -> list[_Integration]:
    try:
        return msgspec.json.decode(answer.body, type=_Integrations).results
    except msgspec.MsgspecError as error:
        raise MalformedAnswer(f"the list of platforms wasn't the JSON that was expected ({error})") from None
