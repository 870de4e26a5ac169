"""A profile's words for one task, said to kfp-kubernetes.

What Kubeflow can fill in when a run starts (node selectors, tolerations, affinity, names of the store's secret and of
the cache's claim) is a parameter of the pipeline, so that one compiled file moves to another node pool as it is. All
else is fixed when the pipeline is compiled.
"""

from collections.abc import Collection, Mapping
from typing import Any

from kfp import dsl, kubernetes

from hexad.deployment.cluster.pods import toleration
from hexad.deployment.placement import Placement
from hexad.deployment.site import STORE_SECRET_KEYS, STORE_SECRET_OPTIONS
from hexad.pipelines.profile import Profile
from hexad.pipelines.task_settings import TaskSettings
from hexad.stage.boxes import Role
from hexad.stage.context import RUN_ID, RUN_LABEL

_RUN_ID = "{{workflow.uid}}"
"""Kubeflow's API server puts the run's id in its place, wherever it stands in a workflow:
https://github.com/kubeflow/pipelines/blob/master/backend/src/apiserver/template/v2_template.go (ReplaceUID)."""

POOLS: tuple[Role, ...] = ("train", "serve")
"""Image roles whose accelerators' nodes are chosen when a run starts."""

AS_LONG_AS_IT_TAKES_S = 365 * 24 * 3600
"""Kubeflow hands its `backoff_max_duration` to Argo as `maxDuration`. That counts from the start of the first try, the
stage's own hours included: after it Argo starts no other try, and ends the one that runs. Only the number of tries and
`tasks.timeout_s` are to end them:
https://github.com/argoproj/argo-workflows/blob/main/workflow/controller/operator.go (processNodeRetries)."""

_RUN_ID_LABEL = "metadata.labels['pipeline/runid']"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

Parameters = Mapping[str, Any]
"""Pipeline parameters that places read: those of `run_time_values`, as channels."""


def run_time_values(profile: Profile, pools: Collection[Role] = POOLS) -> dict[str, Any]:
    """Names and defaults of the pipeline parameters that a profile leaves open: only those that do something."""
    values: dict[str, Any] = {}
    if profile.store_secret:
        values["store_secret"] = profile.store_secret
    if profile.tasks.cache and profile.tasks.cache.claim:
        values["cache_claim"] = profile.tasks.cache.claim
    for role in pools:
        wanted = profile.placement.get(role)
        if wanted is not None and wanted.accelerator:
            values[f"{role}_node_selector"] = dict(sorted(wanted.node_selector.items()))
            values[f"{role}_tolerations"] = [toleration(taint) for taint in wanted.tolerations]
        if role in profile.tasks.affinity:
            values[f"{role}_affinity"] = profile.tasks.affinity[role]
    return values


def place(
    role: Role, section: str, task: dsl.PipelineTask, profile: Profile, parameters: Parameters
) -> dsl.PipelineTask:
    """Apply what a profile says of the tasks of a stage that runs in the image of `role`."""
    task.set_container_image(profile.images[role])
    wanted = profile.placement.get(role)
    threads = wanted.threads if wanted is not None else {}
    for name, value in sorted((threads | profile.environment).items()):
        task.set_env_variable(name, value)
    if profile.store_secret:
        kubernetes.use_secret_as_env(
            task, parameters["store_secret"], STORE_SECRET_KEYS | STORE_SECRET_OPTIONS, optional=True
        )
    _limits(task, section, profile.tasks)
    _identity(task, profile.tasks)
    _disks(task, profile.tasks, parameters)
    if wanted is not None:
        _nodes(task, role, wanted, profile, parameters)
    return task


def _limits(task: dsl.PipelineTask, section: str, settings: TaskSettings) -> None:
    if settings.timeout(section):
        kubernetes.set_timeout(task, settings.timeout(section))
    retry = settings.retry
    if retry is not None:
        wait_s, factor = retry.uncapped
        task.set_retry(retry.times, f"{wait_s}s", factor, f"{AS_LONG_AS_IT_TAKES_S}s")


def _identity(task: dsl.PipelineTask, settings: TaskSettings) -> None:
    """Who the pod is. KFP's compiler adds seccomp RuntimeDefault, drops capabilities and forbids escalation itself."""
    if settings.run_as_non_root or settings.run_as_user:
        kubernetes.set_security_context(
            task, run_as_user=settings.run_as_user, run_as_non_root=settings.run_as_non_root or None
        )
    if settings.pull_policy:
        kubernetes.set_image_pull_policy(task, settings.pull_policy)
    if settings.pull_secrets:
        kubernetes.set_image_pull_secrets(task, settings.pull_secrets)
    for given in settings.secret_environment:
        kubernetes.use_secret_as_env(task, given.secret, given.variables)
    for secret, folder in sorted(settings.secret_volumes.items()):
        kubernetes.use_secret_as_volume(task, secret, folder)
    for label, value in sorted(settings.labels.items()):
        kubernetes.add_pod_label(task, label, value)
    for key, value in sorted(settings.annotations.items()):
        kubernetes.add_pod_annotation(task, key, value)
    # The same label as on what a task starts beside itself: all of a run is found, and stopped, by one selector.
    kubernetes.add_pod_label(task, RUN_LABEL, _RUN_ID)
    kubernetes.use_field_path_as_env(task, RUN_ID, _RUN_ID_LABEL)


def _disks(task: dsl.PipelineTask, settings: TaskSettings, parameters: Parameters) -> None:
    cache = settings.cache
    if cache is None:
        return
    if cache.claim:
        kubernetes.mount_pvc(task, parameters["cache_claim"], cache.path)
    else:
        kubernetes.add_ephemeral_volume(
            task, "cache", cache.path, ["ReadWriteOnce"], cache.size, cache.storage_class or None
        )


def _nodes(task: dsl.PipelineTask, role: Role, wanted: Placement, profile: Profile, parameters: Parameters) -> None:
    # Kubernetes takes a limit for the request where none is given: such pods are the last to be evicted.
    if wanted.cpu:
        task.set_cpu_limit(wanted.cpu)
    if wanted.memory:
        task.set_memory_limit(wanted.memory)
    if wanted.accelerator:
        task.set_accelerator_type(wanted.accelerator).set_accelerator_limit(wanted.accelerators)
        if profile.tasks.queue:
            kubernetes.add_pod_label(task, QUEUE_LABEL, profile.tasks.queue)
    if wanted.shm:
        kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=wanted.shm)
    if f"{role}_node_selector" in parameters:
        kubernetes.add_node_selector_json(task, parameters[f"{role}_node_selector"])
        kubernetes.add_toleration_json(task, parameters[f"{role}_tolerations"])
    else:
        for label, value in sorted(wanted.node_selector.items()):
            kubernetes.add_node_selector(task, label, value)
        kubernetes.add_toleration_json(task, [toleration(taint) for taint in wanted.tolerations])
    affinity = parameters.get(f"{role}_affinity", profile.tasks.affinity.get(role))
    if affinity is not None:
        kubernetes.add_node_affinity_json(task, affinity)
