"""What source-codat costs, beside other ways to read the same records: `make bench`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".bench"
