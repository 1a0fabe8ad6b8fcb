"""The tags language: what only looks wrong is let through."""

import pytest

from source_codat.config.tags import check_tags


@pytest.mark.parametrize(
    "query",
    [
        "region=uk",
        "region=uk && tier!=trial",
        "region=uk&&tier!=trial||name~x",
        "unit=R&D",
        "unit=R&D && region=uk",
        "unit~research and development",
        "unit=this or that && region=uk",
        "R&D=yes",
        "name=a|b",
        "land=uk",
        "brand=x && order=y",
    ],
)
def test_values_may_hold_what_joins_conditions_elsewhere(query):
    check_tags(query)
