"""What the namespace of runs and endpoints may use at most, and what a container gets that asks for nothing."""

from hexad.deployment.cluster.plan import Object
from hexad.deployment.placement import Placement
from hexad.pipelines.profile import Profile
from hexad.platform.labels import NAME, metadata

_RUNS = 2
"""Runs at the same time."""
_BUNDLES = 2
"""Bundles that stand side by side during a roll-out."""
_CELLS = 2
"""Evaluation groups at the same time, as `post_training` has it."""


def limit_objects(profile: Profile) -> list[Object]:
    """A ResourceQuota and a LimitRange."""
    common = metadata(profile, NAME, "pipeline")
    return [
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": common, "spec": {"hard": _quota(profile)}},
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": common, "spec": {"limits": [_defaults()]}},
    ]


def _quota(profile: Profile) -> dict[str, str]:
    """Accelerators by arithmetic; nothing that opens the cluster to the outside; pods that nobody planned end early."""
    hard = {"pods": "200", "persistentvolumeclaims": "50", "services.loadbalancers": "0", "services.nodeports": "0"}
    return hard | {f"requests.{name}": str(count) for name, count in sorted(accelerators(profile).items())}


def accelerators(profile: Profile) -> dict[str, int]:
    """Resource name to how many two runs at their widest stage and a roll-out of the endpoint need together."""
    nothing = Placement()
    train, serve = (profile.placement.get(role, nothing) for role in ("train", "serve"))
    counted: dict[str, int] = {}
    for wanted, tasks in ((train, 1), (serve, _CELLS)):
        if wanted.accelerator:
            runs = _RUNS * tasks * wanted.accelerators
            counted[wanted.accelerator] = max(counted.get(wanted.accelerator, 0), runs)
    if serve.accelerator and profile.endpoint is not None and profile.endpoint.external is None:
        counted[serve.accelerator] += _BUNDLES * profile.endpoint.scaling.max_replicas * serve.accelerators
    return counted


def _defaults() -> Object:
    """Small: our own containers all say what they need, so these are helpers that Argo and Kubeflow add."""
    return {
        "type": "Container",
        "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
        "default": {"cpu": "500m", "memory": "512Mi"},
    }
