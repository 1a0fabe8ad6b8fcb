"""Asking Codat: one place for the key, the limits, the retries and the time-outs."""

from __future__ import annotations

import contextlib
import email.utils
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from typing import Any, TypeVar

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters import HttpRequester
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers import ResponseAction
from urllib3.exceptions import HTTPError

from source_codat.foundation.errors import (
    ConfigError,
    MalformedAnswer,
    PartitionFailed,
    PartitionSkipped,
    ReadStopped,
)
from source_codat.foundation.paths import company_in
from source_codat.foundation.skip_reasons import REASON_OF_STATUS
from source_codat.foundation.wording import counted
from source_codat.http.bounds import AnswerTooLarge
from source_codat.http.limits import Limits
from source_codat.http.problem import Problem
from source_codat.http.rate_limit import RateLimiter
from source_codat.http.retry_policy import READ_POLICY, Attempts, RetryPolicy
from source_codat.http.stats import ClientStats, RequestStats
from source_codat.http.transport import Answer, Transport, UnpackingFailed, time_outs

T = TypeVar("T")
_KEY_IS_GOOD = ", although the API key is let in elsewhere"
# What sending a request raises where no answer comes, or none that can be taken in; ValueError is
# what http.client says of some numbers that aren't any.
_NO_ANSWER = (
    requests.RequestException,
    HTTPError,
    HTTPException,
    OSError,
    ValueError,
    AnswerTooLarge,
    UnpackingFailed,
)
# What a decoder raises on a body that isn't what was asked for, however its caller catches errors.
_UNREADABLE = (MalformedAnswer, RecursionError, UnicodeError)


