"""source-codat: an Airbyte source that reads the Codat API completely."""

from source_codat.source import SourceCodat

__all__ = ["SourceCodat"]
