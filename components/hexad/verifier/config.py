"""Settings of the verifier stage."""

from pydantic import Field

from hexad.records import Record


class VerifierConfig(Record):
    """A pointwise scorer: sequence classification on (question, response), trained on graded rollouts."""

    enabled: bool = Field(True, description="Off: best-of-N falls back to majority.")
    rollout_share: float = Field(0.6, gt=0, le=1, description="Newest share of the RL rollouts that it trains on.")
    max_rollouts: int = Field(12000, ge=16, description="Rollouts at most, balanced between right and wrong.")
    epochs: float = Field(1.0, gt=0, description="Passes over them.")
    learning_rate: float = Field(3e-4, gt=0, description="Peak learning rate of AdamW.")
    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the steps that warm up.")
    batch_rows: int = Field(64, ge=1, description="Rollouts per optimizer step.")
    max_tokens: int = Field(
        512, gt=0, description="Longer rollouts lose their beginning, since the answer stands at the end."
    )
    validation_samples: int = Field(
        4, ge=2, description="Rollouts per validation question for calibration and pair accuracy."
    )
