"""The pod that runs models: weights come first, then the engine, with the verifier beside it on the same disk.

The verifier is a container of the engine's pod and not a Deployment: it reads the same bundle, so it needs no second
fetch, and it can never be of another bundle than the engine. Where the engine is outside the cluster it has its own.
"""

from hexad.deployment.bundle import VERIFIER
from hexad.deployment.cluster.plan import Object, Plan
from hexad.deployment.cluster.pods import (
    NO_ACCELERATOR,
    container,
    http_probe,
    placed,
    pod_spec,
    resources,
    store_environment,
)
from hexad.deployment.endpoint import BUNDLES, ENGINE_PORT, SCORER_PORT, engine_command
from hexad.deployment.placement import Placement
from hexad.deployment.timing import PRE_STOP_S, PROBE_PERIOD_S
from hexad.engines.vllm_server import ENVIRONMENT

SERVE_IMAGE = "hexad-serve"
"""Name that kustomize's `images` replaces."""

_FETCH = Placement(cpu="2", memory="4Gi")
_ROOM = 1.1  # of the bundle's bytes: partial files and what the fetch notes beside them
_GIB = 2**30


def models_deployment(plan: Plan) -> Object:
    """Deployment of the component `plan.models`."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": plan.metadata(plan.models),
        "spec": {
            # An autoscaler owns the number; stating it here would set it back at every apply.
            **({} if scaled(plan) else {"replicas": plan.site.scaling.replicas}),
            "revisionHistoryLimit": 2,
            "progressDeadlineSeconds": plan.timing.progress_deadline_s,
            # A node may have no room for one more engine; then the old one goes on serving.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": plan.selector(plan.models)},
            "template": {"metadata": {"labels": plan.metadata(plan.models)["labels"]}, "spec": models_pod(plan)},
        },
    }


def scaled(plan: Plan) -> bool:
    return plan.own_engine and plan.site.scaling.scaler != "none"


def models_pod(plan: Plan) -> Object:
    """Engine and verifier, or the verifier alone."""
    containers = [_engine(plan)] if plan.own_engine else []
    containers += [_verifier(plan)] if plan.endpoint.bundle.verifier else []
    grace = plan.timing.engine_grace_s if plan.own_engine else plan.timing.gateway_grace_s
    if not plan.site.bundle_storage_class:
        # The scheduler looks at requests only: without one the pod lands on a full node and is evicted there.
        containers[0]["resources"].setdefault("requests", {})["ephemeral-storage"] = _bundle_size(plan)
    pod = pod_spec(containers, _volumes(plan), plan.name(plan.models), grace)
    pod["initContainers"] = [_fetch(plan)]
    return placed(pod, plan.engine, plan.site.runtime_class) if plan.own_engine else placed(pod, plan.site.verifier)


def _fetch(plan: Plan) -> Object:
    command = ["python", "-m", "hexad.deployment.fetch", "--bundle", plan.endpoint.bundle.uri, "--to", BUNDLES]
    bundles = {"name": "bundles", "mountPath": BUNDLES}
    made = container("fetch", SERVE_IMAGE, command, resources(_FETCH), dict(NO_ACCELERATOR), [bundles])
    if plan.store_secret:
        made["env"] += store_environment(plan.store_secret)
    return made


def _engine(plan: Plan) -> Object:
    command = engine_command(plan.endpoint, plan.engine, plan.site, plan.timing)
    shm = [{"name": "shm", "mountPath": "/dev/shm"}] if plan.engine.shm else []
    made = container(
        "engine",
        SERVE_IMAGE,
        command,
        resources(plan.engine),
        ENVIRONMENT | plan.engine.threads,
        [_bundles(plan), *shm],
    )
    return made | {
        "ports": [{"name": "http", "containerPort": ENGINE_PORT}],
        "startupProbe": http_probe("/health", "http", plan.timing.startup_failures, PROBE_PERIOD_S),
        "readinessProbe": http_probe("/health", "http", 3, 5),
        # Tokenising a huge prompt holds the event loop for seconds; a restart would lose every running response.
        "livenessProbe": http_probe("/health", "http", 6, PROBE_PERIOD_S),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_S}}},
    }


def _verifier(plan: Plan) -> Object:
    model = f"{plan.endpoint.folder}/{VERIFIER}"
    command = [
        "python",
        "-m",
        "hexad.verifier.server",
        "--model",
        model,
        "--host",
        "0.0.0.0",
        "--port",
        str(SCORER_PORT),
    ]
    if plan.site.verifier.cpu.isdecimal():
        command += ["--threads", plan.site.verifier.cpu]
    made = container(
        "verifier", SERVE_IMAGE, command, resources(plan.site.verifier), dict(NO_ACCELERATOR), [_bundles(plan)]
    )
    return made | {
        "ports": [{"name": "scorer", "containerPort": SCORER_PORT}],
        "startupProbe": http_probe("/health", "scorer", plan.timing.startup_failures, PROBE_PERIOD_S),
        "readinessProbe": http_probe("/health", "scorer", 3, 5),
        "livenessProbe": http_probe("/health", "scorer", 6, PROBE_PERIOD_S),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_S}}},
    }


def _bundles(plan: Plan) -> Object:
    return {"name": "bundles", "mountPath": BUNDLES, "readOnly": True}


def _volumes(plan: Plan) -> list[Object]:
    size = _bundle_size(plan)
    if plan.site.bundle_storage_class:
        claim = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": plan.site.bundle_storage_class,
            "resources": {"requests": {"storage": size}},
        }
        bundles = {"name": "bundles", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}
    else:
        bundles = {"name": "bundles", "emptyDir": {"sizeLimit": size}}
    # Counts against the pod's memory. NCCL dies of a bus error in the default 64 MiB.
    shm = [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": plan.engine.shm}}] if plan.engine.shm else []
    return [bundles, *(shm if plan.own_engine else [])]


def _bundle_size(plan: Plan) -> str:
    return f"{int(plan.endpoint.bundle.bytes * _ROOM / _GIB) + 1}Gi"
