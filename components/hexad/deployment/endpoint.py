"""The typed spec of an endpoint: which bundle, how its engine and its gateway are set. No Kubernetes yet."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from hexad.deployment.bundle import DRAFT, VERIFIER, engine_of, policy_of, speculative_settings
from hexad.deployment.command_line import bundle_arguments
from hexad.deployment.placement import Placement
from hexad.deployment.settings import EngineConfig, GatewayPolicy, response_tokens
from hexad.deployment.site import Site
from hexad.deployment.timing import Timing, drain_s, timing
from hexad.engines.vllm_server import Gpus
from hexad.records import Bundle, Manifest, Record, Speculation

BUNDLES = "/bundles"
"""Where pods see the node's disk; `hexad.deployment.fetch --to` puts each bundle in a folder of its digest there."""

DIGEST_LENGTH = 16
"""Digits of a bundle's digest in names, labels and folders."""

ENGINE_PORT, SCORER_PORT, GATEWAY_PORT = 8000, 8001, 8080


class BundleRef(Record):
    """A bundle in the store."""

    uri: str = Field(pattern=r"^s3://", description="Store URI of the bundle's tree; a cluster cannot read file://.")
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="Digest of the tree's manifest, 64 hexadecimal digits.")
    bytes: int = Field(gt=0, description="Size of all files, bytes.")
    draft: bool = Field(False, description="Whether the bundle has a draft model.")
    verifier: bool = Field(False, description="Whether the bundle has a verifier.")

    @property
    def short(self) -> str:
        return self.digest[:DIGEST_LENGTH]


class Endpoint(Record):
    """One bundle to be served, and all that does not depend on the cluster."""

    name: str = Field(
        pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$",
        description="Name of the Service, start of every object's name, and the model that clients ask for.",
    )
    bundle: BundleRef
    engine: EngineConfig = Field(EngineConfig(), description="vLLM's settings.")
    speculation: Speculation | None = Field(None, description="Proven speculation; none: off.")
    gateway: GatewayPolicy = Field(GatewayPolicy(), description="What the gateway does with a request.")
    max_tokens: int = Field(
        0,
        ge=0,
        description="Tokens per candidate at most; 0: what the engine's max_model_len leaves beside "
        "question and plan, at least half of it.",
    )

    @field_validator("speculation")
    @classmethod
    def _proven(cls, speculation: Speculation | None) -> Speculation | None:
        if speculation is not None and not speculation.lossless:
            raise ValueError(
                "speculation that was not proven lossless is not served; run the serve stage's test, or drop it"
            )
        return speculation

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.speculation and self.speculation.method == "draft_model" and not self.bundle.draft:
            raise ValueError(
                "speculation: method 'draft_model' needs a bundle with a draft; set bundle.draft, or use 'ngram'"
            )
        if self.max_tokens >= self.engine.max_model_len:
            raise ValueError(
                f"max_tokens: {self.max_tokens} leaves no room for a prompt in engine.max_model_len = "
                f"{self.engine.max_model_len}; lower it"
            )
        return self

    @property
    def candidate_tokens(self) -> int:
        return self.max_tokens or response_tokens(self.engine.max_model_len)

    @property
    def plan_tokens(self) -> int:
        return 0 if self.gateway.plan == "off" else min(self.gateway.plan_tokens, self.candidate_tokens)

    @property
    def folder(self) -> str:
        """Where a pod finds the bundle's trees."""
        return f"{BUNDLES}/{self.bundle.short}"


def endpoint_of(bundle: Bundle, manifest: Manifest) -> Endpoint:
    """The spec of a committed bundle. Raises ValueError for one that a cluster cannot serve."""
    paths = {file.path.partition("/")[0] for file in manifest.files}
    reference = BundleRef(
        uri=manifest.uri,
        digest=manifest.digest,
        bytes=manifest.total_bytes,
        draft=DRAFT in paths,
        verifier=VERIFIER in paths,
    )
    return Endpoint(
        name=bundle.name.replace(".", "-"),
        bundle=reference,
        engine=engine_of(bundle),
        speculation=bundle.speculation,
        gateway=policy_of(bundle),
    )


def endpoint_timing(endpoint: Endpoint, site: Site, scoring_s: float) -> Timing:
    return timing(endpoint.bundle.bytes, endpoint.candidate_tokens, endpoint.plan_tokens, scoring_s, site.speed)


def engine_command(endpoint: Endpoint, placement: Placement, site: Site, times: Timing) -> list[str]:
    """Program and arguments of the engine's container; the same function makes those of `hexad serve`."""
    wanted = endpoint.speculation
    arguments = bundle_arguments(
        endpoint.folder,
        endpoint.engine,
        speculative_settings(wanted.method, wanted.num_speculative_tokens) if wanted else None,
        ENGINE_PORT,
        host="0.0.0.0",
        gpus=Gpus(placement.accelerators, site.gpu_memory_utilization) if placement.accelerator else None,
        drain_s=drain_s(times.engine_grace_s),
    )
    return ["python", "-m", "vllm.entrypoints.openai.api_server", *arguments]
