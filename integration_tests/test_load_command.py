"""What `python -m tools.demo.load` says: how much arrived, how to look at it, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("airbyte", reason="PyAirbyte isn't installed")

from tools.demo import load

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("database", "told"),
    [
        (
            "my secrets/w.duckdb",
            (
                "6,064 records arrived in my secrets/w.duckdb. To see the tables:\n"
                "    .venv/bin/python -m tools.demo.query --database 'my secrets/w.duckdb'\n"
            ),
        ),
        ("postgresql://me:hidden@host/base", "6,064 records arrived in the schema codat.\n"),
    ],
)
def test_a_load_says_what_arrived_and_how_to_look_at_it(
    database: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(load, "load", lambda *_, **__: 6064)
    load.main(["config.json", database])
    assert capsys.readouterr().out == told


def test_no_library_warns_of_pythons_that_it_will_drop() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import tools.demo.load"], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert "Warning" not in done.stderr
