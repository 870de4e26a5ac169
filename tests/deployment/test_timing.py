"""Probes, deadlines and grace follow from bytes, bandwidth and tokens."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.deployment.timing import PROBE_PERIOD_S, SAFETY, Speed, drain_s, startup_failures, timing

CASES = [json.loads(line) for line in Path(__file__).with_name("timing.jsonl").read_text().splitlines()]
RATES = st.floats(1, 1e5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_times_of_known_bundles(case: dict[str, dict[str, float]]) -> None:
    found = timing(**case["given"], speed=Speed(**case["speed"])).model_dump()
    assert {name: found[name] for name in case["expected"]} == case["expected"]


@given(st.integers(1, 10**12), RATES, st.floats(0, 1e4))
def test_a_start_that_takes_as_long_as_computed_is_never_killed(size: int, rate: float, warm_up: float) -> None:
    found = timing(size, 1, 0, 0, Speed(disk_mb_s=rate, warm_up_s=warm_up))
    assert found.startup_failures * PROBE_PERIOD_S >= SAFETY * (size / (rate * 1e6) + warm_up) * (1 - 1e-9)


@given(st.integers(1, 10**6), st.integers(0, 10**4), st.floats(0, 100), RATES)
def test_what_runs_at_sigterm_may_end_before_sigkill(tokens: int, plan: int, scoring: float, rate: float) -> None:
    found = timing(1, tokens, plan, scoring, Speed(tokens_per_s=rate))
    assert drain_s(found.engine_grace_s) >= tokens / rate
    assert drain_s(found.gateway_grace_s) >= (plan + tokens) / rate + scoring
    assert found.deadline_s >= (plan + tokens) / rate


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_more_bytes_never_get_less_time(one: int, other: int) -> None:
    less, more = (timing(size, 100, 0, 0, Speed()) for size in sorted((one, other)))
    assert less.startup_failures <= more.startup_failures
    assert less.progress_deadline_s <= more.progress_deadline_s


def test_a_tiny_model_still_gets_three_probes() -> None:
    assert startup_failures(0) == 3
