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
from airbyte_cdk.sources.streams.http.error_handlers import ResponseAction
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from source_codat import timestamps
from source_codat.budget import CallBudget
from source_codat.errors import ConfigError, MalformedAnswer, PartitionFailed, PartitionSkipped, ReadStopped
from source_codat.problem import Problem
from source_codat.traffic import Tally, Traffic

T = TypeVar("T")
MAX_WAIT_SECONDS = 600.0  # for one answer of 429
MAX_WAITS_SECONDS = 900.0  # for all waits of one request
_REASONS = {403: "not_allowed", 404: "not_supported", 409: "not_synced", 451: "blocked"}


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

    requester: HttpRequester
    workers: int
    secrets: tuple[str, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)
    budget: CallBudget = field(default_factory=CallBudget)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("airbyte"))

    def __post_init__(self) -> None:
        self.traffic = Traffic()
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._base_url = self.requester.get_url(stream_state=None, stream_slice=None, next_page_token=None)
        self._timeout = time_outs(self.requester)
        if self.requester.error_handler is None:
            raise ValueError("The manifest's requester needs an error_handler.")
        self._errors = self.requester.error_handler
        self._max_retries = int(self._errors.max_retries or 0)
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
        tally: Tally | None = None,
    ) -> T:
        """What `parse` makes of the answer to one GET, retried as the manifest's table says.

        tally: counts the requests, where somebody wants them apart.

        An answer that `parse` refuses with MalformedAnswer is asked for again. Raises
        PartitionSkipped (403, 404, 409, 451), PartitionFailed (the rest of 4xx, or no good answer
        in time), ConfigError (401, 402) and ReadStopped (the quota, or the user's stop).
        """
        return self._ask("GET", path, params, parse, (self.traffic, tally or Tally()))

    def post(self, path: str, parse: Callable[[Answer], T]) -> T:
        """What `parse` makes of the answer to one POST without a body; retried and raised as by `get`."""
        return self._ask("POST", path, None, parse, (self.traffic,))

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        parse: Callable[[Answer], T],
        tallies: tuple[Tally, ...],
    ) -> T:
        waited = 0.0
        attempt = 0
        while True:
            with self._lock:
                for tally in tallies:
                    tally.requests += 1
            outcome = self._send(method, path, params)
            if isinstance(outcome, Answer):
                try:
                    return parse(outcome)
                except MalformedAnswer as error:
                    outcome = Problem(str(error))
            attempt += 1
            seconds = self._next_wait(outcome, path, attempt, waited)
            waited += seconds
            with self._lock:
                for tally in tallies:
                    tally.retries += 1
                    tally.waited += seconds
            self.logger.info(
                "Codat: %s (%s); trying again in %.0f s, try %d.", outcome.text, path, seconds, attempt + 1
            )
            self._sleep(seconds)

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None) -> Answer | Problem:
        self._sleep(self._not_before - time.monotonic())
        self._sleep(self.budget.take())
        try:
            with self._session.request(
                method,
                self._base_url + path,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                # In one piece: `response.content` puts it together from many.
                body = response.raw.read(decode_content=True)
        except (requests.Timeout, ReadTimeoutError):
            return Problem("no answer in time", timed_out=True)
        except (requests.RequestException, HTTPError) as error:
            # The exception's own text may quote headers: name its kind only.
            return Problem(f"the connection failed ({type(error).__name__})")
        with self._lock:
            self.traffic.quota_limit = response.headers.get("X-Rate-Limit-Limit", self.traffic.quota_limit)
            self.traffic.quota_left = response.headers.get("X-Rate-Limit-Remaining", self.traffic.quota_left)
        response._content = body  # noqa: SLF001 - read by the CDK's error handler, through `response.json()`
        return self._interpret(response, body, path)

    def _interpret(self, response: requests.Response, body: bytes, path: str) -> Answer | Problem:
        if response.ok:
            problem = Problem.in_body(response)
            return problem or Answer(response.status_code, body, response.headers)
        resolution = self._errors.interpret_response(response)
        problem = Problem.in_error(response, self.secrets)
        if resolution.response_action is ResponseAction.IGNORE:
            raise PartitionSkipped(_REASONS[response.status_code], problem.text)
        if resolution.response_action is ResponseAction.FAIL:
            if resolution.failure_type is FailureType.config_error:
                raise ConfigError(
                    f"{(resolution.error_message or '').strip()} (Codat says: {problem.text})",
                    status=response.status_code,
                )
            raise PartitionFailed(
                f"Codat refused a request for {path}: {problem.text}",
                FailureType.system_error,
                status=problem.status,
            )
        return problem

    def _next_wait(self, problem: Problem, path: str, attempt: int, waited: float) -> float:
        """Seconds to wait before the next try; raises where there must be none."""
        if problem.status == 429:
            asked = problem.retry_after
            seconds = asked if asked is not None else self._back_off(attempt, 60.0)
            if seconds > MAX_WAIT_SECONDS or waited + seconds > MAX_WAITS_SECONDS:
                reset = email.utils.formatdate(time.time() + seconds, usegmt=True)
                raise ReadStopped(
                    f"Codat's request quota is used up until {reset}: the sync stopped there, and the next "
                    f"one goes on from what was finished. (Codat says: {problem.text})"
                )
            with self._lock:  # the quota is everybody's: nobody asks before it is there again
                self._not_before = max(self._not_before, time.monotonic() + seconds)
            return seconds
        if attempt > self._max_retries or waited > MAX_WAITS_SECONDS:
            raise PartitionFailed(
                f"Codat didn't give a good answer for {path} in {attempt} tries: {problem.text}",
                timed_out=problem.timed_out,
            )
        return self._back_off(attempt, 30.0)

    @property
    def awaited(self) -> str:
        """What all requests wait for, in words for the log; empty where they don't."""
        left = self._not_before - time.monotonic()
        return f"waiting for Codat's limit for another {left:.0f} s" if left > 1 else ""

    @staticmethod
    def _back_off(attempt: int, most: float) -> float:
        return min(most, 0.5 * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    def _sleep(self, seconds: float) -> None:
        if self.stop.is_set() or (seconds > 0 and self.stop.wait(seconds)):
            raise ReadStopped("The read was told to stop.")
