"""Settings of the supervised fine-tuning stage."""

from typing import Literal

from pydantic import Field

from hexad.records import Record


class SftConfig(Record):
    """TRL SFTTrainer on traces that curate tokenized; loss on the completion only."""

    enabled: bool = Field(True, description="Off: the base model is passed through.")
    epochs: float = Field(1.0, gt=0, description="Passes over the traces.")
    learning_rate: float = Field(1e-4, gt=0, description="Peak learning rate of AdamW.")
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = Field(
        "cosine", description="Learning-rate schedule."
    )
    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the steps that warm up.")
    weight_decay: float = Field(0.0, ge=0, description="AdamW weight decay.")
    batch_rows: int = Field(32, ge=1, description="Rows per optimizer step and device.")
    gradient_accumulation: int = Field(
        1, ge=1, description="Micro-batches that a step is divided into; divides batch_rows."
    )
    max_grad_norm: float = Field(1.0, gt=0, description="Gradient clipping.")
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="Type of weights while training.")
    evaluations: int = Field(4, ge=0, description="Evaluations of the validation loss over the run.")
    checkpoints: int = Field(4, ge=0, description="Checkpoints over the run, from which a killed stage goes on.")
