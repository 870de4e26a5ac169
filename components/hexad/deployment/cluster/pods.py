"""What all pods of an endpoint have in common: Pod Security "restricted", a read-only root, caches to write into."""

from hexad.deployment.cluster.plan import Object
from hexad.deployment.placement import Placement, Toleration
from hexad.deployment.site import STORE_SECRET_KEYS, STORE_SECRET_OPTIONS

_USER = 10001
_CACHE = "/cache"
_CACHES = {
    "HOME": _CACHE,
    "XDG_CACHE_HOME": _CACHE,
    "HF_HOME": f"{_CACHE}/huggingface",
    "VLLM_CACHE_ROOT": f"{_CACHE}/vllm",
    "TORCHINDUCTOR_CACHE_DIR": f"{_CACHE}/inductor",
    "TRITON_CACHE_DIR": f"{_CACHE}/triton",
    "NUMBA_CACHE_DIR": f"{_CACHE}/numba",
}
NO_ACCELERATOR = {"NVIDIA_VISIBLE_DEVICES": "void"}
"""For a container that asks for none: GPU images say "all", and NVIDIA's runtime then shows it every card of the node,
others' too. Where a card is asked for, the device plugin names it instead."""

# The user id has no line in /etc/passwd, where getpass.getuser() would look; torch's compiler calls it.
_IDENTITY = {"USER": "hexad", "LOGNAME": "hexad"}


def pod_spec(containers: list[Object], volumes: list[Object], service_account: str, grace_s: int) -> Object:
    """A pod that asks for no right it does not use. `grace_s`: termination grace, seconds."""
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_s,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": containers,
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "4Gi"}},
            {"name": "cache", "emptyDir": {"sizeLimit": "16Gi"}},
            *volumes,
        ],
    }


def container(
    name: str, image: str, command: list[str], resources: Object, environment: dict[str, str], mounts: list[Object]
) -> Object:
    """A container without capabilities whose root cannot be written; `mounts` come beside /tmp and the caches."""
    return {
        "name": name,
        "image": image,
        "command": command,
        "env": [{"name": key, "value": value} for key, value in (_IDENTITY | _CACHES | environment).items()],
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "cache", "mountPath": _CACHE}, *mounts],
    }


def resources(placement: Placement) -> Object:
    """Requests equal to limits: a pod that is guaranteed what it asks for is the last to be evicted."""
    asked = {"cpu": placement.cpu, "memory": placement.memory}
    if placement.accelerator:
        asked[placement.accelerator] = str(placement.accelerators)
    given = {name: quantity for name, quantity in asked.items() if quantity}
    return {"requests": given, "limits": dict(given)} if given else {}


def secret_environment(secret: str, keys: dict[str, str], optional: bool = False) -> list[Object]:
    """Environment variables from a secret's keys, which it may lack when they are `optional`."""
    may_lack = {"optional": True} if optional else {}
    return [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key} | may_lack}}
        for key, variable in keys.items()
    ]


def store_environment(secret: str) -> list[Object]:
    """What `hexad.storage` reads, from a store secret."""
    return [*secret_environment(secret, STORE_SECRET_KEYS), *secret_environment(secret, STORE_SECRET_OPTIONS, True)]


def placed(pod: Object, placement: Placement, runtime_class: str = "") -> Object:
    """The pod on the nodes that a placement names."""
    if placement.node_selector:
        pod["nodeSelector"] = dict(sorted(placement.node_selector.items()))
    if placement.tolerations:
        pod["tolerations"] = [toleration(taint) for taint in placement.tolerations]
    if runtime_class:
        pod["runtimeClassName"] = runtime_class
    return pod


def toleration(taint: Toleration) -> Object:
    """A taint that is tolerated, in Kubernetes' words."""
    value = {"value": taint.value} if taint.operator == "Equal" else {}
    return {"key": taint.key, "operator": taint.operator, **value, "effect": taint.effect}


def http_probe(path: str, port: str, failures: int, period_s: int) -> Object:
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": period_s,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
