"""What a stage knows of the run it is part of."""

from pydantic import Field

from hexad.records import Record

RUN_ID = "HEXAD_RUN_ID"
"""Environment variable with the id of the Kubeflow run that a task belongs to."""

RUN_LABEL = "hexad.dev/run-id"
"""Label with that id on everything that a task starts beside itself on Kubernetes, so that stopping the run ends it."""


class Context(Record):
    """Travels to every box as one JSON string, beside the stage's own config."""

    run: str = Field(description="Name of the run.")
    store: str = Field(description="Store URI under which trees are committed, e.g. s3://hexad/quickstart.")
    work: str = Field("", description="Local folder for scratch and checkpoints; empty: a temporary one.")
    seed: int = 0
    git: str = ""
    image: str = ""
    code: str = Field("", description="Digest of the source that this stage's result depends on.")
    attempt: int = Field(0, ge=0, description="Raised to compute a stage again although nothing changed.")
    every_run: bool = Field(
        False, description="Compute again in every Kubeflow run, as a schedule of evaluations does."
    )
