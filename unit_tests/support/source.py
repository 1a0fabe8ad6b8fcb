"""The source, made once: that takes longer than most tests."""

from functools import cache

from source_codat import SourceCodat
from source_codat.streams.catalog import CodatStream


@cache
def source() -> SourceCodat:
    """The source, for tests that only look at it."""
    return SourceCodat()


def streams_of(**options: object) -> list[CodatStream]:
    """The streams of a configuration with these options."""
    return source().streams({"api_key": "none-is-needed-but-a-long-one", **options})
