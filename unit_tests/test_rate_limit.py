"""The budget of a minute: kept at the server, however long requests are on their way."""

import heapq

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from source_codat.http import rate_limit
from source_codat.http.rate_limit import RateLimiter

MINUTE = 60.0


class VirtualClock:
    """What stands in for the module `time`."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    fake = VirtualClock()
    monkeypatch.setattr(rate_limit, "time", fake)
    return fake


def test_requests_pass_in_bursts(clock):
    limiter = RateLimiter(3)
    assert [limiter.take() for _ in range(3)] == [0, 0, 0]
    for _ in range(3):
        limiter.ended()
    assert limiter.take() == MINUTE
    clock.now = 50.0
    assert limiter.take() == 10
    clock.now = MINUTE
    assert [limiter.take() for _ in range(3)] == [0, 0, 0]


def test_a_place_counts_from_the_end_of_its_request(clock):
    limiter = RateLimiter(1)
    limiter.take()
    assert limiter.take() > 0
    clock.now = 100.0
    assert limiter.take() > 0
    limiter.ended()
    assert limiter.take() == MINUTE


def most_in_a_minute(arrivals):
    arrivals = sorted(arrivals)
    first, most = 0, 0
    for last, arrival in enumerate(arrivals):
        while arrivals[first] <= arrival - MINUTE:
            first += 1
        most = max(most, last - first + 1)
    return most


def arrivals_of(clock, per_minute, workers, journeys):
    """When each request reaches the server, for journeys (seconds there, seconds back) by several workers."""
    limiter, arrivals = RateLimiter(per_minute), []
    # What happens next: (when, number, whether a request comes back).
    events = [(0.0, number, False) for number in range(workers)]
    left = list(journeys)
    while events and left:
        clock.now, number, comes_back = heapq.heappop(events)
        if comes_back:
            limiter.ended()
        wait = limiter.take()
        if wait > 0:
            heapq.heappush(events, (clock.now + wait, number, False))
            continue
        there, back = left.pop()
        arrivals.append(clock.now + there)
        heapq.heappush(events, (clock.now + there + back, number, True))
    return arrivals


SECONDS = st.floats(0.001, 100, allow_nan=False)


@given(
    per_minute=st.integers(10, 40),
    workers=st.integers(2, 50),
    journeys=st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=200),
)
# A first burst that comes late, and a second one on time: 20 within two seconds if the start counted.
@example(per_minute=10, workers=10, journeys=[(0.01, 0.01)] * 10 + [(59.0, 0.01)] * 10)
def test_no_sixty_seconds_at_the_server_have_more_than_the_budget(per_minute, workers, journeys):
    with pytest.MonkeyPatch.context() as patched:
        fake = VirtualClock()
        patched.setattr(rate_limit, "time", fake)
        arrivals = arrivals_of(fake, per_minute, workers, journeys)
    assert len(arrivals) == len(journeys)
    assert most_in_a_minute(arrivals) <= per_minute


@pytest.mark.parametrize("per_minute", [450, 900])
def test_a_quick_server_gets_nearly_the_whole_budget(clock, per_minute):
    arrivals = arrivals_of(clock, per_minute, 10, [(0.1, 0.1)] * (per_minute * 5))
    assert max(arrivals) < 4.2 * MINUTE + 10
