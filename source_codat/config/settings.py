"""The user's configuration, read once and checked in sentences that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from source_codat.config.api_key import token_of
from source_codat.config.base_url import check_base_url
from source_codat.config.parts import Part, part_from_config
from source_codat.config.tags import check_tags
from source_codat.foundation import timestamps
from source_codat.foundation.errors import ConfigError
from source_codat.foundation.secrets import masked
from source_codat.foundation.wording import first_of

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_START_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")
_LONGEST_FILTER = 1900  # Codat refuses queries of 2,048 characters and more; the rest is ours


class SelectionKind(Enum):
    """How companies are selected; the value is the configuration's word."""

    ALL = "all"
    IDS = "ids"
    TAGS = "tags"


class DeletedRecords(Enum):
    """What becomes of accounting records that were deleted at their source; the configuration's words.

    KEEP: they come, marked. LEAVE_OUT: they aren't asked for. REMOVE: they come with the column that lets
    destinations delete the row.
    """

    KEEP = "keep"
    LEAVE_OUT = "leave_out"
    REMOVE = "remove"


@dataclass(frozen=True)
class Selection:
    """Which companies to read: all, those with these ids, or those that match a tags query."""

    kind: SelectionKind = SelectionKind.ALL
    company_ids: tuple[str, ...] = ()
    tags_query: str = ""


@dataclass(frozen=True)
class Settings:
    """A checked configuration; `start` is an instant (see timestamps), `lookback` is in its ticks.

    refresh_older_than_hours: 0 where Codat is never asked to fetch anew. part: None where all of the selected
    companies are read.
    """

    authorization: str = field(repr=False)
    selection: Selection
    start_date: str | None
    start: int | None
    deleted_records: DeletedRecords
    filters: Mapping[str, str]
    skip_unchanged: bool
    lookback: int
    refresh_older_than_hours: int
    refresh_wait_minutes: int
    report_period_months: int
    report_periods: int
    custom_data_types: tuple[str, ...]
    part: Part | None
    requests_per_minute: int
    continue_past_failures: bool
    page_size: int
    num_workers: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration as Airbyte hands it over; raises ConfigError with one sentence."""
        token = token_of(config.get("api_key"))
        check_base_url(config.get("base_url"))
        start_date, start = _start(config.get("start_date"))
        return cls(
            authorization=f"Basic {token}",
            selection=_selection(config.get("companies")),
            start_date=start_date,
            start=start,
            deleted_records=_deleted_records(config.get("deleted_records")),
            filters=_filters(config.get("filters")),
            skip_unchanged=_flag(config, "skip_unchanged", True),
            lookback=_number(config, "lookback_hours", 0, 0, 8760) * 3600 * timestamps.TICKS_PER_SECOND,
            refresh_older_than_hours=_number(config, "refresh_older_than_hours", 0, 1, 8760),
            refresh_wait_minutes=_number(config, "refresh_wait_minutes", 30, 1, 240),
            report_period_months=_number(config, "report_period_months", 1, 1, 12),
            report_periods=_number(config, "report_periods", 24, 1, 240),
            custom_data_types=_identifiers(config.get("custom_data_types")),
            part=part_from_config(config.get("part"), _quoted([config.get("part")])),
            requests_per_minute=_number(config, "requests_per_minute", 900, 10, 1000),
            continue_past_failures=_flag(config, "continue_past_failures", False),
            page_size=_number(config, "page_size", 1000, 1, 5000),
            num_workers=_number(config, "num_workers", 10, 2, 50),
        )


def _selection(value: Any) -> Selection:
    if value is None or value == {}:
        return Selection()
    kind = value.get("selection") if isinstance(value, Mapping) else None
    if kind == SelectionKind.ALL.value:
        return Selection()
    if kind == SelectionKind.IDS.value:
        ids = value.get("company_ids")
        if isinstance(ids, str) and ids.strip():
            raise ConfigError(
                "'company_ids' is a text: make it a list of texts, such as "
                '["8a210b68-6988-11ed-a1eb-0242ac120002"], also where it has one ID only.'
            )
        if not isinstance(ids, list) or not ids:
            raise ConfigError(
                "Companies are selected by ID but 'company_ids' lists none: add at least one company ID."
            )
        typed = list(dict.fromkeys(str(company_id).strip() for company_id in ids))
        wrong = [company_id for company_id in typed if not _UUID.fullmatch(company_id.lower())]
        if wrong:
            raise ConfigError(
                f"{_quoted(wrong)} in 'company_ids' {_be(wrong)}: "
                "use the UUIDs that the companies' pages in the Codat portal show."
            )
        lowered = dict.fromkeys(company_id.lower() for company_id in typed)
        return Selection(SelectionKind.IDS, company_ids=tuple(lowered))
    if kind == SelectionKind.TAGS.value:
        query = value.get("tags_query")
        if not isinstance(query, str) or not query.strip():
            raise ConfigError(
                "Companies are selected by tags but 'tags_query' is empty: write one, such as region=uk."
            )
        check_tags(query)
        return Selection(SelectionKind.TAGS, tags_query=query.strip())
    raise ConfigError(
        "'companies' isn't an object with a 'selection' of 'all', 'ids' or 'tags': write "
        '{"selection": "all"}, {"selection": "ids", "company_ids": '
        '["8a210b68-6988-11ed-a1eb-0242ac120002"]} or {"selection": "tags", "tags_query": "region=uk"}.'
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
        raise ConfigError("'filters' isn't a list: make it one of objects with a 'stream' and a 'query'.")
    for entry in value:
        stream, query = (_text(entry, name) for name in ("stream", "query"))
        if not stream or not query:
            raise ConfigError("An entry of 'filters' lacks its 'stream' or its 'query': fill in both.")
        if stream in found:
            raise ConfigError(
                f"'filters' has more than one query for the stream {_quoted([stream])}: "
                "join them into one with &&."
            )
        if len(query) > _LONGEST_FILTER:
            raise ConfigError(
                f"The filter for {_quoted([stream])} is {len(query)} characters long, more than Codat takes: "
                f"shorten it to {_LONGEST_FILTER}."
            )
        found[stream] = query
    return found


def _deleted_records(value: Any) -> DeletedRecords:
    if value is None:
        return DeletedRecords.KEEP
    try:
        return DeletedRecords(value)
    except ValueError:
        raise ConfigError(
            f"'deleted_records' is {_quoted([value])}: set it to 'keep', 'leave_out' or 'remove'."
        ) from None


def _identifiers(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) and name.strip() for name in value):
        raise ConfigError(
            "'custom_data_types' isn't a list of custom data identifiers: write them as they are in Codat."
        )
    found: dict[str, str] = {}
    for name in dict.fromkeys(name.strip() for name in value):
        clash = found.setdefault(name.lower(), name)
        if clash != name:
            raise ConfigError(
                f"The custom data types {_quoted([clash])} and {_quoted([name])} differ only in upper and "
                "lower case, so their tables would be one: remove one of them."
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


def _text(entry: Any, name: str) -> str:
    value = entry.get(name) if isinstance(entry, Mapping) else None
    return value.strip() if isinstance(value, str) else ""


def _be(ids: Sequence[str]) -> str:
    return "isn't a Codat company ID" if len(ids) == 1 else "aren't Codat company IDs"


def _quoted(values: Sequence[Any]) -> str:
    """Values as the user may see them: masked before they are cut, so that no part of a key stays."""
    return first_of([f"'{masked(str(value))[:60]}'" for value in values])
