"""Queries in Codat's tags language that mean something else there than their writer thinks."""

from __future__ import annotations

import re

from source_codat.foundation.errors import ConfigError

# What stands between two conditions (name, operator, value). A value may hold these characters itself,
# `R&D` for instance: so there has to be an operator on both sides.
_JOINED = re.compile(
    r"[=~][^&|=~]*?(?:(?<!&)(&)(?!&)|(?<!\|)(\|)(?!\|)|\s(and|or)\s)[^&|=~]*[=~]", re.IGNORECASE
)
_INSTEAD = {"&": "&&", "|": "||", "and": "&&", "or": "||"}
_DOUBLED = re.compile(r"(?<![=!])==(?!=)")


def check_tags(query: str) -> None:
    """Raise ConfigError for a query that uses another language's words: Codat would take them for values."""
    joined = _JOINED.search(query)
    if joined:
        word = next(group for group in joined.groups() if group)
        raise ConfigError(
            f"'tags_query' joins conditions with '{word}': write '{_INSTEAD[word.lower()]}', as in "
            "region=uk && tier!=trial."
        )
    if _DOUBLED.search(query):
        raise ConfigError("'tags_query' compares with '==': write '=', as in region=uk && tier!=trial.")
