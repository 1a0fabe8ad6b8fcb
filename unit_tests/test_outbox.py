"""What waits to be written is bounded by its bytes."""

import threading

import pytest

from source_codat.engine.outbox import Outbox
from source_codat.foundation.errors import ReadStopped


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    monkeypatch.setattr("source_codat.engine.outbox.ITEM_BYTES", 0)


def filling(outbox, *items):
    """A thread that puts items of ten bytes each, and the list of those that it got rid of."""
    gone = []

    def fill():
        for item in items:
            outbox.put(item, 10)
            gone.append(item)

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    thread.join(0.2)
    return thread, gone


def test_who_brings_more_than_fits_waits_until_something_has_left():
    outbox: Outbox[str] = Outbox(max_bytes=15)
    thread, gone = filling(outbox, "a", "b", "c", "d")
    assert gone == ["a", "b"]  # twenty bytes: the one that goes beyond is let in
    assert outbox.get(1) == "a"
    thread.join(0.2)
    assert gone == ["a", "b", "c"]
    assert [outbox.get(1) for _ in range(3)] == ["b", "c", "d"]
    thread.join(1)
    assert not thread.is_alive()


def test_many_small_items_are_bounded_too(monkeypatch):
    monkeypatch.setattr("source_codat.engine.outbox.ITEM_BYTES", 1000)
    outbox: Outbox[str] = Outbox(max_bytes=1015)
    thread, gone = filling(outbox, "a", "b", "c")
    assert gone == ["a", "b"]
    outbox.get(1)
    thread.join(1)
    assert gone == ["a", "b", "c"]


def test_what_holds_no_bytes_never_waits():
    outbox: Outbox[str] = Outbox(max_bytes=5)
    outbox.put("rows", 10)
    outbox.put("the end of a partition")
    assert [outbox.get(1), outbox.get(1), outbox.get(0)] == ["rows", "the end of a partition", None]


def test_nobody_waits_once_the_read_has_stopped():
    outbox: Outbox[str] = Outbox(max_bytes=5)
    stopped: list[bool] = []

    def fill():
        outbox.put("a", 10)
        try:
            outbox.put("b", 10)
        except ReadStopped:
            stopped.append(True)

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    thread.join(0.2)
    assert not stopped
    outbox.close()
    thread.join(1)
    assert stopped == [True]
    with pytest.raises(ReadStopped):
        outbox.put("c")
