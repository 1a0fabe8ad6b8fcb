"""The requests that a stream sends to Codat: parameters, query, and what to do where one is refused."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pendulum
from airbyte_cdk.models import FailureType

from source_codat.companies.context import CompanyContext
from source_codat.config.settings import DeletedRecords, Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import PartitionFailed
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.http.transport import Answer
from source_codat.reading.pages import Page, PageDecoder
from source_codat.streams.definition import CodatRetriever, Paging
from source_codat.trust.evidence import Entry, Evidence

SMALLEST_PAGE = 25  # rows
_LONG_WAIT = 600.0  # seconds that all tries for a page may take before the smallest one is asked for
_DAY_FIRST = re.compile(r"(\d{2})-(\d{2})-(\d{4})")
logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Partition:
    """One full path that is read.

    ids: the values of the path's placeholders, by name. since: the instant from which on changes are read,
    None for everything. context: its company, None for what isn't read by company.
    source: the evidence of its data types' Codat syncs before it is read, None without a data type.
    params: further query parameters of its requests. answer: the answer's body, where it is known already.
    extra_fields: by field, JSON values that are added to its rows. parents_source: the evidence of the
    parents' data types from before the list of parents was read that this partition comes from.
    noted: what the state says of it, where its rows are dated by the Codat sync that they are read from.
    """

    ids: Mapping[str, str]
    since: int | None = None
    context: CompanyContext | None = None
    source: Evidence | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    answer: bytes | None = None
    extra_fields: Mapping[str, bytes] = field(default_factory=dict)
    parents_source: Evidence | None = None
    noted: Entry | None = None


@dataclass
class Understood:
    """What of a stream's questions Codat can answer for one company, as far as it hasn't refused it yet."""

    order: bool = True
    dates: bool = True


@dataclass(frozen=True)
class PageRequest:
    """Which page to ask for: by its number and size (in rows), or by the token of the page before it."""

    size: int
    number: int = 1
    token: str = ""


class StreamRequests:
    """Asks for the pages of one stream's partitions; safe to use from several threads.

    request_fields: encoded values of the requests' parameters that are added to the stream's rows.
    """

    def __init__(
        self,
        client: CodatClient,
        retriever: CodatRetriever,
        settings: Settings,
        stats: RequestStats | None = None,
    ) -> None:
        self.retriever = retriever
        self._client = client
        self._stats = stats
        self._settings = settings
        self._decoder = PageDecoder(retriever)
        self._order_by = (retriever.id_field or "id") if retriever.ordered else ""
        self._by_cursor = retriever.queryable and bool(retriever.row_cursor_field)
        self._understood = Understood()  # where no company is asked about
        dates = ReportDates()
        self._fixed = {name: dates.filled(value) for name, value in retriever.request_parameters().items()}
        self.request_fields = {
            name: msgspec.json.encode(dates.as_field(self._fixed[name]))
            for name in retriever.from_request
            if name in self._fixed
        }

    def page(
        self, path: str, partition: Partition, request: PageRequest, *, may_share: bool = False
    ) -> tuple[Page, PageRequest]:
        """One page, smaller where Codat times out on it, plainer where Codat refuses the question.

        may_share: whether an answer will do that another stream was given after the same look. Returns the
        page with the request that it answers. Raises what the client raises.
        """
        if partition.answer is not None:
            return self._decoder.decode(partition.answer), request
        understood = self._understood_of(partition)
        began = time.monotonic()
        while True:
            params = self._parameters(partition, request, understood)
            try:
                return self._get(path, params, partition, may_share=may_share), request
            except PartitionFailed as error:
                if error.status == 400 and self._simplified(path, params, error, understood):
                    continue
                name, words = self.retriever.name, error.detail.lower()
                if error.status == 400 and name in self._settings.filters and "query" in words:
                    raise PartitionFailed(
                        refused_filter(self._settings, name, error),
                        FailureType.config_error,
                        status=error.status,
                        detail=error.detail,
                    ) from None
                smaller_may_do = error.timed_out or error.too_large
                if (
                    not smaller_may_do
                    or self.retriever.paging is not Paging.NUMBERS
                    or request.size <= SMALLEST_PAGE
                ):
                    raise
                is_slow = not error.too_large
                what = "takes too long" if is_slow else "is too large"
            offset = (request.number - 1) * request.size
            size = max(SMALLEST_PAGE, request.size // 4)
            if is_slow and time.monotonic() - began > _LONG_WAIT:
                size = SMALLEST_PAGE  # each size between might take as long again
            # From there some rows come twice, none is passed over.
            request = replace(request, size=size, number=offset // size + 1)
            logger.info("Codat: %s %s; asking for pages of %d.", path, what, size)

    def _get(self, path: str, params: Mapping[str, Any], partition: Partition, *, may_share: bool) -> Page:
        context, source = partition.context, partition.source
        if context is None or source is None or not (may_share and self.retriever.shares_answers):
            return self._client.get(path, params, self._decoded, self._stats)

        def ask() -> tuple[PageDecoder, Answer, Page]:
            return self._client.get(
                path, params, lambda answer: (self._decoder, answer, self._decoded(answer)), self._stats
            )

        # What several streams ask of a company, its statements say, is asked once: each stream that
        # hasn't asked itself takes the answer apart in its own way.
        # That holds for the first question after one look: what is asked again is asked to see it anew.
        question = f"{path}?{sorted(params.items())} after {source.look.asked_at}"
        decoder, answer, page = context.remembered(question, ask)
        return page if decoder is self._decoder else self._decoded(answer)

    def _decoded(self, answer: Answer) -> Page:
        page = self._decoder.decode(answer.body)
        page.server_time = answer.server_time
        return page

    def _understood_of(self, partition: Partition) -> Understood:
        """What Codat understands for a partition's company: what one refuses, another may need."""
        if partition.context is None:
            return self._understood
        return partition.context.remembered(f"what {self.retriever.name} may ask", Understood)

    def _simplified(
        self, path: str, params: dict[str, Any], error: PartitionFailed, understood: Understood
    ) -> bool:
        """Whether Codat takes the question without its order, or without its date."""
        # Judged by what was asked: another thread may have learned the same in the meantime.
        if "orderBy" in params:
            understood.order = False
            logger.info("Codat refused to order %s by %s; reading it as it comes.", path, params["orderBy"])
            return True
        field = self.retriever.cursor_field
        if field and f"{field}>=" in params.get("query", "") and field in error.message:
            understood.dates = False
            logger.info("Codat can't query %s by %s; reading all of it.", path, field)
            return True
        return False

    def _parameters(
        self, partition: Partition, request: PageRequest, understood: Understood
    ) -> dict[str, Any]:
        params: dict[str, Any] = {**self._fixed, **partition.params}
        params.update(self.retriever.parameters(partition.ids) if self.retriever.each else {})
        if self.retriever.paging is Paging.NUMBERS:
            params.update(page=request.number, pageSize=request.size)
            if self._order_by and understood.order:
                params["orderBy"] = self._order_by
        elif request.token:
            params["continuationToken"] = request.token.removeprefix("continuationToken=")
        query = self.query(partition.since if understood.dates else None)
        if query:
            params["query"] = query
        return params

    def query(self, since: int | None) -> str:
        """What is asked of Codat's query language: changes since an instant, and the user's part."""
        terms = [self.retriever.always] if self.retriever.always else []
        if since is not None and self._by_cursor:
            terms.append(f"{self.retriever.cursor_field}>={timestamps.query_date(since)}")
        if self.retriever.marks_deleted and self._settings.deleted_records is DeletedRecords.LEAVE_OUT:
            terms.append("metadata.isDeleted!=true")
        filtered = self._settings.filters.get(self.retriever.name, "")
        if filtered:
            terms.append("{" + filtered + "}" if "||" in filtered else filtered)
        return "&&".join(terms)


def refused_filter(settings: Settings, name: str, failed: PartitionFailed) -> str:
    """What the user is told of a filter that Codat can't use."""
    return (
        f"Codat refused the filter for '{name}', '{settings.filters[name]}': correct it. "
        f"(Codat says: {failed.detail})"
    )


class ReportDates:
    """Fills the manifest's placeholders {today} and {last_month_end}, each with a strftime format.

    The dates are in UTC and stay those on which the read started.
    """

    def __init__(self) -> None:
        today = pendulum.now("UTC")
        self._known = {"today": today, "last_month_end": today.start_of("month").subtract(days=1)}

    def filled(self, value: str) -> str:
        """A request parameter with its dates: "{today:%d-%m-%Y}" becomes 21-11-2026."""
        return value.format_map(self._known) if "{" in value else value

    @staticmethod
    def as_field(value: str) -> Any:
        """A request parameter as a record's field: numbers as such, dates as ISO 8601."""
        if value.isdigit():
            return int(value)
        day_first = _DAY_FIRST.fullmatch(value)
        return "{2}-{1}-{0}".format(*day_first.groups()) if day_first else value
