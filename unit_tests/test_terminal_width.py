"""What commands print for a person fits a terminal of 80 columns."""

import subprocess
from pathlib import Path

from tools.scripts.structure import PACKAGE, structure_of

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 80


def test_make_help_fits_a_terminal() -> None:
    shown = subprocess.run(
        ["make", "-s", "help"], check=True, cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert "make demo" in shown
    assert [line for line in shown.splitlines() if len(line) > COLUMNS] == []


def test_make_structure_fits_a_terminal() -> None:
    shown = str(structure_of(PACKAGE))
    assert "floor" in shown
    assert [line for line in shown.splitlines() if len(line) > COLUMNS] == []
