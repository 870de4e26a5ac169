"""What a profile needs of a cluster, in the words of Kubernetes: derived from it when a pipeline is compiled."""

from pydantic import Field, JsonValue

from hexad.deployment.placement import Placement
from hexad.records import Record

PULL_SECRET_TYPE = "kubernetes.io/dockerconfigjson"
PULL_SECRET_KEY = ".dockerconfigjson"


class SecretNeed(Record):
    """A secret, of which nobody looks at the values."""

    place: str = Field(description="Where the profile names it, e.g. 'store_secret'.")
    name: str
    keys: list[str] = Field(default_factory=list, description="Keys that must be there and not be empty.")
    type: str = Field("", description="Its Kubernetes type; empty: any.")
    namespace: str = Field("", description="Empty: the namespace of the runs.")


class PoolNeed(Record):
    """Nodes that the tasks of one image role run on."""

    role: str
    placement: Placement
    affinity: dict[str, JsonValue] = Field(default_factory=dict, description="Kubernetes' `nodeAffinity`.")
    anywhere: bool = Field(False, description="A run may choose other nodes: selector, taints and affinity are open.")


class KindNeed(Record):
    """A kind of object that an operator must have brought into the cluster."""

    place: str = Field(description="What uses it, e.g. 'endpoint.scaling.scaler'.")
    group: str
    version: str
    plural: str = Field("", description="Empty: the group's version is enough.")
    mend: str = Field(description="What to install, or to change in the profile.")
    optional: bool = Field(False, description="Judged only where the group is installed.")


class ClassNeed(Record):
    """A StorageClass, a RuntimeClass or a ClusterTrainingRuntime: objects without a namespace, named by others."""

    place: str
    path: str = Field(description="REST path without the name, e.g. '/apis/storage.k8s.io/v1/storageclasses'.")
    name: str


class ClusterNeeds(Record):
    """All that is looked for in a cluster before a run starts there."""

    profile: str
    namespaces: list[str] = Field(default_factory=list, description="Beside that of the runs.")
    secrets: list[SecretNeed] = Field(default_factory=list)
    pools: list[PoolNeed] = Field(default_factory=list)
    nodes_on_demand: bool = Field(False, description="Nodes are made when pods wait for them: none may be there now.")
    kinds: list[KindNeed] = Field(default_factory=list)
    classes: list[ClassNeed] = Field(default_factory=list)
    service_account: str = Field("", description="Service account of a run's pods; empty: Kubeflow's default.")
    queue: str = Field("", description="Kueue's LocalQueue of tasks with an accelerator.")
    claim: str = Field("", description="PersistentVolumeClaim of the cache.")
    scratch_gib: float = Field(
        0.0, ge=0, description="GiB of disk, on the claim or else on the nodes; 0: not said, or made for each task."
    )
    non_root: bool = Field(False, description="Tasks say that they do not run as root.")


def inside_a_run(needs: ClusterNeeds) -> ClusterNeeds:
    """What a run's own pod can judge: nothing outside its namespace, and nothing that the run may have been given
    another value for when it was started (node pools, the store's secret, the cache's claim)."""
    pools = [
        PoolNeed(role=pool.role, placement=pool.placement, anywhere=True)
        for pool in needs.pools
        if pool.placement.accelerator
    ]
    secrets = [secret for secret in needs.secrets if not secret.namespace and secret.place != "store_secret"]
    changes = {"namespaces": [], "secrets": secrets, "pools": pools, "kinds": [], "claim": "", "service_account": ""}
    return needs.model_copy(update=changes)
