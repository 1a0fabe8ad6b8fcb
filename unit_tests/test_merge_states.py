"""States of several parts made one: nothing that was read is lost, and what is current isn't read again."""

import itertools
import random

import pytest
from airbyte_cdk.models import AirbyteStateBlob, AirbyteStateMessage, AirbyteStreamState, StreamDescriptor
from hypothesis import example, given
from hypothesis import strategies as st

from source_codat.config.parts import Part
from source_codat.state.merge import merged
from source_codat.state.store import NO_CURSOR_STATE, SavedStates
from source_codat.trust import copies
from source_codat.trust.evidence import Entry

OPTIONS = {"start_date": None, "filter": None}
OTHERS = {"start_date": None, "filter": "a=1"}


def day(number):
    return f"2026-01-{number:02}T00:00:00Z"


def entry(company="c", date=None, sync=None, synced=None, **ids):
    cursor = {"modifiedDate": date, "syncId": sync, "syncedAt": synced}
    return {
        "partition": {"company_id": company, **ids},
        "cursor": {name: value for name, value in cursor.items() if value is not None},
    }


def state(*entries, options=OPTIONS, stream="invoices", **more):
    blob = {"states": list(entries), **({"fingerprint": options} if options else {}), **more}
    return one_stream(stream, blob)


def one_stream(stream, blob):
    descriptor = StreamDescriptor(name=stream)
    of_stream = AirbyteStreamState(stream_descriptor=descriptor, stream_state=AirbyteStateBlob(**blob))
    return SavedStates([AirbyteStateMessage(stream=of_stream)])


def blobs(*states, part=None):
    messages, warnings = merged(states, part)
    streams = [message.state.stream for message in messages if message.state and message.state.stream]
    return {one.stream_descriptor.name: dict(vars(one.stream_state)) for one in streams}, warnings


def kept(*states, part=None):
    found, _ = blobs(*states, part=part)
    return found["invoices"]["states"]


# What an owner wrote last, and a copy from before that somebody else carries along.
NEWEST = {
    "a later date": (
        entry(date=day(3), sync="b", synced=day(4)),
        entry(date=day(2), sync="a", synced=day(2)),
    ),
    "a later sync that brought no later date": (
        entry(date=day(2), sync="b", synced=day(4)),
        entry(date=day(2), sync="a", synced=day(2)),
    ),
    "rows without a date came": (
        entry(sync="b", synced=day(4)),
        entry(date=day(2), sync="a", synced=day(2)),
    ),
    "rows without a date went": (
        entry(date=day(3), sync="b", synced=day(4)),
        entry(sync="a", synced=day(2)),
    ),
    "a later date, in doubt which sync": (entry(date=day(3)), entry(date=day(2), sync="a", synced=day(2))),
    "a later date of a log": (entry(date=day(3)), entry(date=day(2))),
    "data where there was none": (
        entry(date=day(3), sync="b", synced=day(4)),
        entry(sync="none:0123456789abcdef"),
    ),
    "several data types": (
        entry(date=day(3), sync="b+d", synced=f"{day(2)}+{day(4)}"),
        entry(date=day(3), sync="b+c", synced=f"{day(2)}+{day(3)}"),
    ),
    "its siblings not all read": (
        entry(date=day(3), sync="part:b", synced=day(4)),
        entry(date=day(3), sync="b", synced=day(4)),
    ),
    "the same sync, named": (entry(date=day(3), sync="b", synced=day(4)), entry(date=day(3))),
}


@pytest.mark.parametrize("case", NEWEST)
def test_the_owners_entry_wins_over_a_copy_from_before(case):
    newest, copy = NEWEST[case]
    assert kept(state(newest), state(copy)) == [newest]
    assert kept(state(copy), state(newest)) == [newest]


def test_of_two_in_doubt_the_one_that_asks_for_all_rows_wins():
    whole, dated = entry(sync="b", synced=day(4)), entry(date=day(9))
    assert kept(state(whole), state(dated)) == kept(state(dated), state(whole)) == [whole]


