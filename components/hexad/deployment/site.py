"""Where and how an endpoint runs on a cluster: what its operators decide, not what the model is."""

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from hexad.deployment.placement import Placement
from hexad.deployment.timing import Speed
from hexad.records import Record
from hexad.storage.certificates import AUTHORITY

STORE_SECRET_KEYS = {
    "endpoint": "HEXAD_S3_ENDPOINT",
    "access_key": "HEXAD_S3_ACCESS_KEY",
    "secret_key": "HEXAD_S3_SECRET_KEY",
}
"""Keys of a store secret, and the environment variables that they become."""

STORE_SECRET_OPTIONS = {"region": "HEXAD_S3_REGION", "ca": AUTHORITY}
"""Keys that it may lack: a store with regions wants the first, one with a certificate of the company's own the second.
"""

ENGINE_SECRET_KEY = "engine_key"


class Peer(Record):
    """Where a network policy lets connections go: a namespace of this cluster, or addresses outside of it."""

    namespace: str = Field("", description="Namespace of this cluster.")
    cidr: str = Field("", description="Address range, e.g. '203.0.113.0/24'.")
    except_cidrs: list[str] = Field(default_factory=list, description="Ranges inside `cidr` that stay closed.")
    port: int = Field(443, ge=1, le=65535, description="TCP port of the pods or hosts, not of a Service in front.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.namespace) == bool(self.cidr):
            raise ValueError("a peer has either a namespace or a cidr; give one of them")
        return self


class ExternalEngine(Record):
    """An OpenAI-compatible API outside the cluster that serves the target model, e.g. Cerebras inference."""

    base_url: str = Field(pattern="^https://", description="Base URL without /v1.")
    model: str = Field(min_length=1, description="Model name sent to it.")
    key_secret: str = Field(
        min_length=1, description=f"Kubernetes secret whose key '{ENGINE_SECRET_KEY}' is the API key."
    )
    egress: list[Peer] = Field(min_length=1, description="Its addresses: network policies know no host names.")


class Scaling(Record):
    """How many engines, and who changes their number."""

    replicas: int = Field(1, ge=1, description="Engines at least.")
    max_replicas: int = Field(1, ge=1, description="Engines at most.")
    scaler: Literal["none", "keda", "hpa"] = Field(
        "none", description="'keda' reads Prometheus itself; 'hpa' needs an adapter for external metrics."
    )
    prometheus_url: str = Field("", description="Prometheus' URL inside the cluster, for 'keda'.")
    load: float = Field(0.75, gt=0, le=1, description="Share of an engine's sequences in use at which another starts.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.max_replicas < self.replicas:
            raise ValueError(f"max_replicas: {self.max_replicas} is less than replicas = {self.replicas}; raise it")
        if self.scaler == "keda" and not self.prometheus_url:
            raise ValueError("scaler: 'keda' needs prometheus_url; set it, or choose 'none'")
        if self.scaler == "none" and self.max_replicas > self.replicas:
            raise ValueError("max_replicas: nothing scales with scaler 'none'; choose 'keda' or 'hpa'")
        return self


class Monitoring(Record):
    """The Prometheus operator, where there is one."""

    namespace: str = Field("monitoring", description="Namespace from which Prometheus scrapes.")
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="Labels of the ServiceMonitor that the operator selects by; a wrong one is never reported.",
    )


class Site(Record):
    """Section `endpoint` of a profile."""

    namespace: str = Field("hexad", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description="Namespace.")
    clients: list[str] = Field(
        default_factory=list, description="Namespaces whose pods may call the gateway, e.g. the ingress controller's."
    )
    client_cidrs: list[str] = Field(
        default_factory=list, description="Addresses that may call it from outside, e.g. a cloud load balancer's."
    )
    api_key_hashes: list[str] = Field(
        default_factory=list, description="sha256 of each API key that clients may use, in hexadecimal."
    )
    allow_anonymous: bool = Field(False, description="Serve without API keys.")
    gateway_replicas: int = Field(2, ge=1, description="Gateways; each takes `concurrency` engine calls at once.")
    gateway_options: dict[str, JsonValue] = Field(
        default_factory=dict, description="Further fields of GatewayConfig, which win over computed ones."
    )
    verifier: Placement = Field(
        Placement(cpu="2", memory="8Gi"), description="CPU and memory of the verifier, which runs without accelerator."
    )
    gpu_memory_utilization: float = Field(0.9, gt=0, lt=1, description="Share of an accelerator's memory for vLLM.")
    runtime_class: str = Field("", description="RuntimeClass of engine pods, e.g. 'nvidia'; empty: the default.")
    bundle_storage_class: str = Field(
        "", description="Storage class of node-local disks for weights; empty: the node's ephemeral storage."
    )
    speed: Speed = Field(Speed(), description="From which probes, deadlines and grace periods are computed.")
    scaling: Scaling = Field(Scaling(), description="Number of engines.")
    monitoring: Monitoring | None = Field(None, description="Prometheus operator; none: no ServiceMonitor.")
    gateway_egress: list[Peer] = Field(
        default_factory=list, description="Where else the gateway connects: a trace collector, a judging engine."
    )
    store_egress: list[Peer] = Field(default_factory=list, description="Where the object store answers.")
    dns_cidrs: list[str] = Field(
        default_factory=list, description="DNS caches besides kube-system's pods, e.g. '169.254.20.10/32'."
    )
    kserve: Literal["none", "InferenceService", "LLMInferenceService"] = Field(
        "none", description="Hand the engine to KServe instead of a Deployment."
    )
    external: ExternalEngine | None = Field(None, description="Target model outside the cluster; none: our own vLLM.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not (self.api_key_hashes or self.allow_anonymous):
            raise ValueError(
                "api_key_hashes: empty, so the gateway would not start; add what `printf KEY | sha256sum` prints, or "
                "set allow_anonymous"
            )
        if self.external is not None and (self.kserve != "none" or self.scaling != Scaling()):
            raise ValueError("external: there is no engine to scale or to hand to KServe; leave out scaling and kserve")
        if self.kserve != "none" and self.scaling.scaler != "none":
            raise ValueError(
                "kserve: KServe owns the engine's Deployment, which no scaler of ours can name; use scaler 'none'"
            )
        return self
