"""What every object of an endpoint is computed from, and the names and labels by which the objects find each other.

Everything that depends on the bundle carries its digest in its name, so two bundles stand side by side. Which of them
answers is one label in the selector of the Service that clients use: roll-out and roll-back are a change of it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hexad.deployment.bundle import BUNDLE_LABEL
from hexad.deployment.endpoint import Endpoint, endpoint_timing
from hexad.deployment.placement import Placement
from hexad.deployment.site import Site
from hexad.deployment.timing import Timing
from hexad.gateway.config import GatewayConfig

Object = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """One endpoint on one cluster."""

    endpoint: Endpoint
    site: Site
    engine: Placement
    gateway: Placement
    store_secret: str
    """Kubernetes secret with the keys of `STORE_SECRET_KEYS`, maybe `STORE_SECRET_OPTIONS`; empty: none."""
    pull_secrets: tuple[str, ...] = ()
    """Secrets for the image registry, by name."""

    @cached_property
    def timing(self) -> Timing:
        return endpoint_timing(self.endpoint, self.site, self.scoring_s)

    @property
    def scoring_s(self) -> float:
        return float(GatewayConfig.model_fields["scorer_timeout_s"].default) if self.endpoint.bundle.verifier else 0.0

    @property
    def own_engine(self) -> bool:
        return self.site.external is None

    @property
    def models(self) -> str:
        """Component that runs models: the engine with the verifier beside it, or the verifier alone."""
        return "engine" if self.own_engine else "verifier"

    @property
    def has_models(self) -> bool:
        return self.own_engine or self.endpoint.bundle.verifier

    @property
    def audited(self) -> bool:
        """Whether the gateway writes audit rows to the store."""
        return bool(self.site.gateway_options.get("audit_store"))

    def name(self, component: str) -> str:
        return f"{self.endpoint.name}-{self.endpoint.bundle.short}-{component}"

    def selector(self, component: str) -> dict[str, str]:
        """Labels that only the pods of this bundle's component have."""
        return {
            "app.kubernetes.io/instance": self.endpoint.name,
            "app.kubernetes.io/component": component,
            BUNDLE_LABEL: self.endpoint.bundle.short,
        }

    def metadata(self, component: str) -> Object:
        labels = {"app.kubernetes.io/name": "hexad", "app.kubernetes.io/part-of": "hexad", **self.selector(component)}
        return {"name": self.name(component), "namespace": self.site.namespace, "labels": labels}
