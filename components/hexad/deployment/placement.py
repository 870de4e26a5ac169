"""What a workload asks of a cluster's nodes. A profile has one per image role; pipelines and endpoints share it."""

from typing import Literal

from pydantic import Field

from hexad.records import Record


class Toleration(Record):
    """A taint that pods may ignore; fields as in Kubernetes' `tolerations`."""

    key: str = Field(min_length=1, description="Taint's key, e.g. 'nvidia.com/gpu'.")
    operator: Literal["Exists", "Equal"] = Field("Exists", description="'Equal' compares `value` too.")
    value: str = Field("", description="Taint's value, for operator 'Equal'.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field("NoSchedule", description="Taint's effect.")


class Placement(Record):
    """Resources and nodes of one kind of pod."""

    cpu: str = Field("", description="CPU limit, e.g. '8'; empty: none.")
    memory: str = Field("", description="Memory limit, e.g. '64Gi'; empty: none.")
    accelerator: str = Field("", description="Resource name, e.g. 'nvidia.com/gpu'; empty: no accelerator.")
    accelerators: int = Field(1, ge=1, description="How many, when an accelerator is named.")
    node_selector: dict[str, str] = Field(default_factory=dict, description="Node labels to match.")
    tolerations: list[Toleration] = Field(default_factory=list, description="Taints of the node pool.")
    shm: str = Field("", description="Size of /dev/shm, e.g. '16Gi'; empty: the node's default (64 MiB).")

    @property
    def threads(self) -> dict[str, str]:
        """OpenMP's environment. It starts a thread for each core of the node, and the kernel stops all of them once
        they have used up a small limit. Not beside an accelerator, where the limit is most of the node."""
        return {"OMP_NUM_THREADS": self.cpu} if self.cpu.isdecimal() and not self.accelerator else {}
