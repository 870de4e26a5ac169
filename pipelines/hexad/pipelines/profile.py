"""A profile says WHERE a recipe runs: images, store, secrets, nodes. It is applied when the pipeline is compiled."""

from pathlib import Path

from pydantic import Field

from hexad.pipelines.yaml_file import load
from hexad.records import Record
from hexad.stage.boxes import Role


class Placement(Record):
    """What tasks of one image role ask of the cluster."""

    cpu: str = Field("", description="CPU limit, e.g. '8'; empty: none.")
    memory: str = Field("", description="Memory limit, e.g. '64Gi'; empty: none.")
    accelerator: str = Field("", description="Resource name, e.g. 'nvidia.com/gpu'; empty: no accelerator.")
    accelerators: int = Field(1, ge=1, description="How many, when an accelerator is named.")
    node_selector: dict[str, str] = Field(default_factory=dict, description="Node labels to match.")
    shm: str = Field("", description="Size of /dev/shm, e.g. '16Gi'; empty: the node's default (64 MiB).")


class Profile(Record):
    """Settings of one cluster."""

    name: str
    store: str = Field(description="Store URI under which runs commit their trees, e.g. 's3://hexad'.")
    images: dict[Role, str] = Field(description="Container image per role; pin by digest or git sha.")
    store_secret: str = Field("", description="Kubernetes secret with keys endpoint, access_key, secret_key.")
    environment: dict[str, str] = Field(default_factory=dict, description="Environment of every task.")
    placement: dict[Role, Placement] = Field(default_factory=dict, description="Per image role.")


def load_profile(path: Path) -> Profile:
    """Read a profile. Raises `InvalidFile` with every error and its line."""
    return load(path, Profile)
