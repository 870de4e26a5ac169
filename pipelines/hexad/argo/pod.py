"""A profile's words for the pod of one stage, in Argo's form: the part of a template beside its command."""

from typing import Any

from hexad.deployment.cluster.pods import resources, secret_environment, toleration
from hexad.deployment.placement import Placement
from hexad.deployment.site import STORE_SECRET_KEYS, STORE_SECRET_OPTIONS
from hexad.pipelines.profile import Profile
from hexad.pipelines.task_placement import QUEUE_LABEL
from hexad.pipelines.task_settings import Retry
from hexad.stage.boxes import Role
from hexad.stage.context import RUN_ID, RUN_LABEL

Object = dict[str, Any]

COMMAND = ["python", "-m", "hexad.cli.main"]
_RUN = "{{workflow.uid}}"
SCRATCH = "/tmp"
"""The one folder that our images write to; their root is read-only."""


def pod_settings(role: Role, section: str, profile: Profile) -> Object:
    """Limits, nodes and volumes of a stage that runs in the image of `role`: fields of an Argo template."""
    settings = profile.tasks
    wanted = profile.placement.get(role, Placement())
    labels = {RUN_LABEL: _RUN}
    if wanted.accelerator and settings.queue:
        labels[QUEUE_LABEL] = settings.queue
    made: Object = {"metadata": {"labels": labels}}
    if settings.timeout(section):
        # The pod's own deadline: it ends one try, and waiting for a node does not count.
        made["activeDeadlineSeconds"] = settings.timeout(section)
    if settings.retry:
        made["retryStrategy"] = _retry(settings.retry)
    if wanted.node_selector:
        made["nodeSelector"] = dict(sorted(wanted.node_selector.items()))
    if wanted.tolerations:
        made["tolerations"] = [toleration(taint) for taint in wanted.tolerations]
    if role in settings.affinity:
        made["affinity"] = {"nodeAffinity": settings.affinity[role]}
    made["volumes"] = [{"name": name, **source} for name, (_, source) in _volumes(wanted, profile).items()]
    return made


def container(role: Role, profile: Profile, arguments: list[str]) -> Object:
    """The container of a stage: `hexad` with `arguments`, as some user without capabilities, on a read-only root."""
    wanted = profile.placement.get(role, Placement())
    made: Object = {"image": profile.images[role], "command": COMMAND, "args": arguments}
    if profile.tasks.pull_policy:
        made["imagePullPolicy"] = profile.tasks.pull_policy
    made["env"] = _environment(wanted, profile)
    if given := resources(wanted):
        made["resources"] = given
    made["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    made["volumeMounts"] = [
        {"name": name, "mountPath": path, **({"readOnly": True} if "secret" in source else {})}
        for name, (path, source) in _volumes(wanted, profile).items()
    ]
    return made


def identity(profile: Profile) -> Object:
    """Security context of every pod; Argo's own containers in it inherit it too."""
    made: Object = {"seccompProfile": {"type": "RuntimeDefault"}}
    if profile.tasks.run_as_non_root:
        made["runAsNonRoot"] = True
    user, group = profile.tasks.run_as_user, profile.tasks.fs_group
    if user:
        made["runAsUser"] = user
    if (owner := user if group is None else group) is not None:
        # New volumes are root's, whom no stage runs as. A large one is not walked through again for every stage.
        made |= {"fsGroup": owner, "fsGroupChangePolicy": "OnRootMismatch"}
    return made


def _retry(retry: Retry) -> Object:
    backoff = {"duration": f"{retry.wait_s}s", "factor": str(retry.factor)}
    if retry.wait_s * retry.factor ** (retry.times - 1) > retry.longest_wait_s:
        backoff["cap"] = f"{retry.longest_wait_s}s"  # Argo 3.6; `maxDuration` would count the stage's own hours too
    # Always: a pod that was deleted with its node is an error to Argo, not a failure.
    return {"limit": str(retry.times), "retryPolicy": "Always", "backoff": backoff}


def _environment(wanted: Placement, profile: Profile) -> list[Object]:
    fixed = wanted.threads | profile.environment
    made: list[Object] = [{"name": name, "value": value} for name, value in sorted(fixed.items())]
    made.append({"name": RUN_ID, "value": _RUN})
    if profile.store_secret:
        made += secret_environment(profile.store_secret, STORE_SECRET_KEYS | STORE_SECRET_OPTIONS, optional=True)
    for given in profile.tasks.secret_environment:
        made += secret_environment(given.secret, given.variables)
    return made


def _volumes(wanted: Placement, profile: Profile) -> dict[str, tuple[str, Object]]:
    """Name of a volume to where it is mounted and what it is."""
    found: dict[str, tuple[str, Object]] = {"scratch": (SCRATCH, {"emptyDir": {}})}
    if wanted.shm:
        found["shm"] = ("/dev/shm", {"emptyDir": {"medium": "Memory", "sizeLimit": wanted.shm}})
    cache = profile.tasks.cache
    if cache and cache.claim:
        found["cache"] = (cache.path, {"persistentVolumeClaim": {"claimName": cache.claim}})
    elif cache:
        spec: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": cache.size}}}
        if cache.storage_class:
            spec["storageClassName"] = cache.storage_class
        found["cache"] = (cache.path, {"ephemeral": {"volumeClaimTemplate": {"spec": spec}}})
    for secret, folder in sorted(profile.tasks.secret_volumes.items()):
        found[f"secret-{secret}"] = (folder, {"secret": {"secretName": secret}})
    return found
