"""Nothing of what pytest collects is garbage: looking for some would be a third of the time that it takes."""

import gc

import pytest

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the collector look at what the tests make, seldom, and at nothing that is there already."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()
