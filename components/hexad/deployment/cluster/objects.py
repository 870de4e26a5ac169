"""All objects of an endpoint on a cluster, in the order in which they may be applied."""

import json

from hexad.deployment.cluster.gateway import gateway_config_map, gateway_deployment
from hexad.deployment.cluster.kserve import kserve_engine
from hexad.deployment.cluster.models import models_deployment
from hexad.deployment.cluster.monitoring import service_monitors
from hexad.deployment.cluster.network import bundle_services, live_service, network_policies
from hexad.deployment.cluster.plan import Object, Plan
from hexad.deployment.cluster.scaling import autoscaler, disruption_budgets
from hexad.deployment.site import ENGINE_SECRET_KEY, STORE_SECRET_KEYS

PLACEHOLDER = "REPLACE-ME"
_REGISTRY = "kubernetes.io/dockerconfigjson"


def endpoint_objects(plan: Plan) -> list[Object]:
    """Plain dicts with apiVersion, kind, metadata and spec. Secrets are not among them: see `secret_templates`."""
    scaler = autoscaler(plan)
    return [
        *network_policies(plan),
        *_service_accounts(plan),
        gateway_config_map(plan),
        *([_models(plan)] if plan.has_models else []),
        gateway_deployment(plan),
        *bundle_services(plan),
        live_service(plan),
        *disruption_budgets(plan),
        *([scaler] if scaler is not None else []),
        *service_monitors(plan),
    ]


def secret_templates(plan: Plan) -> list[Object]:
    """The secrets that the objects name, with a placeholder for every value: to be filled in, never to be applied."""
    wanted = (
        {plan.store_secret: list(STORE_SECRET_KEYS)} if plan.store_secret and (plan.has_models or plan.audited) else {}
    )
    if plan.site.external is not None:
        wanted[plan.site.external.key_secret] = [ENGINE_SECRET_KEY]
    place = plan.site.namespace
    logins = [registry_template(name, place) for name in plan.pull_secrets]
    return [*(secret_template(name, place, keys) for name, keys in wanted.items()), *logins]


def secret_template(name: str, namespace: str, keys: list[str]) -> Object:
    """A Secret with a placeholder for the value of each key."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "stringData": dict.fromkeys(keys, PLACEHOLDER),
    }


def registry_template(name: str, namespace: str) -> Object:
    """A login for an image registry. The API server refuses one whose value is no JSON of this shape."""
    login = {"auths": {PLACEHOLDER: {"username": PLACEHOLDER, "password": PLACEHOLDER}}}
    made = secret_template(name, namespace, [])
    return made | {"type": _REGISTRY, "stringData": {".dockerconfigjson": json.dumps(login)}}


def external_secret(template: Object) -> Object:
    """What makes that Secret from a secret store, for the External Secrets operator; the store is to be filled in.

    https://external-secrets.io/latest/api/externalsecret/
    """
    name, kind = template["metadata"]["name"], template["type"]
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": template["metadata"],
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": PLACEHOLDER},
            "target": {"name": name, "creationPolicy": "Owner", "template": {"type": kind}},
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"hexad/{name}", "property": key}}
                for key in template["stringData"]
            ],
        },
    }


def _models(plan: Plan) -> Object:
    return models_deployment(plan) if plan.site.kserve == "none" else kserve_engine(plan, plan.site.kserve)


def _service_accounts(plan: Plan) -> list[Object]:
    """One a component, without a token: no pod of an endpoint talks to the Kubernetes API. Kubernetes gives each pod
    its account's logins to registries, also to those that KServe makes."""
    pull = [{"name": name} for name in plan.pull_secrets]
    components = ["gateway", *([plan.models] if plan.has_models else [])]
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": plan.metadata(component),
            "automountServiceAccountToken": False,
            **({"imagePullSecrets": pull} if pull else {}),
        }
        for component in components
    ]
