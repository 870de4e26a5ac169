"""Settings of the drafter stage."""

from pydantic import Field

from hexad.records import Record


class DrafterConfig(Record):
    """A smaller model with the target's tokenizer, distilled on the target's own outputs."""

    enabled: bool = Field(True, description="Off: speculation falls back to ngram lookup, or none.")
    layers: int = Field(1, ge=1, description="Decoder layers, the first ones of the target.")
    max_rollouts: int = Field(8000, ge=16, description="Newest RL rollouts that it is distilled on.")
    epochs: float = Field(1.0, gt=0, description="Passes over them.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate of AdamW.")
    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the steps that warm up.")
    batch_rows: int = Field(32, ge=1, description="Rollouts per optimizer step.")
