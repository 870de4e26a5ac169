"""A runtime of Kubeflow Trainer v2 for stages sft and rlvr: what a TrainJob needs to say is only the stage's command.

Fields: trainer.kubeflow.org/v1alpha1, as served by Trainer 2.0 to 2.3.
"""

from hexad.deployment.cluster.plan import Object
from hexad.deployment.cluster.pods import container, placed, pod_spec, resources, store_environment
from hexad.deployment.placement import Placement
from hexad.pipelines.profile import Profile
from hexad.platform.labels import cluster_metadata, metadata

RUNTIME = "hexad-train"
TRAIN_IMAGE = "hexad-train"
"""Name that kustomize's `images` replaces."""
ACCOUNT = "hexad-training"
TRAINING_LABELS = {"app.kubernetes.io/name": "hexad", "app.kubernetes.io/component": "training"}

_NODE = "node"
"""Trainer finds the job and the container that a TrainJob's `trainer` section is about by this name."""
_ANCESTOR = "trainer.kubeflow.org/trainjob-ancestor-step"
_GRACE_S = 120


def training_objects(profile: Profile) -> list[Object]:
    """A ClusterTrainingRuntime and the service account of its pods, where Kubeflow Trainer is installed."""
    if not profile.trainer:
        return []
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(profile, ACCOUNT, "training"),
        "automountServiceAccountToken": False,
    }
    return [account, _runtime(profile)]


def _runtime(profile: Profile) -> Object:
    job = {
        "name": _NODE,
        "template": {
            "metadata": {"labels": {_ANCESTOR: "trainer"}},
            "spec": {"template": {"metadata": {"labels": TRAINING_LABELS}, "spec": _pod(profile)}},
        },
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "ClusterTrainingRuntime",
        "metadata": cluster_metadata(RUNTIME, "training"),
        # One node: a stage commits one tree, and its processes on several nodes would each write it.
        "spec": {"mlPolicy": {"numNodes": 1}, "template": {"spec": {"replicatedJobs": [job]}}},
    }


def _pod(profile: Profile) -> Object:
    wanted = profile.placement.get("train", Placement())
    shm = [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": wanted.shm}}] if wanted.shm else []
    mounts = [{"name": "shm", "mountPath": "/dev/shm"}] if wanted.shm else []
    command = ["hexad", "job", "--help"]
    made = container(_NODE, TRAIN_IMAGE, command, resources(wanted), profile.environment, mounts)
    if profile.store_secret:
        made["env"] += store_environment(profile.store_secret)
    pod = pod_spec([made], shm, ACCOUNT, _GRACE_S) | {"restartPolicy": "Never"}
    if profile.tasks.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in profile.tasks.pull_secrets]
    return placed(pod, wanted)
