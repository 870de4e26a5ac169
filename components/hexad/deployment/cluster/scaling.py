"""Disruption budgets and autoscaling. A scale-down must not cut a response that takes half an hour."""

from hexad.deployment.cluster.models import scaled
from hexad.deployment.cluster.plan import Object, Plan

_ONE_EACH_TEN_MINUTES = {"type": "Pods", "value": 1, "periodSeconds": 600}
_POLL_S = 15


def disruption_budgets(plan: Plan) -> list[Object]:
    """One for each component with several replicas: with a single one a budget would block every node's drain."""
    several = {"gateway": plan.site.gateway_replicas > 1}
    if plan.own_engine:
        several["engine"] = plan.site.scaling.replicas > 1
    return [_budget(plan, component) for component, wanted in several.items() if wanted]


def autoscaler(plan: Plan) -> Object | None:
    """KEDA's ScaledObject or a HorizontalPodAutoscaler for the engine, or nothing."""
    if not scaled(plan):
        return None
    return _scaled_object(plan) if plan.site.scaling.scaler == "keda" else _horizontal(plan)


def _budget(plan: Plan, component: str) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": plan.metadata(component),
        "spec": {
            "maxUnavailable": 1,
            # A pod that never became ready must not hold up a drain.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": plan.selector(component)},
        },
    }


def _target(plan: Plan) -> str:
    """Candidates in flight that one engine is to carry: HTTP requests say little when each samples N times."""
    return str(max(1, int(plan.endpoint.engine.max_num_seqs * plan.site.scaling.load)))


def _behavior(plan: Plan) -> Object:
    return {
        "scaleUp": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]},
        "scaleDown": {
            "stabilizationWindowSeconds": min(3600, plan.timing.stabilization_s),  # 3600 is the API's most
            "policies": [dict(_ONE_EACH_TEN_MINUTES)],
        },
    }


def _scaled_object(plan: Plan) -> Object:
    scaling = plan.site.scaling
    pods = f'namespace="{plan.site.namespace}",service="{plan.name("gateway")}"'
    wished = f"sum(hexad_in_flight{{{pods}}}) + {plan.endpoint.gateway.candidates} * sum(hexad_waiting{{{pods}}})"
    trigger = {
        "type": "prometheus",
        # Not per replica of the gateway: KEDA divides the sum by the engines that there are.
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": scaling.prometheus_url,
            "query": wished,
            "threshold": _target(plan),
            # True, the default, reads a metric that is missing as 0 and scales down when Prometheus is away.
            "ignoreNullValues": "false",
        },
    }
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": plan.metadata("engine"),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": plan.name("engine")},
            "pollingInterval": _POLL_S,
            "cooldownPeriod": plan.timing.stabilization_s,
            "minReplicaCount": scaling.replicas,
            "maxReplicaCount": scaling.max_replicas,
            # No `fallback`: without an answer from Prometheus the number stays as it is, whatever it is.
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(plan)}},
            "triggers": [trigger],
        },
    }


def _horizontal(plan: Plan) -> Object:
    selector = {"matchLabels": {"namespace": plan.site.namespace, "service": plan.name("gateway")}}
    metric = {
        "type": "External",
        "external": {
            "metric": {"name": "hexad_in_flight", "selector": selector},
            "target": {"type": "AverageValue", "averageValue": _target(plan)},
        },
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": plan.metadata("engine"),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": plan.name("engine")},
            "minReplicas": plan.site.scaling.replicas,
            "maxReplicas": plan.site.scaling.max_replicas,
            "metrics": [metric],
            "behavior": _behavior(plan),
        },
    }
