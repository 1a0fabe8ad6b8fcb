"""An answer's body: unpacked within its bound, whole or refused, and text that every decoder takes."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_codat.http.bounds import AnswerTooLarge
from source_codat.http.transport import PIECE, UnpackingFailed, as_text, beginning, unpacked, whole


def raw_deflate(body):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "GZip ": gzip.compress,
    "x-gzip": lambda body: gzip.compress(body[: len(body) // 2]) + gzip.compress(body[len(body) // 2 :]),
    "deflate": zlib.compress,
    " deflate": raw_deflate,
}


def cut(packed, size):
    return [packed[start : start + size] for start in range(0, len(packed), size)]


@pytest.mark.parametrize("encoding", PACKERS)
@given(body=st.binary(max_size=2000), size=st.integers(1, 3000))
def test_a_body_is_the_same_however_it_is_packed_and_in_whatever_pieces_it_comes(encoding, body, size):
    packed = PACKERS[encoding](body)
    assert whole(unpacked(cut(packed, size), encoding), 2000) == body


@pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_nothing_is_left_inside_the_unpacker_where_a_body_fills_a_piece(size):
    assert len(whole(unpacked([gzip.compress(b"a" * size)], "gzip"), size)) == size


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@given(st.data())
def test_a_packed_body_that_breaks_off_is_none(encoding, data):
    packed = PACKERS[encoding](b'{"results": [1, 2, 3]}')
    end = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(UnpackingFailed):
        whole(unpacked([packed[:end]], encoding), 1000)


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", b"\x1f\x8bnonsense"), ("br", b"x"), ("gzip, gzip", b"x")]
)
def test_what_is_not_packed_as_the_header_says_is_refused(encoding, body):
    with pytest.raises(UnpackingFailed):
        whole(unpacked([body], encoding), 1000)


def test_what_follows_a_packed_body_is_no_part_of_it():
    assert whole(unpacked([gzip.compress(b"{}"), b"\0" * 10], "gzip"), 10) == b"{}"


@given(st.binary(max_size=500), st.integers(1, 600))
def test_a_body_has_at_most_as_many_bytes_as_it_may(body, most):
    if len(body) > most:
        with pytest.raises(AnswerTooLarge):
            whole(cut(body, 7), most)
    else:
        assert whole(cut(body, 7), most) == body
    assert beginning(cut(body, 7), most) == body[:most]


@pytest.mark.parametrize("take", [whole, beginning])
def test_a_bomb_is_unpacked_no_further_than_its_bound(take):
    bomb = gzip.compress(b"a" * (200 << 20), 6)
    tracemalloc.start()
    try:
        if take is whole:
            with pytest.raises(AnswerTooLarge):
                whole(unpacked([bomb], "gzip"), 4 << 20)
        else:
            assert len(beginning(unpacked([bomb], "gzip"), 4 << 20)) == 4 << 20
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@given(st.text())
def test_valid_text_stays_as_it_is(text):
    body = text.encode("utf-8", "replace")
    assert as_text(body) == body.removeprefix(b"\xef\xbb\xbf")
    assert as_text(b"\xef\xbb\xbf" + body) == body


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_they_become_utf8(body):
    assert as_text(body).decode("utf-8") is not None


def test_what_is_no_character_becomes_one_that_says_so():
    assert as_text(b'{"name": "Compl\xe9te"}').decode() == '{"name": "Compl\ufffdte"}'
    half_of_a_pair = b'"\xed\xa0\x80"'
    assert "\ufffd" in as_text(half_of_a_pair).decode()
    assert as_text('{"name": "é"}'.encode("utf-16")).decode() == '{"name": "é"}'
