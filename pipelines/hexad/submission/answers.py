"""What Kubeflow answers, as far as it is read here: it may say more."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

FINISHED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")


class Answer(BaseModel):
    """A part of the API's JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Version(Answer):
    """One version of a pipeline."""

    pipeline_id: str
    pipeline_version_id: str
    name: str = ""
    display_name: str = ""
    pipeline_spec: dict[str, Any] = {}


class Problem(Answer):
    """Why something failed, in Kubeflow's words."""

    message: str = ""


class Task(Answer):
    """One task of a run."""

    display_name: str = ""
    state: str = "RUNTIME_STATE_UNSPECIFIED"
    start_time: datetime | None = None
    end_time: datetime | None = None
    error: Problem | None = None


class Details(Answer):
    """The tasks of a run; none while it is not scheduled."""

    task_details: list[Task] = []


class Reference(Answer):
    """Which version a run is of."""

    pipeline_id: str
    pipeline_version_id: str


class RuntimeConfig(Answer):
    """What a run was started with."""

    parameters: dict[str, Any] = {}


class Run(Answer):
    """One run."""

    run_id: str
    display_name: str = ""
    experiment_id: str = ""
    state: str = "RUNTIME_STATE_UNSPECIFIED"
    created_at: datetime | None = None
    finished_at: datetime | None = None
    error: Problem | None = None
    pipeline_version_reference: Reference | None = None
    service_account: str = ""
    runtime_config: RuntimeConfig = RuntimeConfig()
    run_details: Details = Details()

    @property
    def finished(self) -> bool:
        return self.state in FINISHED


class RecurringRun(Answer):
    """A schedule."""

    recurring_run_id: str
    display_name: str = ""
    status: str = ""
    trigger: dict[str, Any] = Field(default_factory=dict)
