"""A profile says WHERE a recipe runs: images, store, secrets, nodes. It is applied when the pipeline is compiled."""

from pathlib import Path

from pydantic import Field

from hexad.deployment.placement import Placement
from hexad.deployment.site import Site
from hexad.pipelines.yaml_file import load
from hexad.records import Record
from hexad.stage.boxes import Role


class Profile(Record):
    """Settings of one cluster."""

    name: str
    store: str = Field(description="Store URI under which runs commit their trees, e.g. 's3://hexad'.")
    images: dict[Role, str] = Field(description="Container image per role; pin by digest or git sha.")
    store_secret: str = Field("", description="Kubernetes secret with keys endpoint, access_key, secret_key.")
    environment: dict[str, str] = Field(default_factory=dict, description="Environment of every task.")
    placement: dict[Role, Placement] = Field(default_factory=dict, description="Per image role.")
    endpoint: Site | None = Field(None, description="How bundles are served on this cluster; none: they are not.")


def load_profile(path: Path) -> Profile:
    """Read a profile. Raises `InvalidFile` with every error and its line."""
    return load(path, Profile)
