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
# This machine and private networks (RFC 1918, RFC 4193). Link-local addresses aren't among them: on
# cloud machines they are the provider's.
_PRIVATE = [
    ipaddress.ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
]
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
    # Of names this one alone: others, `x.localhost` too, are looked up, and whoever answers gets the key.
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # An IPv4 address that is written as an IPv6 one is what it stands for; what is translated or
    # tunnelled on its way (NAT64, 6to4, Teredo) is on no list, whatever it holds.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in _PRIVATE if network.version == address.version)
