"""Errors sorted by what happens next: the read stops, or one partition fails, or it is skipped."""

from __future__ import annotations

import logging
import traceback

from airbyte_cdk.models import AirbyteMessage, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation.secrets import masked
from source_codat.foundation.skip_reasons import SkipReason

logger = logging.getLogger("airbyte")


class ConfigError(AirbyteTracedException):
    """The user's configuration, catalog or state is wrong; the message says what to do.

    status: of Codat's answer, where it was that which told.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        shown = masked(message)
        super().__init__(message=shown, internal_message=shown, failure_type=FailureType.config_error)
        self.status = status


class ReadStopped(AirbyteTracedException):
    """The whole read must stop now: nothing else could be read either."""

    def __init__(self, message: str, failure_type: FailureType = FailureType.transient_error) -> None:
        shown = masked(message)
        super().__init__(message=shown, internal_message=shown, failure_type=failure_type)


class ReadInterrupted(ReadStopped):
    """Somebody told the read to stop: nothing is wrong, and nobody needs to mend anything."""


class PartitionFailed(Exception):
    """One partition couldn't be read; its state stays, the rest goes on.

    `failure_type` is what the platform is told: a transient error is tried again by itself.
    timed_out, too_large: no answer came in time, or one with more bytes than may be held: a smaller
    page may do. detail: Codat's own words, where it refused. read_until: the instant up to which all was
    read nevertheless, so that its state may move there; None where it has to stay.
    """

    def __init__(
        self,
        message: str,
        failure_type: FailureType = FailureType.transient_error,
        *,
        status: int = 0,
        timed_out: bool = False,
        too_large: bool = False,
        detail: str = "",
        read_until: int | None = None,
    ) -> None:
        self.message = masked(message)
        super().__init__(self.message)
        self.read_until = read_until
        self.failure_type = failure_type
        self.status = status
        self.timed_out = timed_out
        self.too_large = too_large
        self.detail = masked(detail)


class PartitionSkipped(Exception):
    """Codat has nothing to read for one partition, for a reason; its state stays.

    What each reason means, and what becomes of the state: `foundation/skip_reasons.py`.
    """

    def __init__(self, reason: SkipReason, detail: str = "") -> None:
        self.reason = reason
        self.detail = masked(detail)
        super().__init__(self.detail)


class MalformedAnswer(Exception):
    """An answer with a good status whose body can't be what Codat meant to send."""


def trace_of(error: AirbyteTracedException) -> AirbyteMessage:
    """An error as a message of the protocol, masked in all that it tells."""
    message = error.as_airbyte_message()
    if message.trace and message.trace.error:
        told = message.trace.error
        told.message = masked(told.message)
        told.internal_message = masked(told.internal_message or "")
        told.stack_trace = masked(told.stack_trace or "")
    return message


def own_error(error: Exception, place: str) -> str:
    """Log an exception that shows a fault of the connector, and put it into a sentence.

    Masked here already: other programs' logs don't mask.
    """
    found = masked("".join(traceback.format_exception(error)))
    logger.error("%s: the connector met an error of its own.\n%s", place, found)
    return masked(f"The connector met an error of its own: {type(error).__name__}: {error}.")
