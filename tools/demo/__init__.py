"""The main job against the bundled Codat simulator: `make demo`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
