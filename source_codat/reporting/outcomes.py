"""What became of a stream's partitions: counted for the summary, told apart for the status."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field

from airbyte_cdk.models import FailureType, StreamDescriptor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation.secrets import masked
from source_codat.foundation.skip_reasons import SKIP_RULES, SkipReason
from source_codat.foundation.wording import counted, first_of
from source_codat.http.stats import RequestStats
from source_codat.trust.judge import Doubt


@dataclass
class StreamOutcome:
    """What became of one stream in a read; only the thread that writes changes it.

    records: how many have left. size: their bytes. since_state: how many left after the last state.
    companies_seen: the ids of those of which a first page or an end has come. expected: how many rows Codat
    announced for them. companies_read: the ids of those that were read.
    stats: the stream's own requests, which the client counts.
    unproven, without_date: labels of partitions that kept changing, and of those with rows that no question
    for changes finds. peculiarities: by label, what contradicts what, although
    all rows came.
    skipped, details: by reason, the companies that were left out, each once, and Codat's words.
    doubts: by doubt, the companies whose cursor can't move, each once.
    failures: label, sentence and failure type of each partition that couldn't be read; with one, the stream
    is INCOMPLETE. passed_over: label and sentence of each that couldn't be read and doesn't make it so, as
    the user wants it.
    is_running: its status RUNNING was sent. is_finished: it was read whole, where one answer or list is all.
    has_ended: no more records will come. per_company: whether it is read company by company.
    """

    name: str
    records: int = 0
    size: int = 0
    since_state: int = 0
    expected: int = 0
    companies_seen: set[str] = field(default_factory=set)
    stats: RequestStats = field(default_factory=RequestStats)
    companies_read: set[str] = field(default_factory=set)
    unproven: list[str] = field(default_factory=list)
    peculiarities: dict[str, str] = field(default_factory=dict)
    without_date: list[str] = field(default_factory=list)
    skipped: dict[SkipReason, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    details: dict[SkipReason, str] = field(default_factory=dict)
    doubts: dict[Doubt, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    failures: list[tuple[str, str, FailureType]] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    is_running: bool = False
    is_finished: bool = False
    has_ended: bool = False
    per_company: bool = True

    def skip(self, reason: SkipReason, company: str, detail: str) -> None:
        """Note a partition that was left out, and Codat's words the first time."""
        self.skipped[reason][sys.intern(company)] = None  # one text for all streams
        if detail:
            self.details.setdefault(reason, detail)

    @property
    def failure_type(self) -> FailureType:
        """What the platform is told: transient where that may help, as it then tries again.

        A configuration that suits some of the companies isn't wrong: one platform may refuse a filter
        that others take.
        """
        kinds = {kind for _, _, kind in self.failures}
        if FailureType.transient_error in kinds:
            return FailureType.transient_error
        if FailureType.config_error in kinds and not self.companies_read:
            return FailureType.config_error
        return FailureType.system_error

    def error(self) -> AirbyteTracedException:
        """The stream's failure as the platform is told: which companies couldn't be read, and why."""
        companies = list(dict.fromkeys(company for company, _, _ in self.failures))
        sentence = masked(
            f"{self.name}: {counted(len(companies), 'company')} couldn't be read ({first_of(companies)}). "
            f"{self.failures[0][1].removesuffix('.')}. What was read before is kept, and the next read tries "
            "again."
        )
        return AirbyteTracedException(
            message=sentence,
            internal_message=sentence,
            failure_type=self.failure_type,
            stream_descriptor=StreamDescriptor(name=self.name),
        )

    def warnings(self) -> list[str]:
        """One sentence for each reason that a user should know of."""
        sentences = []
        for reason, rule in SKIP_RULES.items():
            companies = list(self.skipped.get(reason, ()))
            if companies and rule.is_told:
                detail = f" Codat says: {self.details[reason]}" if reason in self.details else ""
                sentences.append(
                    f"{self.name}: {counted(len(companies), 'company')} skipped, {rule.words}: "
                    f"{first_of(companies)}.{detail}"
                )
        for doubt, labels in self.doubts.items():
            companies = list(labels)
            sentences.append(
                f"{self.name}: what was read of {counted(len(companies), 'company')} ({first_of(companies)}) "
                f"comes again with the next read, because {doubt.value}."
            )
        if self.passed_over:
            companies = list(dict.fromkeys(company for company, _ in self.passed_over))
            sentences.append(
                f"{self.name}: {counted(len(companies), 'company')} couldn't be read ({first_of(companies)}) "
                "and passed over, as 'continue_past_failures' is on. "
                f"{self.passed_over[0][1].removesuffix('.')}. Their state was kept, and the next read tries "
                "again."
            )
        if self.unproven:
            sentences.append(
                f"{self.name}: {counted(len(self.unproven), 'partition')} kept changing while being read "
                f"({first_of(self.unproven)}); their rows were sent, their state was kept, and the next read "
                "reads them again."
            )
        if self.peculiarities:
            companies = list(self.peculiarities)
            sentences.append(
                f"{self.name}: {counted(len(companies), 'company')} ({first_of(companies)}) taken as read "
                f"completely, although {self.peculiarities[companies[0]]}."
            )
        if self.without_date:
            companies = list(dict.fromkeys(self.without_date))
            sentences.append(
                f"{self.name}: rows of {counted(len(companies), 'company')} ({first_of(companies)}) have no "
                "usable date, so that a question for changes doesn't find them; such data is read whole each "
                "time it was synced."
            )
        return sentences

    def summary(self) -> str:
        """The stream's closing line."""
        parts = [counted(self.records, "record")]
        if not self.is_finished:
            parts.append(f"{counted(len(self.companies_read), 'company')} read")
        for reason, rule in SKIP_RULES.items():
            if self.skipped.get(reason):
                parts.append(f"{len(self.skipped[reason])} {rule.words}")
        failed = {company for company, _, _ in self.failures} | {company for company, _ in self.passed_over}
        if failed:
            parts.append(f"{len(failed)} failed")
        return f"{self.name}: {', '.join(parts)}; {self.stats.sentence()}."
