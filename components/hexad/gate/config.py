"""Settings of the gate: what a run must show to be promoted."""

from pydantic import Field

from hexad.records import Record


class GateConfig(Record):
    """Thresholds in points of accuracy, 0..1."""

    benchmark: str = Field("all", description="Benchmark whose scores decide; 'all' is the mean over every question.")
    min_sft_gain: float = Field(0.0, ge=-1, le=1, description="Least sft − base.")
    max_rlvr_loss: float = Field(0.02, ge=0, le=1, description="Most that rlvr may fall below sft.")
    max_exact_overlap: int = Field(
        0, ge=0, description="Most rows of the raw training data that were dropped for being a test question, exactly."
    )
    alpha: float = Field(
        0.01, gt=0, lt=1, description="Speculation holds a run back when it changes the score with p below this."
    )
