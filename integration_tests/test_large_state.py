"""A state of half a million entries is loaded, kept and written in bounded memory."""

import json

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import catalog, config

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
            fingerprint = {"start_date": None, "deleted_records": "keep", "filter": None}
            file.write("[" if number == 0 else ",")
            file.write(
                f'{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"{stream}"}},"stream_state":'
                f'{{"states":[{entries}],"fingerprint":{json.dumps(fingerprint)}}}}}}}'
            )
        file.write("]")


@pytest.mark.slow
def test_half_a_million_entries_take_less_than_600_mb(script, tmp_path):
    states(tmp_path / "state.json")
    extra = ["--state", str(tmp_path / "state.json")]
    with Simulator(companies=1, seed=3, records=2) as sim:
        settings = config(sim)
        process = script.start("read", tmp_path, *extra, config=settings, catalog=catalog(*STREAMS))
        out, _ = process.communicate()
    assert process.returncode == 0
    assert process.most_memory < 600 << 20  # measured: 345 MB
    last = [json.loads(line) for line in out.splitlines() if b'"STATE"' in line]
    written = {one["state"]["stream"]["stream_descriptor"]["name"]: one for one in last}
    assert set(written) == set(STREAMS)
    for one in written.values():  # the company that was read has come to those that are known
        assert len(one["state"]["stream"]["stream_state"]["states"]) >= COMPANIES
