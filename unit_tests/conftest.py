"""What all unit tests need: every stream's schema file, and time for the property tests."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, settings

from unit_tests.support import schema_files

PACKAGE = Path(__file__).resolve().parent.parent / "source_codat"

# These machines are slow and noisy: an example that takes long says nothing about the code.
settings.register_profile("connector", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("connector")


def pytest_configure() -> None:
    """Stop with one message where a stream has no schema: no module that builds the streams would load."""
    manifest = yaml.safe_load((PACKAGE / "manifest.yaml").read_text(encoding="utf-8"))
    names = [row["$parameters"]["name"] for row in manifest["streams"]]
    told = list(schema_files.unusable(PACKAGE / "schemas", names))
    if told:
        raise pytest.UsageError("\n\n".join(told))
