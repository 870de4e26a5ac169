"""What a plan says: rows, problems, and the whole as `hexad plan --json` prints it."""

from pydantic import Field

from hexad.planning.config import Assumptions, ModelShape
from hexad.records import Record


class StagePlan(Record):
    """One stage. What a stage has none of is null."""

    stage: str
    devices: str = Field(description="Cards or cores of one task.")
    gpus: int = Field(description="GPUs of one task.")
    memory_gb: float | None = Field(None, description="Needed on the fullest device, GB (10^9 bytes).")
    has_gb: float | None = Field(None, description="What that device has, GB.")
    host_gb: float | None = Field(None, description="Needed in the host's memory, GB.")
    tokens: float | None = Field(None, description="Tokens read in training or written in generation.")
    hours: float | None = Field(None, description="Wall time at the assumed utilisation.")
    note: str = ""


class Problem(Record):
    """What would fail, and the mend."""

    stage: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.what}; {self.mend}"


class RunPlan(Record):
    """What `hexad plan --json` prints."""

    recipe: str
    profile: str
    model: ModelShape
    model_from: str
    parameters: int
    weights_gb: float = Field(description="In bfloat16, GB.")
    stages: tuple[StagePlan, ...]
    hours: float = Field(description="Of all stages, one after the other.")
    gpu_hours: float
    problems: tuple[Problem, ...]
    assumptions: Assumptions
