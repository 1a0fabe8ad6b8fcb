"""A state of half a million entries is loaded, kept and written in bounded memory."""

import json
import os
import subprocess
import sys

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import REPO, config

STREAMS = [
    "accounts",
    "bills",
    "customers",
    "invoices",
    "items",
    "payments",
    "suppliers",
    "tax_rates",
    "bill_payments",
    "journals",
]
COMPANIES = 50_000


def states(path):
    """A state file of 500,000 entries, written piece by piece."""
    with path.open("w", encoding="utf-8") as file:
        for number, stream in enumerate(STREAMS):
            entries = ",".join(
                f'{{"partition":{{"company_id":"{company:08x}-0000-4000-8000-{company:012x}"}},"cursor":'
                f'{{"modifiedDate":"2026-11-{company % 28 + 1:02d}T10:22:43.6464237Z",'
                f'"syncId":"{number:04x}{company:04x}-1111-4000-8000-{company:012x}",'
                f'"syncedAt":"2026-11-28T10:{company % 60:02d}:43Z"}}}}'
                for company in range(COMPANIES)
            )
            fingerprint = {"start_date": None, "include_deleted": True, "filter": None}
            file.write("[" if number == 0 else ",")
            file.write(
                f'{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"{stream}"}},"stream_state":'
                f'{{"states":[{entries}],"fingerprint":{json.dumps(fingerprint)}}}}}}}'
            )
        file.write("]")


@pytest.mark.slow
def test_half_a_million_entries_take_less_than_600_mb(tmp_path):
    states(tmp_path / "state.json")
    with Simulator(companies=1, seed=3, records=2) as sim:
        (tmp_path / "config.json").write_text(json.dumps(config(sim)), encoding="utf-8")
        command = [sys.executable, "-m", "source_codat.run"]
        arguments = ["--config", str(tmp_path / "config.json")]
        with (tmp_path / "catalog.json").open("wb") as catalog:
            subprocess.run([*command, "discover", *arguments], cwd=REPO, check=True, stdout=catalog)
        arguments += ["--catalog", str(tmp_path / "catalog.json"), "--streams", ",".join(STREAMS)]
        arguments += ["--state", str(tmp_path / "state.json")]
        with (tmp_path / "out.jsonl").open("wb") as out:
            process = subprocess.Popen([*command, "read", *arguments], cwd=REPO, stdout=out)
            _, status, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert used.ru_maxrss < 600 * 1024  # measured: 345 MB
    last = [
        json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines() if b'"STATE"' in line
    ]
    written = {one["state"]["stream"]["stream_descriptor"]["name"]: one for one in last}
    assert set(written) == set(STREAMS)
    for one in written.values():  # the company that was read has come to those that are known
        assert len(one["state"]["stream"]["stream_state"]["states"]) >= COMPANIES
