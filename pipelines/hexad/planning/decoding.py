"""How fast a model writes: the slower of reading memory and computing (a roofline), for a batch of sequences."""

from dataclasses import dataclass

from hexad.planning.config import Assumptions, ModelShape
from hexad.planning.hardware import GB, Devices
from hexad.planning.model import BYTES, forward_flops, kv_bytes, matmul_parameters, parameters

SAMPLED_AT_ONCE = 128
"""Batch of `TransformersEngine` where rlvr validates and the verifier is measured."""


@dataclass(frozen=True)
class Engine:
    """A vLLM engine on `gpus` devices of one task."""

    shape: ModelShape
    dtype: str
    devices: Devices
    gpus: int
    draft_layers: int | None
    """Layers of the draft beside the target; None: no draft."""
    kv_room: float
    """Bytes for the KV cache, over all its GPUs."""
    assumptions: Assumptions

    @property
    def weights(self) -> float:
        """Bytes of target and draft."""
        draft = 0 if self.draft_layers is None else parameters(self.shape, self.draft_layers)
        return (parameters(self.shape) + draft) * BYTES[self.dtype]

    @property
    def kv_per_token(self) -> int:
        draft = 0 if self.draft_layers is None else kv_bytes(self.shape, self.dtype, self.draft_layers)
        return kv_bytes(self.shape, self.dtype) + draft

    @property
    def per_gpu(self) -> float:
        """Bytes on each GPU."""
        overhead = 0.0 if self.devices.on_cpu else self.assumptions.engine_overhead_gb * GB
        return (self.weights + max(0.0, self.kv_room)) / self.gpus + overhead

    def sequences(self, tokens: float) -> int:
        """Sequences of so many tokens that the KV cache holds."""
        return max(0, int(self.kv_room // (self.kv_per_token * tokens)))

    def tokens_per_s(self, prompt: float, response: float, at_most: int) -> float:
        """Response tokens per second over all sequences in flight, whose prompts are read on the way.

        `prompt`, `response`: mean tokens; `at_most`: sequences that may be in flight.
        """
        context = prompt + response / 2
        batch = max(1, min(at_most, self.sequences(prompt + response)))
        moved = parameters(self.shape) * BYTES[self.dtype] + batch * context * self.kv_per_token
        compute = self.devices.flops(self.dtype, self.gpus) * self.assumptions.decode_utilisation
        step = max(
            moved / (self.devices.bandwidth(self.gpus) * self.assumptions.decode_bandwidth),
            2 * matmul_parameters(self.shape) * batch / compute,
        )
        reading = forward_flops(self.shape, prompt, prompt) / compute / response
        return 1 / (step / batch + reading)


def rollout_seconds(
    shape: ModelShape, dtype: str, devices: Devices, rollouts: int, prompt: float, limit: int, assumptions: Assumptions
) -> float:
    """Seconds in which transformers draws `rollouts` at once: all wait for the longest, which reaches `limit` tokens.

    One device draws them, unless the model is spread over all.
    """
    count = devices.count if assumptions.sharded else 1
    context = prompt + limit / 2
    moved = parameters(shape) * BYTES[dtype] + rollouts * context * kv_bytes(shape, dtype)
    step = max(
        moved / (devices.bandwidth(count) * assumptions.rollout_bandwidth),
        2 * matmul_parameters(shape) * rollouts / (devices.flops(dtype, count) * assumptions.decode_utilisation),
    )
    return limit * (step + assumptions.token_overhead_s)


def sampling_seconds(
    shape: ModelShape, dtype: str, devices: Devices, asked: int, prompt: float, limit: int, assumptions: Assumptions
) -> float:
    """The same for `asked` responses of `TransformersEngine`, which draws a batch after the other."""
    whole, rest = divmod(asked, SAMPLED_AT_ONCE)
    batches = [SAMPLED_AT_ONCE] * whole + [rest] * bool(rest)
    return sum(rollout_seconds(shape, dtype, devices, batch, prompt, limit, assumptions) for batch in batches)
