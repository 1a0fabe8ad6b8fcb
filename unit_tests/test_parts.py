"""Which part a company is in is pinned for ever, and every company is in exactly one."""

import hashlib
import random
import uuid
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_codat import SourceCodat
from source_codat.config.parts import Part, part_of
from source_codat.config.settings import Settings
from source_codat.state.store import fingerprint

KEY = "Jp2fEXAMPLEkey0000000000000000000000abcd"
# Company id, and the number of its part of 8, 12 and 999. A change here moves companies between connections.
VECTORS = [
    ("8a210b68-6988-11ed-a1eb-0242ac120002", 3, 3, 48),
    ("00000000-0000-0000-0000-000000000000", 5, 9, 846),
    ("ffffffff-ffff-ffff-ffff-ffffffffffff", 3, 3, 183),
    ("3fa85f64-5717-4562-b3fc-2c963f66afa6", 3, 7, 232),
    ("0498e921-9b53-4396-a412-4f2f5983b0a2", 3, 7, 529),
]


def number_of(company_id, parts):
    [number] = [number for number in range(1, parts + 1) if Part(number, parts).has(company_id)]
    return number


@pytest.mark.parametrize(("company_id", "of_8", "of_12", "of_999"), VECTORS)
def test_the_part_of_a_company_is_the_same_for_ever(company_id, of_8, of_12, of_999):
    assert tuple(number_of(company_id, parts) for parts in (8, 12, 999)) == (of_8, of_12, of_999)
    assert number_of(company_id.upper(), 8) == of_8


@given(st.uuids(), st.integers(1, 999))
def test_every_company_is_in_exactly_one_part(company_id, parts):
    digest = hashlib.sha256(str(company_id).encode()).hexdigest()
    assert number_of(str(company_id), parts) == int(digest[:16], 16) % parts + 1


@given(st.uuids(), st.integers(1, 400))
def test_twice_as_many_parts_split_each_part_in_two(company_id, parts):
    assert number_of(str(company_id), 2 * parts) in (
        number_of(str(company_id), parts),
        number_of(str(company_id), parts) + parts,
    )


@pytest.mark.parametrize("kind", ["random", "counted", "of one time"])
@pytest.mark.parametrize("parts", [2, 8, 12, 50])
def test_companies_are_spread_evenly(parts, kind):
    """Chi-squared, which more than 99.99 in 100 even spreads stay below; the ids are always the same."""
    rng = random.Random(17)
    ids = {
        "random": lambda _: uuid.UUID(int=rng.getrandbits(128), version=4),
        "counted": lambda number: uuid.UUID(int=number),
        "of one time": lambda number: uuid.UUID(fields=(number, 0x6988, 0x11ED, 0xA1, 0xEB, 0x0242AC120002)),
    }[kind]
    number = 5000
    counts = Counter(number_of(str(ids(one)), parts) for one in range(number))
    expected = number / parts
    chi_squared = sum((counts[one] - expected) ** 2 / expected for one in range(1, parts + 1))
    freedom = parts - 1
    assert chi_squared < freedom + 4 * (2 * freedom) ** 0.5 + 10


@pytest.mark.parametrize(
    ("value", "part"),
    [("3/8", Part(3, 8)), (" 3/8 ", Part(3, 8)), ("1/1", Part(1, 1)), ("999/999", Part(999, 999))],
)
def test_a_part_is_understood(value, part):
    assert Settings.from_config({"api_key": KEY, "part": value}).part == part == part_of(value)
    assert str(part) == value.strip()


@pytest.mark.parametrize("value", [None, "", " "])
def test_no_part_reads_all(value):
    assert Settings.from_config({"api_key": KEY, "part": value}).part is None


def test_a_part_changes_no_fingerprint():
    retrievers = [stream.retriever for stream in SourceCodat().streams({"api_key": KEY})]
    whole, part = (Settings.from_config({"api_key": KEY, "part": value}) for value in ("", "3/8"))
    assert [fingerprint(one, part) for one in retrievers] == [fingerprint(one, whole) for one in retrievers]
