"""What a check found out about one assumption."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """Whether an assumption holds on this account."""

    HOLDS = "holds"
    BROKEN = "DOESN'T HOLD"
    UNKNOWN = "couldn't tell"
    NOTED = "for the record"


@dataclass(frozen=True)
class Finding:
    """One assumption, what was seen, and whether it holds."""

    assumption: str
    seen: str
    verdict: Verdict


def judge(assumption: str, seen: str, holds: bool | None) -> Finding:
    """Make a finding. assumption, seen: sentences. holds: None where this account can't show it."""
    verdict = Verdict.UNKNOWN if holds is None else Verdict.HOLDS if holds else Verdict.BROKEN
    return Finding(assumption, seen, verdict)
