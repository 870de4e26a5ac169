"""A cell whose requests failed has no score; it must not look like a model that answers nothing right."""

import pytest

from hexad.engines.vllm_server import EngineError
from hexad.evaluation.ask_gateway import Asked
from hexad.evaluation.job import check_errors


def asked(failed: int, total: int = 100) -> list[Asked]:
    return [
        Asked(
            prompt_id=f"q{i}",
            sample=0,
            seed=i,
            raw="",
            finish_reason="error" if i < failed else "stop",
            tokens=0,
            scaffold={},
            error="HTTP 500" if i < failed else "",
        )
        for i in range(total)
    ]


def test_a_few_failed_requests_are_left_to_the_count_of_errors() -> None:
    assert check_errors("sft", asked(5)) is None


def test_many_failed_requests_fail_the_stage_and_name_cell_share_and_cause() -> None:
    with pytest.raises(EngineError, match="evaluate sft: 6 of 100 requests failed, the first with: HTTP 500"):
        check_errors("sft", asked(6))
