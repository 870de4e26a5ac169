"""Settings of the verifier stage."""

from pydantic import Field

from hexad.records import Record

BATCH_ROWS, BATCH_TOKENS = 64, 65_536
"""Responses, and tokens with their padding, of one forward pass at most."""


class VerifierConfig(Record):
    """A pointwise scorer: how likely the policy finds its own response, fitted on graded rollouts."""

    enabled: bool = Field(True, description="Off: best-of-N falls back to majority.")
    max_rollouts: int = Field(2000, ge=16, description="Newest RL rollouts that it is fitted on, at most.")
    max_tokens: int = Field(
        512, gt=0, description="Longer rollouts lose their beginning, since the answer stands at the end."
    )
    validation_samples: int = Field(
        4, ge=2, description="Rollouts per validation question for calibration and pair accuracy."
    )
