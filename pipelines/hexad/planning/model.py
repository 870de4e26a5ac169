"""A model's parameters and the bytes and FLOPs that follow from them: arithmetic on its config.json."""

import json
from pathlib import Path

from hexad.curation.config import BaseModelConfig
from hexad.curation.stored import is_stored
from hexad.planning.config import ModelShape

BYTES = {"float32": 4, "bfloat16": 2, "auto": 2}
"""Bytes per number; 'auto' is the checkpoint's type, bfloat16 in all that this package writes for GPUs."""


class UnknownModel(ValueError):
    """The base model's shape is not known. The message names the setting and the mend."""


def shape_of(base: BaseModelConfig, given: ModelShape | None) -> tuple[ModelShape, str]:
    """Shape of a recipe's base model, and where it was read."""
    if base.kind == "random":
        return _random(base), "curate.base"
    if base.kind == "path" and base.path and not is_stored(base.path):
        file = Path(base.path) / "config.json"
        return read_shape(file), str(file)
    if given is None:
        place = base.path or base.kind
        raise UnknownModel(
            f"curate.base: the shape of {place} cannot be read here; copy hidden_size, num_hidden_layers and the other "
            "fields of its config.json to plan.model"
        )
    return given, "plan.model"


def read_shape(file: Path) -> ModelShape:
    """Shape in a config.json; raises UnknownModel for what is no dense decoder."""
    config = json.loads(file.read_bytes())
    experts = [name for name in ("num_experts", "num_local_experts", "n_routed_experts") if config.get(name)]
    if experts:
        raise UnknownModel(f"{file}: {experts[0]} is set; only dense models can be planned")
    known = {name: config[name] for name in ModelShape.model_fields if config.get(name) is not None}
    return ModelShape.model_validate(known)


def _random(base: BaseModelConfig) -> ModelShape:
    """As `hexad.pretraining.architecture.model_config`, which needs transformers."""
    return ModelShape(
        model_type="qwen2",
        hidden_size=base.hidden,
        intermediate_size=max(64, base.hidden * 8 // 3 // 64 * 64),
        num_hidden_layers=base.layers,
        num_attention_heads=base.hidden // 32,
        num_key_value_heads=base.hidden // 64,
        vocab_size=base.vocab,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )


def parameters(shape: ModelShape, layers: int | None = None) -> int:
    """Numbers in the model, or in its first `layers` layers with embedding, norm and head."""
    embedding = shape.vocab_size * shape.hidden_size
    depth = shape.num_hidden_layers if layers is None else min(layers, shape.num_hidden_layers)
    return embedding * (1 if shape.tie_word_embeddings else 2) + depth * _layer(shape) + shape.hidden_size


def matmul_parameters(shape: ModelShape, layers: int | None = None) -> int:
    """Parameters that a token is multiplied with: all but an embedding that is only looked up."""
    looked_up = 0 if shape.tie_word_embeddings else shape.vocab_size * shape.hidden_size
    return parameters(shape, layers) - looked_up


def _layer(shape: ModelShape) -> int:
    hidden, query, keys = shape.hidden_size, shape.num_attention_heads * shape.head, shape.kv_heads * shape.head
    attention = 2 * hidden * query + 2 * hidden * keys
    if shape.model_type == "qwen2":
        attention += query + 2 * keys
    elif shape.attention_bias:
        attention += query + 2 * keys + hidden
    if shape.model_type == "qwen3":
        attention += 2 * shape.head
    return attention + 3 * hidden * shape.intermediate_size + 2 * hidden


def kv_bytes(shape: ModelShape, dtype: str, layers: int | None = None) -> int:
    """Bytes of KV cache that one token takes."""
    depth = shape.num_hidden_layers if layers is None else min(layers, shape.num_hidden_layers)
    return 2 * depth * shape.kv_heads * shape.head * BYTES[dtype]


def training_flops(shape: ModelShape, tokens: float, length: float, layers: int | None = None) -> float:
    """FLOPs of forward and backward pass over `tokens` in sequences of `length` tokens.

    6 per parameter and token, and 6 x width x length per layer and token for causal attention (Chowdhery et al., arXiv
    2204.02311, appendix B, halved because half of the scores are masked).
    """
    depth = shape.num_hidden_layers if layers is None else min(layers, shape.num_hidden_layers)
    attention = 6 * depth * shape.num_attention_heads * shape.head * length
    return tokens * (6 * matmul_parameters(shape, layers) + attention)


def forward_flops(shape: ModelShape, tokens: float, length: float) -> float:
    """FLOPs of a forward pass alone: a third."""
    return training_flops(shape, tokens, length) / 3
