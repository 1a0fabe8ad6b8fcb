"""The arithmetic of the guide: how long reads of thousands of companies take."""

import pytest

from tools.scripts.read_hours import Layout, in_words


def test_more_parts_behind_one_address_bring_no_time():
    whole, parts = Layout(20_000, 1, 1), Layout(20_000, 8, 1)
    assert whole.minutes(19) <= parts.minutes(19) <= whole.minutes(19) * 1.01


@pytest.mark.parametrize("addresses", [2, 4, 8])
def test_addresses_divide_the_time(addresses):
    alone = Layout(20_000, 8, 1).minutes(19)
    assert Layout(20_000, 8, addresses).minutes(19) == pytest.approx(alone / addresses, abs=1)


def test_a_time_is_the_requests_of_the_companies_and_of_their_list_at_900_a_minute():
    assert Layout(500, 1, 1).minutes(18) == 11  # 9,001
    assert Layout(5_000, 1, 1).minutes(18) == 101  # 90,010: a list of several pages is read twice


def test_long_times_are_in_hours():
    assert [in_words(99), in_words(100), in_words(423)] == ["99&nbsp;min", "1.7&nbsp;h", "7.0&nbsp;h"]
