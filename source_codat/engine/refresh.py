"""Asking Codat to fetch anew before anything is read: only where the user wants it, and only what is stale.

What is asked for, and how long it is waited for: docs/behaviour.md, "Refresh".
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from source_codat.companies.company import Company, Shown
from source_codat.companies.context import CompanyContext
from source_codat.companies.lenient_json import decoded
from source_codat.companies.sync_history import history_entry
from source_codat.config.settings import Settings
from source_codat.engine.refresh_report import RefreshReport, RefreshTrouble
from source_codat.foundation import timestamps
from source_codat.foundation.errors import ConfigError, PartitionFailed, PartitionSkipped
from source_codat.foundation.paths import path_segment
from source_codat.foundation.skip_reasons import SkipReason
from source_codat.foundation.wording import counted
from source_codat.http.client import CodatClient
from source_codat.http.transport import Answer
from source_codat.planning.planner import Planner
from source_codat.streams.definition import CUSTOM
from source_codat.trust.evidence import HistoryEntry, Look
from source_codat.trust.statuses import UNFINISHED, Stage

MINUTE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 120.0
_KEPT = 1000  # companies without a refresh whose dataStatus is held until they are opened
_PLAN = 402  # refreshes may be what the plan doesn't allow: then the rest of the read goes on
logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Pull:
    """A data type that Codat fetches for a company, or for one connection of it.

    sync_id: of the pull that was queued; None where one ran already. before: the id of the latest
    Codat sync that dataStatus showed until then.
    """

    data_type: str
    connection_id: str | None
    sync_id: str | None
    before: str | None


@dataclass
class Refreshing:
    """A company whose refreshes are under way."""

    context: CompanyContext
    pulls: list[Pull]
    pause: float = field(default_factory=lambda: FIRST_PAUSE_SECONDS)  # looked up late, for tests


class Refresher:
    """Queues refreshes and looks after them; safe to use from several threads.

    What is refreshed are the data types of the planner's streams. Waiting is the caller's: nothing
    here sleeps.
    """

    def __init__(self, client: CodatClient, settings: Settings, planner: Planner) -> None:
        self._client = client
        self._settings = settings
        self._source_types = planner.source_types
        self._platforms = planner.platforms
        self._seconds = settings.refresh_wait_minutes * MINUTE_SECONDS
        self._deadline: float | None = None
        self._kept = 0
        self._lock = threading.Lock()
        self.report = RefreshReport(settings.refresh_wait_minutes)

    @property
    def wait_in_words(self) -> str:
        """What is waited for, in words for the log; empty where nothing is."""
        companies, pulls = self.report.waiting
        if not companies:
            return ""
        left = max(1, round(self.seconds_left / 60))
        what = f"{counted(pulls, 'data type')} of {counted(companies, 'company')}"
        return f"waiting for Codat to refresh {what}, {left} min at most"

    @property
    def seconds_left(self) -> float:
        """How long is still waited: one clock for the whole read, from the first refresh queued."""
        with self._lock:
            if self._deadline is None:
                return self._seconds
            return self._deadline - time.monotonic()

    def begin(self, context: CompanyContext) -> Refreshing | None:
        """Queue what is stale of a company; None where there is nothing to wait for.

        Leaves in the context what dataStatus said. Raises what the client raises.
        """
        if self.seconds_left <= 0:
            self.report.note(RefreshTrouble.LATE, context.company)
            return None
        look = context.new_look()
        now = look.taken_at or timestamps.now()
        pulls: list[Pull] = []
        for data_type, connection_id in self._stale(context, look, now):
            known = look.types.get(data_type)
            if known and known.currentStatus in UNFINISHED:
                pulls.append(Pull(data_type, connection_id, None, None))
                continue
            before = known.latestSyncId if known else None
            try:
                sync_id = self._queue(context.company, data_type, connection_id)
            except (PartitionSkipped, PartitionFailed, ConfigError) as error:
                self._refused(error, context.company, data_type)
                continue
            pulls.append(Pull(data_type, connection_id, sync_id, before))
            self.report.asked(is_new=sync_id is not None)
        if not pulls:
            return None
        with self._lock:
            self._deadline = self._deadline or time.monotonic() + self._seconds
        self.report.begun(context.company, [pull.data_type for pull in pulls])
        return Refreshing(context, pulls)

    def look(self, refreshing: Refreshing) -> Refreshing | None:
        """What is still waited for; None where everything has ended, well or not, or the time is over."""
        context = refreshing.context
        late = self.seconds_left <= 0
        with contextlib.suppress(PartitionFailed, PartitionSkipped):  # perhaps the next look tells
            context.new_look()
            refreshing.pulls = [pull for pull in refreshing.pulls if not self._ended(context, pull)]
        waiting = refreshing.pulls
        refreshing.pause = min(LONGEST_PAUSE_SECONDS, refreshing.pause * 1.5)
        if late:
            for pull in waiting:
                self.report.note(RefreshTrouble.UNFINISHED, context.company, pull.data_type)
        left = [] if late else waiting
        self.report.left(context.company, len(left))
        return refreshing if left else None

    def context_to_keep(self, context: CompanyContext, *, waited: bool) -> CompanyContext | None:
        """What the last look showed, for who opens the company.

        Those that were waited for are opened at once; of the others, not too many are held.
        """
        with self._lock:
            self._kept += not waited
            return context if waited or self._kept <= _KEPT else None

    def pause(self, refreshing: Refreshing) -> float:
        """Seconds until the next look, the last one when the time is over."""
        return max(0.0, min(refreshing.pause, self.seconds_left))

    def _stale(self, context: CompanyContext, look: Look, now: int) -> Iterator[tuple[str, str | None]]:
        """What has to be fetched: data types, and the connection where each has its own."""
        oldest = now - self._settings.refresh_older_than_hours * 3600 * timestamps.TICKS_PER_SECOND
        for data_type, source_types in self._source_types.items():
            custom = data_type.startswith(CUSTOM)
            status = look.types.get(data_type)
            if not custom and (status is None or status.stage is Stage.NOT_SUPPORTED):
                continue  # no platform of the company has it
            synced = timestamps.instant((status and status.lastSuccessfulSync) or "")
            if synced is not None and synced >= oldest:
                continue
            is_synced = status is not None and status.has_data
            held = context.company.connections(source_types, shown=Shown.DATA if is_synced else Shown.NOTHING)
            if custom:
                identifier = data_type.removeprefix(CUSTOM)
                held = [
                    connection for connection in held if self._platforms.has_custom(connection, identifier)
                ]
            elif synced is None and self._platforms.none_supports(held, data_type):
                continue
            linked = [connection for connection in held if connection.is_linked]
            if held and not linked:
                for connection in held:
                    self.report.note(RefreshTrouble.UNLINKED, context.company, connection.label)
            elif custom:
                yield from ((data_type, connection.id) for connection in linked)
            elif linked:
                yield data_type, None

    def _queue(self, company: Company, data_type: str, connection_id: str | None) -> str | None:
        """Ask for one data type; the pull's id, or None where one is under way already."""
        path = f"/companies/{path_segment(company.id)}"
        if connection_id:
            path += f"/connections/{path_segment(connection_id)}"
        path += "/data/queue/" + "/".join(map(path_segment, data_type.split("/")))
        try:
            pull = self._client.post(path, _pull)
        except (PartitionSkipped, PartitionFailed) as error:
            # Codat's documents name the exception, but not the status that it comes with: 409 is likely.
            is_conflict = isinstance(error, PartitionSkipped) and error.reason is SkipReason.NOT_SYNCED
            if is_conflict or "AlreadyInProgress" in str(error):
                return None
            raise
        return pull.id

    def _refused(
        self, error: PartitionSkipped | PartitionFailed | ConfigError, company: Company, data_type: str
    ) -> None:
        if isinstance(error, ConfigError) and error.status != _PLAN:
            raise error
        words = error.detail if isinstance(error, PartitionSkipped) else error.message
        self.report.note(RefreshTrouble.REFUSED, company, data_type, words or "")

    def _ended(self, context: CompanyContext, pull: Pull) -> bool:
        """Whether a pull is over; notes how it ended."""
        status = self._status(context, pull)
        if status is None or status in UNFINISHED:
            return False
        self.report.ended(
            status, context.company, pull.data_type, self._connection_labels(context.company, pull)
        )
        return True

    def _status(self, context: CompanyContext, pull: Pull) -> str | None:
        """Where a pull stands; None where Codat doesn't tell."""
        look = context.last_look
        if look is None:
            return None
        history = look.history
        for entry in (history and history.entries) or ():
            is_own = entry.dataType == pull.data_type and pull.connection_id in (None, entry.connectionId)
            if is_own and entry.status in UNFINISHED:  # other connections may still be at it
                return entry.status
        known = look.types.get(pull.data_type)
        heard = known and known.latestSyncId != pull.before and pull.connection_id is None
        if known and (known.currentStatus in UNFINISHED or pull.sync_id is None or heard):
            return known.currentStatus
        return self._ask(context.company, pull.sync_id) if pull.sync_id else None

    def _ask(self, company: Company, sync_id: str) -> str | None:
        """Where a pull stands that dataStatus hasn't heard of yet, or doesn't tell from others."""
        try:
            path = f"/companies/{path_segment(company.id)}/data/history/{path_segment(sync_id)}"
            return self._client.get(path, None, _pull).status
        except (PartitionFailed, PartitionSkipped):
            return None

    def _connection_labels(self, company: Company, pull: Pull) -> list[str]:
        held = company.connections(self._source_types[pull.data_type])
        return [connection.label for connection in held if pull.connection_id in (None, connection.id)]


def _pull(answer: Answer) -> HistoryEntry:
    return history_entry(decoded(answer.body, "the refresh"))
