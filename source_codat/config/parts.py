"""One part of the selected companies: which companies belong to it, alike on every machine and for ever."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from source_codat.foundation.errors import ConfigError

_SHAPE = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})")
_HASHED_BYTES = 8


@dataclass(frozen=True)
class Part:
    """The part `number`, counted from 1, of so many parts (`of`).

    A company belongs to the part whose number is 1 plus the remainder of its hash divided by `of`. The hash
    is the first eight bytes, as a big-endian whole number, of the SHA-256 of the company's id in lower case.
    """

    number: int
    of: int

    def has(self, company_id: str) -> bool:
        """Whether a company belongs to this part."""
        digest = hashlib.sha256(company_id.lower().encode("utf-8", "replace")).digest()
        return int.from_bytes(digest[:_HASHED_BYTES], "big") % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def part_of(text: str) -> Part:
    """The part that a text such as `3/8` names; raises ValueError where it names none."""
    found = _SHAPE.fullmatch(text.strip())
    if found is None or int(found[1]) > int(found[2]):
        raise ValueError(text)
    return Part(int(found[1]), int(found[2]))


def part_from_config(value: object, shown: str) -> Part | None:
    """The part that the configuration's value names, None where it is left empty; raises ConfigError.

    shown: the value as the user may see it.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if not isinstance(value, str):
            raise ValueError
        return part_of(value)
    except ValueError:
        raise ConfigError(
            f"'part' is {shown}, which is no part: write it as k/n with k from 1 to n and n up to 999, such "
            "as 3/8 for the third of eight parts, or leave it empty to read all selected companies."
        ) from None
