"""Bytes that a stage needs on one device: training states, activations, KV cache."""

from dataclasses import dataclass

from hexad.planning.config import Assumptions, ModelShape
from hexad.planning.model import BYTES, parameters

_ADAM_STATES = 2


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes on the fullest device while a micro-batch is computed."""

    weights: float
    gradients: float
    optimizer: float
    """AdamW's two moments, in the type of the weights: the stages keep no float32 copy."""
    activations: float
    logits: float

    @property
    def states(self) -> float:
        return self.weights + self.gradients + self.optimizer

    @property
    def total(self) -> float:
        return self.states + self.activations + self.logits


def training_memory(
    shape: ModelShape, dtype: str, tokens: float, scored: float, devices: int, assumptions: Assumptions,
    layers: int | None = None,
) -> TrainingMemory:  # fmt: skip
    """`tokens`: of a device's micro-batch; `scored`: those of them that get logits; `devices`: to shard over."""
    shards = devices if assumptions.sharded else 1
    weights = parameters(shape, layers) * BYTES[dtype] / shards
    depth = shape.num_hidden_layers if layers is None else min(layers, shape.num_hidden_layers)
    return TrainingMemory(
        weights=weights,
        gradients=weights,
        optimizer=_ADAM_STATES * weights,
        activations=tokens * activation_bytes(shape, dtype, depth, assumptions.checkpointing),
        logits=scored * shape.vocab_size * assumptions.logit_bytes,
    )


def forward_memory(shape: ModelShape, dtype: str, tokens: float) -> TrainingMemory:
    """Of a forward pass over `tokens` without gradients: weights, and one layer's activations at a time."""
    return TrainingMemory(
        weights=parameters(shape) * BYTES[dtype],
        gradients=0.0,
        optimizer=0.0,
        activations=tokens * activation_bytes(shape, dtype, 1, checkpointing=False),
        logits=0.0,
    )


def activation_bytes(shape: ModelShape, dtype: str, layers: int, checkpointing: bool) -> int:
    """Bytes per token that are kept for the backward pass.

    Of each layer: inputs and outputs of both norms, q, k, v, the attention's output and, of the gated MLP, gate, up,
    activation and product; attention itself is computed without its score matrix. With checkpointing only each layer's
    input, and all of one layer. After Korthikanti et al., arXiv 2205.05198, §4, for a gated MLP without dropout.
    """
    query, keys = shape.num_attention_heads * shape.head, shape.kv_heads * shape.head
    layer = 4 * shape.hidden_size + 2 * query + 2 * keys + 4 * shape.intermediate_size
    kept = layers * shape.hidden_size + layer if checkpointing else layers * layer
    return kept * BYTES[dtype]
