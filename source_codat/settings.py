"""The user's configuration, read once and checked in sentences that say what to do."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from source_codat import timestamps
from source_codat.errors import ConfigError

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BASIC = re.compile(r"(?:authorization:\s*)?basic\s+(\S+)", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_START_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?")
MAX_QUERY_LENGTH = 2000  # Codat refuses 2,048 characters and more; the rest is ours


@dataclass(frozen=True)
class Selection:
    """Which companies to read: `kind` is all, ids or tags."""

    kind: str = "all"
    company_ids: tuple[str, ...] = ()
    tags_query: str = ""


@dataclass(frozen=True)
class Settings:
    """A checked configuration; `start` is an instant (see timestamps), `lookback` is in its ticks.

    refresh_older_than_hours: 0 where Codat is never asked to fetch anew.
    """

    authorization: str
    secrets: tuple[str, ...]
    selection: Selection
    start_date: str | None
    start: int | None
    include_deleted: bool
    filters: Mapping[str, str]
    skip_unchanged: bool
    lookback: int
    refresh_older_than_hours: int
    refresh_wait_minutes: int
    report_period_months: int
    report_periods: int
    custom_data_types: tuple[str, ...]
    page_size: int
    num_workers: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration as Airbyte hands it over; raises ConfigError with one sentence."""
        token, secrets = _authorization(config.get("api_key"))
        check_base_url(config.get("base_url"))
        start_date, start = _start(config.get("start_date"))
        return cls(
            authorization=f"Basic {token}",
            secrets=secrets,
            selection=_selection(config.get("companies")),
            start_date=start_date,
            start=start,
            include_deleted=_flag(config, "include_deleted", True),
            filters=_filters(config.get("filters")),
            skip_unchanged=_flag(config, "skip_unchanged", True),
            lookback=_number(config, "lookback_hours", 0, 0, 8760) * 3600 * timestamps.TICKS_PER_SECOND,
            refresh_older_than_hours=_number(config, "refresh_older_than_hours", 0, 1, 8760),
            refresh_wait_minutes=_number(config, "refresh_wait_minutes", 30, 1, 240),
            report_period_months=_number(config, "report_period_months", 1, 1, 12),
            report_periods=_number(config, "report_periods", 24, 1, 240),
            custom_data_types=_identifiers(config.get("custom_data_types")),
            page_size=_number(config, "page_size", 1000, 1, 5000),
            num_workers=_number(config, "num_workers", 10, 2, 50),
        )


def _authorization(value: Any) -> tuple[str, tuple[str, ...]]:
    """The base64 that follows `Basic`, and every form of the key that must stay secret."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(
            "The API key is missing: copy it from Developers > API keys in the Codat portal into 'api_key'."
        )
    text = value.strip()
    header = _BASIC.fullmatch(text)
    candidate = header.group(1) if header else text
    raw = _decoded(candidate)
    if header and raw is None:
        raise ConfigError(
            "The API key looks like an authorization header, but what follows 'Basic' isn't base64: "
            "copy the key again from Developers > API keys in the Codat portal."
        )
    key = raw if raw is not None else candidate
    if not key.isascii() or any(character.isspace() or not character.isprintable() for character in key):
        raise ConfigError(
            "The API key contains a space or a character that no Codat key has: "
            "copy it again from Developers > API keys in the Codat portal."
        )
    token = base64.b64encode(key.encode()).decode()
    forms = {text, candidate, key, token, token.rstrip("="), f"Basic {token}"}
    # Longest first, so that masking one form never leaves part of another.
    return token, tuple(sorted((form for form in forms if len(form) >= 8), key=len, reverse=True))


def _decoded(text: str) -> str | None:
    """The key inside a base64 text, or None where the text isn't base64 of readable characters."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if decoded and all(33 <= ord(character) < 127 for character in decoded) else None


