"""A small soak; `python -m benchmarks.gateway soak` is the same with ten times the requests."""

import pytest
from benchmarks.gateway import soak

REQUESTS = 1000


@pytest.fixture(scope="module")
def soaked() -> soak.Soaked:
    return soak.run(REQUESTS)


def test_every_request_is_answered_well_formed_or_its_client_left(soaked: soak.Soaked) -> None:
    assert soaked.malformed == []
    assert soaked.answers.total() == REQUESTS
    assert soaked.answers["the client left"] > REQUESTS * soak.LEAVERS / 2
    assert soaked.answers["HTTP 200"] + soaked.answers["a whole stream"] > REQUESTS * 0.8


def test_no_stream_of_the_engine_and_no_slot_is_left_open(soaked: soak.Soaked) -> None:
    assert (soaked.left_open, soaked.in_flight) == (0, 0)


def test_memory_stays_where_it_is_after_the_warm_up(soaked: soak.Soaked) -> None:
    # wider than the full soak's 5 %: the warm-up of a thousand requests is short
    assert abs(soaked.growth) < 0.1
