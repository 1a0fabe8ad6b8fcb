"""What must hold of `read_outcomes`: every trouble that a read met is in it, and none that it didn't meet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from codat_simulator import LoggedRequest
from tools.soak.connector import ReadResult, ReadTask
from tools.soak.oracle import PromiseBroken
from tools.soak.streams import COMPANIES, INCREMENTAL, READ_OUTCOMES, Record

_ACCOUNT = "*"
_NOT_WELL = {"failed", "unproven"}
_WELL = {"complete", "unchanged"}
_NOT_REACHED = "not_reached"
# Answers that are never asked for again, and never leave a partition complete.
_REFUSALS = {301, 302, 303, 307, 308, 403, 404, 405, 409, 410, 422, 451}
_FAILED = re.compile(r"(\w+): .*?([0-9a-f-]{36})\)?(?:, .*)? couldn't be read\. ")
# Requests whose answers serve all streams of a company.
_SHARED = re.compile(r"/companies(/[^/]+(/(dataStatus|data/history|data/all|data/queue/.*))?)?")

Rows = Mapping[tuple[str, str], Record]


def check_outcomes(
    task: ReadTask, result: ReadResult, requests: Sequence[LoggedRequest], *, is_calm: bool
) -> None:
    """Raise PromiseBroken where the account of a read isn't true.

    requests: the read's, as the simulator logged them. is_calm: whether nothing was to go wrong.
    """
    if result.code is None or not result.statuses(READ_OUTCOMES):
        return  # killed, refused before it began, or not selected
    rows = {(row["companyId"], row["stream"]): row for row in result.records(READ_OUTCOMES)}
    if len(rows) < len(result.records(READ_OUTCOMES)):
        raise PromiseBroken("read_outcomes: two rows of one company and stream")
    if result.statuses(READ_OUTCOMES)[-1] != "COMPLETE":
        raise PromiseBroken("read_outcomes is incomplete")
    _check_there(task, rows)
    _check_failures(task, result, rows)
    _check_sent(result, rows)
    _check_requests(result, requests, rows)
    _check_refusals(requests, rows)
    troubled = [row for row in rows.values() if row["outcome"] in _NOT_WELL]
    if is_calm and troubled:
        raise PromiseBroken(f"read_outcomes tells of trouble that wasn't there: {troubled[0]}")


def _check_there(task: ReadTask, rows: Rows) -> None:
    """Every company has one row in every selected stream; so has every stream where there is no company."""
    streams = task.modes.keys() - {READ_OUTCOMES}
    companies = {company for company, _ in rows} - {_ACCOUNT}
    expected = {(company, name) for company in companies for name in streams - {COMPANIES}}
    account = streams & {COMPANIES} if companies else streams
    expected |= {(_ACCOUNT, name) for name in account}
    if rows.keys() != expected:
        raise PromiseBroken(f"read_outcomes has too few rows or too many: {rows.keys() ^ expected}")


def _check_failures(task: ReadTask, result: ReadResult, rows: Rows) -> None:
    """Failures are those of the log, and stand where the stream's status and the exit code say so."""
    logged = {(found[2], found[1]) for line in result.warnings if (found := _FAILED.match(line))}
    told = {key for key, row in rows.items() if row["outcome"] == "failed" and row["reason"] != _NOT_REACHED}
    if logged - {key for key in logged if key[1] not in task.modes} != told:
        raise PromiseBroken(f"the log and read_outcomes tell of different failures: {sorted(logged ^ told)}")
    missed = [row for row in rows.values() if row["reason"] == _NOT_REACHED]
    if missed and result.code == 0:
        raise PromiseBroken(f"a read came to its end, and did not reach {missed[0]}")
    for name, mode in task.modes.items():
        of_stream = [row for (_, stream), row in rows.items() if stream == name]
        is_troubled = any(row["outcome"] in _NOT_WELL for row in of_stream)
        is_complete = result.statuses(name)[-1:] == ["COMPLETE"]
        if is_complete and mode == "full_refresh" and is_troubled:
            raise PromiseBroken(f"{name} replaces its table, and read_outcomes tells of trouble")
        if not is_complete and not is_troubled and name != READ_OUTCOMES and of_stream:
            raise PromiseBroken(f"{name} is incomplete, and read_outcomes tells of no trouble")


def _check_sent(result: ReadResult, rows: Rows) -> None:
    """Each row counts the records that were sent of its company and stream."""
    for name in {stream for _, stream in rows} - {COMPANIES}:
        sent = Counter(record["companyId"] for record in result.records(name))
        told = {company: row["rows"] for (company, stream), row in rows.items() if stream == name}
        if any(sent[company] != told.get(company, 0) for company in sent | Counter(told.keys())):
            raise PromiseBroken(f"{name}: read_outcomes counts {told} rows where {dict(sent)} were sent")


def _check_requests(result: ReadResult, requests: Sequence[LoggedRequest], rows: Rows) -> None:
    """The rows of a read without trouble count every request that a company's own rows needed."""
    if result.code != 0 or any(one.fault for one in requests):
        return  # what didn't arrive isn't in the simulator's log
    made = Counter(
        one.company_id for one in requests if one.method == "GET" and not _SHARED.fullmatch(one.path)
    )
    told: Counter[str] = Counter()
    for (company, _), row in rows.items():
        told[company] += row["requests"]
    if any(told[company] < made[company] for company, _ in rows if company != _ACCOUNT):
        raise PromiseBroken(f"read_outcomes counts {dict(told)} requests where {dict(made)} were made")


def _check_refusals(requests: Sequence[LoggedRequest], rows: Rows) -> None:
    """What Codat refused isn't called complete: a stream that it may have been asked for says so.

    The connector doesn't repeat what was refused: where the same was asked again and answered, it had stopped
    waiting for the refusal, which so came to nobody.
    """
    answered = {one.raw_path: number for number, one in enumerate(requests) if one.status < 400}
    for number, one in enumerate(requests):
        asked = [
            name
            for name, stream in INCREMENTAL.items()
            if one.path.endswith(f"/{stream.data_type}") or one.path.endswith(f"/{stream.accounts or ' '}")
        ]
        told = [rows[one.company_id or "", name] for name in asked if (one.company_id or "", name) in rows]
        came_to_nobody = answered.get(one.raw_path, -1) > number
        is_refused = one.method == "GET" and one.status in _REFUSALS and not came_to_nobody
        if is_refused and told and all(row["outcome"] in _WELL for row in told):
            raise PromiseBroken(f"{one.path} was refused with {one.status}, and read_outcomes has {told}")
