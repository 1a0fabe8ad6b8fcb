"""Why a partition is skipped: one table for what is asked, what is told, and what becomes of the state."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class SkipReason(Enum):
    """Why there is nothing to read for a partition; what comes first is told first."""

    UNCHANGED = "unchanged"
    NOT_SUPPORTED = "not_supported"
    NOT_SYNCED = "not_synced"
    WITHHELD = "withheld"
    NOT_ALLOWED = "not_allowed"
    BLOCKED = "blocked"
    NO_CONNECTION = "no_connection"
    NOT_GENERATED = "not_generated"
    COMPANY_GONE = "company_gone"


class StateEffect(Enum):
    """What becomes of a skipped partition's entry in the state."""

    KEPT = "kept"
    NOTED = "noted"  # that there is nothing, so that it isn't asked for again
    DROPPED = "dropped"


class SkipRule(NamedTuple):
    """What is known of one reason.

    words: for the log, after the number of companies. status: Codat's HTTP status that says so, where one
    does. is_told: whether it is worth a warning, as a user could or should change something.
    """

    words: str
    status: int | None = None
    state: StateEffect = StateEffect.KEPT
    is_told: bool = True


SKIP_RULES = {
    SkipReason.UNCHANGED: SkipRule("unchanged since the last read", is_told=False),
    SkipReason.NOT_SUPPORTED: SkipRule(
        "not supported by the company's platform, or no data", status=404, state=StateEffect.NOTED
    ),
    SkipReason.NOT_SYNCED: SkipRule("never synced by Codat", status=409),
    SkipReason.WITHHELD: SkipRule(
        "with data that Codat holds back although nothing is being synced (the connection may have lost its "
        "authorisation: the company has to link it again)"
    ),
    SkipReason.NOT_ALLOWED: SkipRule("not allowed for this API key (is the product bought?)", status=403),
    SkipReason.BLOCKED: SkipRule("blocked by Codat for compliance reasons", status=451),
    SkipReason.NO_CONNECTION: SkipRule("without a connection that could hold this data", is_told=False),
    SkipReason.NOT_GENERATED: SkipRule("without such a report: it has to be generated in Codat first"),
    SkipReason.COMPANY_GONE: SkipRule("deleted in Codat", state=StateEffect.DROPPED),
}
REASON_OF_STATUS = {rule.status: reason for reason, rule in SKIP_RULES.items() if rule.status}
