"""An answer's body: unpacked within bounds, and text that every decoder takes."""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterable, Iterator

from source_codat.http.bounds import AnswerTooLarge

PIECE = 1 << 20  # bytes that are read or unpacked at once: few pieces, and none grows large
_SLICE = 64 << 10  # bytes that are looked at at once: few enough for a processor's cache
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class UnpackingFailed(Exception):
    """A compressed body isn't what its header says, or breaks off."""


def whole(pieces: Iterable[bytes], most: int) -> bytes:
    """All pieces in one; raises AnswerTooLarge where they come to more than `most` bytes."""
    kept = io.BytesIO()  # its value isn't copied again, other than joined pieces
    for piece in pieces:
        if kept.tell() + len(piece) > most:
            raise AnswerTooLarge
        kept.write(piece)
    return kept.getvalue()


def beginning(pieces: Iterable[bytes], most: int) -> bytes:
    """What comes first, up to `most` bytes: enough to tell what is wrong."""
    kept = io.BytesIO()
    for piece in pieces:
        kept.write(piece[: most - kept.tell()])
        if kept.tell() >= most:
            break
    return kept.getvalue()


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces of a body without its Content-Encoding; raises UnpackingFailed."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return iter(pieces)
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflated(pieces)
    raise UnpackingFailed("an encoding that wasn't asked for")


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = None
    ended = False
    for piece in pieces:
        rest = piece
        while rest:
            if unpacker is None:
                if ended and not _GZIP.startswith(rest[:2]):
                    break  # what follows a complete body isn't part of it
                unpacker = zlib.decompressobj(_window(rest))
            try:
                yield (part := unpacker.decompress(rest, PIECE))
                while len(part) == PIECE:  # there may be more of it, whether input is left or not
                    yield (part := unpacker.decompress(unpacker.unconsumed_tail, PIECE))
            except zlib.error:
                raise UnpackingFailed("not what its header says") from None
            rest = unpacker.unconsumed_tail
            if unpacker.eof:
                rest, unpacker, ended = unpacker.unused_data, None, True
    if unpacker is not None:
        raise UnpackingFailed("it breaks off")


def _window(start: bytes) -> int:
    """What zlib has to be told of a body that begins so: gzip, zlib's own form, or neither header."""
    if _GZIP.startswith(start[:2]):
        return 16 + zlib.MAX_WBITS
    has_header = start[0] & 0x0F == 8 and (len(start) < 2 or (start[0] << 8 | start[1]) % 31 == 0)
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def as_text(body: bytes) -> bytes:
    """A body as UTF-8 without a byte order mark; what is no character becomes U+FFFD."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if body.isascii() or _is_utf8(body):
        return body
    encoding = "utf-16" if body[:2] in _UTF16_MARKS else "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    kept = io.BytesIO()
    for part in _slices(body):
        kept.write(decoder.decode(part).encode("utf-8", "replace"))
    kept.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    return kept.getvalue()


def _is_utf8(body: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for part in _slices(body):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _slices(body: bytes) -> Iterator[memoryview]:
    """A body in pieces, so that no copy of it grows large."""
    view = memoryview(body)
    return (view[start : start + _SLICE] for start in range(0, len(body), _SLICE))
