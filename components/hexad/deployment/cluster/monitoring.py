"""ServiceMonitors of the Prometheus operator."""

from hexad.deployment.cluster.plan import Object, Plan
from hexad.deployment.site import Monitoring


def service_monitors(plan: Plan) -> list[Object]:
    """Gateway and engine. The verifier has no metrics of its own: the gateway counts what it scores."""
    monitoring = plan.site.monitoring
    if monitoring is None:
        return []
    components = ["gateway", *(["engine"] if plan.own_engine else [])]
    return [_service_monitor(plan, component, monitoring) for component in components]


def _service_monitor(plan: Plan, component: str, monitoring: Monitoring) -> Object:
    metadata = plan.metadata(component)
    metadata["labels"] |= monitoring.labels
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata,
        "spec": {
            # By the bundle's label, which the Service that clients use does not have: no pod is scraped twice.
            "selector": {"matchLabels": plan.selector(component)},
            "endpoints": [{"port": "http", "path": "/metrics", "interval": "15s"}],
        },
    }
