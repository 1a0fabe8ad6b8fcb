"""A Codat data type: the dataset that a platform keeps one of."""

from __future__ import annotations

from dataclasses import dataclass

from codat_simulator.definitions.shape import Shape

STAMPS = " modifiedDate:d sourceModifiedDate:d"
ADDRESS = "{type line1 line2 city region country postalCode}"


@dataclass(frozen=True)
class DataType:
    """One Codat data type: its key in dataStatus, its path segment and where it hangs."""

    key: str
    path: str
    source_type: str
    by_connection: bool
    shape: Shape
    deletes_softly: bool = False
    """Whether a deleted record stays, flagged `metadata.isDeleted`."""
    is_list: bool = True
    queryable: bool = True
    weight: float = 1.0
    """How many records beside the number asked for."""
