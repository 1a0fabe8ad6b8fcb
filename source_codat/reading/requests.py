"""The questions that a stream puts to Codat: parameters, query, and what to do where one is refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from source_codat.companies.context import CompanyContext, DataTypeView
from source_codat.config.settings import Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import ConfigError, PartitionFailed
from source_codat.http.client import Answer, CodatClient
from source_codat.http.stats import RequestStats
from source_codat.reading.pages import Page, PageDecoder
from source_codat.reading.passes import Turn
from source_codat.reading.report_dates import SyncDates
from source_codat.streams.definition import CodatRetriever

SMALLEST_PAGE = 25
logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Partition:
    """One full path to read: its ids by the path's names, and from which instant on (None: all).

    params: what its requests carry besides; answer: the body, where it has been asked for already.
    beside: encoded fields that are added to its rows. listed: what was known of the parents' data
    types before the parents were listed that this partition stems from.
    """

    ids: Mapping[str, str]
    since: int | None = None
    context: CompanyContext | None = None
    source: DataTypeView | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    answer: bytes | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict)
    listed: DataTypeView | None = None


class Questions:
    """Asks for the pages of one stream's partitions; safe to use from several threads."""

    def __init__(
        self,
        client: CodatClient,
        retriever: CodatRetriever,
        settings: Settings,
        stats: RequestStats | None = None,
    ) -> None:
        self._client = client
        self._stats = stats
        self._retriever = retriever
        self._settings = settings
        self._decoder = PageDecoder(retriever)
        self._order_by = (retriever.id_field or "id") if retriever.ordered else ""
        self._by_cursor = retriever.queryable and bool(retriever.cursor_field)
        dates = SyncDates()
        self._fixed = {name: dates.filled(value) for name, value in retriever.request_parameters().items()}
        self.added = {
            name: msgspec.json.encode(dates.as_field(self._fixed[name]))
            for name in retriever.from_request
            if name in self._fixed
        }

    def page(self, path: str, partition: Partition, turn: Turn) -> tuple[Page, Turn]:
        """One page, smaller where Codat times out on it, plainer where Codat refuses the question."""
        while True:
            if partition.answer is not None:
                return self._decoder.decode(partition.answer), turn
            params = self._parameters(partition, turn)
            try:
                return self._get(path, params, partition), turn
            except PartitionFailed as error:
                if error.status == 400 and self._simplified(path, params, error):
                    continue
                name, words = self._retriever.name, error.detail.lower()
                if error.status == 400 and name in self._settings.filters and "query" in words:
                    raise refused_filter(self._settings, name, error) from None
                if not error.timed_out or self._retriever.paging != "pages" or turn.size <= SMALLEST_PAGE:
                    raise
            offset = (turn.number - 1) * turn.size
            size = max(SMALLEST_PAGE, turn.size // 4)
            # From there some rows come twice, none is passed over.
            turn = replace(turn, size=size, number=offset // size + 1)
            logger.info("Codat: %s takes too long; asking for pages of %d.", path, size)

    def _get(self, path: str, params: Mapping[str, Any], partition: Partition) -> Page:
        def ask() -> Answer:
            return self._client.get(path, params, self._checked, self._stats)

        # What several streams ask of a company, its statements say, is asked once.
        if partition.context is not None and self._retriever.shares_answers:
            answer = partition.context.remembered(f"{path}?{sorted(params.items())}", ask)
        else:
            answer = ask()
        page = self._decoder.decode(answer.body)
        page.server_time = answer.server_time
        return page

    def _checked(self, answer: Answer) -> Answer:
        self._decoder.decode(answer.body)
        return answer

    def _simplified(self, path: str, params: dict[str, Any], error: PartitionFailed) -> bool:
        """Whether Codat takes the question without its order, or without its date."""
        # Judged by what was asked: another thread may have learned the same in the meantime.
        if "orderBy" in params:
            self._order_by = ""
            logger.info("Codat refused to order %s by %s; reading it as it comes.", path, params["orderBy"])
            return True
        field = self._retriever.cursor_field
        if field and f"{field}>=" in params.get("query", "") and field in error.message:
            self._by_cursor = False
            logger.info("Codat can't query %s by %s; reading all of it.", path, field)
            return True
        return False

    def _parameters(self, partition: Partition, turn: Turn) -> dict[str, Any]:
        params: dict[str, Any] = {**self._fixed, **partition.params}
        params.update(self._retriever.parameters(partition.ids) if self._retriever.each else {})
        if self._retriever.paging == "pages":
            params.update(page=turn.number, pageSize=turn.size)
            if self._order_by:
                params["orderBy"] = self._order_by
        elif turn.token:
            params["continuationToken"] = turn.token.removeprefix("continuationToken=")
        query = self.query(partition.since)
        if query:
            params["query"] = query
        return params

    def query(self, since: int | None) -> str:
        """What is asked of Codat's query language: changes since an instant, and the user's part."""
        terms = [self._retriever.always] if self._retriever.always else []
        if since is not None and self._by_cursor:
            terms.append(f"{self._retriever.cursor_field}>={timestamps.query_date(since)}")
        if self._retriever.marks_deleted and not self._settings.include_deleted:
            terms.append("metadata.isDeleted!=true")
        filtered = self._settings.filters.get(self._retriever.name, "")
        if filtered:
            terms.append("{" + filtered + "}" if "||" in filtered else filtered)
        return "&&".join(terms)


def refused_filter(settings: Settings, name: str, failed: PartitionFailed) -> ConfigError:
    """What the user is told of a filter that Codat can't use."""
    return ConfigError(
        f"Codat refused the filter for '{name}', '{settings.filters[name]}': correct it. "
        f"(Codat says: {failed.detail})"
    )
