"""Runs all checks and prints their findings: `make check-live`.

The environment gives CODAT_API_KEY, and perhaps CODAT_COMPANY_ID for the company to look at.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping

import requests

from source_codat.config.api_key import token_of
from source_codat.foundation.errors import ConfigError
from source_codat.http.problem import Problem
from tools.live_check import account_checks, dataset_checks
from tools.live_check.api import Codat
from tools.live_check.company import DATASETS, Company, find_company
from tools.live_check.finding import Finding, Verdict

REAL_API = "https://api.codat.io"
_NO_KEY = "Set CODAT_API_KEY to a key from Developers > API keys in the Codat portal,\nand run this again."


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run all checks. 0: all that could be told holds; 1: something doesn't; 2: nothing could be tried."""
    key = environment.get("CODAT_API_KEY", "").strip()
    try:
        token_of(key)
    except ConfigError as error:
        print(error.message if key else _NO_KEY)
        return 2
    base_url = environment.get("CODAT_BASE_URL") or REAL_API
    api = Codat(key, base_url)
    print(f"Reading from {base_url} (GET requests only, about 70). The key is not shown.")
    try:
        return _run(api, environment.get("CODAT_COMPANY_ID"))
    except requests.RequestException as error:
        print(_no_way(base_url, error))
        return 2


def _no_way(base_url: str, error: requests.RequestException) -> str:
    """What stops a run, in a sentence; the error's own text is long and may quote headers."""
    return (
        f"{base_url} can't be reached: {Problem.in_connection(error).text}.\n"
        "Check your network, the proxy in HTTPS_PROXY and CODAT_BASE_URL, and run this again."
    )


def _run(api: Codat, wanted: str | None) -> int:
    verdicts: Counter[Verdict] = Counter()
    for section, findings in _sections(api, wanted):
        print(f"\n{section}")
        for finding in findings:
            verdicts[finding.verdict] += 1
            print(api.redact(f"  {finding.verdict.value:<14}  {finding.assumption}\n{'':18}{finding.seen}"))
    counts = ", ".join(f"{verdicts[verdict]} {verdict.value}" for verdict in Verdict)
    print(f"\n{sum(verdicts.values())} lines: {counts}; {api.requests_made} requests.")
    return 1 if verdicts[Verdict.BROKEN] else 0


def _sections(api: Codat, wanted: str | None) -> Iterator[tuple[str, Iterator[Finding]]]:
    yield "Authentication", account_checks.authentication(api)
    yield "Headers", account_checks.headers(api)
    yield "Company list", account_checks.companies(api)
    yield "Errors", account_checks.errors(api)
    company = find_company(api, wanted)
    if company is None:
        yield "No company to read: link one, or give CODAT_COMPANY_ID", iter(())
        return
    yield f"Company {company.id}", account_checks.company(api, company)
    for data in DATASETS:
        yield data.name, dataset_checks.dataset(api, company, data)
    yield "Limits", _limits(api, company)


def _limits(api: Codat, company: Company) -> Iterator[Finding]:
    for data in DATASETS:
        yield from dataset_checks.page_size(api, company, data)
    yield from dataset_checks.unknown_property(api, company, DATASETS[0])


if __name__ == "__main__":
    sys.exit(main())
