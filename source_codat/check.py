"""The connection test: a few requests that tell every mistake a user can make."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from source_codat.companies.company import Company
from source_codat.companies.context import CompanyContext
from source_codat.companies.platforms import Platforms
from source_codat.config.settings import SelectionKind, Settings
from source_codat.foundation.errors import ConfigError, PartitionFailed, PartitionSkipped, ReadStopped
from source_codat.foundation.secrets import masked
from source_codat.foundation.wording import counted, first_of, nearest
from source_codat.http.client import CodatClient
from source_codat.http.rate_limit import RateLimiter
from source_codat.http.retry_policy import CHECK_POLICY
from source_codat.planning.company_list import CompanyList, no_company_message, refuse_future_start
from source_codat.planning.parents import Parents
from source_codat.reading.pages import PageDecoder
from source_codat.reading.requests import Partition, StreamRequests, refused_filter
from source_codat.streams.catalog import CodatStream
from source_codat.streams.definition import Paging

_TRIES = 5  # of one filter: so many companies without such data say that few have it
_QUOTES = "'\"\u2018\u2019\u201c\u201d`"
_QUOTED = (
    "The filter for '%s' has quotes in it: Codat takes them for a part of the value, so leave them out "
    "unless it has them."
)
_NO_ROWS = (
    "The filter for '%s' matches nothing at the companies tried: see whether its values are those of Codat."
)
_NO_DATA = "The filter for '%s' couldn't be tried: none of the companies asked has such data."
logger = logging.getLogger("airbyte")


def check_filters(settings: Settings, queryable: Mapping[str, bool]) -> None:
    """Refuse filters that no stream could use, without asking Codat; `queryable` names all streams."""
    for name in settings.filters:
        if name not in queryable:
            near = nearest(name, [known for known, usable in queryable.items() if usable])
            advice = f"did you mean '{near}'?" if near else "use a name that the source's schema lists"
            shown = masked(name)[:60]
            raise ConfigError(
                f"'filters' names the stream '{shown}', which doesn't exist: correct it. ({advice})"
            )
        if not queryable[name]:
            raise ConfigError(
                f"'filters' names the stream '{name}', which Codat can't filter: remove that filter."
            )


@dataclass
class Check:
    """Tries a configuration against Codat; raises ConfigError with one sentence where it's wrong."""

    settings: Settings
    streams: Mapping[str, CodatStream]
    client: CodatClient = field(init=False)
    _known: list[Company] = field(default_factory=list)
    _rest: Iterator[Company] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        requester = self.streams["companies"].retriever.requester
        rate_limiter = RateLimiter(self.settings.requests_per_minute)
        workers = self.settings.num_workers
        self.client = CodatClient(requester, workers, rate_limiter, retry_policy=CHECK_POLICY)

    def run(self) -> None:
        """Ask as little as shows that key, companies, start date, filters and custom data types work."""
        company_list = CompanyList(
            self.client, self.streams["companies"].retriever, self.settings, lambda _: None
        )
        if self.settings.selection.kind is SelectionKind.IDS:
            self._known = _all_named(company_list)
        else:
            # One company is enough, but for what a company may lack, and for counting those of a part.
            many = self.settings.filters or self.settings.custom_data_types or self.settings.part
            self._rest = company_list.walk(self.settings.page_size if many else 1)
        if next(self._companies(), None) is None:
            raise ConfigError(no_company_message(self.settings))
        refuse_future_start(self.settings, company_list.listed_at)
        for name in self.settings.filters:
            self._try_filter(self.streams[name])
        platforms = Platforms(self.client)
        for identifier in self.settings.custom_data_types:
            if not platforms.any_has_custom(self._companies(), identifier):
                raise ConfigError(
                    f"No platform of your companies has the custom data type '{identifier}': check its "
                    "identifier in Codat, or remove it from 'custom_data_types'."
                )
        self._log_companies_seen(company_list.total)

    def _log_companies_seen(self, total: int | None) -> None:
        kind = self.settings.selection.kind
        at_least = "at least " if total is None and kind is not SelectionKind.IDS else ""
        number = counted(len(self._known) if total is None else total, "company")
        with_tags = " with these tags" if kind is SelectionKind.TAGS else ""
        logger.info(
            "The check succeeded: it sees %s%s%s%s.", at_least, number, with_tags, self._those_of_the_part()
        )

    def _those_of_the_part(self) -> str:
        """How many of the selected companies the part has, in words; empty where all are read."""
        part = self.settings.part
        if part is None:
            return ""
        number = sum(part.has(company.id) for company in self._companies())
        if not number:
            return f", and part {part} has none of them, so that a read of it brings nothing of any company"
        return f", of which part {part} has {number}"

    def _companies(self) -> Iterator[Company]:
        """The selected companies, listed only as far as somebody looks at them."""
        yield from list(self._known)
        for company in self._rest:
            self._known.append(company)
            yield company

    def _try_filter(self, stream: CodatStream) -> None:
        """Ask for one row with the filter, where there may be some; Codat's refusal is the user's to mend."""
        retriever = stream.retriever
        query = {"query": StreamRequests(self.client, retriever, self.settings).query(None)}
        paging = {"page": "1", "pageSize": "1"} if retriever.paging is Paging.NUMBERS else {}
        decoder, empty = PageDecoder(retriever), 0
        if any(quote in self.settings.filters[retriever.name] for quote in _QUOTES):
            logger.warning(_QUOTED, retriever.name)
        for ids in islice(self._partitions(stream), _TRIES):
            if ids is None:
                continue
            path, params = retriever.url_path(ids), {**retriever.parameters(ids), **paging}
            try:
                page = self.client.get(path, {**params, **query}, lambda answer: decoder.decode(answer.body))
            except PartitionSkipped:
                continue  # no such data here; another company may have it
            except PartitionFailed as failed:
                if not failed.status:
                    raise ReadStopped(
                        f"The filter for '{retriever.name}' couldn't be tried: try again later. "
                        f"({failed.message})"
                    ) from None
                if failed.status == 400 and self._is_accepted(path, params):
                    raise ConfigError(refused_filter(self.settings, retriever.name, failed)) from None
                continue
            if page.rows:
                return
            empty += 1
        logger.warning(_NO_ROWS if empty else _NO_DATA, retriever.name)

    def _is_accepted(self, path: str, params: Mapping[str, str]) -> bool:
        """Whether a question is refused for its query only."""
        try:
            self.client.get(path, params, lambda _: None)
        except (PartitionSkipped, PartitionFailed):
            return False
        return True

    def _partitions(self, stream: CodatStream) -> Iterator[dict[str, str] | None]:
        """One of each connection or company that may hold the data; None where it has no parent row."""
        retriever = stream.retriever
        for company in self._companies():
            held = company.connections(retriever.source_types)
            if retriever.source_types and not held:
                continue
            for connection in held if retriever.per_connection else [None]:
                own = {"connectionId": connection.id} if connection else {}
                ids = {"companyId": company.id, **own, **next(retriever.spread())}
                yield self._first_child(stream, company, ids) if retriever.parent else ids

    def _first_child(
        self, stream: CodatStream, company: Company, ids: dict[str, str]
    ) -> dict[str, str] | None:
        parent = self.streams[stream.retriever.parent].retriever
        parents = Parents(self.client, stream.retriever, parent, self.settings)
        try:
            found = parents.ids(Partition(ids, context=CompanyContext(self.client, company)))
        except (PartitionSkipped, PartitionFailed):
            return None
        first = next(found.ids(), None)
        return None if first is None else {**ids, **first}


def _all_named(company_list: CompanyList) -> list[Company]:
    found = company_list.load_all_named()
    if company_list.gone:
        raise ConfigError(
            f"Codat doesn't know these companies in 'company_ids': {first_of(company_list.gone)}. Check "
            "their IDs in the Codat portal, or remove them from the list."
        )
    return found
