"""The manifest as its YAML says it, read once for all tests."""

from pathlib import Path
from typing import Any

import yaml

TEXT = (Path(__file__).resolve().parents[2] / "source_codat" / "manifest.yaml").read_text(encoding="utf-8")
# The loader written in C, where PyYAML has it, takes a tenth of the time.
MANIFEST: dict[str, Any] = yaml.load(TEXT, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
