"""Which companies to read: the company list, proven complete, or the companies that were named."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from source_codat.companies.company import Company, companies_in, merged, with_connection_list
from source_codat.config.settings import SelectionKind, Settings
from source_codat.foundation import timestamps
from source_codat.foundation.errors import (
    ConfigError,
    MalformedAnswer,
    PartitionFailed,
    PartitionSkipped,
    ReadStopped,
)
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.foundation.wording import first_of
from source_codat.http.client import CodatClient
from source_codat.http.stats import RequestStats
from source_codat.http.transport import Answer
from source_codat.reading.pages import Page, PageDecoder
from source_codat.reading.reader import StreamReader
from source_codat.reading.requests import Partition
from source_codat.reading.rows import RowBatch, batch
from source_codat.streams.definition import CodatRetriever

logger = logging.getLogger("airbyte")
_ASKED_ONE_BY_ONE = 2  # so few ids never cost more than the first page of the list and its rest
_DAY = timestamps.TICKS_PER_DAY
_MOST_PAGES = 1000  # of a walk: more can't be told from an endless list


@dataclass
class CompanyList:
    """The selected companies of this part, read once and shared by all streams.

    emit: takes the rows of the `companies` stream. keeps_connections: whether each company keeps its list of
    connections as it came. gone: selected ids that Codat doesn't know.
    listed_at: Codat's clock when it was first asked, an instant. total: how many companies the list has by
    its own count, None where it wasn't asked or doesn't say.
    """

    client: CodatClient
    retriever: CodatRetriever
    settings: Settings
    emit: Callable[[RowBatch], None]
    stats: RequestStats | None = None
    keeps_connections: bool = False
    gone: list[str] = field(default_factory=list)
    listed_at: int | None = None
    total: int | None = None
    _sent: dict[str, bytes] = field(default_factory=dict)

    def load(self) -> list[Company]:
        """The selected companies of this part, of which there may be none.

        Raises ConfigError where no company is selected at all, ReadStopped in doubt.
        """
        selection = self.settings.selection
        if selection.kind is SelectionKind.IDS:
            return self._by_ids(self._of_this_part(selection.company_ids))
        return self._by_list(self.settings.part.has if self.settings.part else None)

    def load_all_named(self) -> list[Company]:
        """The companies that were selected by id, whatever part they are in; raises as `load` does."""
        return self._by_ids(self.settings.selection.company_ids)

    def _of_this_part(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        part = self.settings.part
        return ids if part is None else tuple(company_id for company_id in ids if part.has(company_id))

    def _by_list(self, is_wanted: Callable[[str], bool] | None = None) -> list[Company]:
        companies: dict[str, Company] = {}
        is_any_listed = False

        def collect(rows: RowBatch) -> None:
            nonlocal is_any_listed
            found = self._companies_in(rows.rows)
            is_any_listed |= bool(found)
            self._emit_new(rows, [company.id for company in found], is_wanted)
            for company in found:
                if is_wanted is None or is_wanted(company.id):
                    companies[company.id] = (
                        merged(companies[company.id], company) if company.id in companies else company
                    )

        reader = StreamReader(self.client, self.retriever, self.settings, collect, self.stats)
        tags = self.settings.selection.tags_query
        try:
            done = reader.read(Partition(ids={}, params={"tags": tags} if tags else {}))
        except PartitionSkipped as skipped:
            raise _refused(skipped) from None
        except PartitionFailed as failed:
            raise _list_failed(failed, tags) from None
        except MalformedAnswer as malformed:
            raise _list_failed(PartitionFailed(str(malformed)), tags) from None
        self._note_time(done.server_time)
        if done.peculiarity:
            logger.warning(
                "The list of companies is taken as read completely, although %s.",
                done.peculiarity,
            )
        if not done.is_complete:
            raise ReadStopped(
                "The list of companies kept changing while it was read, so that one might have been missed: "
                "the read stopped before reading any. Run it again."
            )
        if not is_any_listed and self.settings.selection.kind is not SelectionKind.IDS:
            raise ConfigError(no_company_message(self.settings))
        return list(companies.values())

    def _companies_in(self, rows: Sequence[msgspec.Raw | bytes]) -> list[Company]:
        """The companies in rows of the list, with their lists of connections where those are wanted."""
        found = list(companies_in(rows))
        return list(map(with_connection_list, found, rows)) if self.keeps_connections else found

    def _note_time(self, now: int | None) -> None:
        if self.listed_at is None or (now is not None and now < self.listed_at):
            self.listed_at = now

    def _emit_new(self, rows: RowBatch, keys: list[str], is_wanted: Callable[[str], bool] | None) -> None:
        """Send out the rows of wanted companies, but for those that an earlier pass has sent as they are."""
        chosen = []
        for row, key in zip(rows.rows, keys, strict=True):
            if is_wanted is None or is_wanted(key):
                digest = hashlib.blake2b(bytes(row), digest_size=16).digest()
                if self._sent.get(key) != digest:
                    self._sent[key] = digest
                    chosen.append(row)
        if len(chosen) == len(rows.rows):
            self.emit(rows)
        elif chosen:
            self.emit(RowBatch(rows.stream, chosen, rows.added, rows.emitted_at, rows.size))

    def _by_ids(self, ids: tuple[str, ...]) -> list[Company]:
        if len(ids) > _ASKED_ONE_BY_ONE:
            pages = -(-self._how_many() // self.settings.page_size)
            # Several pages are read twice, to prove that none was missed.
            if (pages if pages <= 1 else 2 * pages) <= len(ids):
                found = self._by_list(frozenset(ids).__contains__)
                self.gone = sorted(set(ids) - {company.id for company in found})
                return self._any_of(found, ids)
        found = []
        for company_id in ids:
            try:
                page, companies = self._one(company_id)
            except PartitionSkipped as skipped:
                if skipped.reason is not SkipReason.NOT_SUPPORTED:
                    raise _refused(skipped) from None
                self.gone.append(company_id)
                continue
            except PartitionFailed as failed:
                raise _list_failed(failed, "") from None
            self._note_time(page.server_time)
            self.emit(batch(self.retriever.name, page, {}, {}, self.retriever.columns))
            found += companies
        return self._any_of(found, ids)

    def _any_of(self, found: list[Company], ids: tuple[str, ...]) -> list[Company]:
        """What was found of the named companies; raises ConfigError where that is none of them."""
        if ids and not found:
            raise ConfigError(no_company_message(self.settings, ids))
        return found

    def _one(self, company_id: str) -> tuple[Page, list[Company]]:
        decoder = PageDecoder(self.retriever)

        def parse(answer: Answer) -> tuple[Page, list[Company]]:
            page = decoder.decode_row(answer.body)
            page.server_time = answer.server_time
            return page, self._companies_in(page.rows)

        return self.client.get(f"{self.retriever.path}/{company_id}", None, parse, self.stats)

    def _how_many(self) -> int:
        total = self._page(1, 1)[0].total
        return total if total is not None else 1

    def walk(self, size: int) -> Iterator[Company]:
        """The listed companies page by page, without proof: enough to try things on."""
        seen = 0
        for number in range(1, _MOST_PAGES):
            page, companies = self._page(number, size)
            self.total = page.total
            yield from companies
            seen += len(companies)
            if not companies or (seen >= page.total if page.total is not None else not page.has_next):
                return

    def _page(self, number: int, size: int) -> tuple[Page, list[Company]]:
        decoder = PageDecoder(self.retriever)
        params = {"page": str(number), "pageSize": str(size)}
        if self.settings.selection.tags_query:
            params["tags"] = self.settings.selection.tags_query

        def parse(answer: Answer) -> tuple[Page, list[Company]]:
            self._note_time(answer.server_time)
            page = decoder.decode(answer.body)
            return page, list(companies_in(page.rows))

        try:
            return self.client.get(self.retriever.path, params, parse, self.stats)
        except PartitionSkipped as skipped:
            raise _refused(skipped) from None
        except PartitionFailed as failed:
            raise _list_failed(failed, self.settings.selection.tags_query) from None


def refuse_future_start(settings: Settings, now: int | None) -> None:
    """Raise ConfigError for a start date that is yet to come, by Codat's clock.

    A user's own calendar may be a day ahead of it.
    """
    if settings.start is not None and now is not None and settings.start > now + _DAY:
        raise ConfigError(
            f"'start_date' is '{settings.start_date}', which is in the future, so nothing would be "
            "read: use an earlier date, or leave it empty to read everything."
        )


def no_company_message(settings: Settings, ids: tuple[str, ...] = ()) -> str:
    """The sentence for a selection that matches no company: why there is nothing to read, and what to do.

    ids: the named companies that were asked for, where they are selected so.
    """
    selection = settings.selection
    if selection.kind is SelectionKind.IDS:
        return (
            f"Codat knows none of the companies in 'company_ids' ({first_of(ids)}): check "
            "the IDs in the Codat portal, and that the API key belongs to the account they are in."
        )
    if selection.kind is SelectionKind.TAGS:
        return (
            f"No company matches the tags query '{selection.tags_query}': "
            "check it against the tags that your companies have in the Codat portal."
        )
    return "This Codat account has no company yet: add one in the Codat portal, then try again."


def _refused(skipped: PartitionSkipped) -> ConfigError:
    if skipped.reason is SkipReason.NOT_ALLOWED:
        return ConfigError(
            "Codat doesn't let this API key read your companies: use a current key of the account whose "
            f"companies you want. (Codat says: {skipped.detail})"
        )
    return ConfigError(
        "There is no list of companies at this address: leave 'base_url' empty, or set it to the address of "
        f"a Codat API. (It says: {skipped.detail})"
    )


def _list_failed(failed: PartitionFailed, tags_query: str) -> ConfigError | ReadStopped:
    if failed.status == 400 and tags_query:
        return ConfigError(
            f"Codat refused the tags query '{tags_query}': correct it. (Codat says: {failed.detail})"
        )
    return ReadStopped(
        f"The list of companies couldn't be read: check your network and 'base_url', or try again later. "
        f"({failed.message})",
        failed.failure_type,
    )
