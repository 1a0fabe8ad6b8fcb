"""Whose limit a 429 is, and who waits for it."""

import pytest

from source_codat.foundation.paths import company_in
from source_codat.http.limits import SEVERAL, Limits

NONE_LEFT = {"X-Rate-Limit-Remaining": "0"}


@pytest.fixture
def clock(mocker):
    return mocker.patch("source_codat.http.limits.time.monotonic", return_value=100.0)


@pytest.mark.parametrize(
    ("path", "company_id"),
    [
        ("/companies/abc/data/invoices", "abc"),
        ("/companies/abc", "abc"),
        ("/companies/a%2Fb%3Ac/data/invoices", "a/b:c"),
        ("/companies", None),
        ("/integrations/companies/abc", None),
    ],
)
def test_a_path_tells_which_company_it_is_about(path, company_id):
    assert company_in(path) == company_id


def test_several_companies_that_are_refused_one_after_the_other_mean_the_quota(clock):
    limits = Limits()
    for number in range(SEVERAL - 1):
        assert not limits.refused(f"company {number}", {}, clock.return_value)
        clock.return_value += 1
    assert not limits.refused("company 0", {}, clock.return_value)  # again, which says nothing new
    assert limits.refused("another", {}, clock.return_value)


def test_refusals_that_were_on_their_way_together_are_one(clock):
    limits = Limits()
    asked_at = clock.return_value
    clock.return_value += 1
    assert not any(limits.refused(f"company {number}", {}, asked_at) for number in range(10))


def test_an_answer_to_a_later_request_shows_that_it_is_not_the_quota(clock):
    limits = Limits()
    for number in range(10):
        clock.return_value += 1
        assert not limits.refused(f"company {number}", {}, clock.return_value)
        clock.return_value += 1
        limits.answered(clock.return_value)
    clock.return_value += 1
    limits.refused("a", {}, clock.return_value)
    limits.answered(clock.return_value - 2)  # asked before: it shows nothing
    clock.return_value += 1
    limits.refused("b", {}, clock.return_value)
    assert limits.refused("c", {}, clock.return_value)


@pytest.mark.parametrize(
    ("company_id", "headers", "is_quota"),
    [
        ("a", NONE_LEFT, True),
        (None, {}, True),
        ("a", {}, False),
        ("a", {"X-Rate-Limit-Remaining": "1"}, False),
        ("a", {"X-Rate-Limit-Remaining": "none"}, False),
    ],
)
def test_a_header_without_a_rest_or_a_request_about_no_company_mean_the_quota(company_id, headers, is_quota):
    assert Limits().refused(company_id, headers, 0.0) is is_quota


def test_a_company_waits_for_its_own_limit_and_for_everybodys(clock):
    limits = Limits()
    limits.hold_back("a", 30)
    limits.hold_back("a", 10)
    assert (limits.seconds_left("a"), limits.held_back) == (30, (1, 30))
    assert limits.seconds_left("b") <= 0
    assert limits.seconds_left() <= 0
    limits.hold_back(None, 50)
    assert {limits.seconds_left(one) for one in ("a", "b", None)} == {50}
    clock.return_value += 60
    assert max(limits.seconds_left(one) for one in ("a", "b", None)) <= 0
    assert limits.held_back == (0, 0)
