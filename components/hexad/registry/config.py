"""Settings of register: they come from the profile, not from the recipe."""

from pydantic import Field

from hexad.records import Record


class RegisterConfig(Record):
    """Where to register."""

    url: str = Field(min_length=1, description="URL of Kubeflow's Model Registry.")
