"""The platforms that companies are linked to, as `GET /integrations` lists them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from codat_simulator.definitions.data_types import supported_by
from codat_simulator.definitions.shape import shape

INTEGRATION = shape(
    "Integration",
    "key logoUrl name enabled:b sourceId sourceType integrationId isOfflineConnector:b isBeta:b"
    " dataProvidedBy"
    " datatypeFeatures[]",
)


@dataclass(frozen=True)
class Platform:
    """One integration: which data types it supports, and which style its record ids have."""

    key: str
    name: str
    source_type: str
    ids: str = "uuid"
    without: frozenset[str] = field(default_factory=frozenset)
    offline: bool = False
    custom: tuple[str, ...] = ()

    @property
    def integration_id(self) -> str:
        """Return the integration's own id."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"codat-simulator/integration/{self.key}"))

    @property
    def source_id(self) -> str:
        """Return the id of the data source behind the integration."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"codat-simulator/source/{self.key}"))

    def supports(self, data_type: str) -> bool:
        """Say whether the platform can hold a data type (custom ones included)."""
        if data_type.startswith("custom/"):
            return data_type.removeprefix("custom/") in self.custom
        return data_type in self.data_types()

    def data_types(self) -> list[str]:
        """Return the data types the platform supports, by key."""
        return [kind.key for kind in supported_by(self.source_type) if kind.key not in self.without]

    def integration(self) -> dict[str, Any]:
        """Return the platform as a row of `GET /integrations`."""
        gets = [{"featureType": "Get", "featureState": "Release"}]
        rows: list[dict[str, Any]] = [
            {"dataType": key, "supportedFeatures": gets} for key in self.data_types()
        ]
        rows += [
            {"dataType": key, "supportedFeatures": [{"featureType": "Get", "featureState": "NotSupported"}]}
            for key in sorted(self.without)
        ]
        row: dict[str, Any] = {
            "key": self.key,
            "logoUrl": f"https://static.example.com/logos/{self.key}.svg",
            "name": self.name,
            "enabled": self.key != "dfxm",
            "sourceId": self.source_id,
            "sourceType": self.source_type,
            "integrationId": self.integration_id,
            "isOfflineConnector": self.offline,
            "isBeta": False,
            "dataProvidedBy": self.name if self.source_type == "Banking" else None,
            "datatypeFeatures": rows,
        }
        return {name: value for name, value in row.items() if value is not None}


_SMALL = frozenset(
    {"journals", "journalEntries", "transfers", "itemReceipts", "salesOrders", "cashFlowStatement"}
)
PLATFORMS: dict[str, Platform] = {
    platform.key: platform
    for platform in (
        Platform("gbol", "Xero", "Accounting", "uuid", frozenset({"itemReceipts", "salesOrders"})),
        Platform("qhyg", "QuickBooks Online", "Accounting", "mixed", frozenset({"cashFlowStatement"})),
        Platform("ktna", "FreshBooks", "Accounting", "number", _SMALL),
        Platform(
            "pqsw",
            "QuickBooks Desktop",
            "Accounting",
            "mixed",
            offline=True,
            custom=("DesktopPurchaseOrders",),
        ),
        Platform(
            "dyna",
            "Microsoft Dynamics 365",
            "Accounting",
            "mixed",
            custom=("DynamicsPurchaseOrders", "Höhen"),
        ),
        Platform("plai", "Plaid", "Banking", "token"),
        Platform("trly", "TrueLayer", "Banking", "token", frozenset({"banking-transactionCategories"})),
        Platform("fztf", "Shopify", "Commerce", "number"),
        Platform("sqre", "Square", "Commerce", "token", frozenset({"commerce-taxComponents"})),
        Platform("bfdd", "Bank Feeds", "BankFeed"),
        Platform("expn", "Expenses by Codat", "Expense"),
        Platform("dfxm", "Business data upload", "Other"),
        Platform("mqjo", "Codat Sandbox", "Accounting", "mixed"),
    )
}
_USUAL = {
    "Accounting": ("gbol", "qhyg", "ktna", "dyna", "pqsw"),
    "Banking": ("plai", "trly"),
    "Commerce": ("fztf", "sqre"),
    "BankFeed": ("bfdd",),
    "Expense": ("expn",),
    "Other": ("dfxm",),
    "Unknown": ("dfxm",),
}


def usual_platform(source_type: str, number: int) -> Platform:
    """Return one of the platforms of a source type, in turn."""
    keys = _USUAL[source_type]
    return PLATFORMS[keys[number % len(keys)]]


def named_platform(name: str) -> Platform:
    """Return the platform of a key or a name; KeyError for an unknown one."""
    for platform in PLATFORMS.values():
        if name in (platform.key, platform.name):
            return platform
    raise KeyError(name)
