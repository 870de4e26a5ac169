"""Section `plan` of a recipe: what no machine can know before a run. It changes no stage and no cache key."""

from typing import Self

from pydantic import Field, model_validator

from hexad.records import Record


class ModelShape(Record):
    """A dense decoder, by the names of transformers' config.json."""

    model_type: str = Field("llama", description="'qwen2' has biases on q, k and v, 'qwen3' norms on q and k.")
    hidden_size: int = Field(gt=0, description="Width of the residual stream.")
    intermediate_size: int = Field(gt=0, description="Width of the gated MLP.")
    num_hidden_layers: int = Field(gt=0, description="Decoder layers.")
    num_attention_heads: int = Field(gt=0, description="Query heads.")
    num_key_value_heads: int | None = Field(None, gt=0, description="Key-value heads; empty: as many as query heads.")
    head_dim: int | None = Field(None, gt=0, description="Width of a head; empty: hidden_size / num_attention_heads.")
    vocab_size: int = Field(gt=0, description="Rows of the embedding.")
    max_position_embeddings: int = Field(gt=0, description="Longest sequence that positions are defined for, tokens.")
    tie_word_embeddings: bool = Field(False, description="Output head and embedding are one matrix.")
    attention_bias: bool = Field(False, description="Biases on q, k, v and o (Llama's switch).")

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.head_dim is None and self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not divisible by num_attention_heads {self.num_attention_heads}; "
                "give head_dim as well"
            )
        return self

    @property
    def kv_heads(self) -> int:
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def head(self) -> int:
        return self.head_dim or self.hidden_size // self.num_attention_heads


class SourceSize(Record):
    """How much a data source holds."""

    rows: int = Field(ge=0, description="Rows of the source; `limit` in curate.sources caps them.")
    tokens: float | None = Field(
        None, gt=0, description="Mean tokens of a trace; empty: assumptions.trace_share of max_tokens."
    )


class Assumptions(Record):
    """Every figure of a plan that is neither in the recipe nor in the profile nor in the model's config."""

    gpu: str = Field(
        "", description="Card in place of the one that the profile's node selectors name; names in `hardware.jsonl`."
    )
    unnamed_gpu: str = Field("H100", description="Card of accelerators whose node selectors name none.")
    cores: float = Field(2.0, gt=0, description="CPU cores where the profile gives no limit.")
    memory_gib: float = Field(12.0, gt=0, description="Memory where the profile gives no limit, GiB.")
    usable_memory: float = Field(0.94, gt=0, le=1, description="Share of a card's memory that tensors can have.")
    sharded: bool = Field(
        False,
        description="Weights, gradients and optimizer states are spread over a stage's GPUs (FSDP, ZeRO-3). The stages "
        "do not: each is one process, and its first GPU holds all of them.",
    )
    checkpointing: bool = Field(
        False, description="Activations are computed again in the backward pass. The stages do not."
    )
    training_utilisation: float = Field(
        0.35, gt=0, le=1, description="Share of peak FLOP/s in training (model FLOPs: recomputation is not counted)."
    )
    decode_bandwidth: float = Field(
        0.6, gt=0, le=1, description="Share of the memory's peak bandwidth while vLLM decodes."
    )
    decode_utilisation: float = Field(0.4, gt=0, le=1, description="Share of peak FLOP/s while vLLM decodes or reads.")
    rollout_bandwidth: float = Field(
        0.3, gt=0, le=1, description="decode_bandwidth of transformers' generate, which draws rlvr's rollouts."
    )
    token_overhead_s: float = Field(
        0.02, ge=0, description="Host time of one token step of transformers' generate, seconds, for all rollouts."
    )
    engine_overhead_gb: float = Field(
        4.0, ge=0, description="vLLM's memory besides weights and KV cache on each GPU: graphs, activations, GB."
    )
    logit_bytes: float = Field(
        8.0, gt=0, description="Bytes per logit in training: the model's own, a float32 copy, the gradient."
    )
    kept_share: float = Field(1.0, gt=0, le=1, description="Share of a source's rows that curation keeps.")
    trace_share: float = Field(0.5, gt=0, le=1, description="Mean length of a trace as a share of curate.max_tokens.")
    packing_fill: float = Field(0.97, gt=0, le=1, description="Share of a packed row that holds tokens.")
    response_share: float = Field(
        0.35, gt=0, le=1, description="Mean length of a response, or of a plan, as a share of its limit."
    )
    prompt_tokens: int = Field(300, gt=0, description="Mean tokens of a question.")
    longest_prompt: float = Field(2.0, ge=1, description="Longest question of a micro-batch, in mean ones.")
    curate_tokens_per_s: float = Field(
        50_000, gt=0, description="Tokens that one core of curate gets through a second."
    )


class PlanConfig(Record):
    """Section `plan`."""

    model: ModelShape | None = Field(
        None, description="Shape of a base model whose config.json this machine cannot read: one in a store, or a GGUF."
    )
    sources: dict[str, SourceSize] = Field(default_factory=dict, description="Source id to its size.")
    assumptions: Assumptions = Field(Assumptions(), description="What differs from the defaults.")
