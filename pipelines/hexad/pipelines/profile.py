"""A profile says WHERE a recipe runs: images, store, secrets, nodes. It is applied when the pipeline is compiled."""

from pathlib import Path

from pydantic import Field

from hexad.deployment.placement import Placement
from hexad.deployment.site import Site
from hexad.pipelines.task_settings import TaskSettings
from hexad.pipelines.yaml_file import load
from hexad.records import Record
from hexad.stage.boxes import Role


class ArtifactStore(Record):
    """How Kubeflow itself reaches the S3 store, for its own small artifacts: manifests, reports, metrics."""

    endpoint: str = Field(pattern="^https?://", description="URL of the store.")
    region: str = Field("us-east-1", description="Region; stores other than AWS ignore it.")
    path_style: bool = Field(True, description="The bucket is part of the path, not of the host name.")


class Profile(Record):
    """Settings of one cluster."""

    name: str
    store: str = Field(description="Store URI under which runs commit their trees, e.g. 's3://hexad'.")
    images: dict[Role, str] = Field(description="Container image per role; pin by digest or git sha.")
    store_secret: str = Field(
        "", description="Kubernetes secret with keys endpoint, access_key, secret_key and, as needed, region and ca."
    )
    environment: dict[str, str] = Field(default_factory=dict, description="Environment of every task.")
    placement: dict[Role, Placement] = Field(default_factory=dict, description="Per image role.")
    artifacts: ArtifactStore | None = Field(
        None, description="Kubeflow's artifacts go to `store` too; none: to the store that Kubeflow was installed with."
    )
    trainer: bool = Field(False, description="Kubeflow Trainer v2 is installed: manifests bring a training runtime.")
    tasks: TaskSettings = Field(TaskSettings(), description="What goes for every task of a pipeline.")
    cluster: bool = Field(True, description="Tasks run as pods: each must have limits, a timeout, retries and no root.")
    mutable_images: bool = Field(False, description="Accept image tags that can move, as on a developer's cluster.")
    model_registry: str = Field(
        "", description="URL of Kubeflow's Model Registry, where promoted bundles are registered; empty: nowhere."
    )
    nodes_on_demand: bool = Field(
        False, description="An autoscaler makes nodes when pods wait for them; `hexad doctor` may find none."
    )
    endpoint: Site | None = Field(None, description="How bundles are served on this cluster; none: they are not.")

    def placeholders(self) -> list[Role]:
        """Image roles whose digest is the zeros that profiles come with: no registry has such an image."""
        return [role for role, image in self.images.items() if image.endswith("@sha256:" + "0" * 64)]


def load_profile(path: Path) -> Profile:
    """Read a profile. Raises `InvalidFile` with every error and its line."""
    return load(path, Profile)
