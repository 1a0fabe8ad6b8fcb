"""Codat's dates, in every form that has been seen."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_codat.foundation import timestamps


def instant(text: str) -> int:
    """The instant of a text that must be one."""
    found = timestamps.instant(text)
    assert found is not None, text
    return found


TICKS = st.integers(min_value=0, max_value=3_155_378_975_999_999_999)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("2022-10-27T10:22:43Z", "2022-10-27T10:22:43Z"),
        ("2022-10-27T10:22:43", "2022-10-27T10:22:43Z"),
        ("2022-10-27T10:22:43.5Z", "2022-10-27T10:22:43.5Z"),
        ("2022-10-27T10:22:43.6464237Z", "2022-10-27T10:22:43.6464237Z"),
        ("2022-10-27T10:22:43.6464237", "2022-10-27T10:22:43.6464237Z"),
        ("2022-10-27T10:22:43.64642379Z", "2022-10-27T10:22:43.6464237Z"),
        ("2022-10-27T10:22:43+02:00", "2022-10-27T08:22:43Z"),
        ("2022-10-27T10:22:43-05:30", "2022-10-27T15:52:43Z"),
        ("2022-10-27", "2022-10-27T00:00:00Z"),
        ("0001-01-01T00:00:00.0000000", "0001-01-01T00:00:00Z"),
        ("2024-02-29T23:59:59.9999999Z", "2024-02-29T23:59:59.9999999Z"),
    ],
)
def test_every_form_codat_sends_is_one_instant(text, full):
    assert timestamps.iso(instant(text)) == full


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2023-02-29", "2023-13-01", "2023-01-01T25:00:00Z", "20230101"]
)
def test_what_is_no_date_is_no_instant(text):
    assert timestamps.instant(text) is None


def test_instants_compare_by_time_and_not_by_text():
    assert instant("2024-01-01T00:00:00.5Z") > instant("2024-01-01T00:00:00Z")
    assert min("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z").endswith(".5Z")


def test_the_latest_of_a_page_ignores_rows_without_a_date():
    dates = ["2024-01-01T00:00:00Z", None, "", "no date", "2024-01-01T00:00:00.0000001"]
    assert timestamps.latest(dates) == timestamps.instant("2024-01-01T00:00:00.0000001Z")
    assert timestamps.latest([None]) is None


@given(TICKS)
def test_an_instant_survives_being_written_and_read(ticks):
    assert timestamps.instant(timestamps.iso(ticks)) == ticks


@given(TICKS)
def test_a_query_date_is_never_later_than_its_instant_and_less_than_a_millisecond_earlier(ticks):
    asked = timestamps.instant(timestamps.query_date(ticks))
    assert 0 <= ticks - asked < timestamps.TICKS_PER_SECOND // 1000


@given(st.datetimes(timezones=st.just(timezone.utc)))
def test_the_order_of_instants_is_the_order_of_time(moment):
    later = timestamps.from_datetime(moment)
    assert timestamps.iso(later).startswith(moment.strftime("%Y-%m-%dT").zfill(11))
    if moment > datetime(1, 1, 2, tzinfo=timezone.utc):
        assert timestamps.from_datetime(moment - timedelta(microseconds=1)) < later


def test_an_http_date_is_read_to_the_second():
    assert timestamps.from_http_date("Wed, 21 Oct 2026 07:28:00 GMT") == instant("2026-10-21T07:28:00Z")
    assert timestamps.from_http_date("soon") is None
    assert timestamps.from_http_date(None) is None
