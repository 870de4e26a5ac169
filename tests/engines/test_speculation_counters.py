"""Acceptance between two readings of the engine's counters."""

import pytest

from hexad.engines.speculation_counters import acceptance

LABELS = '{engine="0",model_name="model"}'


def reading(drafts: float, tokens: float, accepted: float, positions: list[float]) -> dict[str, float]:
    per_position = {
        f'vllm:spec_decode_num_accepted_tokens_per_pos_total{{engine="0",model_name="model",position="{i}"}}': value
        for i, value in enumerate(positions)
    }
    return {
        f"vllm:spec_decode_num_drafts_total{LABELS}": drafts,
        f"vllm:spec_decode_num_draft_tokens_total{LABELS}": tokens,
        f"vllm:spec_decode_num_accepted_tokens_total{LABELS}": accepted,
        f"vllm:spec_decode_num_drafts_created{LABELS}": 1.7e9,
        f"vllm:generation_tokens_total{LABELS}": 5000.0,
        **per_position,
    }


def test_only_what_grew_between_the_readings_counts() -> None:
    found = acceptance(reading(10, 30, 15, [8, 5, 2]), reading(30, 90, 65, [26, 22, 17]))
    assert (found.drafts, found.draft_tokens, found.accepted) == (20, 60, 50)
    assert found.per_position == [0.9, 0.85, 0.75]


def test_length_is_the_tokens_of_one_step_and_rate_the_share_accepted() -> None:
    found = acceptance({}, reading(20, 60, 50, [18, 17, 15]))
    assert found.length == pytest.approx(1 + 50 / 20)
    assert found.rate == pytest.approx(50 / 60)
    assert sum(found.per_position) == pytest.approx(found.length - 1)


def test_engines_of_one_server_are_added_up() -> None:
    second = {key.replace('engine="0"', 'engine="1"'): value for key, value in reading(10, 20, 10, [6, 4]).items()}
    found = acceptance({}, reading(10, 20, 6, [4, 2]) | second)
    assert (found.drafts, found.accepted, found.per_position) == (20, 16, [0.5, 0.3])


def test_an_engine_that_drafted_nothing_makes_one_token_a_step() -> None:
    found = acceptance({}, {})
    assert (found.length, found.rate, found.per_position) == (1.0, 0.0, [])


def test_more_than_nine_positions_keep_their_order() -> None:
    positions = [float(100 - i) for i in range(12)]
    assert acceptance({}, reading(100, 1200, sum(positions), positions)).per_position == [p / 100 for p in positions]
