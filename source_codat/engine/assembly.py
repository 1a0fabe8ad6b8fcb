"""Puts one read together from the configuration, the catalog and the state."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airbyte_cdk.models import ConfiguredAirbyteCatalog, SyncMode

from source_codat.config.settings import Settings
from source_codat.engine.outbox import Outbox
from source_codat.engine.outcome_stream import OutcomeStream
from source_codat.engine.read import Event, Read
from source_codat.engine.refresh import Refresher
from source_codat.http.client import CodatClient
from source_codat.http.rate_limit import RateLimiter
from source_codat.http.stats import RequestStats
from source_codat.planning.company_list import CompanyList
from source_codat.planning.parents import Parents
from source_codat.planning.planner import CONNECTIONS_PATH, Planner, SelectedStream
from source_codat.reading.reader import StreamReader
from source_codat.reading.rows import RowBatch
from source_codat.reporting.outcomes import StreamOutcome
from source_codat.reporting.read_outcomes import ReadOutcomes
from source_codat.state.store import NO_CURSOR, READ_WHOLE, SavedStates, StreamState, fingerprint, origin
from source_codat.streams.catalog import CodatStream
from source_codat.streams.definition import CodatRetriever
from source_codat.streams.read_outcomes import READ_OUTCOMES

logger = logging.getLogger("airbyte")


def build_read(
    settings: Settings,
    streams: Mapping[str, CodatStream],
    catalog: ConfiguredAirbyteCatalog,
    saved: SavedStates | None,
) -> Read:
    """Build the read of the configured streams; saved: the state, None where none was given."""
    rate_limiter = RateLimiter(settings.requests_per_minute)
    client = CodatClient(streams["companies"].retriever.requester, settings.num_workers, rate_limiter)
    outbox: Outbox[Event] = Outbox()

    def emit(rows: RowBatch) -> None:
        outbox.put(rows, rows.size)

    def parents_of(retriever: CodatRetriever, stats: RequestStats) -> Parents | None:
        parent = streams[retriever.parent].retriever if retriever.parent else None
        return Parents(client, retriever, parent, settings, stats) if parent else None

    selected: dict[str, SelectedStream] = {}
    of_codat = [one for one in catalog.streams if one.stream.name != READ_OUTCOMES]
    for configured in of_codat:
        stream = streams[configured.stream.name]
        outcome = StreamOutcome(stream.name, per_company=bool(stream.retriever.scope))
        selected[stream.name] = SelectedStream(
            stream.retriever,
            StreamReader(client, stream.retriever, settings, emit, outcome.stats),
            outcome,
            _state(stream, settings, configured.sync_mode, saved),
            parents_of(stream.retriever, outcome.stats),
        )
    outcome_stream = _outcome_stream(selected) if len(of_codat) < len(catalog.streams) else None
    companies = selected.pop("companies", None)

    def emit_companies(rows: RowBatch) -> None:
        if companies:
            emit(rows)

    stats = companies.outcome.stats if companies else None
    company_list = CompanyList(
        client,
        streams["companies"].retriever,
        settings,
        emit_companies,
        stats,
        keeps_connections=any(one.retriever.path == CONNECTIONS_PATH for one in selected.values()),
    )
    of_companies = [stream for stream in selected.values() if stream.retriever.scope]
    of_client = [stream for stream in selected.values() if not stream.retriever.scope]
    planner = Planner(client, settings, of_companies)
    refresher = Refresher(client, settings, planner) if settings.refresh_older_than_hours else None
    return Read(
        client, company_list, planner, of_client, of_companies, companies, outbox, refresher, outcome_stream
    )


def _outcome_stream(selected: Mapping[str, SelectedStream]) -> OutcomeStream:
    stats = {name: stream.outcome.stats for name, stream in selected.items()}
    by_company = [name for name, stream in selected.items() if stream.retriever.scope]
    return OutcomeStream(ReadOutcomes(stats, by_company))


def _state(
    stream: CodatStream, settings: Settings, mode: SyncMode, saved: SavedStates | None
) -> StreamState | None:
    """The state that a stream is read with, None where it is read whole; says in the log where it starts."""
    retriever = stream.retriever
    if mode is not SyncMode.incremental or not retriever.cursor_field:
        logger.info("%s: %s", stream.name, READ_WHOLE if retriever.cursor_field else NO_CURSOR)
        return None
    state = StreamState(
        retriever.name,
        retriever.state_scope,
        retriever.cursor_field,
        fingerprint(retriever, settings),
        keeps_dates=retriever.by_codat_sync,
    )
    warning = state.load(saved.of(stream.name) if saved else None)
    if warning:
        logger.warning(warning)
    if not warning or (state.entries and not state.starts_again):
        logger.info("%s: %s", stream.name, origin(state, saved))
    return state
