"""What the packages of the extras are needed for, asked without importing them: that takes seconds."""

from importlib.util import find_spec

import pytest


def require(package, name):
    """Skip the module or the test that asks where a package isn't installed."""
    if find_spec(package) is None:
        pytest.skip(f"{name} isn't installed", allow_module_level=True)