@dataclass
class CodatClient:
    """Sends GET requests the way the manifest's requester says, until there is an answer or a reason.

    `stop` ends every wait at once: with it set, `get` raises ReadStopped.
    """

    requester: HttpRequester = field(repr=False)  # it has the configuration in it
    workers: int
    rate_limiter: RateLimiter
    stop: threading.Event = field(default_factory=threading.Event)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("airbyte"))
    retry_policy: RetryPolicy = READ_POLICY

    def __post_init__(self) -> None:
        self.stats = ClientStats()
        self._lock = threading.Lock()
        self._limits = Limits()
        self._was_let_in = False  # until Codat has taken the key once
        connect, read = time_outs(self.requester)
        policy = self.retry_policy
        time_out = (min(connect, policy.connect_timeout or connect), min(read, policy.read_timeout or read))
        if not isinstance(self.requester.error_handler, DefaultErrorHandler):
            raise ValueError("The manifest's requester needs a DefaultErrorHandler.")
        self._errors = self.requester.error_handler
        rows = self._errors.response_filters or []
        self._named = {status for row in rows for status in row.http_codes or ()}
        allowed = int(self._errors.max_retries or 0)
        self._max_retries = allowed if policy.max_retries is None else policy.max_retries
        self._transport = Transport(self.requester, self.workers + 2, time_out, policy.answer_timeout)

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        parse: Callable[[Answer], T],
        stats: RequestStats | None = None,
    ) -> T:
        """What `parse` makes of the answer to one GET, retried as the manifest's table says.

        stats: counts the requests of one stream apart, where it is given.

        An answer that `parse` refuses with MalformedAnswer is asked for again. Raises
        PartitionSkipped (403, 404, 409, 451), PartitionFailed (3xx, the rest of 4xx, no good
        answer in time, or what only one company meets of a limit or of 401 and 402), ConfigError (401, 402)
        and ReadStopped (the quota, no way to Codat any more, or the user's stop).
        """
        if stats is None or stats.by_company is None:
            return self._ask("GET", path, params, parse, (self.stats, stats or RequestStats()))
        of_this = RequestStats()
        began = time.monotonic()
        try:
            return self._ask("GET", path, params, parse, (self.stats, stats, of_this))
        finally:
            stats.spent(company_in(path), of_this.requests, time.monotonic() - began)

    def post(self, path: str, parse: Callable[[Answer], T]) -> T:
        """What `parse` makes of the answer to one POST without a body; retried and raised as by `get`."""
        return self._ask("POST", path, None, parse, (self.stats,))

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        parse: Callable[[Answer], T],
        all_stats: tuple[RequestStats, ...],
    ) -> T:
        attempts = Attempts(path)
        while True:
            with self._lock:
                for stats in all_stats:
                    stats.requests += 1
            outcome = self._send(method, path, params)
            if isinstance(outcome, Answer):
                try:
                    return parse(outcome)
                except _UNREADABLE as error:
                    outcome = Problem(_why_unreadable(error))
            seconds = self._next_wait(outcome, attempts)
            with self._lock:
                for stats in all_stats:
                    stats.retries += 1
                    stats.waited += seconds
            self.logger.info(
                "Codat: %s (%s); trying again in %.0f s, try %d.",
                outcome.text,
                path,
                seconds,
                attempts.made + 1,
            )
            self._sleep(seconds)

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None) -> Answer | Problem:
        company_id = company_in(path)
        self._sleep(self._limits.seconds_left(company_id))
        while (seconds := self.rate_limiter.take()) > 0:
            self._sleep(seconds)
        asked_at = time.monotonic()
        try:
            answer = self._transport.send(method, path, params)
        except _NO_ANSWER as error:
            return Problem.in_connection(error)
        finally:
            self.rate_limiter.ended()
        with self._lock:
            self.stats.note_quota(answer.headers)
        if answer.status == requests.codes.too_many_requests:
            is_quota = self._limits.refused(company_id, answer.headers, asked_at)
            return replace(Problem.in_error(answer), is_quota=is_quota)
        self._limits.answered(asked_at)
        return self._interpret(answer, path)

    def _interpret(self, answer: Answer, path: str) -> Answer | Problem:
        status = answer.status
        if 200 <= status < 300:
            self._was_let_in = True
            if not answer.body and status != requests.codes.no_content:
                return Problem("the answer was empty")
            return answer
        # The manifest's table goes by the status: nothing else of an error's answer is looked at there.
        bare = requests.Response()
        bare.status_code, bare._content = status, b""  # noqa: SLF001 - as `requests` sets it
        resolution = self._errors.interpret_response(bare)
        problem = Problem.in_error(answer)
        if resolution.response_action is ResponseAction.IGNORE:
            raise PartitionSkipped(REASON_OF_STATUS[status], problem.text)
        other = status not in self._named and status < 500
        if other or resolution.response_action is ResponseAction.FAIL:
            is_config = not other and resolution.failure_type is FailureType.config_error
            if is_config and self._was_let_in and company_in(path):
                self._confirm_key()
            elif is_config:
                raise ConfigError(
                    f"{(resolution.error_message or '').strip()} (Codat says: {problem.text})",
                    status=status,
                )
            raise PartitionFailed(
                f"Codat refused a request for {path}{_KEY_IS_GOOD if is_config else ''}: {problem.text}",
                FailureType.config_error if is_config else FailureType.system_error,
                status=problem.status,
                detail=problem.text,
            )
        return problem

    def _confirm_key(self) -> None:
        """Ask what is about no company: raises ConfigError where Codat refuses the key there as well.

        What it refuses for one company is that company's own, else.
        """
        with self._lock:
            self.stats.requests += 1
        with contextlib.suppress(PartitionSkipped, PartitionFailed):
            self._send("GET", "/companies", {"page": 1, "pageSize": 1})

    def _next_wait(self, problem: Problem, attempts: Attempts) -> float:
        """Seconds to wait before the next try; raises where there must be none."""
        attempts.made += 1
        attempts.timed_out += problem.timed_out and not problem.status
        if problem.status == 429:
            seconds = self._limit_wait(problem, attempts)
        else:
            attempts.failing_since = attempts.failing_since or time.monotonic()
            attempts.failed += 1
            what = f"{attempts.path} in {counted(attempts.made, 'try')}: {problem.text}"
            if problem.too_large:  # asked again, it would be as large
                raise PartitionFailed(
                    f"Codat didn't give a good answer for {what}", FailureType.system_error, too_large=True
                )
            if attempts.failed > self._max_retries or attempts.timed_out >= self.retry_policy.max_time_outs:
                heard = self._transport.heard_at
                if problem.unreachable and heard is not None and heard < attempts.failing_since:
                    # Nobody else got through meanwhile: whatever is left would fail as slowly.
                    raise ReadStopped(
                        f"Codat can't be reached any more, for {what}; {self.retry_policy.advice}."
                    )
                raise PartitionFailed(
                    f"Codat didn't give a good answer for {what}", timed_out=problem.timed_out
                )
            seconds = self._back_off(attempts.failed, 30.0)
        attempts.waited += seconds
        return seconds

    def _limit_wait(self, problem: Problem, attempts: Attempts) -> float:
        asked = problem.retry_after
        # Codat's clock may be behind ours: what is over already would be asked for without a pause.
        seconds = asked or 0.0
        if seconds < 1:
            seconds = max(seconds, self._back_off(attempts.made, 60.0))
        policy = self.retry_policy
        if seconds > policy.longest_wait or attempts.waited + seconds > policy.longest_waits_in_all:
            reset = email.utils.formatdate(time.time() + seconds, usegmt=True)
            said = f"(Codat says: {problem.text})"
            if problem.is_quota:
                raise ReadStopped(f"Codat's request quota is used up until {reset}: {policy.advice}. {said}")
            raise PartitionFailed(f"Codat takes no requests for {attempts.path} until {reset}. {said}")
        # The quota is everybody's: nobody asks before it is there again.
        self._limits.hold_back(None if problem.is_quota else company_in(attempts.path), seconds)
        return seconds

    def seconds_held_back(self, company_id: str) -> float:
        """How long one company must not be asked, others may; 0 or less where there is no such limit."""
        return self._limits.seconds_left(company_id) if self._limits.seconds_left() <= 0 else 0.0

    @property
    def wait_in_words(self) -> str:
        """What requests wait for, in words for the log; empty where they don't."""
        left = self._limits.seconds_left()
        if left > 1:
            return f"waiting for Codat's limit for another {left:.0f} s"
        companies, left = self._limits.held_back
        if left > 1:
            return f"waiting for Codat's limit on {counted(companies, 'company')} for another {left:.0f} s"
        return ""

    @staticmethod
    def _back_off(attempt: int, most: float) -> float:
        return min(most, 0.5 * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    def _sleep(self, seconds: float) -> None:
        if self.stop.is_set() or (seconds > 0 and self.stop.wait(seconds)):
            raise ReadStopped("The read was told to stop.")


def _why_unreadable(error: Exception) -> str:
    if isinstance(error, MalformedAnswer):
        return str(error)
    return f"the answer wasn't the JSON that was expected ({type(error).__name__})"
