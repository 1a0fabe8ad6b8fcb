"""Custom data types: which platforms have one that the user names."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from source_codat.client import CodatClient
from source_codat.company import Company, Connection
from source_codat.errors import PartitionFailed, PartitionSkipped

IDENTIFIER = "customDataIdentifier"


@dataclass
class CustomDataTypes:
    """Asks each platform once whether it has a custom data type."""

    client: CodatClient
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def held_by(self, connection: Connection, identifier: str) -> bool:
        """Whether a connection's platform has the data type; where that is in doubt, it may."""
        platform = connection.integrationKey
        if not platform:
            return True
        with self._lock:
            if (platform, identifier) not in self._known:
                self._known[platform, identifier] = self._ask(platform, identifier)
            return self._known[platform, identifier]

    def known(self, companies: Iterable[Company], identifier: str) -> bool:
        """Whether any connection of these companies can hold the data type."""
        return any(self.held_by(one, identifier) for company in companies for one in company.connections(()))

    def _ask(self, platform: str, identifier: str) -> bool:
        path = f"/integrations/{quote(platform, safe='')}/dataTypes/custom/{quote(identifier, safe='')}"
        try:
            return self.client.get(path, None, lambda _: True)
        except PartitionSkipped as skipped:
            return skipped.reason != "not_supported"
        except PartitionFailed:
            return True
