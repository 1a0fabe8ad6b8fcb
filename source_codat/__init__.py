"""source-codat: an Airbyte source that reads the Codat API completely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_codat.source import SourceCodat

__all__ = ["SourceCodat"]


def __getattr__(name: str) -> Any:
    """Import the source when somebody asks for it: the console script's help doesn't wait for that."""
    if name == "SourceCodat":
        from source_codat.source import SourceCodat  # noqa: PLC0415

        return SourceCodat
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
