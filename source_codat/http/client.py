"""Asking Codat: one place for the key, the limits, the retries and the time-outs."""

from __future__ import annotations

import email.utils
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters import HttpRequester
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers import ResponseAction
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from source_codat.foundation import timestamps
from source_codat.foundation.errors import (
    ConfigError,
    MalformedAnswer,
    PartitionFailed,
    PartitionSkipped,
    ReadStopped,
)
from source_codat.foundation.skip_reasons import REASON_OF_STATUS
from source_codat.foundation.wording import counted
from source_codat.http.problem import Problem
from source_codat.http.rate_limit import RateLimiter
from source_codat.http.retry_policy import READ_POLICY, Attempts, RetryPolicy
from source_codat.http.stats import ClientStats, RequestStats

T = TypeVar("T")
_AT_ONCE = 1 << 20  # bytes of a body: few pieces, and each tells whether it still comes


def time_outs(requester: HttpRequester) -> tuple[float, float]:
    """Seconds to wait for a connection, and between bytes of an answer."""
    connect, read = requester.connect_timeout_in_seconds, requester.read_timeout_in_seconds
    if connect is None or read is None:
        raise ValueError("The manifest's requester needs both time-outs: a stalled server would hang a sync.")
    return connect, read


@dataclass(frozen=True)
class Answer:
    """One answer of Codat: the body's bytes, and what the headers tell."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def server_time(self) -> int | None:
        """The server's clock when it answered, as an instant, to the second."""
        return timestamps.from_http_date(self.headers.get("Date"))


@dataclass
class CodatClient:
    """Sends GET requests the way the manifest's requester says, until there is an answer or a reason.

    `stop` ends every wait at once: with it set, `get` raises ReadStopped.
    """

    requester: HttpRequester = field(repr=False)  # it has the configuration in it
    workers: int
    secrets: tuple[str, ...] = field(default=(), repr=False)
    stop: threading.Event = field(default_factory=threading.Event)
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("airbyte"))
    retry_policy: RetryPolicy = READ_POLICY

    def __post_init__(self) -> None:
        self.stats = ClientStats()
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._heard: float | None = None  # when Codat last answered, whatever it said
        self._base_url = self.requester.get_url(stream_state=None, stream_slice=None, next_page_token=None)
        connect, read = time_outs(self.requester)
        self._timeout = (
            min(connect, self.retry_policy.connect_timeout or connect),
            min(read, self.retry_policy.read_timeout or read),
        )
        if not isinstance(self.requester.error_handler, DefaultErrorHandler):
            raise ValueError("The manifest's requester needs a DefaultErrorHandler.")
        self._errors = self.requester.error_handler
        rows = self._errors.response_filters or []
        self._named = {status for row in rows for status in row.http_codes or ()}
        policy = self.retry_policy
        allowed = int(self._errors.max_retries or 0)
        self._max_retries = allowed if policy.max_retries is None else policy.max_retries
        self._session = requests.Session()
        self._session.auth = self.requester.get_authenticator()
        self._session.headers.update({"Accept": "application/json", "User-Agent": "source-codat"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=self.workers + 2)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)  # ignore-https-check: loopback and private networks only

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
        PartitionSkipped (403, 404, 409, 451), PartitionFailed (3xx, the rest of 4xx, or no good
        answer in time), ConfigError (401, 402) and ReadStopped (the quota, no way to Codat any more,
        or the user's stop).
        """
        return self._ask("GET", path, params, parse, (self.stats, stats or RequestStats()))

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
                except MalformedAnswer as error:
                    outcome = Problem(str(error))
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
        self._sleep(self._not_before - time.monotonic())
        self._sleep(self.rate_limiter.reserve())
        try:
            with self._session.request(
                method,
                self._base_url + path,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                self._heard = time.monotonic()
                body = self._body(response)
        except (requests.RequestException, HTTPError, OSError) as error:
            return Problem.in_connection(error)
        if body is None:
            return Problem("the answer didn't come to its end in time", timed_out=True)
        with self._lock:
            self.stats.note_quota(response.headers)
        response._content = body  # noqa: SLF001 - read by the CDK's error handler, through `response.json()`
        return self._interpret(response, body, path)

    def _body(self, response: requests.Response) -> bytes | None:
        """The whole body; None where it trickles in for longer than the retry policy allows.

        The read time-out doesn't see that: each byte starts it anew.
        """
        last = time.monotonic() + self.retry_policy.answer_timeout
        parts = []
        while part := response.raw.read1(_AT_ONCE, decode_content=True):
            parts.append(part)
            if time.monotonic() > last:
                return None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _interpret(self, response: requests.Response, body: bytes, path: str) -> Answer | Problem:
        status = response.status_code
        if 200 <= status < 300:
            if not body and status != requests.codes.no_content:
                return Problem("the answer was empty")
            return Answer(status, body, response.headers)
        resolution = self._errors.interpret_response(response)
        problem = Problem.in_error(response, self.secrets)
        if resolution.response_action is ResponseAction.IGNORE:
            raise PartitionSkipped(REASON_OF_STATUS[status], problem.text)
        other = status not in self._named and status < 500
        if other or resolution.response_action is ResponseAction.FAIL:
            if not other and resolution.failure_type is FailureType.config_error:
                raise ConfigError(
                    f"{(resolution.error_message or '').strip()} (Codat says: {problem.text})",
                    status=status,
                )
            raise PartitionFailed(
                f"Codat refused a request for {path}: {problem.text}",
                FailureType.system_error,
                status=problem.status,
                detail=problem.text,
            )
        return problem

    def _next_wait(self, problem: Problem, attempts: Attempts) -> float:
        """Seconds to wait before the next try; raises where there must be none."""
        attempts.made += 1
        attempts.timed_out += problem.timed_out and not problem.status
        if problem.status == 429:
            seconds = self._limit_wait(problem, attempts)
        else:
            attempts.failing_since = attempts.failing_since or time.monotonic()
            attempts.failed += 1
            if attempts.failed > self._max_retries or attempts.timed_out >= self.retry_policy.max_time_outs:
                what = f"{attempts.path} in {counted(attempts.made, 'try')}: {problem.text}"
                if problem.unreachable and self._heard is not None and self._heard < attempts.failing_since:
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
            raise ReadStopped(
                f"Codat's request quota is used up until {reset}: {self.retry_policy.advice}. "
                f"(Codat says: {problem.text})"
            )
        with self._lock:  # the quota is everybody's: nobody asks before it is there again
            self._not_before = max(self._not_before, time.monotonic() + seconds)
        return seconds

    @property
    def wait_in_words(self) -> str:
        """What all requests wait for, in words for the log; empty where they don't."""
        left = self._not_before - time.monotonic()
        return f"waiting for Codat's limit for another {left:.0f} s" if left > 1 else ""

    @staticmethod
    def _back_off(attempt: int, most: float) -> float:
        return min(most, 0.5 * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    def _sleep(self, seconds: float) -> None:
        if self.stop.is_set() or (seconds > 0 and self.stop.wait(seconds)):
            raise ReadStopped("The read was told to stop.")
