"""Settings of preflight: what this run needs before anything costly starts."""

from pydantic import Field

from hexad.preflight.cluster.needs import ClusterNeeds
from hexad.records import Record


class PreflightConfig(Record):
    """Least resources, and what must be importable and present."""

    min_free_disk_gib: float = Field(2.0, ge=0, description="GiB that must be free where scratch lies.")
    min_memory_gib: float = Field(
        4.0,
        ge=0,
        description="GiB of memory that must be available on this machine; on a cluster each stage has its profile's.",
    )
    packages: list[str] = Field(
        default_factory=lambda: ["torch", "transformers", "trl", "vllm", "minio", "httpx", "starlette"],
        description="Modules that the stages import; looked up, not imported.",
    )
    paths: list[str] = Field(
        default_factory=list, description="Files or folders that must exist, such as a local base model."
    )
    cluster: ClusterNeeds | None = Field(
        None, description="What the profile needs of a cluster; filled in when a pipeline is compiled for one."
    )
