"""Settings of reinforcement learning with verifiable rewards."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hexad.records import Record


class RlvrConfig(Record):
    """TRL GRPOTrainer with the graders as rewards."""

    enabled: bool = Field(True, description="Off: the SFT model is passed through.")
    steps: int = Field(100, ge=1, description="Optimizer steps.")
    prompts_per_step: int = Field(32, ge=1, description="Prompts (groups) a step.")
    group_size: int = Field(8, ge=2, description="Rollouts per prompt.")
    gradient_accumulation: int = Field(1, ge=1, description="Micro-batches that a step's rollouts are divided into.")
    learning_rate: float = Field(1e-4, gt=0, description="Peak learning rate of AdamW.")
    output_norm_learning_rate: float | None = Field(
        None,
        gt=0,
        description="Peak learning rate of the last norm's gains, which set how sharp the output distribution is; "
        "empty: learning_rate.",
    )
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = Field(
        "constant_with_warmup", description="Schedule."
    )
    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the steps that warm up.")
    temperature: float = Field(1.0, gt=0, description="Sampling temperature of rollouts.")
    max_completion_tokens: int = Field(128, gt=0, description="Tokens of a rollout at most.")
    max_prompt_tokens: int = Field(256, gt=0, description="Longer prompts are left out, and counted.")
    epsilon: float = Field(0.2, gt=0, description="Lower clip of the probability ratio.")
    epsilon_high: float = Field(0.28, gt=0, description="Upper clip of the probability ratio (DAPO's clip-higher).")
    beta: float = Field(0.0, ge=0, description="KL coefficient; 0 needs no reference model.")
    loss_type: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = Field("dapo", description="How token losses are averaged.")
    scale_rewards: Literal["group", "batch", "none"] = Field(
        "group", description="Standard deviation that scales advantages."
    )
    mask_truncated: bool = Field(False, description="Leave rollouts that hit the token limit out of the loss.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradient clipping.")
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="Type of weights while training.")
    validations: int = Field(2, ge=0, description="Measurements of validation accuracy over the run (sampled).")
    checkpoints: int = Field(4, ge=0, description="Checkpoints over the run, from which a killed stage goes on.")

    @model_validator(mode="after")
    def _batches_divide(self) -> Self:
        rollouts = self.prompts_per_step * self.group_size
        if rollouts % self.gradient_accumulation or (rollouts // self.gradient_accumulation) % self.group_size:
            raise ValueError(
                f"prompts_per_step {self.prompts_per_step} x group_size {self.group_size} = {rollouts} rollouts cannot "
                f"be divided into {self.gradient_accumulation} micro-batches of whole groups; "
                f"make gradient_accumulation divide {self.prompts_per_step}"
            )
        return self
