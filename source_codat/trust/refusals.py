"""What a refusal of Codat's means for a partition: there is nothing, it is held back, or it failed."""

from __future__ import annotations

from enum import Enum

from source_codat.foundation.skip_reasons import SkipReason
from source_codat.trust.evidence import DataTypeStatus, Entry, Evidence
from source_codat.trust.judge import Change, change_between
from source_codat.trust.statuses import Stage


class Conflict(Enum):
    """What Codat's 409 ("not there yet") can mean for one partition."""

    NEVER_SYNCED = "no Codat sync has brought the data yet"
    SYNCING = "there is data, and a Codat sync keeps it"
    WITHHELD = "there is data that Codat holds back although nothing is being synced"


def is_sure_conflict(before: Evidence | None, entry: Entry | None, *, incremental: bool) -> bool:
    """Whether 409 means without another look that the data was never synced.

    Where dataStatus merges connections, a connection's data may never have been synced beside another's; an
    incremental stream that has no entry for it loses nothing, as the next read brings its whole history.
    """
    if before is None or not before.has_data:
        return True
    return incremental and entry is None and _is_ambiguous(before)


def meaning_of_conflict(before: Evidence, now: Evidence | None, entry: Entry | None) -> Conflict:
    """What 409 means for data that dataStatus shows; `now` is a look after it, None where Codat gave none."""
    if now is None or change_between(before, now) is not Change.NOTHING:
        return Conflict.SYNCING
    if _is_ambiguous(now) and entry is None and not _own_success(now):
        return Conflict.NEVER_SYNCED
    return Conflict.WITHHELD


def ruled_out(status: DataTypeStatus) -> SkipReason | None:
    """Why a data type needn't be asked for, as dataStatus says that there is nothing of it."""
    if status.stage is Stage.NOT_SUPPORTED and not status.has_data:
        return SkipReason.NOT_SUPPORTED
    return SkipReason.NOT_SYNCED if status.is_never_synced else None


def _is_ambiguous(evidence: Evidence) -> bool:
    return evidence.is_merged and evidence.connection_id is not None


def _own_success(evidence: Evidence) -> bool:
    """Whether the history shows a success of the partition's own connection for each of its data types."""
    history = evidence.look.history
    own = {
        entry.dataType
        for entry in (history and history.entries) or ()
        if entry.connectionId == evidence.connection_id and entry.stage is Stage.COMPLETE
    }
    return own.issuperset(evidence.data_types)
