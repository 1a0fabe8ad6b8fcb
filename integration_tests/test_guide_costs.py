"""The figures of the setup guide that tell what a sync costs are measured ones."""

import re
from pathlib import Path

import pytest
import yaml

from codat_simulator import Simulator
from integration_tests.support.connector import config, read
from source_codat import SourceCodat

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "integrations" / "sources" / "codat.md").read_text(encoding="utf-8")
COMPANIES = 3


def figures(words: str) -> list[int]:
    """Requests a company in the guide's row: of a first sync, and of one in which nothing has changed."""
    found = re.search(
        rf"^\| {re.escape(words)} \| (?:about )?(\d+) \| (?:about )?(\d+) \|", GUIDE, re.MULTILINE
    )
    assert found, words
    return [int(one) for one in found.groups()]


def streams(sim, *, suggested, incremental=False):
    metadata = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
    chosen = metadata["suggestedStreams"]["streams"]
    return [
        one.name
        for one in SourceCodat().streams(config(sim))
        if not one.retriever.parent
        and (one.name in chosen or not suggested)
        and (one.retriever.cursor_field or not incremental)
    ]


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ("those suggested by default that are incremental", {"suggested": True, "incremental": True}),
        ("all that are suggested by default", {"suggested": True}),
        ("all but those with a cost for each row of another one", {"suggested": False}),
    ],
)
def test_a_sync_costs_what_the_guide_says(words, which):
    with Simulator(companies=COMPANIES, seed=7, records=40) as sim:
        names = streams(sim, **which)
        first = read(sim, *names)
        asked = len(sim.requests)
        sim.clear_log()
        read(sim, *names, state=first.state)
        again = len(sim.requests)
    measured = [(requests - 1) / COMPANIES for requests in (asked, again)]  # one is for the company list
    assert measured == [pytest.approx(told, rel=0.1, abs=0.5) for told in figures(words)]