def _selection(value: Any) -> Selection:
    if value is None or value == {}:
        return Selection()
    kind = value.get("selection") if isinstance(value, Mapping) else None
    if kind == "all":
        return Selection()
    if kind == "ids":
        ids = value.get("company_ids")
        if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
            raise ConfigError(
                "Companies are selected by ID but 'company_ids' lists none: add at least one company ID."
            )
        cleaned = tuple(dict.fromkeys(one.strip().lower() for one in ids))
        wrong = [one for one in cleaned if not _UUID.fullmatch(one)]
        if wrong:
            raise ConfigError(
                f"{_quoted(wrong)} in 'company_ids' isn't a Codat company ID: "
                "use the UUID that the company's page in the Codat portal shows."
            )
        return Selection("ids", company_ids=cleaned)
    if kind == "tags":
        query = value.get("tags_query")
        if not isinstance(query, str) or not query.strip():
            raise ConfigError(
                "Companies are selected by tags but 'tags_query' is empty: write one, such as region=uk."
            )
        return Selection("tags", tags_query=query.strip())
    raise ConfigError(
        "'companies' must have a 'selection' of 'all', 'ids' or 'tags': choose one of the three."
    )


def _start(value: Any) -> tuple[str | None, int | None]:
    if value is None or value == "":
        return None, None
    try:
        if not isinstance(value, str) or not _START_DATE.fullmatch(value):
            raise ValueError
        return value, timestamps.from_start_date(value)
    except ValueError:
        raise ConfigError(
            f"'start_date' is {_quoted([value])}, which isn't a date: write it as 2024-01-31 or "
            "2024-01-31T00:00:00Z, or leave it empty to read everything."
        ) from None


def _filters(value: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    if value is None:
        return found
    if not isinstance(value, list):
        raise ConfigError("'filters' must be a list of objects with 'stream' and 'query'.")
    for entry in value:
        stream = entry.get("stream") if isinstance(entry, Mapping) else None
        query = entry.get("query") if isinstance(entry, Mapping) else None
        if not isinstance(stream, str) or not isinstance(query, str) or not stream or not query.strip():
            raise ConfigError("Every entry of 'filters' needs a 'stream' and a 'query', both filled in.")
        if stream in found:
            raise ConfigError(
                f"'filters' has more than one query for the stream '{stream}': join them into one with &&."
            )
        if len(query) > MAX_QUERY_LENGTH - 100:
            raise ConfigError(
                f"The filter for '{stream}' is {len(query)} characters long, more than Codat takes: "
                f"shorten it to {MAX_QUERY_LENGTH - 100}."
            )
        found[stream] = query.strip()
    return found


def _identifiers(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise ConfigError("'custom_data_types' must be a list of custom data identifiers.")
    found: dict[str, str] = {}
    for one in dict.fromkeys(one.strip() for one in value):
        clash = found.setdefault(one.lower(), one)
        if clash != one:
            raise ConfigError(
                f"The custom data types '{clash}' and '{one}' differ only in upper and lower case, so their "
                "tables would be one: remove one of them."
            )
    return tuple(found.values())


def _flag(config: Mapping[str, Any], name: str, default: bool) -> bool:
    value = config.get(name, default)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ConfigError(f"'{name}' is {_quoted([value])}: set it to true or false.")
    return value


def _number(config: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = config.get(name)
    if value is None:
        return default
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise ConfigError(f"'{name}' is {_quoted([value])}: set it to a whole number from {low} to {high}.")
    if not low <= value <= high:
        raise ConfigError(f"'{name}' is {int(value)}: set it to a whole number from {low} to {high}.")
    return int(value)


def check_base_url(value: Any) -> None:
    """Refuse a base URL that could send the key somewhere unsafe: plain http to a public host, say."""
    if value is None or value == "":
        return
    parts = urlsplit(value) if isinstance(value, str) else None
    try:
        host = parts.hostname if parts else None
        valid_port = parts is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        host, valid_port = None, False
    if parts is None or not host or not valid_port or parts.scheme not in {"http", "https"}:
        raise ConfigError("'base_url' isn't an address: write it as https://host, or leave it empty.")
    if parts.username or parts.password or "@" in parts.netloc:
        raise ConfigError("'base_url' must not contain credentials: the key belongs into 'api_key'.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ConfigError("'base_url' must be an address without a path: write it as https://host.")
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
    return address.is_private or address.is_loopback


def _quoted(values: list[Any]) -> str:
    return ", ".join(f"'{str(value)[:60]}'" for value in values[:10])
