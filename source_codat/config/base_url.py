"""Where the key may be sent: https anywhere, plain http only to this machine and private networks."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from source_codat.foundation.errors import ConfigError

# No spaces, backslashes or braces: programs differ in which host such an address names.
_ADDRESS = re.compile(
    r"https?://([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?", re.IGNORECASE
)
_SHAPE = "write it as https://host, or leave it empty."


def check_base_url(value: Any) -> None:
    """Raise ConfigError where a base URL could send the key somewhere unsafe, or nowhere."""
    if value is None or value == "":
        return
    if not isinstance(value, str):
        raise ConfigError(f"'base_url' isn't an address: {_SHAPE}")
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(f"'base_url' isn't an address: {_SHAPE}") from None
    if parts.scheme not in {"http", "https"}:
        raise ConfigError(f"'base_url' isn't an address that starts with https://: {_SHAPE}")
    if "@" in parts.netloc:
        raise ConfigError("'base_url' must not contain credentials: the key belongs into 'api_key'.")
    if parts.path not in {"", "/"} or "?" in value or "#" in value:
        raise ConfigError(f"'base_url' must be an address without a path or a query: {_SHAPE}")
    if not _ADDRESS.fullmatch(value) or port == 0:
        raise ConfigError(f"'base_url' isn't an address: {_SHAPE}")
    if parts.scheme == "http" and not _is_private(host):
        raise ConfigError(
            "'base_url' uses plain http, which is allowed only to this machine and private networks: "
            "use https."
        )


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Python before 3.13 calls every IPv4 address private that is written as an IPv6 one.
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_private or address.is_loopback