def test_entries_of_different_partitions_stand_side_by_side():
    entries = [entry("a", day(1)), entry("b", day(2)), entry("b", day(3), connection_id="x")]
    assert kept(*map(state, entries)) == entries


DATES = st.none() | st.integers(1, 5)
SYNCS = st.sampled_from([None, "a", "b", "part:a", "none:0"])


@example([(None, None, 1), (1, None, 1)], random.Random(1))
@example([(None, None, 1), (1, None, 1)], random.Random(2))
@given(
    st.lists(st.tuples(DATES, SYNCS, DATES), min_size=1, max_size=5, unique=True),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_files_decides_nothing(given_entries, rng):
    entries = [
        entry(date=date and day(date), sync=sync, synced=synced and day(synced))
        for date, sync, synced in given_entries
    ]
    expected = kept(*map(state, entries))
    rng.shuffle(entries)
    assert kept(*map(state, entries)) == expected
    assert kept(state(*expected), *map(state, entries)) == expected


def test_a_chain_that_goes_round_in_pairs_has_one_end():
    entries = [Entry(None, "a", day(1)), Entry(9), Entry(3, "b", day(2))]
    assert {copies.best(order) for order in itertools.permutations(entries)} == {Entry(9)}


def history(rng, length):
    """What an owner wrote of one partition, oldest first: each entry was proven when it was written."""
    date = 1
    written: list[dict] = []
    for synced in range(1, length + 1):
        date = rng.choice([date, synced])
        in_doubt = written and rng.random() < 0.2
        if in_doubt and date > synced - 1:
            written.append(entry(date=day(date)))
        else:
            written.append(entry(date=day(date), sync=f"s{synced}", synced=day(synced)))
    return written


@given(st.integers(0, 10_000))
def test_whoever_carries_which_copies_the_owners_last_entry_is_kept_or_one_as_good(seed):
    rng = random.Random(seed)
    written = history(rng, rng.randint(1, 6))
    files = [written[-1], *(rng.choice(written) for _ in range(rng.randint(0, 5)))]
    rng.shuffle(files)
    [chosen] = kept(*map(state, files))
    last = written[-1]
    assert chosen["cursor"].get("modifiedDate") >= last["cursor"]["modifiedDate"] or (
        chosen["cursor"].get("syncId") == last["cursor"].get("syncId")
    )
    if "syncId" in last["cursor"]:
        assert chosen == last


def test_what_was_read_with_other_options_than_most_is_left_out_and_told():
    most = state(entry("a", day(1)), entry("b", day(1)))
    few = state(entry("b", day(5)), entry("c", day(5)), options=OTHERS)
    found, warnings = blobs(few, most, state(entry("d", day(1))))
    assert [one["partition"]["company_id"] for one in found["invoices"]["states"]] == ["a", "b", "d"]
    assert found["invoices"]["states"][1] == entry("b", day(1))
    assert found["invoices"]["fingerprint"] == OPTIONS
    [warning] = warnings
    assert warning == (
        "invoices: 1 entry left out, as other options decided what was read of them than of the rest: those "
        "partitions are read from the start."
    )


def test_of_equally_many_the_options_that_were_given_last_are_kept():
    first, last = state(entry("a", day(1)), options=OTHERS), state(entry("b", day(1)))
    assert blobs(first, last)[0]["invoices"]["fingerprint"] == OPTIONS
    assert blobs(last, first)[0]["invoices"]["fingerprint"] == OTHERS


def test_a_state_of_another_program_keeps_its_dates_and_gets_no_options():
    found, warnings = blobs(state(entry("a", day(1)), options=None))
    assert found == {"invoices": {"states": [entry("a", day(1))]}}
    assert warnings == []


def test_streams_without_a_cursor_stay_so_unless_another_state_knows_more():
    whole = one_stream("invoices", NO_CURSOR_STATE)
    assert blobs(whole)[0] == {"invoices": NO_CURSOR_STATE}
    assert kept(whole, state(entry("a", day(1)))) == [entry("a", day(1))]


def test_every_stream_of_every_state_is_there():
    found, _ = blobs(state(entry("a")), state(entry("a"), stream="bills"))
    assert list(found) == ["invoices", "bills"]


def test_what_is_no_entry_is_left_out_and_told():
    odd = [{"partition": "a"}, {"cursor": {}}, 7, {"partition": {"company_id": "a"}, "cursor": {"syncId": 3}}]
    found, warnings = blobs(state(entry("a", day(1)), *odd))
    assert found["invoices"]["states"] == [entry("a", day(1))]
    [warning] = warnings
    assert warning == (
        "invoices: 4 entries left out (no company, or no date up to which it was read): what that "
        "stood for is read from the start."
    )


@pytest.mark.parametrize("cursor", [{"modifiedDate": "soon"}, {"modifiedDate": ""}, {}])
def test_an_entry_that_says_nothing_of_what_was_read_is_left_out_and_told(cursor):
    found, warnings = blobs(state({"partition": {"company_id": "a"}, "cursor": cursor}, entry("b", day(1))))
    assert found["invoices"]["states"] == [entry("b", day(1))]
    assert "1 entry left out" in warnings[0]


def dated(company="c", date=None, sync=None, of_codat=None):
    """An entry of a stream whose rows are dated by their Codat sync."""
    cursor = {"syncedAt": date, "syncId": sync, "lastSuccessfulSync": of_codat}
    return {
        "partition": {"company_id": company},
        "cursor": {name: value for name, value in cursor.items() if value is not None},
    }


SYNCED = {
    "nothing but the date was left": (dated(date=day(3)), dated(date=day(5), sync="b", of_codat=day(4))),
    "Codat's date went back": (
        dated(date=day(3), sync="c", of_codat=day(6)),
        dated(date=day(5), sync="b", of_codat=day(4)),
    ),
    "two dates": (dated(date=day(3)), dated(date=day(5))),
}


@pytest.mark.parametrize("case", SYNCED)
def test_rows_dated_by_their_codat_sync_are_never_dated_before_those_of_any_copy(case):
    for copies_of_it in itertools.permutations(SYNCED[case]):
        [one] = kept(*(state(copy) for copy in copies_of_it))
        assert one["cursor"]["syncedAt"] == day(5)


def test_a_copy_from_an_earlier_read_in_doubt_does_not_hide_what_was_read_since():
    owner, doubtful = dated(date=day(5), sync="s2", of_codat=day(5)), dated(date=day(3))
    assert kept(state(owner), state(doubtful)) == kept(state(doubtful), state(owner)) == [owner]


def test_of_an_entry_that_is_left_out_the_date_of_its_rows_stays():
    most = state(dated("a", day(1)), dated("b", day(1)))
    few = state(dated("b", day(5), "x", day(5)), dated("c", day(5), "x", day(5)), options=OTHERS)
    found, warnings = blobs(few, most)
    assert found["invoices"]["states"] == [dated("a", day(1)), dated("b", day(5)), dated("c", day(5))]
    assert "1 entry left out" in warnings[0]


def test_what_is_not_dated_by_its_codat_sync_keeps_the_date_of_the_one_that_was_read():
    whole, with_dates = entry(sync="b", synced=day(4)), entry(date=day(2), sync="c", synced=day(6))
    assert kept(state(whole), state(with_dates)) == [with_dates]
    assert kept(state(entry(sync="b", synced=day(4))), state(entry(sync="a", synced=day(6)))) == [
        entry(sync="a", synced=day(6))
    ]


def test_a_part_keeps_the_entries_of_its_own_companies():
    companies = [f"company-{number}" for number in range(40)]
    whole = state(*(entry(company, day(1)) for company in companies))
    parts = [kept(whole, part=Part(number, 3)) for number in (1, 2, 3)]
    assert all(parts)
    assert sorted(one["partition"]["company_id"] for part in parts for one in part) == sorted(companies)
