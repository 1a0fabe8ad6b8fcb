"""Custom data types: which platforms have one that the user names."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from source_codat.client import Answer, CodatClient
from source_codat.company import Company, Connection
from source_codat.errors import MalformedAnswer, PartitionFailed, PartitionSkipped

_MOST_PLATFORMS = 500
IDENTIFIER = "customDataIdentifier"


class _Integration(msgspec.Struct):
    key: str = ""
    integrationId: str = ""  # noqa: N815 - Codat's name


class _Integrations(msgspec.Struct):
    results: list[_Integration]


@dataclass
class CustomDataTypes:
    """Asks each platform once whether it has a custom data type."""

    client: CodatClient
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)
    _keys: dict[str, str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def held_by(self, connection: Connection, identifier: str) -> bool:
        """Whether a connection's platform has the data type; where that is in doubt, it may."""
        with self._lock:
            platform = self._platform(connection)
            if not platform:
                return True
            if (platform, identifier) not in self._known:
                self._known[platform, identifier] = self._ask(platform, identifier)
            return self._known[platform, identifier]

    def known(self, companies: Iterable[Company], identifier: str) -> bool:
        """Whether any connection of these companies can hold the data type."""
        return any(self.held_by(one, identifier) for company in companies for one in company.connections(()))

    def _platform(self, connection: Connection) -> str:
        """A connection's platform key; Codat may leave it out and name its integration only."""
        if connection.integrationKey:
            return connection.integrationKey
        if self._keys is None:
            self._keys = {}
            with contextlib.suppress(PartitionSkipped, PartitionFailed):  # then it stays in doubt
                params = {"page": 1, "pageSize": _MOST_PLATFORMS}
                for one in self.client.get("/integrations", params, _integrations):
                    self._keys[one.integrationId] = one.key
        return self._keys.get(connection.integrationId or "", "")

    def _ask(self, platform: str, identifier: str) -> bool:
        path = f"/integrations/{quote(platform, safe='')}/dataTypes/custom/{quote(identifier, safe='')}"
        try:
            return self.client.get(path, None, lambda _: True)
        except PartitionSkipped as skipped:
            return skipped.reason != "not_supported"
        except PartitionFailed:
            return True


def _integrations(answer: Answer) -> list[_Integration]:
    try:
        return msgspec.json.decode(answer.body, type=_Integrations).results
    except msgspec.MsgspecError as error:
        raise MalformedAnswer(f"the list of platforms wasn't the JSON that was expected ({error})") from None
