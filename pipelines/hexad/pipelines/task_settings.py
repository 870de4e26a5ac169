"""What goes for every task of a pipeline on a cluster, whatever its image role: limits, identity, secrets, cache."""

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from hexad.records import Record
from hexad.stage.boxes import SECTIONS

DEFAULT = "default"


class Retry(Record):
    """Another try of a task whose pod failed. Stages reuse committed trees, so a retry repeats no finished work."""

    times: int = Field(2, ge=1, description="Further tries.")
    wait_s: int = Field(60, ge=0, description="Seconds before the first one.")
    factor: int = Field(
        2, ge=1, description="Each wait is so many times the one before. Argo reads whole numbers only."
    )
    longest_wait_s: int = Field(1800, ge=1, description="Seconds between two tries at most.")

    @property
    def uncapped(self) -> tuple[int, int]:
        """First wait in s, and the largest factor under which the last one is still allowed: Kubeflow knows no cap."""
        first = min(self.wait_s, self.longest_wait_s)
        factors = (f for f in range(1, self.factor + 1) if first * f ** (self.times - 1) <= self.longest_wait_s)
        return first, max(factors)


class Cache(Record):
    """Disk of a task for scratch and checkpoints; without one they lie on the pod's ephemeral storage."""

    path: str = Field("/hexad-cache", pattern="^/[^/]", description="Where tasks see it.")
    claim: str = Field("", description="PersistentVolumeClaim that outlives tasks, so that a killed stage goes on.")
    size: str = Field("", description="Without a claim: size of a volume that lives as long as the task, e.g. '2Ti'.")
    storage_class: str = Field("", description="Its storage class, e.g. one of node-local disks; empty: the default.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.claim) == bool(self.size):
            raise ValueError("a cache has either a claim or a size; give one of them")
        return self


class SecretEnvironment(Record):
    """A secret as environment variables."""

    secret: str = Field(min_length=1, description="Name of the Kubernetes secret.")
    variables: dict[str, str] = Field(min_length=1, description="Key of the secret to environment variable.")


class TaskSettings(Record):
    """Section `tasks` of a profile. Kubeflow knows no run-time form of these, but for the secrets' names."""

    timeout_s: dict[str, int] = Field(
        default_factory=dict, description=f"Stage (or '{DEFAULT}') to seconds that one try of its task may run."
    )
    retry: Retry | None = Field(None, description="None: a failed task fails the run.")
    service_account: str = Field("", description="Service account of a run's pods; empty: Kubeflow's default.")
    api_server_cidrs: list[str] = Field(
        default_factory=lambda: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        description="Addresses of the Kubernetes API server, for network policies: `kubectl get endpoints kubernetes`.",
    )
    run_as_non_root: bool = Field(False, description="Kubelet refuses images that would start as root.")
    run_as_user: int | None = Field(
        None, ge=1, description="User id; none: the image's, or the namespace's (OpenShift)."
    )
    fs_group: int | None = Field(
        None,
        ge=0,
        description="Group that volumes are given to and pods are in, so that others than root can write the cache. "
        "Argo's form has it; Kubeflow has none for a task, only for its whole installation (docs/troubleshooting.md). "
        "None: run_as_user's number, or the namespace's (OpenShift).",
    )
    queue: str = Field("", description="Kueue LocalQueue of tasks with an accelerator; empty: no queue.")
    labels: dict[str, str] = Field(default_factory=dict, description="Further labels of every pod.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations of every pod.")
    pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = Field("", description="Empty: Kubernetes' default.")
    pull_secrets: list[str] = Field(
        default_factory=list, description="Secrets for the image registry, by name; endpoints use them too."
    )
    secret_environment: list[SecretEnvironment] = Field(
        default_factory=list, description="Secrets as environment variables, beside the store's."
    )
    secret_volumes: dict[str, str] = Field(default_factory=dict, description="Secret to the folder it is mounted at.")
    cache: Cache | None = Field(None, description="Disk for scratch and checkpoints.")
    affinity: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, description="Image role to node affinity, as in Kubernetes' `nodeAffinity`."
    )

    @model_validator(mode="after")
    def _stages_exist(self) -> Self:
        known = (DEFAULT, "register", "cleanup", *SECTIONS)
        for stage in self.timeout_s:
            if stage not in known:
                raise ValueError(f"timeout_s: {stage!r} is no stage; choose from {', '.join(known)}")
        return self

    def timeout(self, section: str) -> int:
        """Seconds that one try of a stage's task may run; 0: no limit."""
        return self.timeout_s.get(section, self.timeout_s.get(DEFAULT, 0))
