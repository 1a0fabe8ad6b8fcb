"""Codat's dates, in every form that has been seen."""

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_codat.foundation import timestamps
from source_codat.http.problem import seconds_until


def instant(text: str) -> int:
    """The instant of a text that must be one."""
    found = timestamps.instant(text)
    assert found is not None, text
    return found


FIRST, LAST = 0, 3_155_378_975_999_999_999
TICKS = st.integers(FIRST, LAST)


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


@given(TICKS)
def test_an_instant_survives_being_written_and_read(ticks):
    assert timestamps.instant(timestamps.iso(ticks)) == ticks


@given(TICKS)
def test_a_query_date_is_never_later_than_its_instant_and_less_than_a_millisecond_earlier(ticks):
    asked = timestamps.instant(timestamps.query_date(ticks))
    assert 0 <= ticks - asked < timestamps.TICKS_PER_SECOND // 1000


@given(st.lists(st.integers(timestamps.FIRST, timestamps.LAST), min_size=2, max_size=9))
def test_texts_to_the_microsecond_sort_like_their_instants(ticks):
    cut = [one - one % timestamps.TICKS_PER_MICROSECOND for one in ticks]
    texts = [timestamps.iso_to_the_microsecond(one) for one in ticks]
    assert [timestamps.instant(text) for text in texts] == cut
    assert [timestamps.instant(text) for text in sorted(texts)] == sorted(cut)


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


# What any server may send: odd texts, and texts that are nearly dates.
ZONES = ["", "Z", "+01:00", "-01:00", "+14:00", "-12:00", "+23:59", "-23:59", "+99:99", "-0100"]
NEARLY = st.builds(
    "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}{}{}".format,
    st.sampled_from([0, 1, 2, 1969, 1970, 2024, 9998, 9999]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.integers(0, 25),
    st.integers(0, 60),
    st.integers(0, 61),
    st.sampled_from(["", ".5", ".0000000", ".99999999999", "." + "9" * 500]),
    st.sampled_from(ZONES),
)
HTTP_DATES = st.builds(
    "{}, {:02d} {} {} {:02d}:{:02d}:{:02d} {}".format,
    st.sampled_from(["Mon", "Fri", "", "Xyz"]),
    st.integers(0, 40),
    st.sampled_from(["Jan", "Feb", "Dec", "Foo", ""]),
    st.sampled_from(["0", "0000", "0001", "1", "69", "99", "1970", "2024", "9999", "10000", "9" * 30]),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["GMT", "-0000", "-0100", "+0100", "+9999", "-99999999999999999999", "EST", "(x", ""]),
)
NUMBERS = st.sampled_from(["9" * 5000, "-1", "1e308", "1e400", "-1e400", "nan", "inf", "1_0", "\u0661"])
# What the parsers of dates have stumbled over.
STUMBLED = st.sampled_from(
    ["P1Y2M10DT/P3M", "60240501 1022-43", "2024-05-01T10:22-49", "2024-01-01/2025-01-01"]
)
ANY_TEXT = st.one_of(
    STUMBLED, st.text(), NEARLY, HTTP_DATES, NUMBERS, st.integers().map(str), st.floats().map(str)
)


@given(ANY_TEXT)
def test_no_text_whatever_it_holds_makes_the_arithmetic_on_dates_raise(text):
    for found in (
        timestamps.instant(text),
        timestamps.second(text),
        timestamps.from_http_date(text),
    ):
        assert found is None or FIRST <= found <= LAST
    span = timestamps.span(text)
    assert (span is None) == (timestamps.instant(text) is None)
    seconds = seconds_until(text)
    assert seconds is None or 0 <= seconds < 100 * 366 * 86_400  # and its end can be written


@given(st.integers())
def test_no_number_of_ticks_is_too_far_out_to_be_written(ticks):
    within = min(max(ticks, FIRST), LAST)
    assert timestamps.instant(timestamps.iso(ticks)) == within
    asked = timestamps.instant(timestamps.query_date(ticks))
    assert asked is not None
    assert asked == within - within % (timestamps.TICKS_PER_SECOND // 1000)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00", "9999-12-31T24:00:00Z"]
)
def test_a_date_before_the_year_one_or_after_9999_is_no_instant(text):
    assert timestamps.instant(text) is None
    assert timestamps.span(text) is None


def test_the_first_and_the_last_instant_are_dates_like_any_other():
    assert timestamps.instant("0001-01-01T00:00:00Z") == FIRST
    assert timestamps.instant("9999-12-31T23:59:59.9999999Z") == LAST
    assert timestamps.instant("0001-01-01T01:00:00+01:00") == FIRST


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("2024-05-01", "2024-05-01T23:59:59.9999999Z"),
        ("2024-05-01T10:22", "2024-05-01T10:22:59.9999999Z"),
        ("2024-05-01T10:22:43", "2024-05-01T10:22:43.9999999Z"),
        ("2024-05-01T10:22:43Z", "2024-05-01T10:22:43.9999999Z"),
        ("2024-05-01T12:22:43+02:00", "2024-05-01T10:22:43.9999999Z"),
        ("2024-05-01T10:22:43.5Z", "2024-05-01T10:22:43.5999999Z"),
        ("2024-05-01T10:22:43.123Z", "2024-05-01T10:22:43.1239999Z"),
        ("2024-05-01T10:22:43.6464237Z", "2024-05-01T10:22:43.6464237Z"),
        ("2024-05-01T10:22:43.64642371Z", "2024-05-01T10:22:43.6464237Z"),
        ("9999-12-31", "9999-12-31T23:59:59.9999999Z"),
    ],
)
def test_a_date_stands_for_all_that_its_precision_leaves_open(text, last):
    assert timestamps.span(text) == timestamps.Span(instant(text), instant(last))


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("2024-05-01T10:22:43.0000000Z", "2024-05-01T10:22:43.9999999Z"),
        ("2024-05-01T10:22:43.1230000Z", "2024-05-01T10:22:43.1239999Z"),
    ],
)
def test_zeros_at_the_end_may_stand_for_digits_that_were_cut(text, last):
    """.NET writes seven digits also of what a database kept to the second or the millisecond."""
    assert timestamps.span(text) == timestamps.Span(instant(text), instant(last))


def test_an_http_date_without_a_zone_is_utc_whatever_this_machines_zone_is(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        for zone in ("-0000", "GMT", "+0000"):
            read = timestamps.from_http_date(f"Wed, 21 Oct 2026 07:28:00 {zone}")
            assert read == instant("2026-10-21T07:28:00Z")
    finally:
        monkeypatch.undo()
        time.tzset()
