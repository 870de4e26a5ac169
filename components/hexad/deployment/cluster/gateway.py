"""The gateway's Deployment and its config file."""

import hashlib
import json

from hexad.deployment.cluster.plan import Object, Plan
from hexad.deployment.cluster.pods import (
    container,
    http_probe,
    placed,
    pod_spec,
    resources,
    secret_environment,
    store_environment,
)
from hexad.deployment.endpoint import ENGINE_PORT, GATEWAY_PORT, SCORER_PORT
from hexad.deployment.gateway_settings import gateway_settings
from hexad.deployment.settings import ENGINE_MODEL
from hexad.deployment.site import ENGINE_SECRET_KEY
from hexad.deployment.timing import PRE_STOP_S, PROBE_PERIOD_S, drain_s
from hexad.gateway.config import ENGINE_KEY, GatewayConfig

GATEWAY_IMAGE = "hexad-gateway"
"""Name that kustomize's `images` replaces."""

_FILE = "gateway.json"
_FOLDER = "/etc/hexad"


def gateway_config(plan: Plan) -> dict[str, object]:
    """Fields of GatewayConfig, checked by it. Raises ValidationError for options that it would not start with."""
    site, models = plan.site, f"http://{plan.name(plan.models)}"
    if site.external is None:
        engine_url, engine_model = f"{models}:{ENGINE_PORT}", ENGINE_MODEL
    else:
        engine_url, engine_model = site.external.base_url, site.external.model
    scorer_url = f"{models}:{SCORER_PORT}" if plan.endpoint.bundle.verifier else None
    tokens = plan.endpoint.candidate_tokens
    settings = gateway_settings(
        plan.endpoint.name, plan.endpoint.gateway, engine_url, engine_model, scorer_url, tokens
    ) | {
        "deadline_s": plan.timing.deadline_s,
        "grace_s": drain_s(plan.timing.gateway_grace_s),
        "continuous_usage": plan.own_engine,
        "host": "0.0.0.0",
        "port": GATEWAY_PORT,
        "api_key_hashes": site.api_key_hashes,
        "allow_anonymous": site.allow_anonymous,
        **site.gateway_options,
    }
    GatewayConfig.model_validate(settings)
    return settings


def gateway_config_map(plan: Plan) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": plan.metadata("gateway"),
        "data": {_FILE: json.dumps(gateway_config(plan), indent=1)},
    }


def gateway_deployment(plan: Plan) -> Object:
    config = gateway_config_map(plan)["data"][_FILE]
    # The process reads its config once, so a changed one has to make new pods.
    annotations = {"hexad.dev/config-sha256": hashlib.sha256(config.encode()).hexdigest()}
    labels = plan.metadata("gateway")["labels"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": plan.metadata("gateway"),
        "spec": {
            "replicas": plan.site.gateway_replicas,
            "revisionHistoryLimit": 2,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": plan.selector("gateway")},
            "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": _pod(plan)},
        },
    }


def _pod(plan: Plan) -> Object:
    volumes = [{"name": "config", "configMap": {"name": plan.name("gateway")}}]
    pod = pod_spec([_container(plan)], volumes, plan.name("gateway"), plan.timing.gateway_grace_s)
    if plan.site.gateway_replicas > 1:
        spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
        pod["topologySpreadConstraints"] = [spread | {"labelSelector": {"matchLabels": plan.selector("gateway")}}]
    return placed(pod, plan.gateway)


def _container(plan: Plan) -> Object:
    command = ["python", "-m", "hexad.gateway.server", "--config", f"{_FOLDER}/{_FILE}"]
    config = {"name": "config", "mountPath": _FOLDER, "readOnly": True}
    made = container("gateway", GATEWAY_IMAGE, command, resources(plan.gateway), {}, [config])
    if plan.site.external is not None:
        made["env"] += secret_environment(plan.site.external.key_secret, {ENGINE_SECRET_KEY: ENGINE_KEY})
    if plan.audited and plan.store_secret:
        made["env"] += store_environment(plan.store_secret)
    return made | {
        "ports": [{"name": "http", "containerPort": GATEWAY_PORT}],
        "startupProbe": http_probe("/livez", "http", 30, 2),
        # Ready follows the engine; alive does not, or an engine that loads would restart every gateway.
        "readinessProbe": http_probe("/readyz", "http", 3, 5),
        "livenessProbe": http_probe("/livez", "http", 6, PROBE_PERIOD_S),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_S}}},
    }
